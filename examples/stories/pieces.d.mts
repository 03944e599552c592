import type { Piece } from './tokenizer.mjs'

export function readPieces(bytes: Uint8Array): Piece[]
