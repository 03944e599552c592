import type { IntegerArray, Network } from '../../src/runtime/index.ts'

export interface Story {
  readonly context: number
  next(token: number): IntegerArray
}

export function beginStory(network: Network): Story
export function best(codes: ArrayLike<number>): number
export function tellStory(network: Network, prompt: readonly number[], length: number): Generator<number, void>
