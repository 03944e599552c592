import type { Piece } from './tokenizer.mjs'

export function buildPage(
  out: string,
  content: { readonly wasm: Uint8Array; readonly pieces: readonly Piece[] },
): Promise<void>
