/**
 * Circular and hyperbolic functions and their inverses in double precision, the same on every host as those of
 * elementary.ts: made of +, −, ×, ÷ and roots. Errors were measured below 4 units in the last place of the larger of the
 * result and, for sines and cosines, 2^−30 (where cancellation at multiples of π/2 shows).
 */
import { exponential, exponentialLessOne, logarithm, logarithmOfOneAnd } from './elementary.ts'

/** π/2 in three parts; the first two have 33 bits, so that their products with counts below 2^20 are exact. */
const HALF_PI_HIGH = 0x1921fb544 / 2 ** 32
const HALF_PI_MIDDLE = 6.077100506303966e-11
const HALF_PI_LOW = 2.0222662487959506e-21

/** Fractional bits of π for arguments beyond 2^20: those of the largest double and of the result. */
const PI_BITS = 1200n
let pi: bigint | undefined

/** π × 2^PI_BITS by Machin's formula. */
function piBits(): bigint {
  const inverseTangent = (n: bigint): bigint => {
    let sum = 0n
    let power = (1n << (PI_BITS + 16n)) / n
    for (let k = 1n; power !== 0n; k += 2n) {
      sum += k % 4n === 1n ? power / k : -(power / k)
      power /= n * n
    }
    return sum
  }
  pi ??= (16n * inverseTangent(5n) - 4n * inverseTangent(239n)) >> 16n
  return pi
}

const view = new DataView(new ArrayBuffer(8))

/** x = quarters × π/2 + rest, |rest| ≤ π/4 and a little; quarters modulo 4. */
function reduced(x: number): { quarters: number; rest: number } {
  if (Math.abs(x) < 2 ** 20) {
    const count = Math.floor(x * (2 / Math.PI) + 0.5)
    const rest = x - count * HALF_PI_HIGH - count * HALF_PI_MIDDLE - count * HALF_PI_LOW
    return { quarters: count & 3, rest }
  }
  view.setFloat64(0, Math.abs(x))
  const bits = view.getBigUint64(0)
  const mantissa = (bits & 0xfffffffffffffn) | (1n << 52n)
  const scaled = mantissa << (((bits >> 52n) & 0x7ffn) - 1075n + PI_BITS)
  const half = piBits() >> 1n
  const count = (2n * scaled + half) / (2n * half)
  const rest = Number((scaled - count * half) >> (PI_BITS - 80n)) / 2 ** 80
  const quarters = Number(count & 3n)
  return x < 0 ? { quarters: (4 - quarters) & 3, rest: -rest } : { quarters, rest }
}

/** Coefficients (−1)^n / (2n + first)! from n = 1 on. */
function alternatingInverseFactorials(first: 0 | 1): readonly number[] {
  let factorial = 1
  return Array.from({ length: 9 }, (_, i) => {
    const k = 2 * (i + 1) + first
    factorial *= k * (k - 1)
    return (i % 2 === 0 ? -1 : 1) / factorial
  })
}
const SINE = alternatingInverseFactorials(1)
const COSINE = alternatingInverseFactorials(0)

function series(coefficients: readonly number[], square: number): number {
  let sum = 0
  for (let i = coefficients.length - 1; i >= 0; i--) sum = (sum + (coefficients[i] as number)) * square
  return sum
}

const sineNearZero = (x: number): number => x + x * series(SINE, x * x)
const cosineNearZero = (x: number): number => 1 + series(COSINE, x * x)

/** sin x; NaN for infinities. */
export function sine(x: number): number {
  if (!Number.isFinite(x)) return Number.NaN
  if (x === 0) return x
  const { quarters, rest } = reduced(x)
  const size = quarters % 2 === 0 ? sineNearZero(rest) : cosineNearZero(rest)
  return quarters < 2 ? size : -size
}

/** cos x; NaN for infinities. */
export function cosine(x: number): number {
  if (!Number.isFinite(x)) return Number.NaN
  const { quarters, rest } = reduced(x)
  const size = quarters % 2 === 0 ? cosineNearZero(rest) : sineNearZero(rest)
  return quarters === 0 || quarters === 3 ? size : -size
}

/** tan x; NaN for infinities. */
export function tangent(x: number): number {
  return x === 0 ? x : sine(x) / cosine(x)
}

/** arctan x. */
export function inverseTangent(x: number): number {
  if (x === 0 || Number.isNaN(x)) return x
  const size = Math.abs(x)
  if (size > 1) return Math.sign(x) * (Math.PI / 2 - (size === Infinity ? 0 : inverseTangent(1 / size)))
  // arctan x = 2 arctan(x / (1 + √(1 + x²))), twice: then the argument is at most tan(π/16).
  const halved = size / (1 + Math.sqrt(1 + size * size))
  const quartered = halved / (1 + Math.sqrt(1 + halved * halved))
  const square = quartered * quartered
  let sum = 0
  for (let n = 13; n >= 1; n--) sum = ((n % 2 === 0 ? 1 : -1) / (2 * n + 1) + sum) * square
  return Math.sign(x) * 4 * (quartered + quartered * sum)
}

/** arcsin x; NaN beyond ±1. */
export function inverseSine(x: number): number {
  if (!(Math.abs(x) <= 1) || x === 0) return x === 0 ? x : Number.NaN
  return Math.abs(x) === 1 ? (x * Math.PI) / 2 : inverseTangent(x / Math.sqrt((1 - x) * (1 + x)))
}

/** arccos x; NaN beyond ±1. */
export function inverseCosine(x: number): number {
  if (!(Math.abs(x) <= 1)) return Number.NaN
  return x === -1 ? Math.PI : 2 * inverseTangent(Math.sqrt((1 - x) / (1 + x)))
}

/** sinh x. */
export function hyperbolicSine(x: number): number {
  const size = Math.abs(x)
  if (size > 700) return Math.sign(x) * (exponential(size / 2) / 2) * exponential(size / 2)
  const part = exponentialLessOne(size)
  return x === 0 || Number.isNaN(x) ? x : (Math.sign(x) * (part + part / (part + 1))) / 2
}

/** cosh x. */
export function hyperbolicCosine(x: number): number {
  const size = Math.abs(x)
  if (size > 700) return (exponential(size / 2) / 2) * exponential(size / 2)
  const power = exponential(size)
  return power / 2 + 0.5 / power
}

/** arsinh x. */
export function inverseHyperbolicSine(x: number): number {
  const size = Math.abs(x)
  if (x === 0 || !Number.isFinite(x)) return x
  if (size > 2 ** 28) return Math.sign(x) * (logarithm(size) + Math.LN2)
  return Math.sign(x) * logarithmOfOneAnd(size + (size * size) / (1 + Math.sqrt(1 + size * size)))
}

/** arcosh x; NaN below 1. */
export function inverseHyperbolicCosine(x: number): number {
  if (!(x >= 1)) return Number.NaN
  if (x > 2 ** 28) return x === Infinity ? x : logarithm(x) + Math.LN2
  const over = x - 1
  return logarithmOfOneAnd(over + Math.sqrt(2 * over + over * over))
}

/** artanh x; NaN beyond ±1. */
export function inverseHyperbolicTangent(x: number): number {
  const size = Math.abs(x)
  if (!(size <= 1) || x === 0) return x === 0 ? x : Number.NaN
  return Math.sign(x) * 0.5 * logarithmOfOneAnd((2 * size) / (1 - size))
}
