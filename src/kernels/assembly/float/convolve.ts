/**
 * Float32 convolution and dense layers as implicit matrix multiplication over NHWC, simd128, tile of 4 pixels × 8 channels.
 *
 * A table gives the byte offset of each output pixel's window inside the input, so pixels run flat over batch, rows and
 * columns, and strides cost nothing. A window is `segmentCount` runs of contiguous floats, each at its own byte offset.
 * Weights stand in panels of 8 output channels: [panel][segment][float of the run][8]; the bias has one entry per panel
 * lane. out = min(max(sum + bias (+ residual), low), high). Output channels are stored in fours: `channels` is a
 * multiple of 4. Sums run in segment order, one product after the other, and start at the bias.
 *
 *             v0 (4 channels)  v1 (4 channels)
 *   pixel p0       c00              c01
 *   pixel p1       c10              c11         8 accumulators + 2 weights + 1 input of 15 usable registers
 *   pixel p2       c20              c21
 *   pixel p3       c30              c31
 */

import { multiplyAdd, store } from './epilogue'

/** One pixel × one panel, for the rows that no tile of 4 covers. */
function pixel(
  input: usize, segments: usize, segmentsEnd: usize, runBytes: usize, weights: usize, bias: usize,
  output: usize, residual: usize, wide: bool, low: v128, high: v128,
): void {
  let c0 = v128.load(bias), c1 = v128.load(bias, 16)
  for (let s = segments; s < segmentsEnd; s += 4) {
    let p = input + <usize>load<i32>(s)
    const end = p + runBytes
    while (p < end) {
      const a = v128.load32_splat(p)
      c0 = multiplyAdd(c0, a, v128.load(weights))
      c1 = multiplyAdd(c1, a, v128.load(weights, 16))
      p += 4
      weights += 32
    }
  }
  store(output, residual, wide, c0, c1, low, high)
}

/** Strides are in bytes; `residual` is 0 when there is none. */
export function convolve(
  input: usize, offsets: usize, pixels: i32, segments: usize, segmentCount: i32, runBytes: usize,
  weights: usize, bias: usize, output: usize, outputStride: usize, channels: i32,
  residual: usize, residualStride: usize, lowest: f32, highest: f32,
): void {
  const low = f32x4.splat(lowest), high = f32x4.splat(highest)
  const segmentsEnd = segments + (<usize>segmentCount << 2)
  const panelBytes = (<usize>segmentCount * runBytes) << 3
  for (let channel = 0; channel < channels; channel += 8) {
    const wide = channels - channel > 4
    if (pixels < 4) {
      for (let m = 0; m < pixels; m++) {
        pixel(
          input + <usize>load<i32>(offsets + (<usize>m << 2)), segments, segmentsEnd, runBytes, weights, bias,
          output + <usize>m * outputStride, residual ? residual + <usize>m * residualStride : 0, wide, low, high,
        )
      }
    } else {
      for (let m = 0; m < pixels; m += 4) {
        // The last tile overlaps the one before it instead of leaving single pixels.
        const first = <usize>min(m, pixels - 4)
        const table = offsets + (first << 2)
        const b0 = input + <usize>load<i32>(table), b1 = input + <usize>load<i32>(table, 4)
        const b2 = input + <usize>load<i32>(table, 8), b3 = input + <usize>load<i32>(table, 12)
        let c00 = v128.load(bias), c01 = v128.load(bias, 16)
        let c10 = c00, c11 = c01, c20 = c00, c21 = c01, c30 = c00, c31 = c01
        let w = weights
        for (let s = segments; s < segmentsEnd; s += 4) {
          const offset = <usize>load<i32>(s)
          let p0 = b0 + offset, p1 = b1 + offset, p2 = b2 + offset, p3 = b3 + offset
          const end = p0 + runBytes
          while (p0 < end) {
            const v0 = v128.load(w), v1 = v128.load(w, 16)
            let a = v128.load32_splat(p0)
            c00 = multiplyAdd(c00, a, v0)
            c01 = multiplyAdd(c01, a, v1)
            a = v128.load32_splat(p1)
            c10 = multiplyAdd(c10, a, v0)
            c11 = multiplyAdd(c11, a, v1)
            a = v128.load32_splat(p2)
            c20 = multiplyAdd(c20, a, v0)
            c21 = multiplyAdd(c21, a, v1)
            a = v128.load32_splat(p3)
            c30 = multiplyAdd(c30, a, v0)
            c31 = multiplyAdd(c31, a, v1)
            p0 += 4
            p1 += 4
            p2 += 4
            p3 += 4
            w += 32
          }
        }
        let target = output + first * outputStride
        let added = residual ? residual + first * residualStride : 0
        store(target, added, wide, c00, c01, low, high)
        target += outputStride
        added += residual ? residualStride : 0
        store(target, added, wide, c10, c11, low, high)
        target += outputStride
        added += residual ? residualStride : 0
        store(target, added, wide, c20, c21, low, high)
        target += outputStride
        added += residual ? residualStride : 0
        store(target, added, wide, c30, c31, low, high)
      }
    }
    weights += panelBytes
    bias += 32
    output += 32
    residual += residual ? 32 : 0
  }
}
