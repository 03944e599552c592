/**
 * Elementary functions of fixed-point numbers on BigInt, without floating point and without a math library: the exact side
 * that errors are measured against, and the source of tables that are the same on every host (`Math.exp` and its like are
 * not defined to the last bit). A fixed-point number x is the integer x × 2^96. Results are off by less than 2^−80, relative
 * to the larger of 1 and the result.
 */
import { floorDivideExact } from './integer-division.ts'
import { squareRootExact } from './square-root.ts'

/** Fractional bits of arguments and results. */
export const FIXED_POINT_BITS = 96n
/** Fractional bits inside: at 9 the error function multiplies e^−81, which has 117 zeros in front, with its inverse. */
const BITS = 256n
const GUARD = BITS - FIXED_POINT_BITS
const ONE = 1n << BITS

const multiply = (a: bigint, b: bigint): bigint => (a * b) >> BITS
const widen = (x: bigint): bigint => x << GUARD
const narrow = (x: bigint): bigint => (x + (1n << (GUARD - 1n))) >> GUARD
const absolute = (x: bigint): bigint => (x < 0n ? -x : x)

/** atanh(1 / n) × 2^BITS, or atan(1 / n) with alternating signs. */
function inverseTangent(n: bigint, hyperbolic: boolean): bigint {
  let sum = 0n
  let power = ONE / n
  for (let k = 1n; power !== 0n; k += 2n) {
    sum += hyperbolic || k % 4n === 1n ? power / k : -power / k
    power /= n * n
  }
  return sum
}

const LN_2 = 2n * inverseTangent(3n, true)
/** Machin's formula. */
const PI = 16n * inverseTangent(5n, false) - 4n * inverseTangent(239n, false)
const TWO_OVER_ROOT_PI = (ONE * ONE * 2n) / squareRootExact(PI << BITS)
const ROOT_HALF = squareRootExact(1n << (2n * BITS - 1n))

/** e^x, x with BITS fractional bits: a multiple of ln 2 is a shift, the rest a Taylor series at a 256th of it. */
function exponential(x: bigint): bigint {
  const whole = floorDivideExact(x, LN_2)
  if (whole < -BITS) return 0n
  const rest = (x - whole * LN_2) >> 8n
  let sum = ONE
  let term = ONE
  for (let k = 1n; term !== 0n; k++) {
    term = multiply(term, rest) / k
    sum += term
  }
  for (let i = 0; i < 8; i++) sum = multiply(sum, sum)
  return whole < 0n ? sum >> -whole : sum << whole
}

/** erf x = 2/√π × e^(−x²) × Σ 2^n x^(2n+1) / (1 × 3 × … × (2n + 1)): all terms have one sign, nothing cancels. */
function errorFunction(x: bigint): bigint {
  const size = absolute(x)
  // 1 − erf 9 is below 2^−120.
  if (size >= 9n * ONE) return x < 0n ? -ONE : ONE
  const square = multiply(size, size)
  let sum = 0n
  let term = size
  for (let n = 3n; term !== 0n; n += 2n) {
    sum += term
    term = (2n * multiply(term, square)) / n
  }
  const result = multiply(multiply(TWO_OVER_ROOT_PI, exponential(-square)), sum)
  return x < 0n ? -result : result
}

/** 1 / (1 + e^−x), from the exponential of −|x| so that nothing overflows. */
function logistic(x: bigint): bigint {
  const small = exponential(-absolute(x))
  return ((x < 0n ? small : ONE) << BITS) / (ONE + small)
}

/** Functions of fixed-point numbers, |x| ≤ 2^20 (for `exp` also x ≤ 64). */
export const FIXED_POINT_FUNCTIONS = {
  exp: (x: bigint): bigint => narrow(exponential(widen(x))),
  erf: (x: bigint): bigint => narrow(errorFunction(widen(x))),
  gelu: (x: bigint): bigint => {
    const wide = widen(x)
    return narrow(multiply(wide, ONE + errorFunction(multiply(wide, ROOT_HALF))) >> 1n)
  },
  sigmoid: (x: bigint): bigint => narrow(logistic(widen(x))),
  tanh: (x: bigint): bigint => narrow(2n * logistic(2n * widen(x)) - ONE),
} as const

/** A function that is known in fixed point, by name. */
export type FixedPointFunction = keyof typeof FIXED_POINT_FUNCTIONS

/** A finite double as the mantissa and the power of two that it is exactly. */
export function exactDouble(value: number): { mantissa: bigint; exponent: number } {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, value)
  const bits = view.getBigUint64(0)
  const field = Number((bits >> 52n) & 0x7ffn)
  const fraction = bits & 0xfffffffffffffn
  const size = field === 0 ? fraction : fraction | (1n << 52n)
  return { mantissa: value < 0 ? -size : size, exponent: Math.max(field, 1) - 1075 }
}

/** A finite double as a fixed-point number; what lies below 2^−96 is cut towards −∞. */
export function toFixedPoint(value: number): bigint {
  const { mantissa, exponent } = exactDouble(value)
  const shift = FIXED_POINT_BITS + BigInt(exponent)
  return shift >= 0n ? mantissa << shift : mantissa >> -shift
}

/** The nearest double. */
export function fromFixedPoint(value: bigint): number {
  return Number(value) / 2 ** Number(FIXED_POINT_BITS)
}
