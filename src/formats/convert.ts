/**
 * One decode, one encode, one rounding for every element format. This is the definition: a binary search over the magnitudes
 * and exact comparisons of doubles. The faster conversions of `bulk.ts` equal it bit for bit.
 *
 * Exactness. A magnitude is a double (`grid.ts`). The argument of `encode` is a double, taken as it is: a float64 is never first
 * rounded to float32. Between two neighbouring magnitudes low ≤ |x| < high the decisions need |x| = low, and the sign of
 * 2·|x| − (low + high), where low + high is the exact pair (sum, error) of {@link twoSum} and 2·|x| is exact. Stochastic rounding
 * compares random·(high − low) with (|x| − low)·2^32: both differences are exact where high ≤ 2·low or low = 0 (Sterbenz), which
 * holds for all grids but irrational power grids.
 */
import { DyadicError, quoted } from '../error.ts'
import { twoSum } from './binary64.ts'
import type { ElementFormat, Rounding } from './element-format.ts'
import { flintCode, magnitude, statedBoundary } from './grid.ts'

interface Prepared {
  /** By ordinal, up to two beyond the last one that a code can hold. */
  readonly magnitudes: Float64Array
  /** By ordinal: above it the next magnitude is nearer; empty where that is half way. */
  readonly boundaries: Float64Array
  /** Magnitude code to ordinal and back; undefined where they are the same. */
  readonly ordinals: Uint16Array | undefined
  readonly codes: Uint16Array | undefined
}

const prepared = new WeakMap<ElementFormat, Prepared>()

function prepare(format: ElementFormat): Prepared {
  const known = prepared.get(format)
  if (known !== undefined) return known
  const { grid, bits, coding, signed, lowest, highest } = format
  const largest =
    coding === 'sign-magnitude' ? 2 ** (bits - (signed ? 1 : 0)) - 1 : Math.max(Math.abs(lowest), Math.abs(highest))
  const count = largest + 3
  const magnitudes = Float64Array.from({ length: count }, (_, ordinal) => magnitude(grid, ordinal))
  const boundaries =
    statedBoundary(grid, 0) === undefined
      ? new Float64Array(0)
      : Float64Array.from({ length: count - 1 }, (_, ordinal) => statedBoundary(grid, ordinal) as number)
  let ordinals: Uint16Array | undefined
  let codes: Uint16Array | undefined
  if (grid.kind === 'flint') {
    codes = Uint16Array.from({ length: largest + 1 }, (_, ordinal) => flintCode(grid.magnitudeBits, ordinal))
    ordinals = new Uint16Array(largest + 1)
    for (const [ordinal, code] of codes.entries()) ordinals[code] = ordinal
  }
  const made = { magnitudes, boundaries, ordinals, codes }
  prepared.set(format, made)
  return made
}

/** The value of a code: an exact double, NaN, ±∞ or −0. Throws `usage` for a number that is no code of the format. */
export function decode(format: ElementFormat, code: number): number {
  const { bits, coding, signed, highest, zeroPoint, nanCode, infinityCode } = format
  if (!Number.isInteger(code) || code < 0 || code >= 2 ** bits)
    throw new DyadicError('usage', `${code} is no code of format ${quoted(format.name)}: 0..${2 ** bits - 1} are`)
  const { magnitudes, ordinals } = prepare(format)
  if (coding === 'integer') {
    const ordinal = (signed && code >= 2 ** (bits - 1) ? code - 2 ** bits : code) - zeroPoint
    return ordinal < 0 ? -magnitudes[-ordinal]! : magnitudes[ordinal]!
  }
  const signBit = signed ? 2 ** (bits - 1) : 0
  const negative = signed && code >= signBit
  const magnitudeCode = negative ? code - signBit : code
  const ordinal = ordinals === undefined ? magnitudeCode : ordinals[magnitudeCode]!
  if (code === nanCode) return Number.NaN
  const size =
    ordinal <= highest ? magnitudes[ordinal]! : magnitudeCode === infinityCode ? Number.POSITIVE_INFINITY : Number.NaN
  return negative ? -size : size
}

/**
 * The code of `value` after rounding. `random`, an integer 0 … 2^32 − 1, is used by `stochastic` only: the magnitude is rounded
 * up when random / 2^32 is below its fraction between its neighbours. Overflow, ∞, NaN and −0 follow the fields of the record.
 * Throws `refused` for NaN where the format has none and `onNaN` says so, `usage` for a missing random number.
 */
export function encode(
  format: ElementFormat,
  value: number,
  rounding: Rounding = format.rounding,
  random?: number,
): number {
  if (Number.isNaN(value)) return encodeNaN(format)
  const { magnitudes, boundaries } = prepare(format)
  const negative = value < 0 || Object.is(value, -0)
  const size = Math.abs(value)
  if (size === Number.POSITIVE_INFINITY) return encodeBeyond(format, negative, format.onInfinity)
  const limit = negative ? -format.lowest : format.highest
  // A grid without zero cannot hold zero or anything negative.
  if (magnitudes[0]! > 0 && (negative || size === 0)) return encodeBeyond(format, negative, format.onOverflow)
  const ordinal = Math.max(0, Math.min(lastNotAbove(magnitudes, size), limit))
  const low = magnitudes[ordinal]!
  const away =
    size > low &&
    roundsAway(size, low, magnitudes[ordinal + 1]!, boundaries[ordinal], ordinal, negative, rounding, random)
  if (ordinal + (away ? 1 : 0) > limit) return encodeBeyond(format, negative, format.onOverflow)
  return codeOf(format, negative, ordinal + (away ? 1 : 0))
}

/** The value of the format that `value` is rounded to: decode(encode(value)). */
export function round(format: ElementFormat, value: number, rounding?: Rounding, random?: number): number {
  return decode(format, encode(format, value, rounding, random))
}

/** The greatest finite value. */
export function largest(format: ElementFormat): number {
  return prepare(format).magnitudes[format.highest]!
}

/** The value of every code, in the order of codes: 2^bits doubles. */
export function valuesOf(format: ElementFormat): Float64Array {
  return Float64Array.from({ length: 2 ** format.bits }, (_, code) => decode(format, code))
}

/** The code of NaN. Throws `refused` where the format has none, unless its record says `zero`. */
export function encodeNaN(format: ElementFormat): number {
  if (format.onNaN === 'code' && format.nanCode !== undefined) return format.nanCode
  if (format.onNaN === 'zero') return codeOf(format, false, 0)
  throw new DyadicError(
    'refused',
    `format ${quoted(format.name)} has no code for NaN; remove the NaN, or use { ...format, onNaN: 'zero' }`,
  )
}

function encodeBeyond(format: ElementFormat, negative: boolean, rule: 'saturate' | 'infinity' | 'nan'): number {
  if (rule === 'nan') return encodeNaN(format)
  // Without negative numbers there is no negative infinity: what lies below zero becomes the least value.
  if (rule === 'saturate' || (negative && format.lowest >= 0))
    return codeOf(format, negative, Math.max(0, negative ? -format.lowest : format.highest))
  return (format.infinityCode as number) + (negative ? 2 ** (format.bits - 1) : 0)
}

function codeOf(format: ElementFormat, negative: boolean, ordinal: number): number {
  const { bits, coding, negativeZero, zeroPoint } = format
  if (coding === 'integer') {
    const code = (negative ? -ordinal : ordinal) + zeroPoint
    return code < 0 ? code + 2 ** bits : code
  }
  const { codes } = prepare(format)
  const code = codes === undefined ? ordinal : codes[ordinal]!
  return negative && (ordinal > 0 || negativeZero) ? code + 2 ** (bits - 1) : code
}

/** Index of the last magnitude that is not above `size`; −1 when there is none. */
function lastNotAbove(magnitudes: Float64Array, size: number): number {
  let low = -1
  let high = magnitudes.length
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (magnitudes[middle]! <= size) low = middle
    else high = middle
  }
  return low
}

/** Whether a magnitude strictly between two neighbours (or beyond the last) goes to the upper one. */
function roundsAway(
  size: number,
  low: number,
  high: number,
  boundary: number | undefined,
  ordinal: number,
  negative: boolean,
  rounding: Rounding,
  random: number | undefined,
): boolean {
  switch (rounding) {
    case 'toward-zero':
      return false
    case 'up':
      return !negative
    case 'down':
      return negative
    case 'stochastic':
      if (random === undefined || !(random >= 0 && random < 2 ** 32))
        throw new DyadicError('usage', 'stochastic rounding needs a random integer 0..2^32 − 1 for every value')
      return random * (high - low) < (size - low) * 2 ** 32
    default: {
      const side = boundary === undefined ? sideOfMiddle(size, low, high) : size - boundary
      if (side !== 0) return side > 0
      if (rounding === 'nearest-away') return true
      return rounding === 'half-up' ? !negative : ordinal % 2 === 1
    }
  }
}

/** The sign of 2·size − (low + high), exactly. */
function sideOfMiddle(size: number, low: number, high: number): number {
  const { sum, error } = twoSum(low, high)
  const difference = 2 * size - sum
  return difference === 0 ? -error : difference
}
