/**
 * I-BERT's softmax (ICML 2021, section 3.5): i-exp, a requantisation of the exponentials to 16 bits, one reciprocal. Sigmoid
 * and tanh are softmaxes of two values here, softmax(x, 0) and the difference of softmax(x, −x); I-BERT has neither.
 */
import { DyadicError } from '../error.ts'
import {
  type HalfEvenRatio,
  halfEvenRatio,
  requantizeHalfEven,
  requantizeHalfEvenExact,
} from './half-even-requantisation.ts'
import { floorDivide } from './integer-division.ts'
import { requireBits } from './parameter-checks.ts'
import {
  type PolynomialExponential,
  polynomialExponential,
  polynomialExponentialAt,
  polynomialExponentialExact,
} from './polynomial-exponential.ts'

/** The largest 16-bit code. The scale of the exponentials is 1 / 32767; e^0, the largest, has constant × scale ≤ 1. */
const ONE = 32767

/** The integers of I-BERT's softmax for one scale of the input. */
export interface PolynomialSoftmax {
  readonly exponential: PolynomialExponential
  readonly requantisation: HalfEvenRatio
  /** k: results lie in 0 … 2^k and stand for multiples of 2^−k. */
  readonly bits: number
  readonly outputScale: number
}

/**
 * The integers of the softmax for scores in units of `scale`. I-BERT has `bits` = 8. The published code learns the range of
 * the exponentials; it is (0, 1] here, which is what they can fill. Throws as {@link polynomialExponentialAt} does.
 */
export function polynomialSoftmaxAt(scale: number, bits: number): PolynomialSoftmax {
  requireBits(bits, 'i-softmax')
  const exponential = polynomialExponentialAt(scale)
  const requantisation = halfEvenRatio(exponential.outputScale * ONE)
  return { exponential, requantisation, bits, outputScale: 2 ** -bits }
}

/** The definition, over one row of scores. */
export function polynomialSoftmaxExact(row: readonly bigint[], p: PolynomialSoftmax): bigint[] {
  const largest = row.reduce((a, b) => (a > b ? a : b))
  const codes = row.map((value) =>
    requantizeHalfEvenExact(polynomialExponentialExact(value - largest, p.exponential), p.requantisation),
  )
  const factor = (1n << 32n) / codes.reduce((a, b) => a + b, 0n)
  return codes.map((code) => (code * factor) >> BigInt(32 - p.bits))
}

/** {@link polynomialSoftmaxExact} on a row of 1 to 2^16 scores below 2^52; throws `limit` for a longer one. */
export function polynomialSoftmax(row: ArrayLike<number>, p: PolynomialSoftmax): Int32Array {
  if (row.length > 65536)
    throw new DyadicError('limit', `i-softmax over ${row.length} values: the sum of more than 65536 leaves 31 bits`)
  let largest = row[0]
  for (let i = 1; i < row.length; i++) if (row[i] > largest) largest = row[i]
  let sum = 0
  const codes = Array.from(row, (value) => {
    const code = requantizeWide(polynomialExponential(value - largest, p.exponential), p.requantisation)
    sum += code
    return code
  })
  const factor = floorDivide(2 ** 32, sum)
  const divisor = 2 ** (32 - p.bits)
  return Int32Array.from(codes, (code) => floorDivide(code * factor, divisor))
}

/** Requantises an integer below 2^53 times 2^k: the power of two leaves the value and the shift alike. */
function requantizeWide(value: number, { multiplier, shift }: HalfEvenRatio): number {
  let power = 0
  let odd = value
  for (; odd >= 2 ** 53; odd /= 2) power++
  return requantizeHalfEven(odd, { multiplier, shift: shift - power })
}

/** σ(scale × value) in units of 2^−bits. */
export function polynomialSigmoid(value: number, p: PolynomialSoftmax): number {
  return polynomialSoftmax([value, 0], p)[0]
}

/** The definition of {@link polynomialSigmoid}. */
export function polynomialSigmoidExact(value: bigint, p: PolynomialSoftmax): bigint {
  return polynomialSoftmaxExact([value, 0n], p)[0]
}

/** tanh(scale × value) in units of 2^−bits, exactly odd. |value| < 2^30. */
export function polynomialTanh(value: number, p: PolynomialSoftmax): number {
  const [positive, negative] = polynomialSoftmax([value, -value], p)
  return positive - negative
}

/** The definition of {@link polynomialTanh}. */
export function polynomialTanhExact(value: bigint, p: PolynomialSoftmax): bigint {
  const [positive, negative] = polynomialSoftmaxExact([value, -value], p)
  return positive - negative
}
