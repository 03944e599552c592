/** What `run` does for each instruction of an integer graph: calls of kernels with addresses and sizes. */
import { channelStride, LANES } from '../kernels/scalar/geometry.ts'
import type {
  ConcatInstruction,
  ConvolutionInstruction,
  ExportInstruction,
  Instruction,
  IntegerTensor,
  Window,
} from '../lower/integer-graph.ts'
import { groupsOf } from './constants.ts'
import type { KernelCall } from './module.ts'
import { segmentsOf } from './pack.ts'

/** Where an instruction finds its operands. */
export interface Addresses {
  at(tensor: IntegerTensor): number
  /** The compact array of an input or output of the program. */
  port(name: string): number
  /** Scratch memory of a convolution's widened input. */
  readonly scratch: number
  /** What `placeConstants` gave for the instruction. */
  readonly constants: readonly number[]
}

/** Bytes of a stored tensor. */
export function tensorBytes(tensor: IntegerTensor): number {
  return tensor.height * tensor.width * channelStride(tensor.channels) * (tensor.format === 's32' ? 4 : 1)
}

/** The kernel calls of one instruction, in order. */
export function callsOf(instruction: Instruction, { at, port, scratch, constants }: Addresses): KernelCall[] {
  switch (instruction.kind) {
    case 'import': {
      const { output } = instruction
      const pixels = output.height * output.width
      const stride = channelStride(output.channels)
      const flip = instruction.format === 'u8' ? 0x80 : 0
      const [source, target] = [port(instruction.inputName), at(output)]
      return [
        instruction.layout === 'nchw'
          ? { kernel: 'transposeCodes', arguments: [source, pixels, target, stride, output.channels, pixels, flip] }
          : {
              kernel: 'copyCodes',
              arguments: [source, output.channels, target, stride, pixels, output.channels, flip],
            },
      ]
    }
    case 'convolution':
    case 'depthwise':
      return convolutionCalls(instruction, constants, at, scratch)
    case 'add':
      return [
        {
          kernel: 'add',
          arguments: [
            at(instruction.left),
            at(instruction.right),
            at(instruction.output),
            tensorBytes(instruction.output),
            instruction.leftMultiplier,
            instruction.rightMultiplier,
            instruction.leftZeroPoint,
            instruction.rightZeroPoint,
            instruction.shift,
            constants[0],
          ],
        },
      ]
    case 'max-pool':
      return [
        {
          kernel: 'maxPool',
          arguments: poolArguments(instruction.input, instruction.output, instruction.window, at),
        },
      ]
    case 'average-pool':
      return [
        {
          kernel: 'averagePool',
          arguments: [
            ...poolArguments(instruction.input, instruction.output, instruction.window, at),
            instruction.inputZeroPoint,
            instruction.multiplier,
            instruction.shift - 32,
            constants[0],
          ],
        },
      ]
    case 'table':
      return [
        {
          kernel: 'lookUp',
          arguments: [at(instruction.input), at(instruction.output), constants[0], tensorBytes(instruction.output)],
        },
      ]
    case 'select': {
      const { input, output } = instruction
      const [height, width, channel] = instruction.axes
      const from = channelStride(input.channels)
      const to = channelStride(output.channels)
      return [
        {
          kernel: 'select',
          arguments: [
            at(input),
            at(output),
            tensorBytes(output),
            instruction.fill & 0xff,
            height.count,
            width.count,
            channel.count,
            height.step * input.width * from,
            width.step * from,
            channel.step,
            output.width * to,
            to,
            (height.start * input.width + width.start) * from + channel.start,
            (height.offset * output.width + width.offset) * to + channel.offset,
          ],
        },
      ]
    }
    case 'concat':
      return concatCalls(instruction, at)
    case 'export':
      return [exportCall(instruction, at(instruction.input), port(instruction.outputName))]
  }
}

function exportCall(instruction: ExportInstruction, source: number, target: number): KernelCall {
  const { input, layout, format } = instruction
  const pixels = input.height * input.width
  const { channels } = input
  const stride = channelStride(channels)
  if (format === 's32') {
    const order = layout === 'nchw' ? [channels, pixels, 4, 4 * stride] : [pixels, channels, 4 * stride, 4]
    return { kernel: 'exportWords', arguments: [source, target, ...order] }
  }
  const flip = format === 'u8' ? 0x80 : 0
  return layout === 'nchw'
    ? { kernel: 'transposeCodes', arguments: [source, stride, target, pixels, pixels, channels, flip] }
    : { kernel: 'copyCodes', arguments: [source, stride, target, channels, pixels, channels, flip] }
}

function convolutionCalls(
  instruction: ConvolutionInstruction,
  constants: readonly number[],
  at: (tensor: IntegerTensor) => number,
  scratch: number,
): KernelCall[] {
  const { input, output, window, requantisation } = instruction
  const { channels } = input
  const [top, left, bottom, right] = window.pads
  const { kernel, strides, dilations } = window
  const calls: KernelCall[] = []
  // With one zero point and whole vectors, a row is a run of vectors: eight "channels" per "pixel".
  const uniform =
    channels % LANES === 0 && instruction.inputZeroPoints.every((value) => value === instruction.inputZeroPoints[0])
  const vectors = uniform ? channels / LANES : 1
  const unpadded = top + left + bottom + right === 0
  calls.push({
    kernel: 'widen',
    arguments: [
      at(input),
      scratch,
      constants[0],
      unpadded ? 1 : input.height,
      input.width * vectors * (unpadded ? input.height : 1),
      uniform ? LANES : channels,
      uniform ? LANES : channelStride(channels),
      top,
      left * vectors,
      bottom,
      right * vectors,
    ],
  })
  const pixel = channels * 2
  const row = (left + input.width + right) * pixel
  const stride = channelStride(output.channels)
  const shifts = [requantisation.left, requantisation.shift - 32]
  if (instruction.kind === 'depthwise') {
    calls.push({
      kernel: 'depthwise',
      arguments: [
        scratch,
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
      ],
    })
    return calls
  }
  const segments = segmentsOf(instruction)
  for (const [group, { first, channels: outputs }] of groupsOf(instruction).entries()) {
    const size = output.format === 's32' ? 4 : 1
    const call = [
      scratch + group * (channels / instruction.groups) * 2,
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
    ]
    if (output.format === 's32') calls.push({ kernel: 'convolveWide', arguments: call })
    else if (instruction.residual === undefined) calls.push({ kernel: 'convolve', arguments: call })
    else {
      const { residual } = instruction
      calls.push({
        kernel: 'convolveResidual',
        arguments: [...call, at(residual.input) + first, residual.left],
      })
    }
  }
  return calls
}

/** One copy per input into its box of the output; nothing is filled. */
function concatCalls(instruction: ConcatInstruction, at: (tensor: IntegerTensor) => number): KernelCall[] {
  const { output, axis } = instruction
  const to = channelStride(output.channels)
  const start = { height: 0, width: 0, channels: 0 }
  return instruction.inputs.map((input) => {
    const from = channelStride(input.channels)
    const target = (start.height * output.width + start.width) * to + start.channels
    start[axis] += input[axis]
    return {
      kernel: 'select',
      arguments: [
        at(input),
        at(output),
        0,
        0,
        input.height,
        input.width,
        input.channels,
        input.width * from,
        from,
        1,
        output.width * to,
        to,
        0,
        target,
      ],
    }
  })
}

function poolArguments(
  input: IntegerTensor,
  output: IntegerTensor,
  window: Window,
  at: (tensor: IntegerTensor) => number,
): number[] {
  return [
    at(input),
    at(output),
    input.height,
    input.width,
    channelStride(input.channels),
    output.height,
    output.width,
    ...window.kernel,
    ...window.strides,
    ...window.dilations,
    window.pads[0],
    window.pads[1],
  ]
}
