/**
 * From a decoded picture to a stored sample: grey, resize, centre crop, channel order, layout; all in integers.
 *
 * The rules, found to reproduce the published counts of the test networks:
 * - grey is (19595 R + 38470 G + 7471 B + 2^15) >> 16, before any resizing;
 * - "shorter side to s" makes the longer side (longer × s) / shorter, rounded half up, in exact integers;
 * - a centre crop starts at floor((size − crop) / 2).
 */
import { z } from 'zod'
import { DyadicError } from '../error.ts'
import { LONGEST_SIDE, type Picture, resizeBilinear } from './resize.ts'

const side = z.int().min(1).max(LONGEST_SIDE)

/** The card's `image` part: how a decoded picture becomes a sample. */
export const imageSettingsSchema = z
  .strictObject({
    resizeShorterSide: side.optional().describe('pixels of the shorter side after resizing'),
    resize: z.tuple([side, side]).optional().describe('[height, width] after resizing, whatever the aspect'),
    crop: z.tuple([side, side]).optional().describe('[height, width] of the centre crop'),
    filter: z.literal('bilinear').optional().describe('the antialiased triangle filter, the only one'),
    channels: z.enum(['rgb', 'bgr', 'gray']),
    layout: z.enum(['chw', 'hwc']).optional().describe('order of a sample; chw if absent'),
  })
  .superRefine((image, context) => {
    if (image.resizeShorterSide !== undefined && image.resize !== undefined)
      context.addIssue({ code: 'custom', message: 'give "resizeShorterSide" or "resize", not both' })
    if (image.crop === undefined && image.resize === undefined)
      context.addIssue({
        code: 'custom',
        message: 'samples need one fixed size: give "crop" or "resize" as [height, width]',
      })
    if (
      image.crop !== undefined &&
      image.resize !== undefined &&
      image.crop.some((size, i) => size > image.resize![i]!)
    )
      context.addIssue({ code: 'custom', message: 'the crop is larger than the resized picture' })
  })

/** What is done to a decoded picture: size, crop, channels (`image` of a data card). */
export type ImageSettings = z.output<typeof imageSettingsSchema>

/** Width and height after "shorter side to `side`": the shorter one exactly, the longer one rounded half up. */
export function scaledSize(width: number, height: number, side: number): { width: number; height: number } {
  const scaled = (longer: number, shorter: number) => Math.floor((2 * longer * side + shorter) / (2 * shorter))
  return width <= height
    ? { width: side, height: scaled(height, width) }
    : { width: scaled(width, height), height: side }
}

/** The middle `height` × `width` pixels. Throws `refused` when the picture is smaller than that. */
export function centreCrop(picture: Picture, height: number, width: number): Picture {
  if (width > picture.width || height > picture.height)
    throw new DyadicError(
      'refused',
      `a crop of ${height} × ${width} (height × width) does not fit a picture of ${picture.height} × ${picture.width}; ` +
        'resize it first ("resizeShorterSide" or "resize")',
    )
  if (width === picture.width && height === picture.height) return picture
  const { channels } = picture
  const left = (picture.width - width) >> 1
  const top = (picture.height - height) >> 1
  const data = new Uint8Array(width * height * channels)
  for (let y = 0; y < height; y++) {
    const from = ((top + y) * picture.width + left) * channels
    data.set(picture.data.subarray(from, from + width * channels), y * width * channels)
  }
  return { width, height, channels, data }
}

/** One grey channel from three colour channels. */
export function greyOf(picture: Picture): Picture {
  const { width, height } = picture
  const data = new Uint8Array(width * height)
  for (let i = 0; i < data.length; i++) {
    const [red, green, blue] = [picture.data[3 * i]!, picture.data[3 * i + 1]!, picture.data[3 * i + 2]!]
    data[i] = (19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16
  }
  return { width, height, channels: 1, data }
}

/** Shape and channel axis of the samples that `settings` make. */
export function sampleShape(settings: ImageSettings): { shape: number[]; channelAxis: number } {
  const size = (settings.crop ?? settings.resize) as [number, number]
  const channels = settings.channels === 'gray' ? 1 : 3
  return settings.layout === 'hwc'
    ? { shape: [...size, channels], channelAxis: 2 }
    : { shape: [channels, ...size], channelAxis: 0 }
}

/** The stored numbers of one sample from its RGB pixels. Throws `refused` when the crop does not fit. */
export function preprocess(rgb: Picture, settings: ImageSettings): Uint8Array {
  let picture = settings.channels === 'gray' ? greyOf(rgb) : rgb
  if (settings.resizeShorterSide !== undefined) {
    const { width, height } = scaledSize(rgb.width, rgb.height, settings.resizeShorterSide)
    picture = resizeBilinear(picture, width, height)
  } else if (settings.resize !== undefined) picture = resizeBilinear(picture, settings.resize[1], settings.resize[0])
  if (settings.crop !== undefined) picture = centreCrop(picture, settings.crop[0], settings.crop[1])

  const { channels, data } = picture
  const pixels = picture.width * picture.height
  const out = new Uint8Array(data.length)
  for (let c = 0; c < channels; c++) {
    const from = settings.channels === 'bgr' ? channels - 1 - c : c
    const [start, step] = settings.layout === 'hwc' ? [c, channels] : [c * pixels, 1]
    for (let i = 0; i < pixels; i++) out[start + i * step] = data[i * channels + from]!
  }
  return out
}
