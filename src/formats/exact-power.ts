/**
 * Powers of rational numbers with real exponents, correctly rounded on every host. `Math.pow` may differ in the last bit from
 * engine to engine; a number format may not. Logarithm and exponential are series on BigInt with 192 fraction bits.
 */
import { twoTo } from './binary64.ts'

const FRACTION = 192n
const ONE = 1n << FRACTION

/** 2·artanh(numerator / denominator) = 2·(z + z³/3 + z⁵/5 + …), for |z| ≤ 1/3: ln of (denominator + numerator)/(denominator − numerator). */
function twiceArtanh(numerator: bigint, denominator: bigint): bigint {
  const z = (numerator << FRACTION) / denominator
  const square = (z * z) >> FRACTION
  let power = z
  let sum = 0n
  for (let odd = 1n; power !== 0n; odd += 2n) {
    sum += power / odd
    power = (power * square) >> FRACTION
  }
  return 2n * sum
}

const LN2 = twiceArtanh(1n, 3n)

/** ln of numerator / denominator, both positive, as a fixed-point number. */
function logarithm(numerator: bigint, denominator: bigint): bigint {
  let halvings = 0n
  while (numerator >= 2n * denominator) {
    denominator *= 2n
    halvings++
  }
  while (numerator < denominator) {
    numerator *= 2n
    halvings--
  }
  return halvings * LN2 + twiceArtanh(numerator - denominator, numerator + denominator)
}

/** A finite double as numerator / 2^shift. */
function dyadic(value: number): { numerator: bigint; shift: bigint } {
  let shift = 0n
  while (!Number.isInteger(value)) {
    value *= 2
    shift++
  }
  return { numerator: BigInt(value), shift }
}

/**
 * (numerator / denominator)^(1 / exponent), rounded to the nearest double. `numerator` and `denominator` are positive integers,
 * `exponent` a positive double; the result must lie within the normal doubles.
 */
export function rootOf(numerator: number, denominator: number, exponent: number): number {
  const { numerator: divisor, shift } = dyadic(exponent)
  const log = (logarithm(BigInt(numerator), BigInt(denominator)) << shift) / divisor
  let twos = log / LN2
  let rest = log - twos * LN2
  if (rest < 0n) {
    twos--
    rest += LN2
  }
  let term = ONE
  let sum = 0n
  for (let n = 1n; term !== 0n; n++) {
    sum += term
    term = (term * rest) / (n * ONE)
  }
  // Number(bigint) is correctly rounded; what follows only moves the exponent.
  return Number(sum) * twoTo(Number(twos - FRACTION))
}
