/**
 * The passes of the blocked softmax, float32, simd128: exponentials over a power of two that a block shares, so that no
 * difference x − maximum is rounded; later each block times its factor (`multiply` of softmax-three-pass.ts). Every x of
 * weight is from −1300 to 1300.
 *
 * What is stored for x is UNIT·e^x·2^−exponent with UNIT = 120.5162, which is what lets the polynomial's first coefficient be 1.
 * Loops are written with their test at the end: engines then lift the constants out of them.
 */

import { LN2_HIGH, LN2_LOW, loadTail, LOG2_E, ROUNDER, ROUNDER_BITS, storeTail, touch } from './exponential'

/** Elements whose sum is float32, in bytes: so few that their roundings hardly add up. Brought into the nearest cache first. */
const GROUP: usize = 1024

/** UNIT·e^t for |t| ≤ 0.34665 by degree 5, within 1.6e-7, relatively. */
const D0: f32 = 120.51621283474499
const D1: f32 = 120.51616701860186
const D2: f32 = 60.25676903948754
const D3: f32 = 20.087129361890035
const D4: f32 = 5.051495960422501

/** The exponent's bits of 1. */
const ONE: i32 = 127

/** n + rounder for x. With the rounder 1.5·2^23 + 127 − exponent, the low bits are those of the float 2^(n − exponent). */
// @ts-ignore: decorator
@inline
function roundedTo(x: v128, rounder: v128): v128 {
  return f32x4.add(f32x4.mul(x, f32x4.splat(LOG2_E)), rounder)
}

/** UNIT·e^x·2^−exponent for r = `roundedTo(x, rounder)`, while n − exponent is from −127 (which gives 0) to 127. */
// @ts-ignore: decorator
@inline
function over(x: v128, r: v128, rounder: v128): v128 {
  const n = f32x4.sub(r, rounder)
  const t = f32x4.sub(f32x4.sub(x, f32x4.mul(n, f32x4.splat(LN2_HIGH))), f32x4.mul(n, f32x4.splat(LN2_LOW)))
  let q = f32x4.add(t, f32x4.splat(D4))
  q = f32x4.add(f32x4.mul(q, t), f32x4.splat(D3))
  q = f32x4.add(f32x4.mul(q, t), f32x4.splat(D2))
  q = f32x4.add(f32x4.mul(q, t), f32x4.splat(D1))
  q = f32x4.add(f32x4.mul(q, t), f32x4.splat(D0))
  return f32x4.mul(q, i32x4.shl(r, 23))
}

/** The same with everything below e^(−127·ln 2 + exponent·ln 2) = `least` as 0; NaN stays NaN. */
// @ts-ignore: decorator
@inline
function overLeast(x: v128, least: v128, rounder: v128): v128 {
  const kept = f32x4.pmax(x, least)
  return over(kept, roundedTo(kept, rounder), rounder)
}

// @ts-ignore: decorator
@inline
function total(sum: v128): f64 {
  return <f64>f32x4.extract_lane(sum, 0) + <f64>f32x4.extract_lane(sum, 1) +
    (<f64>f32x4.extract_lane(sum, 2) + <f64>f32x4.extract_lane(sum, 3))
}

/**
 * Stores UNIT·e^x·2^−exponent of `count` floats and gives the sum, NaN for a NaN. `exponent` is at most one away from that of
 * the largest; nothing but −∞ gives zeros. Input and output are the same memory or do not overlap.
 */
export function storeShared(input: usize, output: usize, count: i32, exponent: i32): f64 {
  const rounder = f32x4.splat(ROUNDER + <f32>(ONE - exponent))
  const least = f32x4.splat(<f32>(<f64>(exponent - ONE) * 0.6931471805599453))
  const end = input + (<usize>count << 2)
  let all: f64 = 0
  while (input < end) {
    const groupEnd = min(input + GROUP, end), last = groupEnd - 64
    let sum = f32x4.splat(0)
    if (input <= last) do {
      const y0 = overLeast(v128.load(input), least, rounder), y1 = overLeast(v128.load(input, 16), least, rounder)
      const y2 = overLeast(v128.load(input, 32), least, rounder), y3 = overLeast(v128.load(input, 48), least, rounder)
      v128.store(output, y0)
      v128.store(output, y1, 16)
      v128.store(output, y2, 32)
      v128.store(output, y3, 48)
      sum = f32x4.add(sum, f32x4.add(f32x4.add(y0, y1), f32x4.add(y2, y3)))
      input += 64
      output += 64
    } while (input <= last)
    for (; input < groupEnd; input += 16, output += 16) {
      const left = (groupEnd - input) >> 2
      const y = overLeast(left >= 4 ? v128.load(input) : loadTail(input, left), least, rounder)
      sum = f32x4.add(sum, y)
      if (left >= 4) v128.store(output, y)
      else storeTail(output, left, y)
    }
    input = groupEnd
    all += total(sum)
  }
  return all
}

/** The first 1 to 4 floats at `p`, the other lanes like the first. */
function loadLeft(p: usize, count: usize): v128 {
  if (count >= 4) return v128.load(p)
  let x = v128.load32_splat(p)
  if (count > 1) x = f32x4.replace_lane(x, 1, load<f32>(p, 4))
  if (count > 2) x = f32x4.replace_lane(x, 2, load<f32>(p, 8))
  return x
}

/**
 * The same for an exponent that may be far from the largest: one read of memory, no maximum before. Gives NaN when an exponent
 * is more than 128 above that one or more than 127 below it, or there is a NaN; what is stored then has no meaning.
 */
export function storeNear(input: usize, output: usize, count: i32, exponent: i32): f64 {
  const rounder = f32x4.splat(ROUNDER + <f32>(ONE - exponent))
  const end = input + (<usize>count << 2)
  // The bits above the lowest eight are the rounder's in every r, or some r is out of range.
  let all: f64 = 0, seen = i32x4.splat(ROUNDER_BITS)
  while (input < end) {
    const groupEnd = min(input + GROUP, end), last = groupEnd - 64
    touch(input, groupEnd)
    let sum = f32x4.splat(0)
    if (input <= last) do {
      const x0 = v128.load(input), x1 = v128.load(input, 16), x2 = v128.load(input, 32), x3 = v128.load(input, 48)
      const r0 = roundedTo(x0, rounder), r1 = roundedTo(x1, rounder)
      const r2 = roundedTo(x2, rounder), r3 = roundedTo(x3, rounder)
      seen = v128.or(seen, v128.or(v128.or(r0, r1), v128.or(r2, r3)))
      const y0 = over(x0, r0, rounder), y1 = over(x1, r1, rounder)
      const y2 = over(x2, r2, rounder), y3 = over(x3, r3, rounder)
      v128.store(output, y0)
      v128.store(output, y1, 16)
      v128.store(output, y2, 32)
      v128.store(output, y3, 48)
      sum = f32x4.add(sum, f32x4.add(f32x4.add(y0, y1), f32x4.add(y2, y3)))
      input += 64
      output += 64
    } while (input <= last)
    for (; input < groupEnd; input += 16, output += 16) {
      const left = (groupEnd - input) >> 2
      const x = loadLeft(input, left)
      const r = roundedTo(x, rounder)
      seen = v128.or(seen, r)
      const y = over(x, r, rounder)
      sum = f32x4.add(sum, v128.and(y, i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(<i32>left))))
      if (left >= 4) v128.store(output, y)
      else storeTail(output, left, y)
    }
    input = groupEnd
    all += total(sum)
  }
  const outside = v128.any_true(v128.and(v128.xor(seen, i32x4.splat(ROUNDER_BITS)), i32x4.splat(~0xff)))
  return outside ? NaN : all
}
