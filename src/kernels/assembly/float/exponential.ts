/**
 * e^x as m·2^n, four lanes at a time, without fused multiply-add: n = x·log2 e rounded to an integer, t = x − n·ln 2 in two
 * parts, m = e^t by a polynomial of degree 6 (least relative error on |t| ≤ 0.34665 with the first two coefficients 1).
 *
 * ln 2 is 5678/8192, whose 13 bits keep n·5678/8192 exact for |n| ≤ 2048, and a rest. So −1419 ≤ x ≤ 1419 is wanted; m is
 * then within 1 unit in the last place. n stays in the form r = n + 1.5·2^23 in which rounding leaves it. The bits of r are an
 * integer that differs from n by a constant while |n| < 2^22, and they grow with r beyond that too; what is done with x
 * outside the range, infinite or not a number is for the callers, who see it in r.
 */

export const LOG2_E: f32 = 1.44269504
export const ROUNDER: f32 = 12582912
export const LN2_HIGH: f32 = 0.693115234375
export const LN2_LOW: f32 = 0.00003194618498
const C2: f32 = 0.49999993
const C3: f32 = 0.16666521
const C4: f32 = 0.041668408
const C5: f32 = 0.0083687603
const C6: f32 = 0.0013814148

/** Bits of r for n = 0. */
export const ROUNDER_BITS: i32 = 0x4b400000
/** Exponents so far below that of the result give 0: the next one would leave the normal numbers. */
export const DEEPEST: i32 = 126

/** r for x: 1.5·2^23 + n. */
// @ts-ignore: decorator
@inline
export function rounded(x: v128): v128 {
  return f32x4.add(f32x4.mul(x, f32x4.splat(LOG2_E)), f32x4.splat(ROUNDER))
}

// @ts-ignore: decorator
@inline
function remainder(x: v128, r: v128): v128 {
  const n = f32x4.sub(r, f32x4.splat(ROUNDER))
  return f32x4.sub(f32x4.sub(x, f32x4.mul(n, f32x4.splat(LN2_HIGH))), f32x4.mul(n, f32x4.splat(LN2_LOW)))
}

/** m for x and its r: e^(x − n·ln 2), about 0.7071 to 1.4142. NaN for a NaN. */
// @ts-ignore: decorator
@inline
export function mantissa(x: v128, r: v128): v128 {
  const t = remainder(x, r)
  let q = f32x4.add(f32x4.mul(t, f32x4.splat(C6)), f32x4.splat(C5))
  q = f32x4.add(f32x4.mul(q, t), f32x4.splat(C4))
  q = f32x4.add(f32x4.mul(q, t), f32x4.splat(C3))
  q = f32x4.add(f32x4.mul(q, t), f32x4.splat(C2))
  return f32x4.add(f32x4.add(f32x4.mul(f32x4.mul(t, t), q), t), f32x4.splat(1))
}

/**
 * v·2^(n − n₀) for v from 0.5 to 4 by adding to the exponent's bits; 0 where n < n₀ − 126, whatever v is. `base` is the r of
 * n₀ and `limit` that of n₀ − 126. A result below 2^−126 is 0 or some number below 2^−126; NaN is not kept.
 */
// @ts-ignore: decorator
@inline
export function scaled(v: v128, r: v128, base: v128, limit: v128): v128 {
  return v128.andnot(i32x4.add(v, i32x4.shl(i32x4.sub(r, base), 23)), f32x4.lt(r, limit))
}

/**
 * Brings a block into the nearest cache by reading a byte of each line. The passes that compute much per number fill the
 * processor's window with arithmetic of four or five lines, so that few reads are under way at a time; here dozens are.
 */
// @ts-ignore: decorator
@inline
export function touch(p: usize, end: usize): void {
  let sum = 0
  for (; p < end; p += 64) sum += <i32>load<u8>(p)
  // Never: but the reads cannot be left out.
  if (sum < 0) unreachable()
}

/** The first 1 to 3 floats at `p`, the other lanes −∞. */
export function loadTail(p: usize, count: usize): v128 {
  let x = f32x4.replace_lane(f32x4.splat(-Infinity), 0, load<f32>(p))
  if (count > 1) x = f32x4.replace_lane(x, 1, load<f32>(p, 4))
  if (count > 2) x = f32x4.replace_lane(x, 2, load<f32>(p, 8))
  return x
}

/** Stores the first 1 to 3 lanes. */
export function storeTail(p: usize, count: usize, y: v128): void {
  store<f32>(p, f32x4.extract_lane(y, 0))
  if (count > 1) store<f32>(p, f32x4.extract_lane(y, 1), 4)
  if (count > 2) store<f32>(p, f32x4.extract_lane(y, 2), 8)
}

/** Writes m as floats and n as int32 of `count` (a multiple of 4) floats from −1400 to 1400. */
export function extendedExponential(input: usize, mantissas: usize, exponents: usize, count: i32): void {
  for (const end = input + (<usize>count << 2); input < end; input += 16, mantissas += 16, exponents += 16) {
    const x = v128.load(input)
    const r = rounded(x)
    v128.store(mantissas, mantissa(x, r))
    v128.store(exponents, i32x4.sub(r, i32x4.splat(ROUNDER_BITS)))
  }
}
