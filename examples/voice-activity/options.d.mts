export const USAGE: string

export interface VoiceOptions {
  readonly model: string
  readonly wav: string
  readonly recordings: string
  readonly out: string
  readonly page: boolean
  readonly port: number
  readonly help: boolean
}

export function readOptions(words: readonly string[]): VoiceOptions
export function readInput(file: string, option: string): Uint8Array
