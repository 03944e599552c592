/**
 * Float32 kernels over the rows of a matrix, simd128: softmax, and normalisation with or without the mean. A row is `count`
 * floats; rows start `stride` bytes apart, a multiple of 16, and what lies between rows is never read into a result.
 * Input and output may be the same memory. Sums of normalisation are double.
 */

import { DEEPEST, loadTail, mantissa, rounded, ROUNDER_BITS, scaled, storeTail } from './exponential'

/** Differences below this give 0 in float32, and the exponential is not made for much less. */
const LEAST: f32 = -200

/** e^(x − largest) for x ≤ largest; 0 for −∞. */
// @ts-ignore: decorator
@inline
function below(x: v128, largest: v128): v128 {
  const difference = f32x4.max(f32x4.sub(x, largest), f32x4.splat(LEAST))
  const r = rounded(difference)
  return scaled(mantissa(difference, r), r, i32x4.splat(ROUNDER_BITS), i32x4.splat(ROUNDER_BITS - DEEPEST))
}

// @ts-ignore: decorator
@inline
function largestLane(x: v128): f32 {
  return max(
    max(f32x4.extract_lane(x, 0), f32x4.extract_lane(x, 1)),
    max(f32x4.extract_lane(x, 2), f32x4.extract_lane(x, 3)),
  )
}

// @ts-ignore: decorator
@inline
function total(x: v128): f32 {
  return f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 1) + (f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3))
}

/** Softmax of each row: e^(x − largest) over their sum. A row needs one number that is finite, and none that is NaN. */
export function softmaxRows(input: usize, output: usize, rows: i32, count: i32, stride: usize): void {
  const whole = (<usize>count << 2) & ~15
  const rest = <usize>(count & 3)
  for (let row = 0; row < rows; row++, input += stride, output += stride) {
    const end = input + whole
    let most = f32x4.splat(-Infinity)
    for (let p = input; p < end; p += 16) most = f32x4.max(most, v128.load(p))
    if (rest) most = f32x4.max(most, loadTail(end, rest))
    const largest = f32x4.splat(largestLane(most))
    let sum = f32x4.splat(0)
    let to = output
    for (let p = input; p < end; p += 16, to += 16) {
      const power = below(v128.load(p), largest)
      v128.store(to, power)
      sum = f32x4.add(sum, power)
    }
    if (rest) {
      const power = below(loadTail(end, rest), largest)
      storeTail(to, rest, power)
      sum = f32x4.add(sum, power)
    }
    const factor = f32x4.splat(1 / total(sum))
    // What the last vector holds beyond the row lies between rows.
    for (let p = output, last = output + (<usize>count << 2); p < last; p += 16)
      v128.store(p, f32x4.mul(v128.load(p), factor))
  }
}

/**
 * (x − mean) / √(variance + epsilon) · scale + shift of each row where `centred` is not 0, else x / √(mean square + epsilon) ·
 * scale + shift. `scale` and `shift` have an entry per element of a row, rounded up to 4; `shift` is 0 where there is none.
 */
export function normaliseRows(
  input: usize, output: usize, rows: i32, count: i32, stride: usize, scale: usize, shift: usize, epsilon: f64,
  centred: i32,
): void {
  const whole = (<usize>count << 2) & ~15
  const bytes = <usize>count << 2
  for (let row = 0; row < rows; row++, input += stride, output += stride) {
    const end = input + whole, last = input + bytes
    let mean: f64 = 0
    if (centred) {
      let low = f64x2.splat(0), high = low
      for (let p = input; p < end; p += 16) {
        low = f64x2.add(low, f64x2.promote_low_f32x4(v128.load64_zero(p)))
        high = f64x2.add(high, f64x2.promote_low_f32x4(v128.load64_zero(p, 8)))
      }
      const sums = f64x2.add(low, high)
      mean = f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1)
      for (let p = end; p < last; p += 4) mean += <f64>load<f32>(p)
      mean /= <f64>count
    }
    const centre = f64x2.splat(mean)
    let low = f64x2.splat(0), high = low
    for (let p = input; p < end; p += 16) {
      const a = f64x2.sub(f64x2.promote_low_f32x4(v128.load64_zero(p)), centre)
      const b = f64x2.sub(f64x2.promote_low_f32x4(v128.load64_zero(p, 8)), centre)
      low = f64x2.add(low, f64x2.mul(a, a))
      high = f64x2.add(high, f64x2.mul(b, b))
    }
    const sums = f64x2.add(low, high)
    let squares = f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1)
    for (let p = end; p < last; p += 4) {
      const a = <f64>load<f32>(p) - mean
      squares += a * a
    }
    const inverse = f32x4.splat(<f32>(1 / Math.sqrt(squares / <f64>count + epsilon)))
    const middle = f32x4.splat(<f32>mean)
    let s = scale, t = shift, to = output
    for (let p = input; p < last; p += 16, to += 16, s += 16) {
      let y = f32x4.mul(f32x4.mul(f32x4.sub(v128.load(p), middle), inverse), v128.load(s))
      if (shift) {
        y = f32x4.add(y, v128.load(t))
        t += 16
      }
      v128.store(to, y)
    }
  }
}
