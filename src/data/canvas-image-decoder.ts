/**
 * Picture decoding in a browser tab or worker, by the browser's own decoders: not turned by the orientation tag, no colour
 * profile applied, alpha dropped without blending where the browser keeps it. Lossless formats give the stored pixels;
 * decoders of JPEG and WebP differ by a step here and there between browsers, and from Node's.
 */
import { DyadicError, quoted } from '../error.ts'
import type { ImageDecoder } from './image-decoder.ts'

/** Most pixels of a picture: 2^26, as on Node. */
const MOST_PIXELS = 2 ** 26

/** Decodes what the browser decodes: JPEG, PNG, WebP and more. Throws `refused` for other bytes, `limit` beyond 2^26 pixels. */
export const decodeImageOnCanvas: ImageDecoder = async (bytes, where) => {
  let bitmap: ImageBitmap
  try {
    bitmap = await createImageBitmap(new Blob([bytes as BlobPart]), {
      imageOrientation: 'none',
      colorSpaceConversion: 'none',
      premultiplyAlpha: 'none',
    })
  } catch (cause) {
    throw new DyadicError('refused', `picture ${quoted(where)} cannot be decoded by this browser`, { cause })
  }
  const { width, height } = bitmap
  if (width * height > MOST_PIXELS) {
    bitmap.close()
    throw new DyadicError(
      'limit',
      `picture ${quoted(where)} has ${width} × ${height} pixels; at most ${MOST_PIXELS} are decoded`,
    )
  }
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })
  if (context === null) throw new DyadicError('limit', `picture ${quoted(where)}: the browser gives no canvas`)
  context.drawImage(bitmap, 0, 0)
  bitmap.close()
  const { data } = context.getImageData(0, 0, width, height)
  const rgb = new Uint8Array(3 * width * height)
  for (let i = 0, from = 0; i < rgb.length; i += 3, from += 4) {
    rgb[i] = data[from]!
    rgb[i + 1] = data[from + 1]!
    rgb[i + 2] = data[from + 2]!
  }
  return { width, height, rgb }
}
