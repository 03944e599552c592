/**
 * A procedural, labelled picture set: digits and a few capital letters drawn with strokes, each picture with its own
 * rotation, size, slant, position, moved points, thickness, contrast, uneven light, scratches and noise. Picture
 * `index` of a set `seed` is a pure function of the two numbers, in exact integers throughout (random numbers by
 * num/random.ts, geometry in fixed point), so every host draws the same bytes.
 */
import { DyadicError } from '../error.ts'
import { fillRandomUint32, randomBelow, scaleUint32 } from '../num/random.ts'
import type { DataSet } from './data-set.ts'
import {
  createDistanceField,
  type DistanceField,
  markCurve,
  markLine,
  strokeCoverage,
  strokeReach,
  UNITS_PER_PIXEL,
} from './glyphs-raster.ts'
import { GLYPH_SHAPES, type GlyphShape } from './glyphs-shapes.ts'

/** Width and height of a picture in pixels. */
export const GLYPH_SIZE = 28

/** What the labels mean: `glyphNames[label]`. */
export const glyphNames: readonly string[] = GLYPH_SHAPES.map((shape) => shape.name)

const PIXELS = GLYPH_SIZE * GLYPH_SIZE
/** Extent of a picture in the rasteriser's units. */
const EXTENT = GLYPH_SIZE * UNITS_PER_PIXEL
/**
 * Numbers of a picture's random stream: number 0 is the label, the drawing uses the ones up to 95 (with two for each of
 * at most 15 points it needs fewer than 60), the noise the rest, two pixels each.
 */
const DRAWING_NUMBERS = 96
const NOISE_NUMBERS = PIXELS / 2

/** The label of a picture, without drawing it. Throws `usage` for a seed or index that is no integer in 0..2^53 − 1. */
export function glyphLabel(seed: number, index: number): number {
  return randomBelow(seed, index, 0, GLYPH_SHAPES.length)
}

/**
 * Draws one picture: 28×28 grey values, row-major, and its label. Throws `usage` for a seed or index that is no integer
 * in 0..2^53 − 1.
 */
export function drawGlyph(seed: number, index: number): { pixels: Uint8Array; label: number } {
  const words = new Uint32Array(DRAWING_NUMBERS + NOISE_NUMBERS)
  fillRandomUint32(seed, index, 0, words)
  const label = scaleUint32(words[0]!, GLYPH_SHAPES.length)
  let used = 1
  const draw = (low: number, high: number) => low + scaleUint32(words[used++]!, high - low + 1)

  const radius = draw(10, 26)
  const field = createDistanceField(GLYPH_SIZE, GLYPH_SIZE)
  markGlyph(field, GLYPH_SHAPES[label]!, radius, draw)
  const ink = strokeCoverage(field, radius)
  const scratches = drawScratches(draw)
  const pixels = shade(ink, scratches, draw, words.subarray(DRAWING_NUMBERS))
  return { pixels, label }
}

/** An integer in low..high, both included. */
type Draw = (low: number, high: number) => number

/** Marks the strokes of a shape after a random affine change of the whole and a random move of every point. */
function markGlyph(field: DistanceField, shape: GlyphShape, radius: number, draw: Draw): void {
  // The rotation is the rational one of t = tan(angle / 2) = tangent / 256, to 10 fractional bits: ±23°.
  const tangent = draw(-52, 52)
  const denominator = 65536 + tangent * tangent
  const cosine = Math.floor(((65536 - tangent * tangent) * 1024) / denominator)
  const sine = Math.floor((512 * tangent * 1024) / denominator)
  // Sizes in 1/64 unit per grid step (12 units, three quarters of a pixel, in the middle), slant in 1/256.
  const scaleX = draw(540, 900)
  const scaleY = draw(580, 860)
  const slant = draw(-72, 72)
  const middleX = EXTENT / 2 + draw(-44, 44)
  const middleY = EXTENT / 2 + draw(-40, 40)
  const xs: number[] = []
  const ys: number[] = []
  for (const [gridX, gridY] of shape.points) {
    const y = scaleY * (16 * gridY + draw(-20, 20))
    const x = scaleX * (16 * gridX + draw(-20, 20)) + ((slant * y) >> 8)
    // x and y have 10 fractional bits; 4 are dropped so that the products, |x| < 2^14 times 2^10, stay in 32 bits.
    xs.push(middleX + (((x >> 4) * cosine - (y >> 4) * sine + 0x8000) >> 16))
    ys.push(middleY + (((x >> 4) * sine + (y >> 4) * cosine + 0x8000) >> 16))
  }
  const reach = strokeReach(radius)
  for (const { kind, points } of shape.strokes) {
    const step = kind === 'line' ? 1 : 2
    for (let i = 0; i + step < points.length; i += step) {
      const [a, b, c] = [points[i]!, points[i + 1]!, points[i + step]!]
      if (kind === 'line') markLine(field, xs[a]!, ys[a]!, xs[c]!, ys[c]!, reach)
      else markCurve(field, xs[a]!, ys[a]!, xs[b]!, ys[b]!, xs[c]!, ys[c]!, reach)
    }
  }
}

/** Coverage of up to three thin straight scratches anywhere in the picture. */
function drawScratches(draw: Draw): Int32Array {
  const radius = 9
  const field = createDistanceField(GLYPH_SIZE, GLYPH_SIZE)
  for (let left = draw(0, 3); left > 0; left--)
    markLine(field, draw(0, EXTENT), draw(0, EXTENT), draw(0, EXTENT), draw(0, EXTENT), strokeReach(radius))
  return strokeCoverage(field, radius)
}

/** Grey values from coverage: paper, light falling off to one side, ink of either polarity, scratches, noise. */
function shade(ink: Int32Array, scratches: Int32Array, draw: Draw, noise: Uint32Array): Uint8Array {
  const contrast = draw(40, 176)
  const darker = draw(0, 255 - contrast)
  const inkIsDark = draw(0, 1) === 1
  const paper = inkIsDark ? darker + contrast : darker
  const inkStep = inkIsDark ? -contrast : contrast
  const scratchStep = (draw(-224, 224) * contrast) >> 8
  // Light in 1/16 grey level per pixel; noise amplitude in grey levels.
  const lightX = draw(-28, 28)
  const lightY = draw(-28, 28)
  const amplitude = draw(4, 88)
  const pixels = new Uint8Array(PIXELS)
  for (let at = 0; at < PIXELS; at++) {
    const column = at % GLYPH_SIZE
    const row = (at - column) / GLYPH_SIZE
    const light = (lightX * (2 * column + 1 - GLYPH_SIZE) + lightY * (2 * row + 1 - GLYPH_SIZE)) >> 5
    const half = (noise[at >> 1]! >>> (16 * (at & 1))) & 0xffff
    // The sum of two bytes: a triangular density on −255..255.
    const grain = (((half & 0xff) + (half >>> 8) - 255) * amplitude) >> 8
    const scratch = ((256 - ink[at]!) * scratches[at]! * scratchStep) >> 16
    const value = paper + ((inkStep * ink[at]!) >> 8) + scratch + light + grain
    pixels[at] = Math.min(255, Math.max(0, value))
  }
  return pixels
}

/**
 * Pictures `first` … `first + count − 1` of the set `seed` as labelled samples [1, 28, 28]; the network's real input is
 * pixel / 255. Throws `usage` for a seed or first that is no integer in 0..2^53 − 1 or a count that is no positive one.
 */
export function openGlyphs(options: { seed: number; first: number; count: number }): DataSet {
  const { seed, first, count } = options
  requireInteger('seed', seed, 0)
  requireInteger('first', first, 0)
  requireInteger('count', count, 1)
  requireInteger('last index', first + (count - 1), 0)
  const indexOf = (sample: number): number => {
    if (!Number.isInteger(sample) || sample < 0 || sample >= count)
      throw new DyadicError('usage', `glyph sample ${sample} was asked for; the set has samples 0..${count - 1}`)
    return first + sample
  }
  return {
    name: 'glyphs',
    length: count,
    elementType: 'uint8',
    shape: [1, GLYPH_SIZE, GLYPH_SIZE],
    channelAxis: 0,
    scale: [1 / 255],
    offset: [0],
    label: (index) => glyphLabel(seed, indexOf(index)),
    read: async (index) => drawGlyph(seed, indexOf(index)).pixels,
    describe: (index) => `glyph ${indexOf(index)} of seed ${seed}`,
  }
}

function requireInteger(what: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least)
    throw new DyadicError('usage', `glyphs: ${what} is ${value}; it must be an integer in ${least}..2^53 − 1`)
}
