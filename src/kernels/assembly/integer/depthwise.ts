// Depthwise convolution over a widened, padded NHWC input (i16): 8 channels x 2 output pixels at a time. Taps go in pairs:
// the eight channels of two taps are interleaved, so that one dot product handles two taps of four channels.
// Weights: [channel block][pair][8 channels][2]; tap offsets: two i32 byte offsets per pair (an odd last tap is paired with
// itself and a zero weight).
import { clampCodes, clampHalves, highHalves, isSymmetric, limitHalves, lowHalves, scaleKind } from './requantize'

@inline
function interleaveLow(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23)
}
@inline
function interleaveHigh(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 8, 9, 24, 25, 10, 11, 26, 27, 12, 13, 28, 29, 14, 15, 30, 31)
}

@inline
function depthwiseConvolution<Kind>(
  input: usize, weights: usize, target: usize, bias: usize, multipliers: usize, epilogue: usize,
  tapOffsets: usize, pairs: i32,
  outputHeight: i32, outputWidth: i32, stride: i32, rowStep: i32, pixelStep: i32,
  left: i32, highShift: i32, residual: usize, residualLeft: i32,
): void {
  const size: i32 = sizeof<Kind>()
  const pixelBytes = stride * size
  const toResidual = residual - target
  const offsetsEnd = tapOffsets + pairs * 8
  const symmetric = sizeof<Kind>() == 2 && isSymmetric(epilogue)
  const rowShift = min(highShift, 7)
  for (let y = 0; y < outputHeight; y++) {
    let w = weights
    for (let c = 0; c < stride; c += 8) {
      let pixel = input + c * 2
      let out = target + c * size
      const panel = w
      const channelBias = bias + c * 4, channelMultipliers = multipliers + c * 4
      let x = 0
      while (x < outputWidth) {
        // The last pixel of an odd row is computed together with its left neighbour again.
        if (x + 2 > outputWidth && outputWidth > 1) { x -= 1; pixel -= pixelStep; out -= pixelBytes }
        const second: i32 = outputWidth > 1 ? pixelStep : 0
        let a0 = v128.load(channelBias), a1 = v128.load(channelBias, 16), b0 = a0, b1 = a1
        w = panel
        for (let tap = tapOffsets; tap < offsetsEnd; tap += 8, w += 32) {
          const p = pixel + load<i32>(tap), q = pixel + load<i32>(tap, 4)
          const w0 = v128.load(w), w1 = v128.load(w, 16)
          let u = v128.load(p), v = v128.load(q)
          a0 = i32x4.add(a0, i32x4.dot_i16x8_s(interleaveLow(u, v), w0))
          a1 = i32x4.add(a1, i32x4.dot_i16x8_s(interleaveHigh(u, v), w1))
          u = v128.load(p + second)
          v = v128.load(q + second)
          b0 = i32x4.add(b0, i32x4.dot_i16x8_s(interleaveLow(u, v), w0))
          b1 = i32x4.add(b1, i32x4.dot_i16x8_s(interleaveHigh(u, v), w1))
        }
        if (left != 0) {
          a0 = i32x4.shl(a0, left)
          a1 = i32x4.shl(a1, left)
          b0 = i32x4.shl(b0, left)
          b1 = i32x4.shl(b1, left)
        }
        const other = out + toResidual, otherSecond = outputWidth > 1 ? other + pixelBytes : other
        a0 = scaleKind<Kind>(a0, channelMultipliers, epilogue, other, residualLeft, false)
        a1 = scaleKind<Kind>(a1, channelMultipliers + 16, epilogue, other, residualLeft, true)
        b0 = scaleKind<Kind>(b0, channelMultipliers, epilogue, otherSecond, residualLeft, false)
        b1 = scaleKind<Kind>(b1, channelMultipliers + 16, epilogue, otherSecond, residualLeft, true)
        // As in convolution.ts: constant shifts compose to the shift by highShift, bytes saturate in 16 bits before them.
        if (sizeof<Kind>() == 1) {
          if (highShift > 7) {
            const excess = highShift - 7
            a0 = i32x4.shr_s(a0, excess)
            a1 = i32x4.shr_s(a1, excess)
            b0 = i32x4.shr_s(b0, excess)
            b1 = i32x4.shr_s(b1, excess)
          }
          let first = i16x8.narrow_i32x4_s(a0, a1), next = i16x8.narrow_i32x4_s(b0, b1)
          if (rowShift & 1) {
            first = i16x8.shr_s(first, 1)
            next = i16x8.shr_s(next, 1)
          }
          if (rowShift & 2) {
            first = i16x8.shr_s(first, 2)
            next = i16x8.shr_s(next, 2)
          }
          if (rowShift & 4) {
            first = i16x8.shr_s(first, 4)
            next = i16x8.shr_s(next, 4)
          }
          const zero = v128.load(epilogue, 16)
          const codes = clampCodes(i16x8.add_sat_s(first, zero), i16x8.add_sat_s(next, zero), epilogue)
          v128.store64_lane(out, codes, 0)
          if (outputWidth > 1) v128.store64_lane(out + pixelBytes, codes, 1)
        } else {
          if (highShift & 1) {
            a0 = i32x4.shr_s(a0, 1)
            a1 = i32x4.shr_s(a1, 1)
            b0 = i32x4.shr_s(b0, 1)
            b1 = i32x4.shr_s(b1, 1)
          }
          if (highShift & 2) {
            a0 = i32x4.shr_s(a0, 2)
            a1 = i32x4.shr_s(a1, 2)
            b0 = i32x4.shr_s(b0, 2)
            b1 = i32x4.shr_s(b1, 2)
          }
          if (highShift & 4) {
            a0 = i32x4.shr_s(a0, 4)
            a1 = i32x4.shr_s(a1, 4)
            b0 = i32x4.shr_s(b0, 4)
            b1 = i32x4.shr_s(b1, 4)
          }
          if (highShift & 8) {
            a0 = i32x4.shr_s(a0, 8)
            a1 = i32x4.shr_s(a1, 8)
            b0 = i32x4.shr_s(b0, 8)
            b1 = i32x4.shr_s(b1, 8)
          }
          if (highShift & 16) {
            a0 = i32x4.shr_s(a0, 16)
            a1 = i32x4.shr_s(a1, 16)
            b0 = i32x4.shr_s(b0, 16)
            b1 = i32x4.shr_s(b1, 16)
          }
          if (symmetric) {
            const low = lowHalves(epilogue), high = highHalves(epilogue)
            v128.store(out, limitHalves(a0, a1, low, high))
            if (outputWidth > 1) v128.store(out + pixelBytes, limitHalves(b0, b1, low, high))
          } else {
            v128.store(out, clampHalves(a0, a1, epilogue))
            if (outputWidth > 1) v128.store(out + pixelBytes, clampHalves(b0, b1, epilogue))
          }
        }
        x += 2
        pixel += 2 * pixelStep
        out += 2 * pixelBytes
      }
    }
    input += rowStep
    target += outputWidth * pixelBytes
  }
}

export function depthwise(
  input: usize, weights: usize, target: usize, bias: usize, multipliers: usize, epilogue: usize,
  tapOffsets: usize, pairs: i32,
  outputHeight: i32, outputWidth: i32, stride: i32, rowStep: i32, pixelStep: i32,
  left: i32, highShift: i32,
): void {
  depthwiseConvolution<i8>(input, weights, target, bias, multipliers, epilogue, tapOffsets, pairs, outputHeight, outputWidth, stride, rowStep, pixelStep, left, highShift, 0, 0)
}

export function depthwise16(
  input: usize, weights: usize, target: usize, bias: usize, multipliers: usize, epilogue: usize,
  tapOffsets: usize, pairs: i32,
  outputHeight: i32, outputWidth: i32, stride: i32, rowStep: i32, pixelStep: i32,
  left: i32, highShift: i32,
): void {
  depthwiseConvolution<i16>(input, weights, target, bias, multipliers, epilogue, tapOffsets, pairs, outputHeight, outputWidth, stride, rowStep, pixelStep, left, highShift, 0, 0)
}

export function depthwiseResidual(
  input: usize, weights: usize, target: usize, bias: usize, multipliers: usize, epilogue: usize,
  tapOffsets: usize, pairs: i32,
  outputHeight: i32, outputWidth: i32, stride: i32, rowStep: i32, pixelStep: i32,
  left: i32, highShift: i32, residual: usize, residualLeft: i32,
): void {
  depthwiseConvolution<u8>(input, weights, target, bias, multipliers, epilogue, tapOffsets, pairs, outputHeight, outputWidth, stride, rowStep, pixelStep, left, highShift, residual, residualLeft)
}

export function depthwiseResidual16(
  input: usize, weights: usize, target: usize, bias: usize, multipliers: usize, epilogue: usize,
  tapOffsets: usize, pairs: i32,
  outputHeight: i32, outputWidth: i32, stride: i32, rowStep: i32, pixelStep: i32,
  left: i32, highShift: i32, residual: usize, residualLeft: i32,
): void {
  depthwiseConvolution<u16>(input, weights, target, bias, multipliers, epilogue, tapOffsets, pairs, outputHeight, outputWidth, stride, rowStep, pixelStep, left, highShift, residual, residualLeft)
}
