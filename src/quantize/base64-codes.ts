/** Integer codes inside a plan: bytes as base64, which keeps a layer's weights one short string in the JSON. */

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
