/**
 * Shiftmax, the softmax of the shift family (I-ViT, section 3.3), with sigmoid and tanh as softmaxes of two values:
 * σ(x) is the first of softmax(x, 0), tanh x the difference of softmax(x, −x). I-ViT has no sigmoid and tanh of its own
 * besides the one inside ShiftGELU; these two use Shiftmax unchanged.
 */
import { floorDivide } from './integer-division.ts'
import { requireBits } from './parameter-checks.ts'
import {
  type ShiftExponential,
  type ShiftVariant,
  shiftExponential,
  shiftExponentialAt,
  shiftExponentialExact,
} from './shift-exponential.ts'
import { LARGEST_SUM, limitSum } from './shift-sum.ts'

/** The integers of Shiftmax for one scale of the input. */
export interface Shiftmax {
  readonly exponential: ShiftExponential
  /** k: results lie in 0 … 2^(k−1) and stand for multiples of 2^−(k−1). */
  readonly bits: number
  readonly outputScale: number
}

/**
 * The integers of Shiftmax for scores in units of `scale`. I-ViT's DeiT and ViT models have `bits` = 16, its Swin models and
 * its deployment graph 8. Throws `refused` for a scale that ShiftExp does not take or bits outside 2 … 16.
 */
export function shiftmaxAt(scale: number, bits: number, variant: ShiftVariant): Shiftmax {
  requireBits(bits, 'Shiftmax')
  const exponential = shiftExponentialAt(scale, variant === 'training' ? 15 : 16, variant)
  return { exponential, bits, outputScale: 2 ** (1 - bits) }
}

/** The definition, over one row of one or more scores. Throws `limit` where the deployment graph's int32 sum would wrap. */
export function shiftmaxExact(row: readonly bigint[], { exponential, bits }: Shiftmax): bigint[] {
  const largest = row.reduce((a, b) => (a > b ? a : b))
  const exponentials = row.map((value) => shiftExponentialExact(value - largest, exponential))
  const sum = exponentials.reduce((a, b) => a + b, 0n)
  const factor = BigInt(LARGEST_SUM) / BigInt(limitSum(sum, exponential.variant))
  return exponentials.map((e) => (e * factor) >> BigInt(32 - bits))
}

/** {@link shiftmaxExact} on a row of one or more scores below 2^51. The sum must stay below 2^53. */
export function shiftmax(row: ArrayLike<number>, { exponential, bits }: Shiftmax): Int32Array {
  let largest = row[0]
  for (let i = 1; i < row.length; i++) if (row[i] > largest) largest = row[i]
  const exponentials = Array.from(row, (value) => shiftExponential(value - largest, exponential))
  let sum = 0
  for (const e of exponentials) sum += e
  const factor = floorDivide(LARGEST_SUM, limitSum(sum, exponential.variant))
  const divisor = 2 ** (32 - bits)
  // Where the sum is not limited e × factor is below 2^31; where it is the factor is 1.
  return Int32Array.from(exponentials, (e) => floorDivide(e * factor, divisor))
}

/** σ(scale × value) in units of 2^−(bits−1). */
export function shiftSigmoid(value: number, parameters: Shiftmax): number {
  return shiftmax([value, 0], parameters)[0]
}

/** The definition of {@link shiftSigmoid}. */
export function shiftSigmoidExact(value: bigint, parameters: Shiftmax): bigint {
  return shiftmaxExact([value, 0n], parameters)[0]
}

/** tanh(scale × value) in units of 2^−(bits−1), exactly odd. |value| < 2^30. */
export function shiftTanh(value: number, parameters: Shiftmax): number {
  const [positive, negative] = shiftmax([value, -value], parameters)
  return positive - negative
}

/** The definition of {@link shiftTanh}. */
export function shiftTanhExact(value: bigint, parameters: Shiftmax): bigint {
  const [positive, negative] = shiftmaxExact([value, -value], parameters)
  return positive - negative
}

/**
 * Parameters with which {@link shiftTanh} gives erf: erf x = 2Φ(√2 x) − 1, and Φ(t) ≈ σ(1.702 t) as in ShiftGELU, so
 * erf x ≈ tanh(1.702 x / √2).
 */
export function shiftErfAt(scale: number, bits: number, variant: ShiftVariant): Shiftmax {
  return shiftmaxAt((scale * 1.702) / Math.SQRT2, bits, variant)
}
