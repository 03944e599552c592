import type { Piece } from './tokenizer.mjs'

export const USAGE: string

export interface StoryOptions {
  readonly weights: string
  readonly prompt: string
  readonly length: number
  readonly out?: string
  readonly page: boolean
  readonly port: number
  readonly help: boolean
}

export function readOptions(words: readonly string[]): StoryOptions
export function readModel(folder: string): { readonly weights: Uint8Array; readonly pieces: readonly Piece[] }
