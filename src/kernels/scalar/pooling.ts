/** The meaning of integer pooling: rules R6 (average) and R8 (maximum) of docs/arithmetic.md. */
import { clamp, requantize } from '../../num/requantize.ts'
import type { Stored, WindowGeometry } from './geometry.ts'

function* taps(input: Stored, geometry: WindowGeometry, h: number, w: number): Generator<number> {
  for (let i = 0; i < geometry.kernel[0]; i++) {
    const y = h * geometry.strides[0] + i * geometry.dilations[0] - geometry.pads[0]
    if (y < 0 || y >= input.height) continue
    for (let j = 0; j < geometry.kernel[1]; j++) {
      const x = w * geometry.strides[1] + j * geometry.dilations[1] - geometry.pads[1]
      if (x < 0 || x >= input.width) continue
      yield (y * input.width + x) * input.stride
    }
  }
}

/** Largest stored value of each window; taps outside the tensor do not count (a window wholly outside gives the least code). */
export function maxPool(input: Stored, output: Stored, geometry: WindowGeometry): void {
  const least = output.data instanceof Int8Array ? -128 : -32768
  for (let h = 0; h < output.height; h++)
    for (let w = 0; w < output.width; w++) {
      const offsets = [...taps(input, geometry, h, w)]
      for (let c = 0; c < output.channels; c++) {
        let largest = least
        for (const offset of offsets) if (input.data[offset + c] > largest) largest = input.data[offset + c]
        output.data[(h * output.width + w) * output.stride + c] = largest
      }
    }
}

export interface AverageParameters extends WindowGeometry {
  readonly inputZeroPoint: number
  readonly multiplier: number
  readonly shift: number
  readonly outputZeroPoint: number
  readonly low: number
  readonly high: number
}

/** clamp(requantize(Σ (x − zero point)) + output zero point); taps in the padding add 0. */
export function averagePool(input: Stored, output: Stored, p: AverageParameters): void {
  for (let h = 0; h < output.height; h++)
    for (let w = 0; w < output.width; w++) {
      const offsets = [...taps(input, p, h, w)]
      for (let c = 0; c < output.channels; c++) {
        let sum = 0
        for (const offset of offsets) sum += input.data[offset + c] - p.inputZeroPoint
        output.data[(h * output.width + w) * output.stride + c] = clamp(
          requantize(sum, p.multiplier, p.shift) + p.outputZeroPoint,
          p.low,
          p.high,
        )
      }
    }
}
