/**
 * Float32 depthwise convolution over NHWC, simd128, tile of 4 pixels × 8 channels. Pixels come from an offset table as
 * in convolve.ts; `taps` holds the byte offset of each kernel position. Weights stand in panels of 8 channels:
 * [panel][tap][8]. The channel stride of input and output is a multiple of 4. With fewer than 4 pixels each pixel is
 * its own tile row.
 */

import { multiplyAdd, store } from './epilogue'

export function depthwise(
  input: usize, offsets: usize, pixels: i32, taps: usize, tapCount: i32, weights: usize, bias: usize,
  output: usize, outputStride: usize, channels: i32,
  residual: usize, residualStride: usize, lowest: f32, highest: f32,
): void {
  const low = f32x4.splat(lowest), high = f32x4.splat(highest)
  const tapsEnd = taps + (<usize>tapCount << 2)
  const panelBytes = <usize>tapCount << 5
  const last = max(pixels - 4, 0)
  const d1 = <usize>min(1, pixels - 1), d2 = <usize>min(2, pixels - 1), d3 = <usize>min(3, pixels - 1)
  for (let m = 0; m < pixels; m += 4) {
    const first = <usize>min(m, last)
    const table = offsets + (first << 2)
    let b0 = input + <usize>load<i32>(table), b1 = input + <usize>load<i32>(table + (d1 << 2))
    let b2 = input + <usize>load<i32>(table + (d2 << 2)), b3 = input + <usize>load<i32>(table + (d3 << 2))
    let target = output + first * outputStride
    let added = residual ? residual + first * residualStride : 0
    let w = weights, b = bias
    const r1 = residual ? d1 * residualStride : 0, r2 = residual ? d2 * residualStride : 0
    const r3 = residual ? d3 * residualStride : 0
    for (let channel = 0; channel < channels; channel += 8) {
      const wide = channels - channel > 4
      let c00 = v128.load(b), c01 = v128.load(b, 16)
      let c10 = c00, c11 = c01, c20 = c00, c21 = c01, c30 = c00, c31 = c01
      for (let t = taps; t < tapsEnd; t += 4) {
        const offset = <usize>load<i32>(t)
        const v0 = v128.load(w), v1 = v128.load(w, 16)
        let p = b0 + offset
        c00 = multiplyAdd(c00, v128.load(p), v0)
        c01 = multiplyAdd(c01, v128.load(p, 16), v1)
        p = b1 + offset
        c10 = multiplyAdd(c10, v128.load(p), v0)
        c11 = multiplyAdd(c11, v128.load(p, 16), v1)
        p = b2 + offset
        c20 = multiplyAdd(c20, v128.load(p), v0)
        c21 = multiplyAdd(c21, v128.load(p, 16), v1)
        p = b3 + offset
        c30 = multiplyAdd(c30, v128.load(p), v0)
        c31 = multiplyAdd(c31, v128.load(p, 16), v1)
        w += 32
      }
      store(target, added, wide, c00, c01, low, high)
      store(target + d1 * outputStride, added + r1, wide, c10, c11, low, high)
      store(target + d2 * outputStride, added + r2, wide, c20, c21, low, high)
      store(target + d3 * outputStride, added + r3, wide, c30, c31, low, high)
      b0 += 32
      b1 += 32
      b2 += 32
      b3 += 32
      b += 32
      target += 32
      added += residual ? 32 : 0
    }
  }
}
