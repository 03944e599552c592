// Pooling over stored s8 and s16 tensors; taps outside the tensor are skipped.
import { clampHalves, requantize, storeCodes } from './requantize'

/** Taps before the first one inside [0, size): the window's own start may lie outside. */
@inline
function firstTap(start: i32, dilation: i32): i32 {
  let tap = 0
  for (let at = start; at < 0; at += dilation) tap++
  return tap
}

/** Number of taps up to the last one inside. */
@inline
function endTap(start: i32, dilation: i32, taps: i32, size: i32): i32 {
  while (taps > 0 && start + (taps - 1) * dilation >= size) taps--
  return taps
}

@inline
function largest<Code>(a: v128, b: v128): v128 {
  return sizeof<Code>() == 1 ? i8x16.max_s(a, b) : i16x8.max_s(a, b)
}

/** Two vectors of channels at a time, then eight channels. */
@inline
function maxPooling<Code>(
  source: usize, target: usize, height: i32, width: i32, stride: i32, outputHeight: i32, outputWidth: i32,
  kernelHeight: i32, kernelWidth: i32, strideY: i32, strideX: i32, dilationY: i32, dilationX: i32, top: i32, left: i32,
): void {
  const pixelBytes = stride * sizeof<Code>(), pairedBytes = pixelBytes & -32
  const least = sizeof<Code>() == 1 ? i8x16.splat(-128) : i16x8.splat(-32768)
  const stepX = dilationX * pixelBytes, stepY = dilationY * width * pixelBytes
  for (let oy = 0; oy < outputHeight; oy++) {
    const y = oy * strideY - top
    const firstRow = firstTap(y, dilationY)
    const rows = endTap(y, dilationY, kernelHeight, height) - firstRow
    for (let ox = 0; ox < outputWidth; ox++) {
      const x = ox * strideX - left
      const firstColumn = firstTap(x, dilationX)
      const rowBytes = max(0, endTap(x, dilationX, kernelWidth, width) - firstColumn) * stepX
      const window = source + ((y + firstRow * dilationY) * width + x + firstColumn * dilationX) * pixelBytes
      let c = 0
      for (; c < pairedBytes; c += 32) {
        let a = least, b = least
        let row = window + c
        for (let i = 0; i < rows; i++, row += stepY)
          for (let tap = row, end = row + rowBytes; tap < end; tap += stepX) {
            a = largest<Code>(a, v128.load(tap))
            b = largest<Code>(b, v128.load(tap, 16))
          }
        v128.store(target + c, a)
        v128.store(target + c, b, 16)
      }
      for (; c < pixelBytes; c += 8 * sizeof<Code>()) {
        let a = least
        let row = window + c
        for (let i = 0; i < rows; i++, row += stepY)
          for (let tap = row, end = row + rowBytes; tap < end; tap += stepX)
            a = largest<Code>(a, sizeof<Code>() == 1 ? v128.load64_zero(tap) : v128.load(tap))
        if (sizeof<Code>() == 1) v128.store64_lane(target + c, a, 0)
        else v128.store(target + c, a)
      }
      target += pixelBytes
    }
  }
}

export function maxPool(
  source: usize, target: usize, height: i32, width: i32, stride: i32, outputHeight: i32, outputWidth: i32,
  kernelHeight: i32, kernelWidth: i32, strideY: i32, strideX: i32, dilationY: i32, dilationX: i32, top: i32, left: i32,
): void {
  maxPooling<i8>(source, target, height, width, stride, outputHeight, outputWidth, kernelHeight, kernelWidth, strideY, strideX, dilationY, dilationX, top, left)
}

export function maxPool16(
  source: usize, target: usize, height: i32, width: i32, stride: i32, outputHeight: i32, outputWidth: i32,
  kernelHeight: i32, kernelWidth: i32, strideY: i32, strideX: i32, dilationY: i32, dilationX: i32, top: i32, left: i32,
): void {
  maxPooling<i16>(source, target, height, width, stride, outputHeight, outputWidth, kernelHeight, kernelWidth, strideY, strideX, dilationY, dilationX, top, left)
}

@inline
function averagePooling<In, Out>(
  source: usize, target: usize, height: i32, width: i32, stride: i32, outputHeight: i32, outputWidth: i32,
  kernelHeight: i32, kernelWidth: i32, strideY: i32, strideX: i32, dilationY: i32, dilationX: i32, top: i32, left: i32,
  inputZeroPoint: i32, multiplier: i32, highShift: i32, epilogue: usize,
): void {
  const rounding = v128.load(epilogue)
  const factor = i32x4.splat(multiplier)
  const zero = sizeof<In>() == 1 ? i16x8.splat(<i16>inputZeroPoint) : i32x4.splat(inputZeroPoint)
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
            const codes = source + ((y * width + x) * stride + c) * sizeof<In>()
            if (sizeof<In>() == 1) {
              const values = i16x8.sub(v128.load_ext<i8>(codes), zero)
              sum0 = i32x4.add(sum0, i32x4.extend_low_i16x8_s(values))
              sum1 = i32x4.add(sum1, i32x4.extend_high_i16x8_s(values))
            } else {
              sum0 = i32x4.add(sum0, i32x4.sub(v128.load_ext<i16>(codes), zero))
              sum1 = i32x4.add(sum1, i32x4.sub(v128.load_ext<i16>(codes, 8), zero))
            }
          }
        }
        const first = requantize(sum0, factor, rounding, highShift), second = requantize(sum1, factor, rounding, highShift)
        if (sizeof<Out>() == 1) storeCodes(target + c, first, second, epilogue)
        else v128.store(target + c * 2, clampHalves(first, second, epilogue))
      }
      target += stride * sizeof<Out>()
    }
}

/** s8 to s8. */
export function averagePool(
  source: usize, target: usize, height: i32, width: i32, stride: i32, outputHeight: i32, outputWidth: i32,
  kernelHeight: i32, kernelWidth: i32, strideY: i32, strideX: i32, dilationY: i32, dilationX: i32, top: i32, left: i32,
  inputZeroPoint: i32, multiplier: i32, highShift: i32, epilogue: usize,
): void {
  averagePooling<i8, i8>(source, target, height, width, stride, outputHeight, outputWidth, kernelHeight, kernelWidth, strideY, strideX, dilationY, dilationX, top, left, inputZeroPoint, multiplier, highShift, epilogue)
}

/** s16 to s16. */
export function averagePool16(
  source: usize, target: usize, height: i32, width: i32, stride: i32, outputHeight: i32, outputWidth: i32,
  kernelHeight: i32, kernelWidth: i32, strideY: i32, strideX: i32, dilationY: i32, dilationX: i32, top: i32, left: i32,
  inputZeroPoint: i32, multiplier: i32, highShift: i32, epilogue: usize,
): void {
  averagePooling<i16, i16>(source, target, height, width, stride, outputHeight, outputWidth, kernelHeight, kernelWidth, strideY, strideX, dilationY, dilationX, top, left, inputZeroPoint, multiplier, highShift, epilogue)
}

/** s8 to s16. */
export function averagePool8To16(
  source: usize, target: usize, height: i32, width: i32, stride: i32, outputHeight: i32, outputWidth: i32,
  kernelHeight: i32, kernelWidth: i32, strideY: i32, strideX: i32, dilationY: i32, dilationX: i32, top: i32, left: i32,
  inputZeroPoint: i32, multiplier: i32, highShift: i32, epilogue: usize,
): void {
  averagePooling<i8, i16>(source, target, height, width, stride, outputHeight, outputWidth, kernelHeight, kernelWidth, strideY, strideX, dilationY, dilationX, top, left, inputZeroPoint, multiplier, highShift, epilogue)
}

/** s16 to s8. */
export function averagePool16To8(
  source: usize, target: usize, height: i32, width: i32, stride: i32, outputHeight: i32, outputWidth: i32,
  kernelHeight: i32, kernelWidth: i32, strideY: i32, strideX: i32, dilationY: i32, dilationX: i32, top: i32, left: i32,
  inputZeroPoint: i32, multiplier: i32, highShift: i32, epilogue: usize,
): void {
  averagePooling<i16, i8>(source, target, height, width, stride, outputHeight, outputWidth, kernelHeight, kernelWidth, strideY, strideX, dilationY, dilationX, top, left, inputZeroPoint, multiplier, highShift, epilogue)
}
