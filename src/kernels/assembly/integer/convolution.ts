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
// Pixels go in blocks, so that one weight panel stays in the first-level cache while the block's rows pass: of BLOCK, whose rows
// then stay there, too; or where rows are too long for that, of as many as the second-level cache holds, so that the weights,
// which come from further away, pass as few times as possible.
import {
  clampCodes, clampHalves, highHalves, isSymmetric, limitHalves, lowHalves, scaleKind, withZeroPoint,
} from './requantize'

const BLOCK: i32 = 96
/** Bytes of a pixel's input from which BLOCK of them leave the first-level cache, and of those that the second level holds. */
const LONG_PIXEL: i32 = 512
const SECOND_LEVEL: i32 = 393216

/** Pixels of a block: blocks of long pixels have equal sizes. */
@inline
function blockOf(pixels: i32, pixelStep: i32): i32 {
  if (pixelStep <= LONG_PIXEL) return BLOCK
  const most = max(4, SECOND_LEVEL / pixelStep)
  const blocks = (pixels + most - 1) / most
  return ((pixels + blocks - 1) / blocks + 3) & -4
}

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

/** High words of four channels. */
@inline
function scaled<Kind>(
  sum: v128, bias: usize, multipliers: usize, epilogue: usize, left: i32, residual: usize, residualLeft: i32, upper: bool,
): v128 {
  return scaleKind<Kind>(biased(sum, v128.load(bias), left), multipliers, epilogue, residual, residualLeft, upper)
}

/** Zero point, clamp and store of one pixel of a wide output: eight int32 codes. */
@inline
function storeWide(target: usize, first: v128, second: v128, epilogue: usize): void {
  const zero = v128.load(epilogue, 16), low = v128.load(epilogue, 32), high = v128.load(epilogue, 48)
  v128.store(target, i32x4.min_s(i32x4.max_s(i32x4.add(first, zero), low), high))
  v128.store(target, i32x4.min_s(i32x4.max_s(i32x4.add(second, zero), low), high), 16)
}

@inline
function convolution<Kind>(
  input: usize, weights: usize, target: usize, bias: usize, multipliers: usize, epilogue: usize,
  pixels: i32, outputWidth: i32, channels: i32, targetStride: i32,
  rowStep: i32, pixelStep: i32, segments: i32, segmentStep: i32, kernelHeight: i32, kernelRowStep: i32, segmentPairs: i32,
  left: i32, highShift: i32, residual: usize, residualLeft: i32,
): void {
  const size: i32 = sizeof<Kind>()
  const segmentBytes: usize = segmentPairs * 4
  const panelBytes: usize = kernelHeight * segments * segmentPairs * 32
  const wrap = rowStep - outputWidth * pixelStep
  const symmetric = sizeof<Kind>() == 2 && isSymmetric(epilogue)
  const rowShift = min(highShift, 7)
  const block = blockOf(pixels, pixelStep)
  for (let blockStart = 0; blockStart < pixels; blockStart += block) {
    const blockEnd = min(blockStart + block, pixels)
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
        let c00 = v128.load(panelBias), c01 = v128.load(panelBias, 16)
        let c10 = c00, c11 = c01, c20 = c00, c21 = c01, c30 = c00, c31 = c01
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
        // Left shifts are rare: a predicted branch is cheaper than shifts by a variable amount.
        if (left != 0) {
          c00 = i32x4.shl(c00, left)
          c01 = i32x4.shl(c01, left)
          c10 = i32x4.shl(c10, left)
          c11 = i32x4.shl(c11, left)
          c20 = i32x4.shl(c20, left)
          c21 = i32x4.shl(c21, left)
          c30 = i32x4.shl(c30, left)
          c31 = i32x4.shl(c31, left)
        }
        const position = m * targetStride + n
        let other = residual + position * size
        c00 = scaleKind<Kind>(c00, panelMultipliers, epilogue, other, residualLeft, false)
        c01 = scaleKind<Kind>(c01, panelMultipliers + 16, epilogue, other, residualLeft, true)
        other += targetStride * size
        c10 = scaleKind<Kind>(c10, panelMultipliers, epilogue, other, residualLeft, false)
        c11 = scaleKind<Kind>(c11, panelMultipliers + 16, epilogue, other, residualLeft, true)
        other += targetStride * size
        c20 = scaleKind<Kind>(c20, panelMultipliers, epilogue, other, residualLeft, false)
        c21 = scaleKind<Kind>(c21, panelMultipliers + 16, epilogue, other, residualLeft, true)
        other += targetStride * size
        c30 = scaleKind<Kind>(c30, panelMultipliers, epilogue, other, residualLeft, false)
        c31 = scaleKind<Kind>(c31, panelMultipliers + 16, epilogue, other, residualLeft, true)
        // Shifts by constants compose to the shift by highShift; by a variable amount each would cost four instructions.
        let to = target + position * size
        if (sizeof<Kind>() == 1) {
          // More than 7 is rare. What saturates in 16 bits is then at least 255 or at most -256 behind the other shifts:
          // beyond every code, whatever the zero point.
          if (highShift > 7) {
            const excess = highShift - 7
            c00 = i32x4.shr_s(c00, excess)
            c01 = i32x4.shr_s(c01, excess)
            c10 = i32x4.shr_s(c10, excess)
            c11 = i32x4.shr_s(c11, excess)
            c20 = i32x4.shr_s(c20, excess)
            c21 = i32x4.shr_s(c21, excess)
            c30 = i32x4.shr_s(c30, excess)
            c31 = i32x4.shr_s(c31, excess)
          }
          let r0 = i16x8.narrow_i32x4_s(c00, c01), r1 = i16x8.narrow_i32x4_s(c10, c11)
          let r2 = i16x8.narrow_i32x4_s(c20, c21), r3 = i16x8.narrow_i32x4_s(c30, c31)
          if (rowShift & 1) {
            r0 = i16x8.shr_s(r0, 1)
            r1 = i16x8.shr_s(r1, 1)
            r2 = i16x8.shr_s(r2, 1)
            r3 = i16x8.shr_s(r3, 1)
          }
          if (rowShift & 2) {
            r0 = i16x8.shr_s(r0, 2)
            r1 = i16x8.shr_s(r1, 2)
            r2 = i16x8.shr_s(r2, 2)
            r3 = i16x8.shr_s(r3, 2)
          }
          if (rowShift & 4) {
            r0 = i16x8.shr_s(r0, 4)
            r1 = i16x8.shr_s(r1, 4)
            r2 = i16x8.shr_s(r2, 4)
            r3 = i16x8.shr_s(r3, 4)
          }
          const zero = v128.load(epilogue, 16)
          let codes = clampCodes(i16x8.add_sat_s(r0, zero), i16x8.add_sat_s(r1, zero), epilogue)
          v128.store64_lane(to, codes, 0)
          to += targetStride
          v128.store64_lane(to, codes, 1)
          to += targetStride
          codes = clampCodes(i16x8.add_sat_s(r2, zero), i16x8.add_sat_s(r3, zero), epilogue)
          v128.store64_lane(to, codes, 0)
          to += targetStride
          v128.store64_lane(to, codes, 1)
        } else {
          if (highShift & 1) {
            c00 = i32x4.shr_s(c00, 1)
            c01 = i32x4.shr_s(c01, 1)
            c10 = i32x4.shr_s(c10, 1)
            c11 = i32x4.shr_s(c11, 1)
            c20 = i32x4.shr_s(c20, 1)
            c21 = i32x4.shr_s(c21, 1)
            c30 = i32x4.shr_s(c30, 1)
            c31 = i32x4.shr_s(c31, 1)
          }
          if (highShift & 2) {
            c00 = i32x4.shr_s(c00, 2)
            c01 = i32x4.shr_s(c01, 2)
            c10 = i32x4.shr_s(c10, 2)
            c11 = i32x4.shr_s(c11, 2)
            c20 = i32x4.shr_s(c20, 2)
            c21 = i32x4.shr_s(c21, 2)
            c30 = i32x4.shr_s(c30, 2)
            c31 = i32x4.shr_s(c31, 2)
          }
          if (highShift & 4) {
            c00 = i32x4.shr_s(c00, 4)
            c01 = i32x4.shr_s(c01, 4)
            c10 = i32x4.shr_s(c10, 4)
            c11 = i32x4.shr_s(c11, 4)
            c20 = i32x4.shr_s(c20, 4)
            c21 = i32x4.shr_s(c21, 4)
            c30 = i32x4.shr_s(c30, 4)
            c31 = i32x4.shr_s(c31, 4)
          }
          if (highShift & 8) {
            c00 = i32x4.shr_s(c00, 8)
            c01 = i32x4.shr_s(c01, 8)
            c10 = i32x4.shr_s(c10, 8)
            c11 = i32x4.shr_s(c11, 8)
            c20 = i32x4.shr_s(c20, 8)
            c21 = i32x4.shr_s(c21, 8)
            c30 = i32x4.shr_s(c30, 8)
            c31 = i32x4.shr_s(c31, 8)
          }
          if (highShift & 16) {
            c00 = i32x4.shr_s(c00, 16)
            c01 = i32x4.shr_s(c01, 16)
            c10 = i32x4.shr_s(c10, 16)
            c11 = i32x4.shr_s(c11, 16)
            c20 = i32x4.shr_s(c20, 16)
            c21 = i32x4.shr_s(c21, 16)
            c30 = i32x4.shr_s(c30, 16)
            c31 = i32x4.shr_s(c31, 16)
          }
          const step = targetStride * size
          if (sizeof<Kind>() == 4) {
            storeWide(to, c00, c01, epilogue)
            storeWide(to + step, c10, c11, epilogue)
            storeWide(to + 2 * step, c20, c21, epilogue)
            storeWide(to + 3 * step, c30, c31, epilogue)
          } else if (symmetric) {
            const low = lowHalves(epilogue), high = highHalves(epilogue)
            v128.store(to, limitHalves(c00, c01, low, high))
            v128.store(to + step, limitHalves(c10, c11, low, high))
            v128.store(to + 2 * step, limitHalves(c20, c21, low, high))
            v128.store(to + 3 * step, limitHalves(c30, c31, low, high))
          } else {
            v128.store(to, clampHalves(c00, c01, epilogue))
            v128.store(to + step, clampHalves(c10, c11, epilogue))
            v128.store(to + 2 * step, clampHalves(c20, c21, epilogue))
            v128.store(to + 3 * step, clampHalves(c30, c31, epilogue))
          }
        }
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
          c0 = i32x4.shr_s(scaled<Kind>(c0, panelBias, panelMultipliers, epilogue, left, residual + position * size, residualLeft, false), highShift)
          c1 = i32x4.shr_s(scaled<Kind>(c1, panelBias + 16, panelMultipliers + 16, epilogue, left, residual + position * size, residualLeft, true), highShift)
          if (sizeof<Kind>() == 4) storeWide(target + position * 4, c0, c1, epilogue)
          else if (sizeof<Kind>() == 2) v128.store(target + position * 2, clampHalves(c0, c1, epilogue))
          else {
            const row = withZeroPoint(c0, c1, epilogue)
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
  convolution<u8>(input, weights, target, bias, multipliers, epilogue, pixels, outputWidth, channels, targetStride, rowStep, pixelStep, segments, segmentStep, kernelHeight, kernelRowStep, segmentPairs, left, highShift, residual, residualLeft)
}

/** s16 output. */
export function convolve16(
  input: usize, weights: usize, target: usize, bias: usize, multipliers: usize, epilogue: usize,
  pixels: i32, outputWidth: i32, channels: i32, targetStride: i32,
  rowStep: i32, pixelStep: i32, segments: i32, segmentStep: i32, kernelHeight: i32, kernelRowStep: i32, segmentPairs: i32,
  left: i32, highShift: i32,
): void {
  convolution<i16>(input, weights, target, bias, multipliers, epilogue, pixels, outputWidth, channels, targetStride, rowStep, pixelStep, segments, segmentStep, kernelHeight, kernelRowStep, segmentPairs, left, highShift, 0, 0)
}

/** s16 output with an s16 residual tensor of the output's layout under the same rounding. */
export function convolveResidual16(
  input: usize, weights: usize, target: usize, bias: usize, multipliers: usize, epilogue: usize,
  pixels: i32, outputWidth: i32, channels: i32, targetStride: i32,
  rowStep: i32, pixelStep: i32, segments: i32, segmentStep: i32, kernelHeight: i32, kernelRowStep: i32, segmentPairs: i32,
  left: i32, highShift: i32, residual: usize, residualLeft: i32,
): void {
  convolution<u16>(input, weights, target, bias, multipliers, epilogue, pixels, outputWidth, channels, targetStride, rowStep, pixelStep, segments, segmentStep, kernelHeight, kernelRowStep, segmentPairs, left, highShift, residual, residualLeft)
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
