export interface Piece {
  readonly piece: string
  readonly score: number
  readonly type: number
}

export interface StoryTokenizer {
  encode(text: string): number[]
  decode(ids: readonly number[]): string
}

export const BEGIN: number
export function createTokenizer(pieces: readonly Piece[]): StoryTokenizer
