/**
 * Codes of fewer than 8 bits side by side in bytes: code i lies in the bits i·b … (i + 1)·b − 1 of a string of bits that begins
 * with the least significant bit of the first byte. At 4 bits the first of two codes is the low nibble, as in OCP MX and ONNX.
 */
import { DyadicError } from '../error.ts'

/** Bytes of `count` packed codes. */
export function packedLength(count: number, bits: number): number {
  return Math.ceil((count * bits) / 8)
}

/** Packs codes of 1 … 8 bits; the unused bits of the last byte are 0. Throws `usage` for a code that does not fit. */
export function packCodes(codes: ArrayLike<number>, bits: number): Uint8Array {
  requireBits(bits)
  const packed = new Uint8Array(packedLength(codes.length, bits))
  const end = 2 ** bits
  let pending = 0
  let width = 0
  let at = 0
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!
    if (!(code >= 0 && code < end))
      throw new DyadicError('usage', `code ${i} is ${code}; ${bits} bits hold 0..${end - 1}`)
    pending |= code << width
    width += bits
    if (width >= 8) {
      packed[at++] = pending
      pending >>>= 8
      width -= 8
    }
  }
  if (width > 0) packed[at] = pending
  return packed
}

/** The first `count` codes of packed bytes. Throws `usage` when there are too few bytes. */
export function unpackCodes(packed: Uint8Array, bits: number, count: number): Uint8Array {
  requireBits(bits)
  if (packed.length < packedLength(count, bits))
    throw new DyadicError(
      'usage',
      `${count} codes of ${bits} bits need ${packedLength(count, bits)} bytes, there are ${packed.length}`,
    )
  const codes = new Uint8Array(count)
  const mask = 2 ** bits - 1
  let pending = 0
  let width = 0
  let at = 0
  for (let i = 0; i < count; i++) {
    if (width < bits) {
      pending |= packed[at++]! << width
      width += 8
    }
    codes[i] = pending & mask
    pending >>>= bits
    width -= bits
  }
  return codes
}

function requireBits(bits: number): void {
  if (!Number.isInteger(bits) || bits < 1 || bits > 8)
    throw new DyadicError('usage', `codes of ${bits} bits cannot be packed; 1 to 8 bits can`)
}
