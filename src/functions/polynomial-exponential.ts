/**
 * i-exp, the exponential of the polynomial family: a multiple of ln 2 becomes a shift, the rest a parabola with integer
 * coefficients. Sehoon Kim et al., "I-BERT: Integer-only BERT Quantization", ICML 2021, section 3.5; coefficients as in its
 * published code. The paper prints the same parabola as 0.3585 (p + 1.353)² + 0.344.
 */
import { DyadicError } from '../error.ts'
import { floorDivide, floorDivideExact } from './integer-division.ts'
import { requireScale } from './parameter-checks.ts'

/** e^p ≈ A p² + B p + 1 for −ln 2 < p ≤ 0. */
const A = 0.35815147
const B = 0.96963238
// biome-ignore lint/suspicious/noApproximativeNumericConstant: ln 2 as the published code has it.
const LN_2 = 0.6931
/** n of the paper: inputs below −n ln 2 give what −n ln 2 gives. */
const PLACES = 30

/** The integers of i-exp for one scale of the input, made by {@link polynomialExponential}. */
export interface PolynomialExponential {
  /** What −ln 2 is in units of the input: a negative integer. */
  readonly minusLn2: number
  /** e^r is (r + linear) × r + constant in units of A × scale². */
  readonly linear: number
  readonly constant: number
  /** A × scale² / 2^30: the real value of one unit of the result. */
  readonly outputScale: number
}

/**
 * The integers of i-exp for inputs in units of `scale` > 0. Throws `refused` for a scale outside [2^−22, 0.6931]: of
 * a coarser one −ln 2 is less than a unit, of a finer one e^0 has more than 76 bits.
 */
export function polynomialExponentialAt(scale: number): PolynomialExponential {
  requireScale(scale, 'i-exp')
  if (scale > LN_2 || scale < 2 ** -22)
    throw new DyadicError('refused', `i-exp: the scale ${scale} is outside [2^-22, ${LN_2}]`)
  return {
    minusLn2: Math.floor(-LN_2 / scale),
    linear: Math.floor(B / A / scale),
    constant: Math.floor(1 / A / (scale * scale)),
    outputScale: (A * scale * scale) / 2 ** PLACES,
  }
}

/** The definition, for value ≤ 0. */
export function polynomialExponentialExact(
  value: bigint,
  { minusLn2, linear, constant }: PolynomialExponential,
): bigint {
  const unit = BigInt(minusLn2)
  const lowest = BigInt(PLACES) * unit
  const limited = value > lowest ? value : lowest
  const whole = floorDivideExact(limited, unit)
  const rest = limited - whole * unit
  const parabola = (rest + BigInt(linear)) * rest + BigInt(constant)
  return parabola > 0n ? parabola << (BigInt(PLACES) - whole) : 0n
}

/** {@link polynomialExponentialExact} for a safe integer ≤ 0. Exact: the result is an integer below 2^53 times 2^k. */
export function polynomialExponential(value: number, { minusLn2, linear, constant }: PolynomialExponential): number {
  const limited = Math.max(value, PLACES * minusLn2)
  const whole = floorDivide(limited, minusLn2)
  const rest = limited - whole * minusLn2
  return Math.max(0, (rest + linear) * rest + constant) * 2 ** (PLACES - whole)
}
