import type { Network } from '../../src/runtime/index.ts'

export const RATE: number
export const WINDOW: number
export const CONTEXT: number

export interface Heard {
  readonly code: number
  readonly probability: number
}

export function beginListening(network: Network): { next(samples: Float32Array): Heard }
export function listen(network: Network, signal: Float32Array): Heard[]
