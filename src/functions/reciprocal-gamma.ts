/** The gamma function: 1/Γ(1 + μ) for |μ| ≤ ½ as an even part and μ times another even part, and Γ from these. */

/**
 * The even part of 1/Γ(1 + μ) for |μ| ≤ ½, `square` = μ²: its Taylor coefficients (Digital Library of Mathematical Functions
 * 5.7.1, shifted by one) in two chains. The first one left out counts less than 2^-60.
 */
export function reciprocalGammaEven(square: number): number {
  const q = square * square
  const low =
    ((((-3.696805618642206e-12 * q + 5.002007644469223e-9) * q + -1.2504934821426706e-6) * q + -0.0011651675918590652) *
      q +
      0.16653861138229148) *
      q +
    1
  const high =
    (((1.0434267116911005e-10 * q + -2.056338416977607e-7) * q + 0.0001280502823881162) * q + -0.009621971527876973) *
      q +
    -0.6558780715202539
  return low + square * high
}

/** The odd part of 1/Γ(1 + μ), divided by μ. */
export function reciprocalGammaOdd(square: number): number {
  const q = square * square
  const low =
    (((-1.18127457048702e-9 * q + 1.133027231981696e-6) * q + -0.00021524167411495098) * q + -0.04219773455554433) * q +
    0.5772156649015329
  const high =
    (((7.782263439905071e-12 * q + 6.116095104481416e-9) * q + -2.013485478078824e-5) * q + 0.0072189432466631) * q +
    -0.04200263503409524
  return low + square * high
}

/** Γ(v + 1) for 0 ≤ v < 170, by the recurrence from |μ| ≤ ½. */
export function gammaOfNext(order: number): number {
  const whole = Math.floor(order + 0.5)
  const rest = order - whole
  const square = rest * rest
  let product = 1
  for (let i = 0; i < whole; i++) product *= order - i
  return product / (reciprocalGammaEven(square) + rest * reciprocalGammaOdd(square))
}
