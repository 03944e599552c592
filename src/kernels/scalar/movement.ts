/** The meaning of kernels that move integers without changing them: selection with fill (R8) and the program's rim. */
import type { Stored } from './geometry.ts'

/** Along one axis: `count` elements from source index `start` in steps of `step` go to `offset`, `offset` + 1, … */
export interface AxisSelection {
  readonly start: number
  readonly step: number
  readonly offset: number
  readonly count: number
}

/** Everything outside the destination box holds `fill`. */
export function select(
  input: Stored,
  output: Stored,
  axes: readonly [AxisSelection, AxisSelection, AxisSelection],
  fill: number,
): void {
  const [height, width, channel] = axes
  output.data.fill(fill)
  for (let h = 0; h < height.count; h++)
    for (let w = 0; w < width.count; w++)
      for (let c = 0; c < channel.count; c++)
        output.data[((height.offset + h) * output.width + width.offset + w) * output.stride + channel.offset + c] =
          input.data[
            ((height.start + h * height.step) * input.width + width.start + w * width.step) * input.stride +
              channel.start +
              c * channel.step
          ]
}

/** Tensors side by side: each input's box starts where the one before it ended along `axis`. */
export function concat(inputs: readonly Stored[], output: Stored, axis: 'height' | 'width' | 'channels'): void {
  const at = { height: 0, width: 0, channels: 0 }
  for (const input of inputs) {
    for (let h = 0; h < input.height; h++)
      for (let w = 0; w < input.width; w++)
        for (let c = 0; c < input.channels; c++)
          output.data[((at.height + h) * output.width + at.width + w) * output.stride + at.channels + c] =
            input.data[(h * input.width + w) * input.stride + c]
    at[axis] += input[axis]
  }
}

/** Program input (compact, ONNX order) → stored s8; unsigned values are stored as value − 128. */
export function importTensor(source: Uint8Array | Int8Array, output: Stored, layout: 'nchw' | 'nhwc'): void {
  const offset = source instanceof Uint8Array ? 128 : 0
  const pixels = output.height * output.width
  for (let p = 0; p < pixels; p++)
    for (let c = 0; c < output.channels; c++)
      output.data[p * output.stride + c] = source[layout === 'nchw' ? c * pixels + p : p * output.channels + c] - offset
}

/** Stored tensor → program output (compact, ONNX order); `offset` 128 makes unsigned values of signed ones. */
export function exportTensor(
  input: Stored<Int8Array> | Stored<Int32Array>,
  target: Uint8Array | Int8Array | Int32Array,
  layout: 'nchw' | 'nhwc',
): void {
  const offset = target instanceof Uint8Array ? 128 : 0
  const pixels = input.height * input.width
  for (let p = 0; p < pixels; p++)
    for (let c = 0; c < input.channels; c++)
      target[layout === 'nchw' ? c * pixels + p : p * input.channels + c] = input.data[p * input.stride + c] + offset
}
