/**
 * What lies inside a double: exponents, powers of two and neighbours taken from the bits, and sums rounded to odd. Nothing here
 * goes through a logarithm or a power function, so every host gives the same bits.
 *
 * Rounding to odd (Boldo and Melquiond 2008, "Emulation of FMA and correctly rounded sums") keeps an inexact result strictly
 * between the same two numbers of any coarser format: of the two doubles around it the one with an odd last bit is taken, and
 * values and midpoints of a coarser format have an even last bit. Rounding that once more is rounding the exact result.
 */

const real = new Float64Array(1)
const words = new Uint32Array(real.buffer)

/** 2^exponent, exactly, for integers −1074 … 1023. */
export function twoTo(exponent: number): number {
  if (exponent < -1022) return twoTo(exponent + 52) * Number.EPSILON
  words[0] = 0
  words[1] = (exponent + 1023) << 20
  return real[0]!
}

/** ⌊log2 |value|⌋ of a finite value other than zero, exactly, subnormal doubles included. */
export function exponentOf(value: number): number {
  real[0] = value
  const field = (words[1]! >>> 20) & 0x7ff
  return field === 0 ? exponentOf(value * 2 ** 52) - 52 : field - 1023
}

/** The next double away from zero (`steps` 1) or towards it (−1) of a finite value other than zero. */
export function neighbour(value: number, steps: 1 | -1): number {
  real[0] = value
  const low = words[0]!
  words[0] = low + steps
  if (low === (steps === 1 ? 0xffffffff : 0)) words[1]! += steps
  return real[0]!
}

/** a + b with a rounded sum and its exact error: a + b = sum + error (Knuth's two-sum; both finite, no overflow). */
export function twoSum(a: number, b: number): { readonly sum: number; readonly error: number } {
  const sum = a + b
  const part = sum - a
  return { sum, error: a - (sum - part) + (b - part) }
}

/** a + b rounded to odd; NaN and infinities as in IEEE 754. */
export function sumToOdd(a: number, b: number): number {
  const { sum, error } = twoSum(a, b)
  if (error === 0 || !Number.isFinite(sum) || Number.isNaN(error)) return sum
  real[0] = sum
  if ((words[0]! & 1) === 1) return sum
  return neighbour(sum, error > 0 === sum > 0 ? 1 : -1)
}
