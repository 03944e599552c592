/**
 * Dyadic requantisation as HAWQ-V3, I-BERT and I-ViT publish it: a 31-bit multiplier from the binary mantissa of the ratio
 * of two scales, and rounding half to even. Programs of dyadic round half up (R3 of docs/arithmetic.md); this second meaning
 * exists by this name only, to reproduce those systems.
 * Zhewei Yao et al., "HAWQ-V3: Dyadic Neural Network Quantization", ICML 2021, section 3.
 */
import { DyadicError } from '../error.ts'
import { divideHalfEvenExact } from './integer-division.ts'

/** ratio ≈ multiplier / 2^shift with 2^30 ≤ multiplier ≤ 2^31. */
export interface HalfEvenRatio {
  readonly multiplier: number
  readonly shift: number
}

/** The mantissa of a ratio, rounded half up to 31 bits. Throws `refused` unless 2^−64 ≤ ratio < 2^31. */
export function halfEvenRatio(ratio: number): HalfEvenRatio {
  if (!(ratio >= 2 ** -64 && ratio < 2 ** 31))
    throw new DyadicError('refused', `scale ratio ${ratio} is outside [2^-64, 2^31); check the scales`)
  let exponent = 0
  let mantissa = ratio
  for (; mantissa >= 1; mantissa /= 2) exponent++
  for (; mantissa < 0.5; mantissa *= 2) exponent--
  return { multiplier: Math.floor(mantissa * 2 ** 31 + 0.5), shift: 31 - exponent }
}

/** The definition: value × multiplier / 2^shift, ties to even. */
export function requantizeHalfEvenExact(value: bigint, { multiplier, shift }: HalfEvenRatio): bigint {
  return divideHalfEvenExact(value * BigInt(multiplier), 1n << BigInt(shift))
}

/**
 * {@link requantizeHalfEvenExact} on a safe integer whose result is a safe integer. The product is held in two limbs of
 * base 2^21: value × multiplier = high × 2^21 + low.
 */
export function requantizeHalfEven(value: number, { multiplier, shift }: HalfEvenRatio): number {
  const negative = value < 0
  const size = negative ? -value : value
  // size = a × 2^21 + b with a < 2^32, b < 2^21. The products with a 32-bit multiplier are split once more at 2^16.
  const b = size % 2 ** 21
  const a = (size - b) / 2 ** 21
  const lower = b * multiplier
  const low = lower % 2 ** 21
  const carry = (lower - low) / 2 ** 21
  const upper = multiplier % 2 ** 16
  const lowHalf = a * upper + carry
  const highHalf = a * ((multiplier - upper) / 2 ** 16)
  // product = (highHalf × 2^16 + lowHalf) × 2^21 + low
  const rounded = roundLimbs(highHalf, lowHalf, low, shift)
  return (negative ? -rounded : rounded) + 0
}

/** (high × 2^37 + middle × 2^21 + low) / 2^shift, ties to even; high and middle below 2^53, low below 2^21. */
function roundLimbs(high: number, middle: number, low: number, shift: number): number {
  const middleLow = middle % 2 ** 16
  const top = high + (middle - middleLow) / 2 ** 16
  const tail = middleLow * 2 ** 21 + low
  // The number is top × 2^37 + tail, tail < 2^37.
  const fine = shift <= 37
  const divisor = 2 ** (fine ? shift : shift - 37)
  const split = fine ? tail : top
  const remainder = split % divisor
  const floor = (split - remainder) / divisor + (fine ? top * 2 ** (37 - shift) : 0)
  const half = divisor / 2
  const exact = fine || tail === 0
  const up = remainder > half || (remainder === half && (!exact || floor % 2 !== 0))
  return up ? floor + 1 : floor
}
