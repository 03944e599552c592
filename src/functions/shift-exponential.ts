/**
 * ShiftExp, the exponential of the shift family: e^(scale × value) from shifts, additions and one integer division.
 * Zhikai Li, Qingyi Gu, "I-ViT: Integer-only Quantization for Efficient Vision Transformer Inference", ICCV 2023,
 * section 3.3; roundings as in its published code.
 *
 * e^x = 2^(x × log2 e), log2 e is taken as 1 + 1/2 − 1/16, and 2^(−f) as 1 − f/2 for 0 ≤ f < 1. The published code has two
 * meanings, one to train and one to deploy; both are here by name, and they differ.
 */
import { DyadicError } from '../error.ts'
import { floorDivide, floorDivideExact, truncateDivide } from './integer-division.ts'
import { requireScale } from './parameter-checks.ts'

/**
 * `training`: −1 is floor(−1 / scale), the halving of the fraction is exact, sums saturate. `deployment` (the TVM graph): −1
 * is trunc(−1 / scale − 1), the halving is an arithmetic shift, everything is in int32.
 */
export type ShiftVariant = 'training' | 'deployment'

/** The integers of ShiftExp for one scale of the input. */
export interface ShiftExponential {
  readonly variant: ShiftVariant
  /** What −1 is in units of the input: a negative integer. */
  readonly minusOne: number
  /** N: inputs below N × minusOne give what N × minusOne gives, about 2^−N. */
  readonly places: number
  /** Real value of one unit of the result, for the multiplier that follows; the integers do not depend on it. */
  readonly outputScale: number
}

/**
 * The integers of ShiftExp for inputs in units of `scale` > 0. `places` is 15 for softmax in training, 16 in deployment, 23
 * for GELU. Throws `refused` for a scale that is not positive and finite, or so fine that e^0 leaves 2^53 (in deployment
 * int32).
 */
export function shiftExponentialAt(scale: number, places: number, variant: ShiftVariant): ShiftExponential {
  requireScale(scale, 'ShiftExp')
  const minusOne = variant === 'training' ? Math.floor(-1 / scale) : Math.trunc(-1 / scale - 1)
  const limit = variant === 'training' ? 2 ** 53 : 2 ** 31
  if (-minusOne * 2 ** places >= limit)
    throw new DyadicError(
      'refused',
      `ShiftExp (${variant}) at scale ${scale} with ${places} places: e^0 is ${-minusOne} × 2^${places}, not below ` +
        `2^${Math.log2(limit)}; use a coarser scale or fewer places`,
    )
  return { variant, minusOne, places, outputScale: scale / 2 ** places }
}

/** The definition. Any integer; it is meant for value ≤ 0, and above 0 the powers of two go on. */
export function shiftExponentialExact(value: bigint, { variant, minusOne, places }: ShiftExponential): bigint {
  const unit = BigInt(minusOne)
  const raised = value + (value >> 1n) - (value >> 4n)
  const lowest = BigInt(places) * unit
  const power = raised > lowest ? raised : lowest
  const whole = variant === 'training' ? floorDivideExact(power, unit) : power / unit
  const rest = power - whole * unit
  const shift = BigInt(places) - whole
  return variant === 'training' ? ((rest - 2n * unit) << shift) >> 1n : ((rest >> 1n) - unit) << shift
}

/**
 * {@link shiftExponentialExact} for |value| < 2^52. A result below 2^53 is exact, and so is a greater one as long as it has
 * at most 53 significant bits, which it has: it is an integer below 2^53 times a power of two.
 */
export function shiftExponential(value: number, { variant, minusOne, places }: ShiftExponential): number {
  const power = Math.max(value + Math.floor(value / 2) - Math.floor(value / 16), places * minusOne)
  const training = variant === 'training'
  const whole = training ? floorDivide(power, minusOne) : truncateDivide(power, minusOne)
  const rest = power - whole * minusOne
  const shift = places - whole
  if (training) return Math.floor((rest - 2 * minusOne) * 2 ** (shift - 1))
  return ((rest >> 1) - minusOne) * 2 ** shift
}
