/**
 * The table family: exp, erf, GELU, sigmoid and tanh of codes by looking up. 256 entries for 8-bit codes (R7 of
 * docs/arithmetic.md), 513 knots joined by straight lines for 16-bit codes (R9), and the exponential of differences as the
 * product of two entries (R13). What is stored is computed on BigInt, so it is the same on every host; the functions here
 * add, multiply and shift int32.
 */
import { DyadicError } from '../error.ts'
import { clamp } from '../num/requantize.ts'
import { exactDouble, FIXED_POINT_BITS, FIXED_POINT_FUNCTIONS, type FixedPointFunction } from './fixed-point.ts'
import { floorDivideExact } from './integer-division.ts'
import { requireScale } from './parameter-checks.ts'

/** Where codes lie: real = scale × (code − zeroPoint) on both sides, results limited to low … high within 16 bits. */
export interface TableCodes {
  readonly inputScale: number
  readonly inputZeroPoint: number
  readonly outputScale: number
  readonly outputZeroPoint: number
  readonly low: number
  readonly high: number
}

/** The results at the codes −128 … 127, each rounded half up (R1). Throws `refused` for scales or bounds that are not legal. */
export function functionTable(name: FixedPointFunction, codes: TableCodes): Int16Array {
  return Int16Array.from({ length: 256 }, (_, i) => resultCode(name, i - 128, codes))
}

/** The results at the codes −32768, −32640, …, 32768, for {@link lookUpCurve}. Throws as {@link functionTable} does. */
export function functionKnots(name: FixedPointFunction, codes: TableCodes): Int16Array {
  return Int16Array.from({ length: 513 }, (_, i) => resultCode(name, i * 128 - 32768, codes))
}

/** The entry of an 8-bit code. */
export function lookUp(code: number, table: Int16Array): number {
  return table[code + 128]
}

/** The value of a 16-bit code between its two knots (R9). */
export function lookUpCurve(code: number, knots: Int16Array): number {
  const u = code + 32768
  const i = u >> 7
  const f = u & 127
  return (knots[i] * (128 - f) + knots[i + 1] * f + 64) >> 7
}

/** The two tables whose product is an exponential (R13). */
export interface ExponentialTables {
  /** round(2^15 × e^(−256 i scale)) and round(2^15 × e^(−i scale)) for i = 0 … 255. */
  readonly coarse: Int32Array
  readonly fine: Int32Array
}

/** The two tables of {@link tableExponential} for differences in units of `scale`. */
export function exponentialTables(scale: number): ExponentialTables {
  requireScale(scale, 'table of exponentials')
  const entries = (step: number): Int32Array =>
    Int32Array.from({ length: 256 }, (_, i) => {
      const argument = product(scale, -i * step)
      return roundToUnits(FIXED_POINT_FUNCTIONS.exp(argument), 2 ** -15)
    })
  return { coarse: entries(256), fine: entries(1) }
}

/** e^(−scale × difference) in units of 2^−15 for 0 ≤ difference < 2^16 (R13). */
export function tableExponential(difference: number, { coarse, fine }: ExponentialTables): number {
  return (coarse[difference >> 8] * fine[difference & 255] + 0x4000) >> 15
}

/** scale × count in fixed point, exact before the cut at 2^−96. */
function product(scale: number, count: number): bigint {
  const { mantissa, exponent } = exactDouble(scale)
  const shift = FIXED_POINT_BITS + BigInt(exponent)
  const exact = mantissa * BigInt(count)
  return shift >= 0n ? exact << shift : exact >> -shift
}

/** floor(value / unit + ½), value in fixed point. */
function roundToUnits(value: bigint, unit: number): number {
  const { mantissa, exponent } = exactDouble(unit)
  const shift = FIXED_POINT_BITS + BigInt(exponent)
  const up = shift < 0n ? -shift : 0n
  const divisor = mantissa << (shift < 0n ? 0n : shift)
  return Number(floorDivideExact(2n * (value << up) + divisor, 2n * divisor))
}

function resultCode(name: FixedPointFunction, code: number, codes: TableCodes): number {
  const { inputScale, inputZeroPoint, outputScale, outputZeroPoint, low, high } = codes
  requireScale(inputScale, `table of ${name}, input`)
  requireScale(outputScale, `table of ${name}, output`)
  if (low > high || low < -32768 || high > 32767)
    throw new DyadicError('refused', `table of ${name}: results from ${low} to ${high} are no range of 16-bit codes`)
  const argument = product(inputScale, code - inputZeroPoint)
  // Beyond 64 e^x is more than any code; a scale that makes it one is not worth 2^92 bits.
  const limited = name === 'exp' && argument > 64n << FIXED_POINT_BITS ? 64n << FIXED_POINT_BITS : argument
  return clamp(roundToUnits(FIXED_POINT_FUNCTIONS[name](limited), outputScale) + outputZeroPoint, low, high)
}
