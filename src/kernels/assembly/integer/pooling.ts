// Pooling over stored s8 tensors, eight channels at a time; taps outside the tensor are skipped.
import { requantize, storeCodes } from './requantize'

export function maxPool(
  source: usize, target: usize, height: i32, width: i32, stride: i32, outputHeight: i32, outputWidth: i32,
  kernelHeight: i32, kernelWidth: i32, strideY: i32, strideX: i32, dilationY: i32, dilationX: i32, top: i32, left: i32,
): void {
  for (let oy = 0; oy < outputHeight; oy++)
    for (let ox = 0; ox < outputWidth; ox++) {
      for (let c = 0; c < stride; c += 8) {
        let largest = i8x16.splat(-128)
        for (let i = 0; i < kernelHeight; i++) {
          const y = oy * strideY + i * dilationY - top
          if (<u32>y >= <u32>height) continue
          for (let j = 0; j < kernelWidth; j++) {
            const x = ox * strideX + j * dilationX - left
            if (<u32>x < <u32>width) largest = i8x16.max_s(largest, v128.load64_zero(source + (y * width + x) * stride + c))
          }
        }
        v128.store64_lane(target + c, largest, 0)
      }
      target += stride
    }
}

export function averagePool(
  source: usize, target: usize, height: i32, width: i32, stride: i32, outputHeight: i32, outputWidth: i32,
  kernelHeight: i32, kernelWidth: i32, strideY: i32, strideX: i32, dilationY: i32, dilationX: i32, top: i32, left: i32,
  inputZeroPoint: i32, multiplier: i32, highShift: i32, epilogue: usize,
): void {
  const rounding = v128.load(epilogue)
  const factor = i32x4.splat(multiplier)
  const zero = i16x8.splat(<i16>inputZeroPoint)
  for (let oy = 0; oy < outputHeight; oy++)
    for (let ox = 0; ox < outputWidth; ox++) {
      for (let c = 0; c < stride; c += 8) {
        let sum0 = i32x4.splat(0), sum1 = sum0
        for (let i = 0; i < kernelHeight; i++) {
          const y = oy * strideY + i * dilationY - top
          if (<u32>y >= <u32>height) continue
          for (let j = 0; j < kernelWidth; j++) {
            const x = ox * strideX + j * dilationX - left
            if (<u32>x >= <u32>width) continue
            const values = i16x8.sub(v128.load_ext<i8>(source + (y * width + x) * stride + c), zero)
            sum0 = i32x4.add(sum0, i32x4.extend_low_i16x8_s(values))
            sum1 = i32x4.add(sum1, i32x4.extend_high_i16x8_s(values))
          }
        }
        storeCodes(
          target + c,
          requantize(sum0, factor, rounding, highShift),
          requantize(sum1, factor, rounding, highShift),
          epilogue,
        )
      }
      target += stride
    }
}
