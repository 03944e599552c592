/**
 * Convolutions as dispatches: products of matrices where the effective weights are signed bytes, the depthwise kernel where
 * each channel has its own, the direct kernel for everything else. Zero points of the input leave the loops: their share of
 * the sum is a constant per channel and joins the bias, modulo 2^32, which the proof of the sum allows. Taps in the padding
 * read the zero points, so that they count as 0.
 */
import { planeOffset } from '../kernels/gpu/code-planes.ts'
import { leftName } from '../kernels/gpu/gemm-rows.ts'
import { wideFamily } from '../kernels/gpu/gemm-wide.ts'
import { channelStride, elementBytes } from '../kernels/scalar/geometry.ts'
import type { ConvolutionInstruction, IntegerTensor } from '../lower/integer-graph.ts'
import { align } from '../lower/memory.ts'
import type { GpuDispatch } from '../runtime/gpu/program.ts'
import type { GpuConstants } from './constants.ts'
import { dispatchRows, dispatchThreads } from './dispatch.ts'
import { byteOffsets, effectiveWeights, kernelShape, onesRow, packRows, tapTable } from './pack.ts'
import { packNibbles, takesNibbles } from './pack-nibbles.ts'

/** Codes of depth that every product of matrices takes at once. */
const DEPTH_STEP = 64

/** Binary logarithm of a code's bytes. */
export function sizeOf(tensor: IntegerTensor): number {
  return elementBytes(tensor.format) >> 1
}

/** Words of a stored image. */
export function imageWords(tensor: IntegerTensor): number {
  return (tensor.height * tensor.width * channelStride(tensor.channels) * elementBytes(tensor.format)) >> 2
}

/** Values padded with zeros. */
export function padded(values: Int32Array | Int16Array, length: number): Int32Array {
  const all = new Int32Array(length)
  all.set(values)
  return all
}

/** A word address within the arena by tensor. */
export type AddressOf = (tensor: IntegerTensor) => number

export function convolutionDispatch(
  instruction: ConvolutionInstruction,
  constants: GpuConstants,
  at: AddressOf,
): GpuDispatch {
  const { input, output, window, residual, requantisation, groups, inputZeroPoints } = instruction
  const columns = channelStride(output.channels)
  const weights = effectiveWeights(instruction)
  const pixels = output.height * output.width
  const wideInput = input.format === 's16'
  const [least, most] = wideInput ? [-32768, 32767] : [-128, 127]
  const tiled = groups === 1 && input.format !== 's32' && inputZeroPoints.every((zero) => zero >= least && zero <= most)
  const offsets = tiled ? byteOffsets(weights, output.channels) : undefined
  const words = {
    input: at(input),
    output: at(output),
    residual: residual === undefined ? 0 : at(residual.input),
    rows: pixels,
    weights: 0,
    bias: constants.place(padded(instruction.bias, columns)),
    multipliers: constants.place(padded(requantisation.multipliers, columns)),
    zeroPoints: 0,
    taps: 0,
    columns,
    depth: 0,
    inputStride: channelStride(input.channels),
    inputImage: imageWords(input),
    inputHeight: input.height,
    inputWidth: input.width,
    outputWidth: output.width,
    outputPixels: pixels,
    kernelHeight: window.kernel[0],
    kernelWidth: window.kernel[1],
    strideY: window.strides[0],
    strideX: window.strides[1],
    dilationY: window.dilations[0],
    dilationX: window.dilations[1],
    padTop: window.pads[0],
    padLeft: window.pads[1],
    groupInputs: input.channels / groups,
    groupOutputs: output.channels / groups,
    kernelOutputs: output.channels,
    inputSize: sizeOf(input),
    outputSize: sizeOf(output),
    shift: requantisation.shift,
    left: requantisation.left,
    outputZeroPoint: instruction.outputZeroPoint,
    low: instruction.clamp.low,
    high: instruction.clamp.high,
    hasResidual: residual === undefined ? 0 : 1,
    residualZeroPoint: residual?.zeroPoint ?? 0,
    residualMultiplier: residual?.multiplier ?? 0,
    residualLeft: residual?.left ?? 0,
    ones: 0,
    offsets: 0,
  }
  if (offsets !== undefined) {
    const shape = kernelShape(instruction)
    const depth = align(shape.depth, DEPTH_STEP)
    const rows = packRows(instruction, weights, offsets, depth, planeOffset(wideInput ? 16 : 8))
    const offset = offsets.some((offset) => offset !== 0)
    const operand = { dense: shape.dense, offset }
    const codeBytes = elementBytes(input.format)
    const unit = shape.inputStride % 16 === 0 && columns % 16 === 0 ? 16 : 8
    const nibbles = !wideInput && shape.dense && takesNibbles(instruction, weights, depth)
    const family = nibbles ? 'dense4' : wideInput ? wideFamily(operand) : `${leftName(operand)}-${unit}`
    const zeroCodes = padded(inputZeroPoints, align(shape.inputStride, 16))
    return dispatchRows(family, instruction.name, columns, pixels, {
      ...words,
      weights: constants.place(nibbles ? packNibbles(rows.weights) : rows.weights),
      bias: constants.place(rows.bias),
      depth,
      ones: offset ? constants.place(onesRow(instruction, depth)) : 0,
      offsets: offset ? constants.place(padded(offsets, columns)) : 0,
      inputStride: shape.inputStride * codeBytes,
      zeroPoints: shape.dense ? 0 : constants.place(wideInput ? Int16Array.from(zeroCodes) : Int8Array.from(zeroCodes)),
      taps: shape.dense ? 0 : constants.place(tapTable(instruction, depth * codeBytes)),
    })
  }
  const zeroPoints = constants.place(padded(inputZeroPoints, channelStride(input.channels)))
  const taps = window.kernel[0] * window.kernel[1]
  if (groups === input.channels && input.channels === output.channels) {
    const packed = new Int32Array(taps * columns)
    for (let o = 0; o < output.channels; o++)
      for (let tap = 0; tap < taps; tap++) packed[tap * columns + o] = weights[o * taps + tap]
    return dispatchThreads('depthwise', instruction.name, (pixels * columns) / 4, {
      ...words,
      zeroPoints,
      weights: constants.place(packed),
    })
  }
  const perOutput = taps * words.groupInputs
  const row = align(perOutput, 2)
  const packed = new Int16Array(output.channels * row)
  for (let o = 0; o < output.channels; o++) packed.set(weights.subarray(o * perOutput, (o + 1) * perOutput), o * row)
  return dispatchThreads('convolve-direct', instruction.name, (pixels * columns) / 4, {
    ...words,
    zeroPoints,
    weights: constants.place(packed),
    depth: 2 * row,
  })
}
