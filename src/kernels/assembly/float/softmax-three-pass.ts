/**
 * The passes of three-pass softmax algorithms over a long vector, float32, simd128, with the exponential, the unrolling and
 * the summation of softmax-two-pass.ts: the maximum first, then either
 *  - recompute: the sum of e^(x − maximum), then e^(x − maximum)/sum: reads 3 floats and writes 1 per element; or
 *  - reload: the sum, storing each e^(x − maximum), then the stored divided by the sum: reads 3 and writes 2; or
 *  - shared exponent: as reload, but the maximum only gives the power of two that all exponentials share: no difference
 *    x − maximum is rounded, and one subtraction less; for maxima from −1300 to 1300.
 * All but the first pass want numbers of which none is NaN or +∞ and one is not −∞.
 */

import { DEEPEST, loadTail, mantissa, rounded, ROUNDER_BITS, scaled, storeTail, touch } from './exponential'

/** Elements whose sum is float32, in bytes; brought into the nearest cache first. */
const BLOCK: usize = 1024

/** e^(x − maximum), 0 below 2^−126.5. */
// @ts-ignore: decorator
@inline
function below(x: v128, maximum: v128): v128 {
  const difference = f32x4.sub(x, maximum)
  const r = rounded(difference)
  return scaled(mantissa(difference, r), r, i32x4.splat(ROUNDER_BITS), i32x4.splat(ROUNDER_BITS - DEEPEST))
}

/** e^(x − maximum)·factor·2^−exponent; base and limit stand for the exponent. */
// @ts-ignore: decorator
@inline
function belowScaled(x: v128, maximum: v128, factor: v128, base: v128, limit: v128): v128 {
  const difference = f32x4.sub(x, maximum)
  const r = rounded(difference)
  return scaled(f32x4.mul(mantissa(difference, r), factor), r, base, limit)
}

/** All ones in lanes that hold NaN. */
// @ts-ignore: decorator
@inline
function notNumber(x: v128): v128 {
  return f32x4.ne(x, x)
}

// @ts-ignore: decorator
@inline
function total(sum: v128): f64 {
  return <f64>f32x4.extract_lane(sum, 0) + <f64>f32x4.extract_lane(sum, 1) +
    (<f64>f32x4.extract_lane(sum, 2) + <f64>f32x4.extract_lane(sum, 3))
}

/** Pass 1: the largest of `count` floats and `least`, NaN when any of them is NaN. */
export function maximum(input: usize, count: i32, least: f32): f32 {
  let m0 = f32x4.splat(least), m1 = m0, m2 = m0, m3 = m0, bad = i32x4.splat(0)
  const end = input + (<usize>count << 2)
  const last = end - 64
  if (input <= last) do {
    const x0 = v128.load(input), x1 = v128.load(input, 16), x2 = v128.load(input, 32), x3 = v128.load(input, 48)
    bad = v128.or(bad, v128.or(v128.or(notNumber(x0), notNumber(x1)), v128.or(notNumber(x2), notNumber(x3))))
    m0 = f32x4.pmax(m0, x0)
    m1 = f32x4.pmax(m1, x1)
    m2 = f32x4.pmax(m2, x2)
    m3 = f32x4.pmax(m3, x3)
    input += 64
  } while (input <= last)
  for (; input < end; input += 16) {
    const left = (end - input) >> 2
    const x = left >= 4 ? v128.load(input) : loadTail(input, left)
    bad = v128.or(bad, notNumber(x))
    m0 = f32x4.pmax(m0, x)
  }
  if (v128.any_true(bad)) return NaN
  m0 = f32x4.pmax(f32x4.pmax(m0, m1), f32x4.pmax(m2, m3))
  return max(
    max(f32x4.extract_lane(m0, 0), f32x4.extract_lane(m0, 1)),
    max(f32x4.extract_lane(m0, 2), f32x4.extract_lane(m0, 3)),
  )
}

/** Pass 2 of recompute: Σ e^(x − largest). */
export function sumBelow(input: usize, count: i32, largest: f32): f64 {
  const most = f32x4.splat(largest)
  const end = input + (<usize>count << 2)
  let all: f64 = 0
  while (input < end) {
    const blockEnd = min(input + BLOCK, end)
    touch(input, blockEnd)
    let sum = f32x4.splat(0)
    const last = blockEnd - 64
    if (input <= last) do {
      const x0 = v128.load(input), x1 = v128.load(input, 16), x2 = v128.load(input, 32), x3 = v128.load(input, 48)
      sum = f32x4.add(sum, f32x4.add(
        f32x4.add(below(x0, most), below(x1, most)), f32x4.add(below(x2, most), below(x3, most)),
      ))
      input += 64
    } while (input <= last)
    for (; input < blockEnd; input += 16) {
      const left = (blockEnd - input) >> 2
      const x = left >= 4 ? v128.load(input) : loadTail(input, left)
      sum = f32x4.add(sum, below(x, most))
    }
    input = blockEnd
    all += total(sum)
  }
  return all
}

/**
 * Pass 3 of recompute: e^(x − largest)·inverse·2^−exponent of `count` floats; `inverse` from 0.75 to 1.5. Input and output are
 * the same memory or do not overlap.
 */
export function scaleBelow(
  input: usize, output: usize, count: i32, largest: f32, inverse: f32, exponent: i32,
): void {
  const most = f32x4.splat(largest), factor = f32x4.splat(inverse)
  const base = i32x4.splat(ROUNDER_BITS + exponent), limit = i32x4.splat(ROUNDER_BITS + exponent - DEEPEST)
  const end = input + (<usize>count << 2)
  while (input < end) {
    const blockEnd = min(input + BLOCK, end)
    touch(input, blockEnd)
    const last = blockEnd - 32
    if (input <= last) do {
      const x0 = v128.load(input), x1 = v128.load(input, 16)
      v128.store(output, belowScaled(x0, most, factor, base, limit))
      v128.store(output, belowScaled(x1, most, factor, base, limit), 16)
      input += 32
      output += 32
    } while (input <= last)
    for (; input < blockEnd; input += 16, output += 16) {
      const left = (blockEnd - input) >> 2
      const x = left >= 4 ? v128.load(input) : loadTail(input, left)
      const y = belowScaled(x, most, factor, base, limit)
      if (left >= 4) v128.store(output, y)
      else storeTail(output, left, y)
    }
    input = blockEnd
  }
}

/** Pass 2 of reload: stores e^(x − largest) and gives the sum. Input and output are the same memory or do not overlap. */
export function storeBelow(input: usize, output: usize, count: i32, largest: f32): f64 {
  const most = f32x4.splat(largest)
  const end = input + (<usize>count << 2)
  let all: f64 = 0
  while (input < end) {
    const blockEnd = min(input + BLOCK, end)
    touch(input, blockEnd)
    let sum = f32x4.splat(0)
    const last = blockEnd - 64
    if (input <= last) do {
      const x0 = v128.load(input), x1 = v128.load(input, 16), x2 = v128.load(input, 32), x3 = v128.load(input, 48)
      const y0 = below(x0, most), y1 = below(x1, most), y2 = below(x2, most), y3 = below(x3, most)
      v128.store(output, y0)
      v128.store(output, y1, 16)
      v128.store(output, y2, 32)
      v128.store(output, y3, 48)
      sum = f32x4.add(sum, f32x4.add(f32x4.add(y0, y1), f32x4.add(y2, y3)))
      input += 64
      output += 64
    } while (input <= last)
    for (; input < blockEnd; input += 16, output += 16) {
      const left = (blockEnd - input) >> 2
      const x = left >= 4 ? v128.load(input) : loadTail(input, left)
      const y = below(x, most)
      sum = f32x4.add(sum, y)
      if (left >= 4) v128.store(output, y)
      else storeTail(output, left, y)
    }
    input = blockEnd
    all += total(sum)
  }
  return all
}

/** Pass 3 of reload and of the blocks: `count` floats times the factor. Input and output are the same memory or do not overlap. */
export function multiply(input: usize, output: usize, count: i32, factor: f32): void {
  const f = f32x4.splat(factor)
  const end = input + (<usize>count << 2), last = end - 64
  if (input <= last) do {
    const y0 = v128.load(input), y1 = v128.load(input, 16), y2 = v128.load(input, 32), y3 = v128.load(input, 48)
    v128.store(output, f32x4.mul(y0, f))
    v128.store(output, f32x4.mul(y1, f), 16)
    v128.store(output, f32x4.mul(y2, f), 32)
    v128.store(output, f32x4.mul(y3, f), 48)
    input += 64
    output += 64
  } while (input <= last)
  for (; input < end; input += 16, output += 16) {
    const left = (end - input) >> 2
    const y = f32x4.mul(left >= 4 ? v128.load(input) : loadTail(input, left), f)
    if (left >= 4) v128.store(output, y)
    else storeTail(output, left, y)
  }
}
