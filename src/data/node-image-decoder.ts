/**
 * Picture decoding on Node by sharp, set so that a JPEG, WebP or 8-bit PNG gives the pixels of Pillow's
 * `Image.open(file).convert("RGB")`: no colour profile applied, not turned by the orientation tag, alpha dropped without
 * blending, grey repeated, CMYK converted by the formula below. 16-bit channels keep their upper byte (Pillow clips).
 */
import sharp from 'sharp'
import { DyadicError, quoted } from '../error.ts'
import type { ImageDecoder } from './image-decoder.ts'

/** Most pixels of a picture: 2^26, which decode to 192 MiB of RGB. */
const MOST_PIXELS = 2 ** 26

/** The first bytes of the formats that are decoded (`.` is any byte); sharp is handed nothing else. */
const SIGNATURES = ['\xff\xd8\xff', '\x89PNG\r\n\x1a\n', 'RIFF....WEBP']

function hasSignature(bytes: Uint8Array): boolean {
  return SIGNATURES.some((signature) =>
    [...signature].every((character, i) => character === '.' || bytes[i] === character.charCodeAt(0)),
  )
}

/** Decodes JPEG, PNG and WebP. Throws `refused` for damaged or other bytes and `limit` beyond 2^26 pixels. */
export const decodeImage: ImageDecoder = async (bytes, where) => {
  if (!hasSignature(bytes))
    throw new DyadicError('refused', `picture ${quoted(where)} is no JPEG, PNG or WebP file by its first bytes`)
  try {
    const options = { ignoreIcc: true, autoOrient: false, failOn: 'error', limitInputPixels: false } as const
    const image = sharp(bytes, options)
    const { width: storedWidth, height: storedHeight, space } = await image.metadata()
    if (storedWidth * storedHeight > MOST_PIXELS)
      throw new DyadicError(
        'limit',
        `picture ${quoted(where)} has ${storedWidth} × ${storedHeight} pixels; at most ${MOST_PIXELS} are decoded`,
      )
    const converted =
      space === 'cmyk'
        ? image.pipelineColourspace('cmyk').toColourspace('cmyk')
        : image.toColourspace('srgb').removeAlpha()
    const { data, info } = await converted.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true })
    return { width: info.width, height: info.height, rgb: toRgb(data, info.channels) }
  } catch (error) {
    if (error instanceof DyadicError) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new DyadicError('refused', `picture ${quoted(where)} cannot be decoded: ${quoted(reason)}`, { cause: error })
  }
}

function toRgb(data: Uint8Array, channels: number): Uint8Array {
  if (channels === 3) return data
  if (channels !== 1 && channels !== 4) throw new Error(`the decoder made ${channels} channels`)
  const pixels = data.length / channels
  const rgb = new Uint8Array(3 * pixels)
  for (let i = 0; i < pixels; i++)
    for (let c = 0; c < 3; c++)
      rgb[3 * i + c] = channels === 1 ? data[i]! : inkToLight(data[4 * i + c]!, data[4 * i + 3]!)
  return rgb
}

/** white − ink × white / 255 with white = 255 − black, the product divided by 255 to nearest. */
function inkToLight(ink: number, black: number): number {
  const white = 255 - black
  const product = ink * white + 128
  return Math.max(0, white - ((product + (product >> 8)) >> 8))
}
