/** Integer codes inside a plan: bytes as base64, which keeps a layer's weights one short string in the JSON. */
import { codeBytes, type WeightFormat } from './plan.ts'

/** Bytes as base64. Signed codes are written in two's complement. */
export function encodeCodes(codes: Int8Array | Uint8Array): string {
  const bytes = new Uint8Array(codes.buffer, codes.byteOffset, codes.byteLength)
  let text = ''
  // In pieces, because a call takes a limited number of arguments.
  for (let start = 0; start < bytes.length; start += 8192)
    text += String.fromCharCode(...bytes.subarray(start, start + 8192))
  return btoa(text)
}

/** The bytes of base64 text, which `planSchema` has checked. */
export function decodeCodes(base64: string): Uint8Array {
  const text = atob(base64)
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i)
  return bytes
}

/** Codes of a layer's weights as base64: one byte each, or two, the low one first. */
export function encodeWeightCodes(format: WeightFormat, codes: ArrayLike<number>): string {
  if (codeBytes(format) === 1) return encodeCodes(Uint8Array.from(codes))
  const bytes = new Uint8Array(codes.length * 2)
  for (let i = 0; i < codes.length; i++) {
    bytes[2 * i] = codes[i]
    bytes[2 * i + 1] = codes[i] >> 8
  }
  return encodeCodes(bytes)
}

/** The codes of a layer's weights; half a code at the end counts as one. */
export function decodeWeightCodes(format: WeightFormat, base64: string): Uint8Array | Int8Array | Int16Array {
  const bytes = decodeCodes(base64)
  if (format === 'u8') return bytes
  if (codeBytes(format) === 1) return new Int8Array(bytes.buffer)
  return Int16Array.from({ length: Math.ceil(bytes.length / 2) }, (_, i) => bytes[2 * i] | (bytes[2 * i + 1] << 8))
}
