/**
 * Convolutions as kernel calls: the input is widened into scratch memory where it is not what the kernels read already, then
 * one kernel call per group.
 */
import { channelStride, elementBytes, LANES } from '../kernels/scalar/geometry.ts'
import type { ConvolutionInstruction, IntegerTensor } from '../lower/integer-graph.ts'
import { groupsOf } from './constants.ts'
import type { KernelCall } from './module.ts'
import { segmentsOf, ungroup } from './pack.ts'

/** The convolution as the kernels can run it: groups that fit no panel become weights of zero. */
export function runnable(instruction: ConvolutionInstruction): ConvolutionInstruction {
  const outputs = instruction.output.channels / instruction.groups
  if (
    instruction.kind === 'depthwise' &&
    instruction.output.format !== 's32' &&
    instruction.input.channels % LANES === 0
  )
    return instruction
  return instruction.groups > 1 && (instruction.kind === 'depthwise' || outputs % LANES !== 0)
    ? ungroup(instruction)
    : { ...instruction, kind: 'convolution' }
}

/**
 * Whether the kernels can read the stored input itself: 16 bits, no zero point, no padding, no spare lanes. Runs of an odd
 * number of channels are read with one element of what follows, so there must be a buffer behind.
 */
export function readsStored(instruction: ConvolutionInstruction): boolean {
  const { input, window, inputZeroPoints, kind } = instruction
  return (
    input.format === 's16' &&
    input.channels % LANES === 0 &&
    (kind === 'depthwise' || segmentsOf(instruction).length % 2 === 0) &&
    window.pads.every((pad) => pad === 0) &&
    inputZeroPoints.every((zeroPoint) => zeroPoint === 0)
  )
}

/** The export for an output format, with or without residual. */
function kernelName({ kind, output, residual }: ConvolutionInstruction): string {
  if (output.format === 's32') return 'convolveWide'
  const operator = kind === 'depthwise' ? 'depthwise' : 'convolve'
  return `${operator}${residual === undefined ? '' : 'Residual'}${output.format === 's16' ? '16' : ''}`
}

/**
 * Calls of a {@link runnable} convolution. Its constants are the input zero points and the epilogue, then weights, biases and
 * multipliers of each group; of a depthwise layer its tap offsets are the last.
 */
export function convolutionCalls(
  instruction: ConvolutionInstruction,
  constants: readonly number[],
  at: (tensor: IntegerTensor) => number,
  scratch: number,
): KernelCall[] {
  const { input, output, window, requantisation, residual } = instruction
  const { channels } = input
  const [, left, , right] = window.pads
  const { kernel, strides, dilations } = window
  const stored = readsStored(instruction)
  const widened = stored ? at(input) : scratch
  const calls = stored ? [] : [widenCall(instruction, constants[0], at(input), scratch)]
  const pixel = channels * 2
  const row = (left + input.width + right) * pixel
  const stride = channelStride(output.channels)
  const shifts = [requantisation.left, requantisation.shift - 32]
  const size = elementBytes(output.format)
  const residualOf = (first: number): number[] =>
    residual === undefined ? [] : [at(residual.input) + first * size, residual.left]
  const kernelCall = kernelName(instruction)
  if (instruction.kind === 'depthwise')
    return [
      ...calls,
      {
        kernel: kernelCall,
        arguments: [
          widened,
          constants[2],
          at(output),
          constants[3],
          constants[4],
          constants[1],
          constants[5],
          (kernel[0] * kernel[1] + 1) >> 1,
          output.height,
          output.width,
          stride,
          strides[0] * row,
          strides[1] * pixel,
          ...shifts,
          ...residualOf(0),
        ],
      },
    ]
  const segments = segmentsOf(instruction)
  return [
    ...calls,
    ...groupsOf(instruction).map(({ first, channels: outputs }, group) => ({
      kernel: kernelCall,
      arguments: [
        widened + group * (channels / instruction.groups) * 2,
        constants[2 + 3 * group],
        at(output) + first * size,
        constants[3 + 3 * group],
        constants[4 + 3 * group],
        constants[1],
        output.height * output.width,
        output.width,
        outputs,
        stride,
        strides[0] * row,
        strides[1] * pixel,
        segments.count,
        dilations[1] * pixel,
        kernel[0],
        dilations[0] * row,
        segments.pairs,
        ...shifts,
        ...residualOf(first),
      ],
    })),
  ]
}

/** The copy of the input to 16 bits, without zero points and with its padding. */
function widenCall(
  { input, window, inputZeroPoints }: ConvolutionInstruction,
  zeroPoints: number,
  source: number,
  scratch: number,
): KernelCall {
  const { channels, height, width } = input
  const [top, left, bottom, right] = window.pads
  // With one zero point and whole vectors, a row is a run of vectors: eight "channels" per "pixel".
  const uniform = channels % LANES === 0 && inputZeroPoints.every((value) => value === inputZeroPoints[0])
  const vectors = uniform ? channels / LANES : 1
  const unpadded = top + left + bottom + right === 0
  return {
    kernel: input.format === 's16' ? 'widen16' : 'widen',
    arguments: [
      source,
      scratch,
      zeroPoints,
      unpadded ? 1 : height,
      width * vectors * (unpadded ? height : 1),
      uniform ? LANES : channels,
      uniform ? LANES : channelStride(channels),
      top,
      left * vectors,
      bottom,
      right * vectors,
    ],
  }
}
