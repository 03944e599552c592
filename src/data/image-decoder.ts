/** What a picture decoder is: the one thing about pictures that a host must bring. */

/**
 * Decodes one picture to interleaved 8-bit RGB, `rgb[(y × width + x) × 3 + c]`, as stored: not turned by its
 * orientation tag, no colour profile applied. `where` names the picture in errors. Throws `refused` for bytes that are
 * no picture and `limit` for too many pixels.
 */
export type ImageDecoder = (
  bytes: Uint8Array,
  where: string,
) => Promise<{ width: number; height: number; rgb: Uint8Array }>
