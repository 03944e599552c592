/**
 * The two passes of softmax over a long vector (Dukhan and Ablavatski 2020, "The two-pass softmax algorithm",
 * arXiv:2001.04438), float32, simd128: every exponential is a pair m·2^n, so that nothing overflows and no maximum is needed
 * beforehand. Reads 2 floats and writes 1 per element.
 *
 * In the first pass four vectors share one rescaling of the sum. Sums of 1024 elements are float32, their total is double:
 * the result does not depend on how a vector is cut into calls, as long as every cut is at a multiple of 1024. A NaN
 * makes the sum NaN; the caller looks at the exponent that comes out (at most 1900 in size) before it trusts the sum.
 */

import { DEEPEST, loadTail, mantissa, rounded, ROUNDER_BITS, scaled, storeTail, touch } from './exponential'

/** Elements whose sum is float32, in bytes. */
const BLOCK: usize = 4096
/** Bytes that are brought into the nearest cache, and summed, at a time. */
const GROUP: usize = 1024
/** Less than every exponent that can occur, by more than the 126 that count. */
const LEAST: i32 = -4096

/** Adds a lane's sum·2^(bits − ROUNDER_BITS) to the total at `state`: a double and its exponent as int32. */
function addLane(state: usize, sum: f32, bits: i32): void {
  const exponent = bits - ROUNDER_BITS
  const total = load<f64>(state)
  const before = load<i32>(state, 8)
  const most = max(before, exponent)
  store<f64>(state, total * scale(before - most) + <f64>sum * scale(exponent - most))
  store<i32>(state, most, 8)
}

/** 2^difference for a difference ≤ 0; 0 from −1023 down. */
// @ts-ignore: decorator
@inline
function scale(difference: i32): f64 {
  return reinterpret<f64>(<i64>max(difference + 1023, 0) << 52)
}

/** All ones in lanes that hold NaN. */
// @ts-ignore: decorator
@inline
function notNumber(x: v128): v128 {
  return f32x4.ne(x, x)
}

/** Pass 1: adds the exponentials of `count` floats to the total at `state`, which starts as 0·2^−4096. */
export function sumExtended(input: usize, count: i32, state: usize): void {
  const deepest = i32x4.splat(DEEPEST)
  const end = input + (<usize>count << 2)
  while (input < end) {
    const blockEnd = min(input + BLOCK, end)
    // Starting at the exponent of what lies behind, a rescaling is rare and its branch predicted.
    let whole = f32x4.splat(0), bad = i32x4.splat(0)
    let most = i32x4.splat(max(load<i32>(state, 8), LEAST) + ROUNDER_BITS), limit = i32x4.sub(most, deepest)
    while (input < blockEnd) {
      const groupEnd = min(input + GROUP, blockEnd)
      touch(input, groupEnd)
      const last = groupEnd - 64
      let sum = f32x4.splat(0)
      if (input <= last) do {
        const x0 = v128.load(input), x1 = v128.load(input, 16), x2 = v128.load(input, 32), x3 = v128.load(input, 48)
        const r0 = rounded(x0), r1 = rounded(x1), r2 = rounded(x2), r3 = rounded(x3)
        const next = i32x4.max_s(i32x4.max_s(r0, r1), i32x4.max_s(r2, r3))
        // A positive NaN is a large r; a negative one shares its sign bit only with x far below −10^6.
        const signs = i32x4.shr_s(v128.or(v128.or(r0, r1), v128.or(r2, r3)), 31)
        if (v128.any_true(v128.or(i32x4.gt_s(next, most), signs))) {
          bad = v128.or(bad, v128.or(v128.or(notNumber(x0), notNumber(x1)), v128.or(notNumber(x2), notNumber(x3))))
          const before = most
          most = i32x4.max_s(most, next)
          limit = i32x4.sub(most, deepest)
          const share = scaled(f32x4.splat(1), before, most, limit)
          sum = f32x4.mul(sum, share)
          whole = f32x4.mul(whole, share)
        }
        sum = f32x4.add(sum, f32x4.add(
          f32x4.add(scaled(mantissa(x0, r0), r0, most, limit), scaled(mantissa(x1, r1), r1, most, limit)),
          f32x4.add(scaled(mantissa(x2, r2), r2, most, limit), scaled(mantissa(x3, r3), r3, most, limit)),
        ))
        input += 64
      } while (input <= last)
      for (; input < groupEnd; input += 16) {
        const left = (groupEnd - input) >> 2
        const x = left >= 4 ? v128.load(input) : loadTail(input, left)
        bad = v128.or(bad, notNumber(x))
        const r = rounded(x)
        const before = most
        most = i32x4.max_s(most, r)
        limit = i32x4.sub(most, deepest)
        const share = scaled(f32x4.splat(1), before, most, limit)
        whole = f32x4.mul(whole, share)
        sum = f32x4.add(f32x4.mul(sum, share), scaled(mantissa(x, r), r, most, limit))
      }
      // Sums of sums: roundings of many equal numbers do not add up.
      whole = f32x4.add(whole, sum)
      input = groupEnd
    }
    const sum = v128.or(whole, bad)
    addLane(state, f32x4.extract_lane(sum, 0), i32x4.extract_lane(most, 0))
    addLane(state, f32x4.extract_lane(sum, 1), i32x4.extract_lane(most, 1))
    addLane(state, f32x4.extract_lane(sum, 2), i32x4.extract_lane(most, 2))
    addLane(state, f32x4.extract_lane(sum, 3), i32x4.extract_lane(most, 3))
  }
}

/**
 * Pass 2: e^x·inverse·2^−exponent of `count` floats, none of them NaN or ∞; `inverse` from 0.75 to 1.5. Input and output are
 * the same memory or do not overlap.
 */
export function scaleExtended(input: usize, output: usize, count: i32, inverse: f32, exponent: i32): void {
  const factor = f32x4.splat(inverse)
  const base = i32x4.splat(ROUNDER_BITS + exponent), limit = i32x4.splat(ROUNDER_BITS + exponent - DEEPEST)
  const end = input + (<usize>count << 2)
  while (input < end) {
    const groupEnd = min(input + GROUP, end)
    touch(input, groupEnd)
    const last = groupEnd - 32
    if (input <= last) do {
      const x0 = v128.load(input), x1 = v128.load(input, 16)
      const r0 = rounded(x0), r1 = rounded(x1)
      v128.store(output, scaled(f32x4.mul(mantissa(x0, r0), factor), r0, base, limit))
      v128.store(output, scaled(f32x4.mul(mantissa(x1, r1), factor), r1, base, limit), 16)
      input += 32
      output += 32
    } while (input <= last)
    for (; input < groupEnd; input += 16, output += 16) {
      const left = (groupEnd - input) >> 2
      const x = left >= 4 ? v128.load(input) : loadTail(input, left)
      const r = rounded(x)
      const y = scaled(f32x4.mul(mantissa(x, r), factor), r, base, limit)
      if (left >= 4) v128.store(output, y)
      else storeTail(output, left, y)
    }
    input = groupEnd
  }
}
