/**
 * One real scale for many values: by the largest magnitude, or the clipping value with the least squared error. A flexible
 * exponent bias (Kuzmin et al. 2022) is such a scale: a minifloat with the real bias b is the one with its own integer bias times
 * 2^(own − b).
 */
import { DyadicError, quoted } from '../error.ts'
import { quantizeArray, requireScale } from './bulk.ts'
import { largest } from './convert.ts'
import type { ElementFormat, Rounding } from './element-format.ts'

/** Values that the two stages of a search look at; of longer tensors equally spaced ones. */
const COARSE = 2 ** 16
const FINE = 2 ** 19

function equallySpaced(values: Float32Array | Float64Array, most: number): Float32Array | Float64Array {
  const step = Math.ceil(values.length / most)
  if (step <= 1) return values
  return Float64Array.from({ length: Math.ceil(values.length / step) }, (_, i) => values[i * step]!)
}

/**
 * The largest finite magnitude of values, 0 for none. Throws `refused` for NaN and ∞, which have no range.
 */
export function largestMagnitude(values: ArrayLike<number>, where = 'the values'): number {
  let most = 0
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i]!)
    if (!(size < Number.POSITIVE_INFINITY))
      throw new DyadicError('refused', `${where}: element ${i} is ${values[i]}; a range needs finite values`)
    if (size > most) most = size
  }
  return most
}

/** The scale at which the format's greatest value is `clipping`: 1 for `clipping` 0. */
export function scaleFor(format: ElementFormat, clipping: number): number {
  const scale = clipping === 0 ? 1 : clipping / largest(format)
  // A clipping value near the smallest doubles has no quotient.
  return scale === 0 ? Number.MIN_VALUE : scale
}

/** Mean of (value − quantised)² at a scale. */
export function squaredError(
  format: ElementFormat,
  values: Float32Array | Float64Array,
  scale: number,
  rounding?: Rounding,
): number {
  requireScale(format, scale)
  const rounded = quantizeArray(format, values, { scale, ...(rounding && { rounding }) })
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += (values[i]! - rounded[i]!) ** 2
  return values.length === 0 ? 0 : sum / values.length
}

/**
 * The scale with the least squared error among clipping values c of 2^(−10) … 4 × the largest magnitude (beyond 1 the end of the
 * grid stays unused, which gains where its steps there are coarse): eight per octave, then 41 equally spaced around the best. Deterministic. The first stage looks at no more than 65,536 equally spaced values, the second at
 * no more than 524,288, on which the result is never worse than the scale of the largest magnitude.
 */
export function searchScale(format: ElementFormat, values: Float32Array | Float64Array, rounding?: Rounding): number {
  const most = largestMagnitude(values)
  if (most === 0) return 1
  const best = (sample: Float32Array | Float64Array, factors: readonly number[]): number => {
    // Where overflow gives NaN or ∞, a scale that clips is no candidate.
    const errors = factors.map((factor) => {
      const error = squaredError(format, sample, scaleFor(format, most * factor), rounding)
      return Number.isNaN(error) ? Number.POSITIVE_INFINITY : error
    })
    return factors[errors.indexOf(Math.min(...errors))]!
  }
  const octaves = Array.from({ length: 97 }, (_, i) => 2 ** ((16 - i) / 8))
  const centre = best(equallySpaced(values, COARSE), [1, ...octaves])
  const around = Array.from({ length: 41 }, (_, i) => centre * (1 + (i - 20) / 200))
  return scaleFor(format, most * best(equallySpaced(values, FINE), [1, ...around]))
}

/** The real bias of a minifloat whose greatest value is `clipping`, for a format without special codes. */
export function flexibleBias(format: ElementFormat, clipping: number): number {
  const { exponentBits, mantissaBits } = requireMinifloat(format)
  return 2 ** exponentBits - Math.log2(clipping) + Math.log2(2 - 2 ** -mantissaBits) - 1
}

/** The scale that stands for a real bias: 2^(own bias − bias), as precise as the host's powers; {@link scaleFor} needs none. */
export function scaleOfBias(format: ElementFormat, bias: number): number {
  return 2 ** (requireMinifloat(format).bias - bias)
}

function requireMinifloat(format: ElementFormat) {
  if (format.grid.kind !== 'minifloat' || format.nanCode !== undefined)
    throw new DyadicError('usage', `${quoted(format.name)} is no minifloat in which every code is a number`)
  return format.grid
}

/** Values with one scale per channel: channel c is `values[c·length … (c + 1)·length − 1]`. */
export function quantizeChannels(
  format: ElementFormat,
  values: Float32Array | Float64Array,
  scales: ArrayLike<number>,
  rounding?: Rounding,
): Float64Array {
  const length = values.length / scales.length
  if (!Number.isInteger(length))
    throw new DyadicError(
      'usage',
      `${values.length} values are not divided by ${scales.length} scales; give one scale per channel`,
    )
  const result = new Float64Array(values.length)
  for (let channel = 0; channel < scales.length; channel++) {
    const part = values.subarray(channel * length, (channel + 1) * length)
    result.set(
      quantizeArray(format, part, { scale: scales[channel]!, ...(rounding && { rounding }) }),
      channel * length,
    )
  }
  return result
}
