/**
 * How weights lie in a GPU program. Products of matrices take rows of signed bytes, [output][depth], where depth runs over the
 * kernel's taps and the stored channels of the input, spare lanes included: their weights are 0, so what they hold never
 * counts.
 */
import { channelStride, elementBytes } from '../kernels/scalar/geometry.ts'
import type { ConvolutionInstruction } from '../lower/integer-graph.ts'

/** Code − zero point, times the factor of its group (R12): [output][kernel row][kernel column][input of the group]. */
export function effectiveWeights({
  weights,
  weightZeroPoints,
  weightGroups,
  output,
}: ConvolutionInstruction): Int16Array {
  const taps = weights.length / output.channels
  const effective = new Int16Array(weights.length)
  const groupsPerOutput = weightGroups === undefined ? 0 : Math.ceil(taps / weightGroups.size)
  for (let o = 0; o < output.channels; o++)
    for (let t = 0; t < taps; t++) {
      const factor =
        weightGroups === undefined ? 1 : weightGroups.factors[o * groupsPerOutput + Math.floor(t / weightGroups.size)]
      effective[o * taps + t] = (weights[o * taps + t] - weightZeroPoints[o]) * factor
    }
  return effective
}

/**
 * What to add to each output's weights so that they become signed bytes, all 0 where they are that already; nothing where
 * an output's weights span more than 255. The products of matrices take the offset times the sum of the row off again.
 */
export function byteOffsets(weights: Int16Array, outputs: number): Int32Array | undefined {
  const taps = weights.length / outputs
  const offsets = new Int32Array(outputs)
  for (let o = 0; o < outputs; o++) {
    let least = 0
    let most = 0
    for (let t = o * taps; t < (o + 1) * taps; t++) {
      least = Math.min(least, weights[t])
      most = Math.max(most, weights[t])
    }
    if (most - least > 255) return undefined
    offsets[o] = most > 127 ? 127 - most : least < -128 ? -128 - least : 0
  }
  return offsets
}

/** How a product of matrices reads the input of a convolution of one group. */
export interface KernelShape {
  /** Whether a row of the left operand lies in the input as it is: `inputStride` codes from one to the next. */
  readonly dense: boolean
  readonly inputStride: number
  /** Codes of a row. */
  readonly depth: number
}

export function kernelShape({ input, output, window }: ConvolutionInstruction): KernelShape {
  const stride = channelStride(input.channels)
  const [height, width] = window.kernel
  const unpadded = window.pads.every((pad) => pad === 0)
  const depth = height * width * stride
  if (unpadded && height === 1 && width === 1 && window.strides.every((step) => step === 1))
    return { dense: true, inputStride: stride, depth }
  const whole = height === input.height && width === input.width && output.height === 1 && output.width === 1
  if (unpadded && whole && window.dilations.every((step) => step === 1))
    return { dense: true, inputStride: depth, depth }
  return { dense: false, inputStride: stride, depth }
}

/**
 * Rows of `depth` bytes, as many as the output has lanes, and biases less the share of the input's zero points, of which
 * `taken` is off already.
 */
export function packRows(
  { input, output, window, bias, inputZeroPoints }: ConvolutionInstruction,
  weights: Int16Array,
  offsets: Int32Array,
  depth: number,
  taken: number,
): { readonly weights: Int8Array; readonly bias: Int32Array } {
  const lanes = channelStride(output.channels)
  const stride = channelStride(input.channels)
  const taps = window.kernel[0] * window.kernel[1]
  const rows = new Int8Array(lanes * depth)
  const shifted = new Int32Array(lanes)
  for (let o = 0; o < output.channels; o++) {
    let share = 0
    for (let tap = 0; tap < taps; tap++)
      for (let c = 0; c < input.channels; c++) {
        const weight = weights[(o * taps + tap) * input.channels + c]
        rows[o * depth + tap * stride + c] = weight + offsets[o]
        share = (share + weight * (inputZeroPoints[c] - taken)) | 0
      }
    shifted[o] = bias[o] - share
  }
  return { weights: rows, bias: shifted }
}

/** A row of `depth` bytes: 1 where a channel is, 0 in spare lanes and behind the last tap. */
export function onesRow({ input, window }: ConvolutionInstruction, depth: number): Int8Array {
  const row = new Int8Array(depth)
  const stride = channelStride(input.channels)
  for (let tap = 0; tap < window.kernel[0] * window.kernel[1]; tap++)
    row.fill(1, tap * stride, tap * stride + input.channels)
  return row
}

/**
 * One entry of four words per 8 bytes of `bytes` of the input: how many 8-byte units the tap lies behind the window's first pixel, its row
 * and column from there, and the unit of its channels. Entries behind the last tap repeat the first; their weights are 0.
 */
export function tapTable({ input, window }: ConvolutionInstruction, bytes: number): Int32Array {
  const units = (channelStride(input.channels) * elementBytes(input.format)) >> 3
  const table = new Int32Array((bytes >> 3) * 4)
  let entry = 0
  for (let i = 0; i < window.kernel[0]; i++)
    for (let j = 0; j < window.kernel[1]; j++)
      for (let unit = 0; unit < units; unit++) {
        const y = i * window.dilations[0]
        const x = j * window.dilations[1]
        table.set([(y * input.width + x) * units + unit, y, x, unit], entry)
        entry += 4
      }
  return table
}
