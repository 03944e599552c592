/**
 * L-Mul: a floating-point product by one integer addition. Hongyin Luo, Wei Sun, "Addition is All You Need for
 * Energy-efficient Language Models", arXiv:2410.00907, 2024.
 *
 * For (1 + a) 2^p and (1 + b) 2^q the paper prints (1 + a + b + 2^−l(m)) 2^(p+q), {@link lMulFormula}. What its hardware adds
 * are bit patterns, {@link lMulBits}: there a mantissa sum s ≥ 1 carries into the exponent, which makes 2s of it where the
 * formula has 1 + s. The two differ, the adder is the better product, and "L-Mul" without a further word is the adder.
 */
import { DyadicError } from '../error.ts'

/** A floating-point layout: one sign bit, exponent, mantissa, from the top; at most 32 bits. */
export interface FloatLayout {
  readonly name: string
  readonly exponentBits: number
  readonly mantissaBits: number
  readonly bias: number
  /** True: exponents of ones are infinities and NaNs (IEEE 754). False: only the pattern of ones is NaN (OCP E4M3). */
  readonly infinite: boolean
}

/** The layouts of the paper. */
export const FLOAT_LAYOUTS = {
  e4m3: { name: 'e4m3', exponentBits: 4, mantissaBits: 3, bias: 7, infinite: false },
  e5m2: { name: 'e5m2', exponentBits: 5, mantissaBits: 2, bias: 15, infinite: true },
  float16: { name: 'float16', exponentBits: 5, mantissaBits: 10, bias: 15, infinite: true },
  bfloat16: { name: 'bfloat16', exponentBits: 8, mantissaBits: 7, bias: 127, infinite: true },
  float32: { name: 'float32', exponentBits: 8, mantissaBits: 23, bias: 127, infinite: true },
} as const satisfies Record<string, FloatLayout>

/** l(m) of the paper: m up to 3 mantissa bits, 3 for 4, 4 for more. Throws `refused` unless m is an integer in 1 … 23. */
export function lMulExponent(mantissaBits: number): number {
  if (!Number.isInteger(mantissaBits) || mantissaBits < 1 || mantissaBits > 23)
    throw new DyadicError('refused', `L-Mul with ${mantissaBits} mantissa bits: take 1 to 23`)
  return mantissaBits <= 3 ? mantissaBits : mantissaBits === 4 ? 3 : 4
}

/** What is subtracted from the sum of two magnitudes: the bias once, less 2^−l(m). */
export function lMulOffset({ mantissaBits, bias }: FloatLayout): number {
  return bias * 2 ** mantissaBits - 2 ** (mantissaBits - lMulExponent(mantissaBits))
}

/**
 * The bit-level adder: patterns in, pattern out, unsigned integers. Zeros and subnormal operands (which lack the hidden 1)
 * and results below the smallest normal number give a zero with the sign of the product; results beyond the largest number
 * give infinity, or the largest number where the layout has none. NaN and infinity go by the rules of multiplication, with
 * subnormal numbers as zeros.
 */
export function lMulBits(x: number, y: number, layout: FloatLayout): number {
  const { exponentBits, mantissaBits, infinite } = layout
  const signBit = 2 ** (exponentBits + mantissaBits)
  const hidden = 2 ** mantissaBits
  /** The least magnitude that is no number. */
  const special = infinite ? signBit - hidden : signBit - 1
  const nan = infinite ? special + hidden / 2 : special
  const a = x % signBit
  const b = y % signBit
  const sign = x >= signBit !== y >= signBit ? signBit : 0
  if (a >= special || b >= special) {
    const undefinedProduct = !infinite || a > special || b > special || a < hidden || b < hidden
    return undefinedProduct ? nan : sign + special
  }
  if (a < hidden || b < hidden) return sign
  const sum = a + b - lMulOffset(layout)
  if (sum < hidden) return sign
  if (sum >= special) return sign + (infinite ? special : special - 1)
  return sign + sum
}

/** `truncate` keeps the first mantissa bits, which the published accuracies presume; `nearest` rounds half to even. */
export type MantissaReduction = 'truncate' | 'nearest'

const word = new Float32Array(1)
const wordBits = new Int32Array(word.buffer)

/** A float32 number with its mantissa reduced; zeros, infinities and NaN stay, `nearest` may round up to infinity. */
export function reduceMantissa(value: number, mantissaBits: number, reduction: MantissaReduction): number {
  word[0] = value
  const bits = wordBits[0]
  if ((bits & 0x7f800000) === 0x7f800000) return word[0]
  const dropped = 23 - mantissaBits
  const unit = 1 << dropped
  const half = reduction === 'truncate' || dropped === 0 ? 0 : (unit >> 1) - 1 + ((bits >> dropped) & 1)
  wordBits[0] = (bits + half) & -unit
  return word[0]
}

/** The adder on float32 numbers of which the first `mantissaBits` mantissa bits are kept: L-Mul in an 8-bit exponent. */
export function lMul(x: number, y: number, mantissaBits: number): number {
  return addLogarithms(x, y, mantissaBits, 2 ** -lMulExponent(mantissaBits))
}

/**
 * The adder with another constant than 2^−l(m): `correction` is a multiple of 2^−23 in [0, 1). With 0 it is the product by
 * John N. Mitchell, "Computer Multiplication and Division Using Binary Logarithms", IRE Transactions EC-11, 1962.
 */
export function addLogarithms(x: number, y: number, mantissaBits: number, correction: number): number {
  word[0] = reduceMantissa(x, mantissaBits, 'truncate')
  const a = wordBits[0]
  word[0] = reduceMantissa(y, mantissaBits, 'truncate')
  const b = wordBits[0]
  const left = a & 0x7fffffff
  const right = b & 0x7fffffff
  // The rules for specials are those of multiplication: of the reduced operands, zeros for subnormal ones.
  if (left < 0x800000 || right < 0x800000 || left >= 0x7f800000 || right >= 0x7f800000)
    return (left < 0x800000 ? signedZero(x) : x) * (right < 0x800000 ? signedZero(y) : y)
  const sum = left + right - 0x3f800000 + correction * 2 ** 23
  const sign = (a ^ b) & -0x80000000
  wordBits[0] = sign | (sum < 0x800000 ? 0 : Math.min(sum, 0x7f800000))
  return word[0]
}

const signedZero = (value: number): number => (value < 0 || Object.is(value, -0) ? -0 : 0)

/**
 * The printed formula, exact: (1 + a + b + 2^−l(m)) × 2^(p+q) of the operands' truncated float32 mantissas, not rounded to
 * m bits again. Zeros and subnormal operands give 0 as in the adder; infinity and NaN go by the rules of multiplication.
 */
export function lMulFormula(x: number, y: number, mantissaBits: number): number {
  const left = Math.abs(reduceMantissa(x, mantissaBits, 'truncate'))
  const right = Math.abs(reduceMantissa(y, mantissaBits, 'truncate'))
  const least = 2 ** -126
  if (left < least || right < least || !(left < Infinity && right < Infinity))
    return (left < least ? signedZero(x) : x) * (right < least ? signedZero(y) : y)
  const p = powerOf(left)
  const q = powerOf(right)
  const size = (left / p + right / q - 1 + 2 ** -lMulExponent(mantissaBits)) * (p * q)
  return x < 0 !== y < 0 ? -size : size
}

/** The power of two at or below a normal float32 number. */
function powerOf(value: number): number {
  word[0] = value
  wordBits[0] &= 0x7f800000
  return word[0]
}
