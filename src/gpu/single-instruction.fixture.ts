/** Integer graphs of one instruction between inputs and an output, and a random softmax. */
import { channelStride } from '../kernels/scalar/geometry.ts'
import type {
  ConstantInstruction,
  ExportInstruction,
  ImportInstruction,
  Instruction,
  IntegerGraph,
  IntegerTensor,
  SoftmaxInstruction,
} from '../lower/integer-graph.ts'
import type { Random } from '../program/program.fixture.ts'
import { randomClamp, STORED_RANGES } from '../program/random-convolution.fixture.ts'

/** A tensor of any codes; within a graph each has an `id` of its own. */
export function tensorOf(
  id: number,
  format: 's8' | 's16',
  [height, width, channels]: readonly [number, number, number],
): IntegerTensor {
  return { id, name: `t${id}`, format, height, width, channels, scale: 1, zeroPoint: 0, range: STORED_RANGES[format] }
}

/** Inputs `x0`, `x1` and output `y`, all pixel by pixel. */
export function graphOf(
  instruction: Exclude<Instruction, ImportInstruction | ExportInstruction | ConstantInstruction>,
  inputs: readonly IntegerTensor[],
): IntegerGraph {
  const { output } = instruction
  const port = ({ format, height, width, channels }: IntegerTensor, name: string) =>
    ({ name, shape: [1, height, width, channels], format, layout: 'nhwc', scale: [1], zeroPoint: [0] }) as const
  const imports = inputs.map((input, i): ImportInstruction => {
    const inputName = `x${i}`
    return { kind: 'import', name: inputName, output: input, inputName, format: input.format, layout: 'nhwc' }
  })
  const loops = [
    { count: output.height * output.width, step: channelStride(output.channels) },
    { count: output.channels, step: 1 },
  ]
  return {
    name: instruction.name,
    inputs: inputs.map((input, i) => port(input, `x${i}`)),
    outputs: [port(output, 'y')],
    tensors: [...inputs, output],
    instructions: [
      ...imports,
      instruction,
      { kind: 'export', name: 'y', input: output, outputName: 'y', format: output.format, start: 0, loops },
    ],
  }
}

/** Everything of a softmax but its name and output tensor. */
export function randomSoftmax(
  input: IntegerTensor,
  format: 's8' | 's16',
  random: Random,
): Omit<SoftmaxInstruction, 'name' | 'output'> {
  const { low, high } = STORED_RANGES[format]
  // The whole range spans a few units of the exponent, or far too little or too much.
  const span = random.chance(0.7) ? random.between(1, 40) / 4 : 2 ** random.between(-40, 20)
  const scale = span / (input.format === 's16' ? 65536 : 256)
  const entries = (step: number) =>
    Int32Array.from({ length: 256 }, (_, i) => Math.floor(2 ** 15 * Math.exp(-i * step * scale) + 0.5))
  return {
    kind: 'softmax',
    input,
    coarse: entries(256),
    fine: entries(1),
    one: random.pick([1, 256, 32767, 32768, random.between(1, 32768)]),
    outputZeroPoint: random.pick([low, random.between(low, high)]),
    clamp: random.chance(0.7) ? STORED_RANGES[format] : randomClamp(format, random),
  }
}
