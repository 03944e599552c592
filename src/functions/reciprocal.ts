/**
 * Integer reciprocals in three families: how often a divisor goes into a power of two. The published ones are one integer
 * division; the table needs none, for hardware and instruction sets without it.
 */
import { DyadicError } from '../error.ts'
import { floorDivide } from './integer-division.ts'

/** floor((2^31 − 1) / divisor): the reciprocal of I-ViT's Shiftmax, ShiftGELU and I-LayerNorm. 1 ≤ divisor < 2^53. */
export function shiftReciprocal(divisor: number): number {
  requireDivisor(divisor)
  return floorDivide(2 ** 31 - 1, divisor)
}

/** floor(2^32 / divisor): the reciprocal of I-BERT's softmax. 1 ≤ divisor < 2^53. */
export function polynomialReciprocal(divisor: number): number {
  requireDivisor(divisor)
  return floorDivide(2 ** 32, divisor)
}

/** floor(2^17 / (1 + i / 256) + 1/2) for i = 0 … 256, by integers: a reciprocal at 257 knots. */
const KNOTS = Int32Array.from({ length: 257 }, (_, i) => floorDivide(2 ** 26 + 256 + i, 2 * (256 + i)))

/**
 * A multiplier m and a shift s with m / 2^s ≈ 1 / divisor for an integer 1 ≤ divisor < 2^32: 2^16 ≤ m ≤ 2^17 and the
 * relative error is at most 2^−16. A straight line between two of 257 knots; no division.
 */
export function tableReciprocal(divisor: number): { multiplier: number; shift: number } {
  requireDivisor(divisor)
  if (divisor >= 2 ** 32)
    throw new DyadicError('refused', `reciprocal of ${divisor}: the table takes divisors below 2^32`)
  const places = 31 - Math.clz32(divisor)
  // 1 in bit 31, 8 bits of index, 23 bits below of which 15 weigh the two knots.
  const normal = (divisor << (31 - places)) >>> 0
  const index = (normal >>> 23) & 255
  const weight = (normal >>> 8) & 32767
  const between = KNOTS[index] * (32768 - weight) + KNOTS[index + 1] * weight
  return { multiplier: floorDivide(between + 16384, 32768), shift: places + 17 }
}

function requireDivisor(divisor: number): void {
  if (!Number.isSafeInteger(divisor) || divisor < 1)
    throw new DyadicError(
      'refused',
      `reciprocal of ${divisor}: the divisor must be an integer of at least 1, below 2^53`,
    )
}
