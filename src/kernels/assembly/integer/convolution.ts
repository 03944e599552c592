// Implicit GEMM over a widened, padded NHWC input (i16), 4 output pixels x 8 output channels at a time.
//
//            weights panel: [pair][8 channels][2]
//             v0 = channels 0-3   v1 = channels 4-7
//   pixel p0 |   c00            |   c01            |   one 32-bit splat holds two neighbouring input channels; dot
//   pixel p1 |   c10            |   c11            |   multiplies them with the pair of weights of each output channel
//   pixel p2 |   c20            |   c21            |   and adds the two products: exact int32
//   pixel p3 |   c30            |   c31            |
//
// A segment is a run of contiguous input elements: a whole kernel row (kernelWidth * channels) for one group without
// dilation, otherwise the group's channels of one tap. Its length is rounded up to pairs; the element read too many meets a
// zero weight. Pixels are numbered across rows; the last tile of each block is moved back so that it ends at the last
// pixel and some pixels are computed twice, with equal results.
//
// Pixels go in blocks of BLOCK, so that one weight panel stays in the first-level cache while the block's rows pass.
import { clampCodes, requantize, requantizeSum, withZeroPoint } from './requantize'

const BLOCK: i32 = 96

@inline
function mac(sum: v128, input: v128, weights: v128): v128 {
  return i32x4.add(sum, i32x4.dot_i16x8_s(input, weights))
}

@inline
function biased(sum: v128, bias: v128, left: i32): v128 {
  const value = i32x4.add(sum, bias)
  // Left shifts are rare: a predicted branch is cheaper than a shift by a variable amount.
  return left != 0 ? i32x4.shl(value, left) : value
}

/** One pixel of a wide output: eight int32 codes. */
@inline
function finishWide(
  target: usize, a: v128, b: v128, bias: usize, multipliers: usize, epilogue: usize, left: i32, highShift: i32,
): void {
  const rounding = v128.load(epilogue)
  const q0 = requantize(biased(a, v128.load(bias), left), v128.load(multipliers), rounding, highShift)
  const q1 = requantize(biased(b, v128.load(bias, 16), left), v128.load(multipliers, 16), rounding, highShift)
  const zero = v128.load(epilogue, 16), low = v128.load(epilogue, 32), high = v128.load(epilogue, 48)
  v128.store(target, i32x4.min_s(i32x4.max_s(i32x4.add(q0, zero), low), high))
  v128.store(target, i32x4.min_s(i32x4.max_s(i32x4.add(q1, zero), low), high), 16)
}

/** One pixel of an s8 output as i16 before the clamp. Kind i16 adds the residual. */
@inline
function finishRow<Kind>(
  a: v128, b: v128, bias: usize, multipliers: usize, epilogue: usize, left: i32, highShift: i32,
  residual: usize, residualLeft: i32,
): v128 {
  const first = biased(a, v128.load(bias), left)
  const second = biased(b, v128.load(bias, 16), left)
  const rounding = v128.load(epilogue)
  if (sizeof<Kind>() == 2) {
    const other = i16x8.sub(v128.load_ext<i8>(residual), v128.load(epilogue, 64))
    const factor = v128.load(epilogue, 80)
    return withZeroPoint(
      requantizeSum(first, v128.load(multipliers), i32x4.shl(i32x4.extend_low_i16x8_s(other), residualLeft), factor, rounding, highShift),
      requantizeSum(second, v128.load(multipliers, 16), i32x4.shl(i32x4.extend_high_i16x8_s(other), residualLeft), factor, rounding, highShift),
      epilogue,
    )
  }
  return withZeroPoint(
    requantize(first, v128.load(multipliers), rounding, highShift),
    requantize(second, v128.load(multipliers, 16), rounding, highShift),
    epilogue,
  )
}

/** Two neighbouring pixels. */
@inline
function finishPair<Kind>(
  target: usize, step: i32, a0: v128, a1: v128, b0: v128, b1: v128, bias: usize, multipliers: usize, epilogue: usize,
  left: i32, highShift: i32, residual: usize, residualLeft: i32,
): void {
  if (sizeof<Kind>() == 4) {
    finishWide(target, a0, a1, bias, multipliers, epilogue, left, highShift)
    finishWide(target + step * 4, b0, b1, bias, multipliers, epilogue, left, highShift)
  } else {
    const row0 = finishRow<Kind>(a0, a1, bias, multipliers, epilogue, left, highShift, residual, residualLeft)
    const row1 = finishRow<Kind>(b0, b1, bias, multipliers, epilogue, left, highShift, residual + step, residualLeft)
    const codes = clampCodes(row0, row1, epilogue)
    v128.store64_lane(target, codes, 0)
    v128.store64_lane(target + step, codes, 1)
  }
}

// Kind names the epilogue: i8 plain, i16 with residual, i32 wide output (never an element type of the input).
@inline
function convolution<Kind>(
  input: usize, weights: usize, target: usize, bias: usize, multipliers: usize, epilogue: usize,
  pixels: i32, outputWidth: i32, channels: i32, targetStride: i32,
  rowStep: i32, pixelStep: i32, segments: i32, segmentStep: i32, kernelHeight: i32, kernelRowStep: i32, segmentPairs: i32,
  left: i32, highShift: i32, residual: usize, residualLeft: i32,
): void {
  const size: i32 = sizeof<Kind>() == 4 ? 4 : 1
  const segmentBytes: usize = segmentPairs * 4
  const panelBytes: usize = kernelHeight * segments * segmentPairs * 32
  const wrap = rowStep - outputWidth * pixelStep
  for (let blockStart = 0; blockStart < pixels; blockStart += BLOCK) {
    const blockEnd = min(blockStart + BLOCK, pixels)
    let panel = weights
    let panelBias = bias
    let panelMultipliers = multipliers
    for (let n = 0; n < channels; n += 8) {
      let m = blockStart
      let column = m % outputWidth
      let pixel = input + (m / outputWidth) * rowStep + column * pixelStep
      while (m < blockEnd) {
        if (m + 4 > pixels) {
          if (pixels < 4) break
          m = pixels - 4
          column = m % outputWidth
          pixel = input + (m / outputWidth) * rowStep + column * pixelStep
        }
        const a0 = pixel
        pixel += pixelStep
        if (++column == outputWidth) { column = 0; pixel += wrap }
        const a1 = pixel
        pixel += pixelStep
        if (++column == outputWidth) { column = 0; pixel += wrap }
        const a2 = pixel
        pixel += pixelStep
        if (++column == outputWidth) { column = 0; pixel += wrap }
        const a3 = pixel
        pixel += pixelStep
        if (++column == outputWidth) { column = 0; pixel += wrap }
        let c00 = i32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00
        let w = panel
        for (let i = 0, rowOffset: usize = 0; i < kernelHeight; i++, rowOffset += kernelRowStep) {
          for (let s = 0, offset = rowOffset; s < segments; s++, offset += segmentStep) {
            let p0 = a0 + offset, p1 = a1 + offset, p2 = a2 + offset, p3 = a3 + offset
            const end = p0 + segmentBytes
            while (p0 < end) {
              const v0 = v128.load(w), v1 = v128.load(w, 16)
              let a = v128.load32_splat(p0)
              c00 = mac(c00, a, v0)
              c01 = mac(c01, a, v1)
              a = v128.load32_splat(p1)
              c10 = mac(c10, a, v0)
              c11 = mac(c11, a, v1)
              a = v128.load32_splat(p2)
              c20 = mac(c20, a, v0)
              c21 = mac(c21, a, v1)
              a = v128.load32_splat(p3)
              c30 = mac(c30, a, v0)
              c31 = mac(c31, a, v1)
              p0 += 4
              p1 += 4
              p2 += 4
              p3 += 4
              w += 32
            }
          }
        }
        let position = m * targetStride + n
        finishPair<Kind>(target + position * size, targetStride, c00, c01, c10, c11, panelBias, panelMultipliers, epilogue, left, highShift, residual + position, residualLeft)
        position += 2 * targetStride
        finishPair<Kind>(target + position * size, targetStride, c20, c21, c30, c31, panelBias, panelMultipliers, epilogue, left, highShift, residual + position, residualLeft)
        m += 4
      }
      if (pixels < 4) {
        for (let q = 0; q < pixels; q++) {
          const a0 = input + (q / outputWidth) * rowStep + (q % outputWidth) * pixelStep
          let c0 = i32x4.splat(0), c1 = c0
          let w = panel
          for (let i = 0, rowOffset: usize = 0; i < kernelHeight; i++, rowOffset += kernelRowStep) {
            for (let s = 0, offset = rowOffset; s < segments; s++, offset += segmentStep) {
              let p0 = a0 + offset
              for (const end = p0 + segmentBytes; p0 < end; p0 += 4, w += 32) {
                const a = v128.load32_splat(p0)
                c0 = mac(c0, a, v128.load(w))
                c1 = mac(c1, a, v128.load(w, 16))
              }
            }
          }
          const position = q * targetStride + n
          if (sizeof<Kind>() == 4) finishWide(target + position * 4, c0, c1, panelBias, panelMultipliers, epilogue, left, highShift)
          else {
            const row = finishRow<Kind>(c0, c1, panelBias, panelMultipliers, epilogue, left, highShift, residual + position, residualLeft)
            v128.store64_lane(target + position, clampCodes(row, row, epilogue), 0)
          }
        }
      }
      panel += panelBytes
      panelBias += 32
      panelMultipliers += 32
    }
  }
}

/** s8 output. Steps are in bytes of the widened input; `channels` is the number of outputs, `targetStride` in elements. */
export function convolve(
  input: usize, weights: usize, target: usize, bias: usize, multipliers: usize, epilogue: usize,
  pixels: i32, outputWidth: i32, channels: i32, targetStride: i32,
  rowStep: i32, pixelStep: i32, segments: i32, segmentStep: i32, kernelHeight: i32, kernelRowStep: i32, segmentPairs: i32,
  left: i32, highShift: i32,
): void {
  convolution<i8>(input, weights, target, bias, multipliers, epilogue, pixels, outputWidth, channels, targetStride, rowStep, pixelStep, segments, segmentStep, kernelHeight, kernelRowStep, segmentPairs, left, highShift, 0, 0)
}

/** s8 output with a residual tensor of the output's layout under the same rounding. */
export function convolveResidual(
  input: usize, weights: usize, target: usize, bias: usize, multipliers: usize, epilogue: usize,
  pixels: i32, outputWidth: i32, channels: i32, targetStride: i32,
  rowStep: i32, pixelStep: i32, segments: i32, segmentStep: i32, kernelHeight: i32, kernelRowStep: i32, segmentPairs: i32,
  left: i32, highShift: i32, residual: usize, residualLeft: i32,
): void {
  convolution<i16>(input, weights, target, bias, multipliers, epilogue, pixels, outputWidth, channels, targetStride, rowStep, pixelStep, segments, segmentStep, kernelHeight, kernelRowStep, segmentPairs, left, highShift, residual, residualLeft)
}

/** s32 output (network outputs that stay wide). */
export function convolveWide(
  input: usize, weights: usize, target: usize, bias: usize, multipliers: usize, epilogue: usize,
  pixels: i32, outputWidth: i32, channels: i32, targetStride: i32,
  rowStep: i32, pixelStep: i32, segments: i32, segmentStep: i32, kernelHeight: i32, kernelRowStep: i32, segmentPairs: i32,
  left: i32, highShift: i32,
): void {
  convolution<i32>(input, weights, target, bias, multipliers, epilogue, pixels, outputWidth, channels, targetStride, rowStep, pixelStep, segments, segmentStep, kernelHeight, kernelRowStep, segmentPairs, left, highShift, 0, 0)
}
