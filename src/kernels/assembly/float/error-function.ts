/**
 * Float32 erf and the exact Gelu, simd128. erf(x) = x·P(x²)/Q(x²) for |x| ≤ 4 and ±1 beyond: P and Q of degree 5, fitted
 * for the least relative error (2.5e-8; 4e-7 with the roundings of float32). `count` is a multiple of 4; input and output
 * may be the same memory. NaN stays NaN.
 */

import { clip } from './epilogue'

const P0: f32 = 1.1283791065216064
const P1: f32 = 0.19353196024894714
const P2: f32 = 0.05309971421957016
const P3: f32 = 0.0038826987147331238
const P4: f32 = 0.000284537993138656
const P5: f32 = 0.0000019867120499839075
const Q1: f32 = 0.5048457980155945
const Q2: f32 = 0.11534431576728821
const Q3: f32 = 0.015205970965325832
const Q4: f32 = 0.001185389468446374
const Q5: f32 = 0.00003741797263501212

// @ts-ignore: decorator
@inline
function step(sum: v128, z: v128, coefficient: f32): v128 {
  return f32x4.add(f32x4.mul(sum, z), f32x4.splat(coefficient))
}

// @ts-ignore: decorator
@inline
function erfOf(given: v128): v128 {
  const x = clip(given, f32x4.splat(-4), f32x4.splat(4))
  const z = f32x4.mul(x, x)
  let p = step(f32x4.splat(P5), z, P4)
  let q = step(f32x4.splat(Q5), z, Q4)
  p = step(p, z, P3)
  q = step(q, z, Q3)
  p = step(p, z, P2)
  q = step(q, z, Q2)
  p = step(p, z, P1)
  q = step(q, z, Q1)
  p = step(p, z, P0)
  q = step(q, z, 1)
  return clip(f32x4.div(f32x4.mul(x, p), q), f32x4.splat(-1), f32x4.splat(1))
}

/** erf(x). */
export function erf(input: usize, output: usize, count: i32): void {
  for (const end = input + (<usize>count << 2); input < end; input += 16, output += 16)
    v128.store(output, erfOf(v128.load(input)))
}

/** x · (1 + erf(x / √2)) / 2. */
export function gelu(input: usize, output: usize, count: i32): void {
  const half = f32x4.splat(0.5), one = f32x4.splat(1), factor = f32x4.splat(0.7071067811865476)
  for (const end = input + (<usize>count << 2); input < end; input += 16, output += 16) {
    const x = v128.load(input)
    v128.store(output, f32x4.mul(f32x4.mul(x, half), f32x4.add(one, erfOf(f32x4.mul(x, factor)))))
  }
}
