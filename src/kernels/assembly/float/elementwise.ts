/** Float32 element-wise kernels, simd128. `count` is a multiple of 4; input and output may be the same memory. */

import { clip } from './epilogue'

/** min(max(a + b, low), high). */
export function add(a: usize, b: usize, output: usize, count: i32, lowest: f32, highest: f32): void {
  const low = f32x4.splat(lowest), high = f32x4.splat(highest)
  for (const end = a + (<usize>count << 2); a < end; a += 16, b += 16, output += 16)
    v128.store(output, clip(f32x4.add(v128.load(a), v128.load(b)), low, high))
}

/** a · b. */
export function multiply(a: usize, b: usize, output: usize, count: i32): void {
  for (const end = a + (<usize>count << 2); a < end; a += 16, b += 16, output += 16)
    v128.store(output, f32x4.mul(v128.load(a), v128.load(b)))
}

/** x · factor. */
export function scale(input: usize, output: usize, count: i32, factor: f32): void {
  const f = f32x4.splat(factor)
  for (const end = input + (<usize>count << 2); input < end; input += 16, output += 16)
    v128.store(output, f32x4.mul(v128.load(input), f))
}

/** min(max(x, low), high). */
export function clamp(input: usize, output: usize, count: i32, lowest: f32, highest: f32): void {
  const low = f32x4.splat(lowest), high = f32x4.splat(highest)
  for (const end = input + (<usize>count << 2); input < end; input += 16, output += 16)
    v128.store(output, clip(v128.load(input), low, high))
}

/** x where x ≥ 0, slope · x elsewhere. */
export function leakyRelu(input: usize, output: usize, count: i32, slope: f32): void {
  const zero = f32x4.splat(0), factor = f32x4.splat(slope)
  for (const end = input + (<usize>count << 2); input < end; input += 16, output += 16) {
    const x = v128.load(input)
    v128.store(output, v128.bitselect(f32x4.mul(x, factor), x, f32x4.lt(x, zero)))
  }
}

/** g = min(max(alpha · x + beta, 0), 1), or x · g when `gate` is not 0. */
export function hardSigmoid(input: usize, output: usize, count: i32, alpha: f32, beta: f32, gate: i32): void {
  const a = f32x4.splat(alpha), b = f32x4.splat(beta), zero = f32x4.splat(0), one = f32x4.splat(1)
  for (const end = input + (<usize>count << 2); input < end; input += 16, output += 16) {
    const x = v128.load(input)
    const g = clip(f32x4.add(f32x4.mul(x, a), b), zero, one)
    v128.store(output, gate ? f32x4.mul(x, g) : g)
  }
}

/**
 * QuantizeLinear then DequantizeLinear: q = min(max(x / scale, least), most) rounded half to even, out =
 * (q + shift) · outputScale, where least and most are the integer type's limits less the zero point and shift is the
 * difference of the two zero points. NaN gives the least integer.
 */
export function fakeQuantise(
  input: usize, output: usize, count: i32, scale: f32, least: f32, most: f32, shift: f32, outputScale: f32,
): void {
  const s = f32x4.splat(scale), low = f32x4.splat(least), high = f32x4.splat(most)
  const move = f32x4.splat(shift), factor = f32x4.splat(outputScale)
  for (const end = input + (<usize>count << 2); input < end; input += 16, output += 16) {
    const q = f32x4.nearest(f32x4.pmin(f32x4.pmax(low, f32x4.div(v128.load(input), s)), high))
    // The addition also turns −0 into the +0 that integers have.
    v128.store(output, f32x4.mul(f32x4.add(q, move), factor))
  }
}
