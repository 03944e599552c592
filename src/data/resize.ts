/**
 * The resize filter of 8-bit pictures, in integers, so that every host makes the same pixels. It equals the 8-bit path
 * of Pillow's `Image.resize(size, BILINEAR)` bit for bit (test/vectors/resize.json).
 *
 * The rule, per axis, for `n` stored and `m` wanted pixels and ratio r = n / m, all in IEEE doubles:
 * - the filter is the triangle 1 − |t| on |t| < 1, widened by w = max(r, 1) (this widening is the antialiasing);
 * - wanted pixel i has its centre at c = (i + 0.5) × r and takes the stored pixels trunc(c − w + 0.5), at least 0, up to
 *   but excluding trunc(c + w + 0.5), at most n;
 * - stored pixel j weighs triangle((j − c + 0.5) × (1 / w)); the weights are divided by their sum in index order, then
 *   rounded to 22 fractional bits, halves up;
 * - the result is (2^21 + Σ weight × pixel) >> 22, clamped to 0..255.
 * Rows are filtered first, then columns, each rounding to 8 bits. Columns come first when the height shrinks, and by more
 * than twice what the width shrinks (Pillow 13's order, measured over 6000 sizes; older ones always begin with the rows,
 * which can differ by one step in a pixel). An axis of unchanged size is not filtered.
 */
import { DyadicError } from '../error.ts'

/** Interleaved 8-bit channels, row-major: `data[(y × width + x) × channels + c]`. */
export interface Picture {
  readonly width: number
  readonly height: number
  readonly channels: number
  readonly data: Uint8Array
}

/** 32 bits less 8 for the pixel and 2 for sign and carry. */
const WEIGHT_BITS = 22
const WEIGHT_ONE = 2 ** WEIGHT_BITS
const HALF = 2 ** (WEIGHT_BITS - 1)

/** Longest side of a picture: 255 × (2^22 + side / 2) + 2^21 stays below 2^31, so the sums are exact in 32 bits. */
export const LONGEST_SIDE = 65535

interface AxisWeights {
  /** First stored pixel of each wanted pixel. */
  readonly first: Int32Array
  /** Number of stored pixels of each wanted pixel. */
  readonly count: Int32Array
  /** Weights of wanted pixel i at `i × stride`. */
  readonly weights: Int32Array
  readonly stride: number
}

/**
 * A picture of `width` × `height` pixels by the rule above; the same picture when the size does not change. Throws
 * `refused` for a size that is no integer in 1..65535 or data that do not fit the picture's own size.
 */
export function resizeBilinear(picture: Picture, width: number, height: number): Picture {
  checkPicture(picture)
  for (const size of [width, height])
    if (!Number.isInteger(size) || size < 1 || size > LONGEST_SIDE)
      throw new DyadicError(
        'refused',
        `a picture cannot have ${width} × ${height} pixels; sides are 1..${LONGEST_SIDE}`,
      )
  const columnsFirst = height < picture.height && picture.height - height > 2 * (picture.width - width)
  const first = columnsFirst ? resizeColumns(picture, height) : resizeRows(picture, width)
  return columnsFirst ? resizeRows(first, width) : resizeColumns(first, height)
}

/** Throws `refused` unless the sides are integers in 1..65535 and the data have width × height × channels bytes. */
export function checkPicture({ width, height, channels, data }: Picture): void {
  const sides = [width, height].every((side) => Number.isInteger(side) && side >= 1 && side <= LONGEST_SIDE)
  if (!sides || data.length !== width * height * channels)
    throw new DyadicError(
      'refused',
      `a picture of ${width} × ${height} pixels and ${channels} channels with ${data.length} bytes; ` +
        `sides are 1..${LONGEST_SIDE} and every pixel has its channels`,
    )
}

function resizeRows(picture: Picture, width: number): Picture {
  if (width === picture.width) return picture
  const { height, channels, data } = picture
  const { first, count, weights, stride } = axisWeights(picture.width, width)
  const out = new Uint8Array(width * height * channels)
  let at = 0
  for (let y = 0; y < height; y++) {
    const row = y * picture.width * channels
    for (let x = 0; x < width; x++) {
      const taps = count[x]!
      for (let c = 0; c < channels; c++) {
        let sum = HALF
        let from = row + first[x]! * channels + c
        for (let tap = 0; tap < taps; tap++, from += channels) sum += weights[x * stride + tap]! * data[from]!
        out[at++] = clampByte(sum >> WEIGHT_BITS)
      }
    }
  }
  return { width, height, channels, data: out }
}

function resizeColumns(picture: Picture, height: number): Picture {
  if (height === picture.height) return picture
  const { width, channels, data } = picture
  const { first, count, weights, stride } = axisWeights(picture.height, height)
  const pitch = width * channels
  const out = new Uint8Array(pitch * height)
  const sums = new Int32Array(pitch)
  for (let y = 0; y < height; y++) {
    sums.fill(HALF)
    for (let tap = 0; tap < count[y]!; tap++) {
      const weight = weights[y * stride + tap]!
      const from = (first[y]! + tap) * pitch
      for (let i = 0; i < pitch; i++) sums[i] = sums[i]! + weight * data[from + i]!
    }
    for (let i = 0; i < pitch; i++) out[y * pitch + i] = clampByte(sums[i]! >> WEIGHT_BITS)
  }
  return { width, height, channels, data: out }
}

/** Rounded weights can sum to a little more than one, so a long white row may reach 256. */
function clampByte(value: number): number {
  return Math.min(value, 255)
}

function axisWeights(stored: number, wanted: number): AxisWeights {
  const ratio = stored / wanted
  const reach = Math.max(ratio, 1)
  const inverse = 1 / reach
  const stride = Math.ceil(reach) * 2 + 1
  const first = new Int32Array(wanted)
  const count = new Int32Array(wanted)
  const weights = new Int32Array(wanted * stride)
  const real = new Float64Array(stride)
  for (let i = 0; i < wanted; i++) {
    const centre = (i + 0.5) * ratio
    const from = Math.max(0, Math.trunc(centre - reach + 0.5))
    const to = Math.min(stored, Math.trunc(centre + reach + 0.5))
    let sum = 0
    for (let j = from; j < to; j++) {
      const weight = Math.max(0, 1 - Math.abs((j - centre + 0.5) * inverse))
      real[j - from] = weight
      sum += weight
    }
    first[i] = from
    count[i] = to - from
    for (let tap = 0; tap < to - from; tap++)
      weights[i * stride + tap] = Math.trunc(0.5 + (sum === 0 ? 0 : real[tap]! / sum) * WEIGHT_ONE)
  }
  return { first, count, weights, stride }
}
