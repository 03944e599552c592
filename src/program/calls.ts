/** What `run` does for each instruction of an integer graph: calls of kernels with addresses and sizes. */
import { channelStride, elementBytes } from '../kernels/scalar/geometry.ts'
import type {
  AveragePoolInstruction,
  ImportInstruction,
  Instruction,
  IntegerTensor,
  MaxPoolInstruction,
} from '../lower/integer-graph.ts'
import { convolutionCalls } from './convolution-calls.ts'
import { elementwiseCalls, isElementwise } from './elementwise-calls.ts'
import type { KernelCall } from './module.ts'
import { copyCalls, exportCalls, moveCalls } from './move-calls.ts'
import { productCalls } from './product-calls.ts'
import { rowCall } from './row-calls.ts'

/** Where an instruction finds its operands. */
export interface Addresses {
  at(tensor: IntegerTensor): number
  /** The compact array of an input or output of the program. */
  port(name: string): number
  /** Scratch memory: a convolution's widened input, a product's packed operands, what a kernel over rows keeps of a row. */
  readonly scratch: number
  /** What `placeConstants` gave for the instruction. */
  readonly constants: readonly number[]
}

/** The kernel calls of one instruction, in order. */
export function callsOf(instruction: Instruction, { at, port, scratch, constants }: Addresses): KernelCall[] {
  switch (instruction.kind) {
    case 'import':
      return importCalls(instruction, port(instruction.inputName), at(instruction.output))
    case 'constant':
      return []
    case 'convolution':
    case 'depthwise':
      return convolutionCalls(instruction, constants, at, scratch)
    case 'max-pool':
      return [
        {
          kernel: instruction.output.format === 's16' ? 'maxPool16' : 'maxPool',
          arguments: poolArguments(instruction, at),
        },
      ]
    case 'average-pool':
      return [
        {
          kernel: averageKernel(instruction),
          arguments: [
            ...poolArguments(instruction, at),
            instruction.inputZeroPoint,
            instruction.multiplier,
            instruction.shift - 32,
            constants[0],
          ],
        },
      ]
    case 'product':
      return productCalls(instruction, constants, at, scratch)
    case 'move':
      return moveCalls(instruction, at)
    case 'export':
      return exportCalls(instruction, at(instruction.input), port(instruction.outputName))
    default:
      if (isElementwise(instruction)) return elementwiseCalls(instruction, constants, at, scratch)
      return [rowCall(instruction, constants, at, scratch)]
  }
}

function importCalls({ output, format, layout }: ImportInstruction, source: number, target: number): KernelCall[] {
  const pixels = output.height * output.width
  const { channels } = output
  const stride = channelStride(channels)
  if (format === 's16' || format === 's32') {
    const loops =
      layout === 'nchw'
        ? [
            { count: pixels, sourceStep: 1, targetStep: stride },
            { count: channels, sourceStep: pixels, targetStep: 1 },
          ]
        : [
            { count: pixels, sourceStep: channels, targetStep: stride },
            { count: channels, sourceStep: 1, targetStep: 1 },
          ]
    return copyCalls(source, target, elementBytes(format), loops)
  }
  const flip = format === 'u8' ? 0x80 : 0
  return [
    layout === 'nchw'
      ? { kernel: 'transposeCodes', arguments: [source, pixels, target, stride, channels, pixels, flip] }
      : { kernel: 'copyCodes', arguments: [source, channels, target, stride, pixels, channels, flip] },
  ]
}

function averageKernel({ input, output }: AveragePoolInstruction): string {
  if (input.format === output.format) return output.format === 's16' ? 'averagePool16' : 'averagePool'
  return output.format === 's16' ? 'averagePool8To16' : 'averagePool16To8'
}

function poolArguments(
  { input, output, window }: MaxPoolInstruction | AveragePoolInstruction,
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
