/**
 * Encoding by integer operations on the bits of a float32, for signed minifloats with more than 8 bits (float16, bfloat16, tf32)
 * and roundings without randomness: the exponent field is rebased, the mantissa shifted, and the bits that fall out decide.
 */
import { encode } from './convert.ts'
import type { ElementFormat, Rounding } from './element-format.ts'

/** From the bits of a float32, not NaN, to a code. */
export type BitEncoder = (pattern: number) => number

/** undefined for formats and roundings that it does not serve. */
export function bitEncoder(format: ElementFormat, rounding: Rounding): BitEncoder | undefined {
  const { grid, signed, highest, negativeZero, bits } = format
  if (grid.kind !== 'minifloat' || !signed || !negativeZero || rounding === 'stochastic') return undefined
  const { mantissaBits, exponentBits, bias } = grid
  // Normal numbers and subnormals of the format must be float32s, and two even ones must lie around each midpoint.
  if (mantissaBits > 20 || bias > 127 || 2 ** exponentBits - 1 - bias > 128) return undefined
  const drop = 23 - mantissaBits
  const leastNormal = 128 - bias
  const rebase = (127 - bias) << 23
  const signBit = 2 ** (bits - 1)
  const overflow = [1, -1].map((sign) => encode(format, sign * Number.MAX_VALUE, 'nearest-away'))
  const infinity = [1, -1].map((sign) => encode(format, sign * Number.POSITIVE_INFINITY))
  const even = rounding === 'nearest-even'
  const directed = rounding === 'toward-zero' || rounding === 'up' || rounding === 'down'
  // Whether positive and negative values (or ties) go away from zero, where the ordinal does not decide.
  const away = [
    rounding === 'nearest-away' || rounding === 'half-up' || rounding === 'up' ? 1 : 0,
    rounding === 'nearest-away' || rounding === 'down' ? 1 : 0,
  ]

  return (pattern) => {
    const negative = pattern >>> 31
    const size = pattern & 0x7fffffff
    if (size === 0x7f800000) return infinity[negative]!
    const exponent = size >>> 23
    let ordinal: number
    let rest: number
    let half: number
    if (exponent >= leastNormal) {
      ordinal = (size - rebase) >>> drop
      half = 1 << (drop - 1)
      rest = size & (2 * half - 1)
    } else {
      const significand = exponent === 0 ? size : (size & 0x7fffff) | 0x800000
      // A significand has 24 bits: a shift by 30 leaves it below a quarter.
      const shift = Math.min(30, drop + leastNormal - Math.max(exponent, 1))
      ordinal = significand >>> shift
      half = 1 << (shift - 1)
      rest = significand & (2 * half - 1)
    }
    if (ordinal > highest) {
      ordinal = highest
      rest = 2 * half - 1
    }
    // At a tie rest = half; the bump of 1 takes it beyond.
    const bump = even ? ordinal & 1 : away[negative]!
    if (directed ? bump === 1 && rest > 0 : rest + bump > half) ordinal++
    if (ordinal > highest) return overflow[negative]!
    // −0 has a code in every format served here.
    return negative === 1 ? ordinal + signBit : ordinal
  }
}
