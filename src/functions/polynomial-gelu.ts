/**
 * i-erf and i-GELU, the error function and GELU of the polynomial family. Sehoon Kim et al., "I-BERT: Integer-only BERT
 * Quantization", ICML 2021, section 3.4: erf x ≈ sgn(x) × (a (min(|x|, −b) + b)² + 1), a = −0.2888, b = −1.769, and
 * GELU(x) = x × (1 + erf(x / √2)) / 2. Its published code drops 14 bits of the result, which presumes the fine scale of an
 * int32 accumulator; for coarse scales `dropped` must be smaller.
 */
import { DyadicError } from '../error.ts'
import { requireScale } from './parameter-checks.ts'

const A = -0.2888
const B = -1.769
// biome-ignore lint/suspicious/noApproximativeNumericConstant: √2 as the published code has it.
const ROOT_OF_2 = 1.4142
/** Bits that the published code drops. */
export const PUBLISHED_DROPPED_BITS = 14

/** The integers of i-erf for one scale of the input. */
export interface PolynomialErf {
  /** −floor(b / scale) > 0: where the parabola reaches 1. */
  readonly limit: number
  /** floor(1 / (a × scale²)) < 0: what 1 is, as the scale of the result is negative. */
  readonly constant: number
  /** Bits by which the result is shifted right. */
  readonly dropped: number
  /** a × scale² × 2^dropped: the real value of one unit of the result, negative. */
  readonly outputScale: number
}

/**
 * The integers of i-erf for inputs in units of `scale`. Throws `refused` for a scale outside [2^−20, 1.769], and one at which
 * the result is shorter than 2 bits after dropping: the published code computes noise there.
 */
export function polynomialErfAt(scale: number, dropped: number): PolynomialErf {
  requireScale(scale, 'i-erf')
  const constant = Math.floor(1 / (A * scale * scale))
  if (scale > -B || scale < 2 ** -20 || constant > -2 * 2 ** dropped)
    throw new DyadicError(
      'refused',
      `i-erf: the scale ${scale} with ${dropped} bits dropped makes 1 the code ${constant} / 2^${dropped}; ` +
        'take a scale of 2^-20 to 1.769 and drop fewer bits',
    )
  return { limit: -Math.floor(B / scale), constant, dropped, outputScale: A * scale * scale * 2 ** dropped }
}

/** The definition of erf(scale × value). Results are negative for positive values, as the output scale is negative. */
export function polynomialErfExact(value: bigint, { limit, constant, dropped }: PolynomialErf): bigint {
  const size = value < 0n ? -value : value
  const distance = (size < BigInt(limit) ? size : BigInt(limit)) - BigInt(limit)
  const parabola = distance * distance + BigInt(constant)
  return (value < 0n ? -parabola : value > 0n ? parabola : 0n) >> BigInt(dropped)
}

/** {@link polynomialErfExact} for a safe integer. */
export function polynomialErf(value: number, { limit, constant, dropped }: PolynomialErf): number {
  const distance = Math.min(Math.abs(value), limit) - limit
  return Math.floor((Math.sign(value) * (distance * distance + constant)) / 2 ** dropped) + 0
}

/** The integers of i-GELU for one scale of the input. */
export interface PolynomialGelu {
  readonly erf: PolynomialErf
  /** floor(1 / scale of erf): what 1 is beside the results of erf, negative. */
  readonly one: number
  /** scale × scale of erf / 2: the real value of one unit of a result, negative. */
  readonly outputScale: number
}

/** The integers of i-GELU for inputs in units of `scale`. Throws as {@link polynomialErfAt} does for scale / √2. */
export function polynomialGeluAt(scale: number, dropped: number): PolynomialGelu {
  const erf = polynomialErfAt(scale / ROOT_OF_2, dropped)
  return { erf, one: Math.floor(1 / erf.outputScale), outputScale: (scale * erf.outputScale) / 2 }
}

/** The definition of GELU(scale × value). */
export function polynomialGeluExact(value: bigint, { erf, one }: PolynomialGelu): bigint {
  return value * (polynomialErfExact(value, erf) + BigInt(one))
}

/** {@link polynomialGeluExact} for an int32 value. Throws `limit` for a result that is no safe integer. */
export function polynomialGelu(value: number, { erf, one }: PolynomialGelu): number {
  const result = value * (polynomialErf(value, erf) + one) + 0
  if (!Number.isSafeInteger(result))
    throw new DyadicError('limit', `i-GELU: the result of ${value} leaves 53 bits; use a coarser scale`)
  return result
}
