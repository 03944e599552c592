// Depthwise convolution over a widened, padded NHWC input (i16): 8 channels x 2 output pixels at a time. Taps go in pairs:
// the eight channels of two taps are interleaved, so that one dot product handles two taps of four channels.
// Weights: [channel block][pair][8 channels][2]; tap offsets: two i32 byte offsets per pair (an odd last tap is paired with
// itself and a zero weight).
import { requantize, storeCodes } from './requantize'

@inline
function interleaveLow(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23)
}
@inline
function interleaveHigh(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 8, 9, 24, 25, 10, 11, 26, 27, 12, 13, 28, 29, 14, 15, 30, 31)
}

export function depthwise(
  input: usize, weights: usize, target: usize, bias: usize, multipliers: usize, tapOffsets: usize, pairs: i32,
  outputHeight: i32, outputWidth: i32, stride: i32, rowStep: i32, pixelStep: i32,
  left: i32, shift: i32, zeroPoint: i32, low: i32, high: i32,
): void {
  const rounding = i64x2.splat(<i64>1 << (shift - 1))
  const highShift = shift - 32
  const offset = i16x8.splat(<i16>zeroPoint), limitLow = i16x8.splat(<i16>low), limitHigh = i16x8.splat(<i16>high)
  const offsetsEnd = tapOffsets + pairs * 8
  for (let y = 0; y < outputHeight; y++) {
    let w = weights
    for (let c = 0; c < stride; c += 8) {
      let pixel = input + c * 2
      let out = target + c
      const panel = w
      let x = 0
      while (x < outputWidth) {
        // The last pixel of an odd row is computed together with its left neighbour again.
        if (x + 2 > outputWidth && outputWidth > 1) { x -= 1; pixel -= pixelStep; out -= stride }
        const second: i32 = outputWidth > 1 ? pixelStep : 0
        let a0 = i32x4.splat(0), a1 = a0, b0 = a0, b1 = a0
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
        const bias0 = v128.load(bias + c * 4), bias1 = v128.load(bias + c * 4, 16)
        const multiplier0 = v128.load(multipliers + c * 4), multiplier1 = v128.load(multipliers + c * 4, 16)
        storeCodes(
          out,
          requantize(i32x4.shl(i32x4.add(a0, bias0), left), multiplier0, rounding, highShift),
          requantize(i32x4.shl(i32x4.add(a1, bias1), left), multiplier1, rounding, highShift),
          offset, limitLow, limitHigh,
        )
        if (outputWidth > 1)
          storeCodes(
            out + stride,
            requantize(i32x4.shl(i32x4.add(b0, bias0), left), multiplier0, rounding, highShift),
            requantize(i32x4.shl(i32x4.add(b1, bias1), left), multiplier1, rounding, highShift),
            offset, limitLow, limitHigh,
          )
        x += 2
        pixel += 2 * pixelStep
        out += 2 * stride
      }
    }
    input += rowStep
    target += outputWidth * stride
  }
}
