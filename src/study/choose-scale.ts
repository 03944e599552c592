/**
 * The real scale of an element format for some values: by the largest magnitude or by squared error. Of several formats the one
 * with the least error. All searches are over fixed candidates and deterministic; of equal ones the first counts.
 */
import { DyadicError, quoted } from '../error.ts'
import type { ElementFormat, Rounding } from '../formats/element-format.ts'
import { flexibleBias, largestMagnitude, scaleFor, scaleOfBias } from '../formats/scale.ts'
import { elementError } from './round-values.ts'
import type { ScaleRule, StudyFormat } from './study-format.ts'

/** How a study finds real scales. */
export type StudyRange = 'minmax' | 'mse'

/** Values whose scale is wanted: all of them, or a sample with the largest magnitude of all. */
export interface Extent {
  readonly values: Float32Array
  /** max|v| over everything, also over what is not among `values`. */
  readonly largest: number
}

/** The values and their largest magnitude. Throws `refused` for NaN and ∞, naming `where`. */
export function extentOf(values: Float32Array, where: string): Extent {
  return { values, largest: largestMagnitude(values, where) }
}

/** Octaves below and above the largest magnitude that clipping values are searched in. */
const OCTAVES_BELOW = 10
const OCTAVES_ABOVE = 2
const PER_OCTAVE = 8
const FINE_STEPS = 20
/** ANT's multiples of the largest magnitude, in hundredths: from the first to the last, coarsely and then each. */
const ANT_COARSE = 5
const ANT_MOST = 400
/** Integer biases around the one whose range ends at the largest magnitude: one less reaches twice as far. */
const BIASES = [-1, 0, 1, 2, 3, 4, 5, 6]

const coarse = [
  1,
  ...Array.from(
    { length: (OCTAVES_BELOW + OCTAVES_ABOVE) * PER_OCTAVE + 1 },
    (_, i) => 2 ** (OCTAVES_ABOVE - i / PER_OCTAVE),
  ),
]
const fine = [1, ...Array.from({ length: 2 * FINE_STEPS + 1 }, (_, i) => 1 + (i - FINE_STEPS) / (10 * FINE_STEPS))]
interface Found {
  readonly scale: number
  readonly error: number
}

function least(format: ElementFormat, { values }: Extent, scales: readonly number[], rounding?: Rounding): Found {
  let best: Found = { scale: scales[0] as number, error: Number.POSITIVE_INFINITY }
  for (const scale of scales) {
    const error = elementError(format, values, scale, rounding)
    if (error < best.error) best = { scale, error }
  }
  return best
}

/** The scale with the least squared error: clipping values of 2^−10 … 4 × the largest magnitude, then ± 10 % around the best. */
function searchReal(format: ElementFormat, extent: Extent): Found {
  const at = (clipping: number): number => scaleFor(format, clipping)
  const centre = least(
    format,
    extent,
    coarse.map((factor) => at(extent.largest * factor)),
  )
  return least(
    format,
    extent,
    fine.map((factor) => centre.scale * factor),
  )
}

function searchBias(format: ElementFormat, extent: Extent): Found {
  const exact = Math.floor(flexibleBias(format, extent.largest))
  return least(
    format,
    extent,
    BIASES.map((step) => scaleOfBias(format, exact + step)),
  )
}

/** The multiple of 0.01 of the largest magnitude with the least squared error: every fifth up to 4, then all around the best. */
function searchHundredths(format: ElementFormat, extent: Extent): Found {
  const rounding = roundingUnder('ant', format)
  const at = (hundredths: readonly number[]): Found & { readonly hundredths: number } => {
    const scales = hundredths.map((one) => scaleFor(format, (extent.largest * one) / 100))
    const found = least(format, extent, scales, rounding)
    return { ...found, hundredths: hundredths[scales.indexOf(found.scale)] as number }
  }
  const coarse = at(Array.from({ length: ANT_MOST / ANT_COARSE }, (_, i) => ANT_MOST - i * ANT_COARSE))
  return at(Array.from({ length: 2 * ANT_COARSE - 1 }, (_, i) => coarse.hundredths + ANT_COARSE - 1 - i))
}

/** The rounding of a format under a rule: ANT's nearest value takes the larger one of two. */
export function roundingUnder(rule: ScaleRule, format: ElementFormat): Rounding {
  return rule === 'ant' ? 'half-up' : format.rounding
}

/** The scale of one format for some values; 1 where all are zero. */
export function chooseScale(format: ElementFormat, extent: Extent, rule: ScaleRule, range: StudyRange): Found {
  if (extent.largest === 0 || rule === 'none') return { scale: 1, error: 0 }
  if (rule === 'bias') return searchBias(format, extent)
  if (rule === 'ant') return searchHundredths(format, extent)
  return range === 'mse' ? searchReal(format, extent) : { scale: scaleFor(format, extent.largest), error: Number.NaN }
}

/** A format with a scale for each part of a tensor. */
export interface ScaledFormat {
  readonly format: ElementFormat
  readonly scales: readonly number[]
  readonly rounding: Rounding
}

/**
 * The one of the study format's element formats that holds a tensor best, with a scale for each of its parts (channels, or the
 * whole). Throws `usage` for block formats, which have scales of their own.
 */
export function chooseFormat(
  { signed, unsigned, scale: rule }: StudyFormat,
  parts: readonly Extent[],
  range: StudyRange,
  negative: boolean,
): ScaledFormat {
  let best: (ScaledFormat & { readonly error: number }) | undefined
  const candidates = negative ? signed : unsigned
  for (const format of candidates) {
    if (format.kind === 'block')
      throw new DyadicError('usage', `${quoted(format.name)} has scales of its own; none is chosen`)
    const found = parts.map((part) => chooseScale(format, part, rule, range))
    const error = found.reduce((sum, one) => sum + one.error, 0)
    if (best === undefined || error < best.error)
      best = { format, scales: found.map(({ scale }) => scale), rounding: roundingUnder(rule, format), error }
  }
  return best as ScaledFormat
}
