/**
 * One product and one addition of a simulated arithmetic, four lanes at a time. The record at `rule` (written by
 * src/kernels/simulation-products.ts) holds 32-bit words:
 *
 *    0 kind: 0 float32 product, 1 logarithms added (L-Mul, Mitchell), 2 float32 product rounded
 *    4 keep: mask of the operands' mantissa bits   8 bump and  12 shift: of rounding half to even, 0 for truncation
 *   16 offset: subtracted from the sum of two patterns
 *   20 accumulatorShift: mantissa bits that a sum loses, 0 for float32
 *   24 productShift: mantissa bits that a product loses  28 productLeast: a float, 2^(least exponent)
 */

/** What the tiles are compiled for. ADDED: no overflow, no infinity, no NaN, operands truncated. ANY: everything else. */
export const FLOAT: i32 = 0
export const ADDED: i32 = 1
export const ANY: i32 = 2
export const ROUNDED: i32 = 3

export const ABSOLUTE: i32 = 0x7fffffff
/** The least normal float32. */
export const HIDDEN: i32 = 0x800000
export const INFINITE: i32 = 0x7f800000

/** Mantissas of finite numbers reduced: truncated, or rounded half to even; `dropped` bits fall. */
// @ts-ignore: decorator
@inline
export function reduce(x: v128, keep: v128, bump: v128, odd: v128, dropped: i32): v128 {
  const reduced = v128.and(i32x4.add(i32x4.add(x, bump), v128.and(i32x4.shr_u(x, dropped), odd)), keep)
  const infinite = i32x4.splat(INFINITE)
  return v128.bitselect(x, reduced, i32x4.eq(v128.and(x, infinite), infinite))
}

/** Above this magnitude of the other operand the sum of patterns is a normal number; for a zero or subnormal `size` none is. */
// @ts-ignore: decorator
@inline
export function threshold(size: v128, base: v128): v128 {
  const least = i32x4.splat(HIDDEN - 1)
  const none = i32x4.shr_u(i32x4.lt_s(size, i32x4.splat(HIDDEN)), 1)
  return v128.or(i32x4.max_s(i32x4.sub(base, size), least), none)
}

/** The bit-level adder for all operands, specials included. */
// @ts-ignore: decorator
@inline
export function addPatterns(x: v128, y: v128, offset: v128, base: v128): v128 {
  const absolute = i32x4.splat(ABSOLUTE), hidden = i32x4.splat(HIDDEN), infinite = i32x4.splat(INFINITE)
  const left = v128.and(x, absolute), right = v128.and(y, absolute)
  const valid = i32x4.gt_s(right, threshold(left, base))
  const sum = i32x4.min_u(i32x4.add(i32x4.sub(left, offset), right), infinite)
  const signs = v128.andnot(v128.xor(x, y), absolute)
  const product = v128.or(v128.and(sum, valid), signs)
  const flushedX = v128.andnot(x, v128.and(i32x4.lt_s(left, hidden), absolute))
  const flushedY = v128.andnot(y, v128.and(i32x4.lt_s(right, hidden), absolute))
  const special = i32x4.ge_s(i32x4.max_s(left, right), infinite)
  return v128.bitselect(f32x4.mul(flushedX, flushedY), product, special)
}

/** A product rounded half to even to fewer mantissa bits, below 2^(least exponent) to the spacing that is there. */
// @ts-ignore: decorator
@inline
export function roundProduct(x: v128, keep: v128, bump: v128, odd: v128, dropped: i32, least: v128, lift: v128): v128 {
  const absolute = i32x4.splat(ABSOLUTE)
  const size = v128.and(x, absolute)
  const small = v128.or(f32x4.sub(f32x4.add(size, lift), lift), v128.andnot(x, absolute))
  return v128.bitselect(small, reduce(x, keep, bump, odd, dropped), f32x4.lt(size, least))
}
