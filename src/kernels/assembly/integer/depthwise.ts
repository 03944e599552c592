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

@inline
function finish(
  target: usize, a: v128, b: v128, bias: usize, multipliers: usize, epilogue: usize, left: i32, highShift: i32,
): void {
  let first = i32x4.add(a, v128.load(bias))
  let second = i32x4.add(b, v128.load(bias, 16))
  if (left != 0) {
    first = i32x4.shl(first, left)
    second = i32x4.shl(second, left)
  }
  const rounding = v128.load(epilogue)
  storeCodes(
    target,
    requantize(first, v128.load(multipliers), rounding, highShift),
    requantize(second, v128.load(multipliers, 16), rounding, highShift),
    epilogue,
  )
}

export function depthwise(
  input: usize, weights: usize, target: usize, bias: usize, multipliers: usize, epilogue: usize,
  tapOffsets: usize, pairs: i32,
  outputHeight: i32, outputWidth: i32, stride: i32, rowStep: i32, pixelStep: i32,
  left: i32, highShift: i32,
): void {
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
        finish(out, a0, a1, bias + c * 4, multipliers + c * 4, epilogue, left, highShift)
        if (outputWidth > 1) finish(out + stride, b0, b1, bias + c * 4, multipliers + c * 4, epilogue, left, highShift)
        x += 2
        pixel += 2 * pixelStep
        out += 2 * stride
      }
    }
    input += rowStep
    target += outputWidth * stride
  }
}
