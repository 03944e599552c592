/**
 * Requantisation, rule R3 of docs/arithmetic.md: one multiplication by a dyadic rational m/2^s and one rounding, half up.
 * Three forms of the same meaning: exact on BigInt (the definition), and on 32-bit limbs with integer operations only
 * (what WebAssembly's 64-bit lanes and WGSL's 32-bit words compute).
 */

/** Least and largest shift: below 32 the result is not the high word, above 62 the rounding term leaves int64. */
export const MINIMUM_SHIFT = 32
export const MAXIMUM_SHIFT = 62
/** Multipliers are below 2^31, so that int32 × multiplier stays below 2^62 in magnitude. */
export const MULTIPLIER_LIMIT = 2 ** 31

/** The definition: floor((value × multiplier + 2^(shift−1)) / 2^shift) on exact integers of any size. */
export function requantizeExact(value: bigint, multiplier: bigint, shift: bigint): bigint {
  return (value * multiplier + (1n << (shift - 1n))) >> shift
}

/** High word of a signed 32-bit × non-negative 31-bit product; with {@link multiplyLow} the exact 64-bit product. */
export function multiplyHigh(value: number, multiplier: number): number {
  const valueLow = value & 0xffff
  const valueHigh = value >> 16
  const multiplierLow = multiplier & 0xffff
  const multiplierHigh = multiplier >>> 16
  const lowLow = Math.imul(valueLow, multiplierLow)
  const lowHigh = Math.imul(valueLow, multiplierHigh)
  const highLow = Math.imul(valueHigh, multiplierLow)
  const middle = (lowLow >>> 16) + (lowHigh & 0xffff) + (highLow & 0xffff)
  return (Math.imul(valueHigh, multiplierHigh) + (lowHigh >>> 16) + (highLow >> 16) + (middle >>> 16)) | 0
}

/** Low word of the product, as int32. */
export function multiplyLow(value: number, multiplier: number): number {
  return Math.imul(value, multiplier)
}

/**
 * R3 for one int32 value: 0 ≤ multiplier < 2^31, 32 ≤ shift ≤ 62. For shift > 32 the rounding term lies wholly in the
 * high word, so the low word cannot matter.
 */
export function requantize(value: number, multiplier: number, shift: number): number {
  const high = multiplyHigh(value, multiplier)
  if (shift === 32) return (high + (multiplyLow(value, multiplier) >>> 31)) | 0
  return (high + (1 << (shift - 33))) >> (shift - 32)
}

/** R4: two products under one rounding: floor((a × ma + b × mb + 2^(shift−1)) / 2^shift). The caller proves the sum < 2^63. */
export function requantizeSum(a: number, multiplierA: number, b: number, multiplierB: number, shift: number): number {
  const lowA = multiplyLow(a, multiplierA) >>> 0
  const lowB = multiplyLow(b, multiplierB) >>> 0
  const low = lowA + lowB
  const carry = low > 0xffffffff ? 1 : 0
  const high = multiplyHigh(a, multiplierA) + multiplyHigh(b, multiplierB) + carry
  if (shift === 32) return (high + ((low | 0) >>> 31)) | 0
  return (high + (1 << (shift - 33))) >> (shift - 32)
}

/** The value limited to [low, high]. */
export function clamp(value: number, low: number, high: number): number {
  return value < low ? low : value > high ? high : value
}
