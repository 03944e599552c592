/** Quotients of integers without a division of floating point. */

/** floor(dividend ÷ divisor) for 0 ≤ dividend < 2^52 and an integer divisor > 0, by long division. */
export function floorQuotient(dividend: number, divisor: number): number {
  if (dividend < divisor) return 0
  const even = 2 * floorQuotient(dividend, 2 * divisor)
  return dividend - even * divisor >= divisor ? even + 1 : even
}

/** dividend ÷ divisor to the nearest integer, ties to the even one; |dividend| < 2^51. */
export function halfEvenQuotient(dividend: number, divisor: number): number {
  const size = Math.abs(dividend)
  const floor = floorQuotient(size, divisor)
  const twice = 2 * (size - floor * divisor)
  const up = twice > divisor || (twice === divisor && floor % 2 === 1)
  const rounded = up ? floor + 1 : floor
  return dividend < 0 ? 0 - rounded : rounded
}
