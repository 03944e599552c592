export const USAGE: string

export interface VisionOptions {
  readonly model: string
  readonly data: string
  readonly count: number
  readonly out: string
  readonly page: boolean
  readonly port: number
  readonly help: boolean
}

export function readOptions(words: readonly string[]): VisionOptions
export function readModel(file: string): Uint8Array
