/**
 * Quotients of integers: the divisions of the integer functions, exact for all safe integers (|x| < 2^53). Each has a
 * definition on BigInt and a form on numbers.
 */

/** floor(dividend / divisor); the divisor is not 0. */
export function floorDivideExact(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor
  return dividend % divisor !== 0n && dividend < 0n !== divisor < 0n ? quotient - 1n : quotient
}

/**
 * {@link floorDivideExact} on safe integers. A quotient a / b that is no integer is at least 1 / b away from one, n; doubles
 * near n are at most n × 2^−52 apart, which is less than 2 / b as n × b < 2^53: rounding cannot reach n.
 */
export function floorDivide(dividend: number, divisor: number): number {
  // + 0 turns −0 into 0.
  return Math.floor(dividend / divisor) + 0
}

/** The quotient without its fraction, as C divides: towards zero. Exact on safe integers, as {@link floorDivide} is. */
export function truncateDivide(dividend: number, divisor: number): number {
  return Math.trunc(dividend / divisor) + 0
}

/** dividend / divisor rounded to the nearest integer, ties to the even one; divisor > 0. */
export function divideHalfEvenExact(dividend: bigint, divisor: bigint): bigint {
  const floor = floorDivideExact(dividend, divisor)
  const twice = 2n * (dividend - floor * divisor)
  return twice > divisor || (twice === divisor && floor % 2n !== 0n) ? floor + 1n : floor
}

/** {@link divideHalfEvenExact} on safe integers with divisor < 2^52. */
export function divideHalfEven(dividend: number, divisor: number): number {
  const floor = floorDivide(dividend, divisor)
  const twice = 2 * (dividend - floor * divisor)
  return twice > divisor || (twice === divisor && floor % 2 !== 0) ? floor + 1 : floor
}
