/**
 * Runs an integer graph by the scalar meaning of its instructions: the definition that every compiled target must equal
 * byte for byte. Slow and obvious.
 */
import { DyadicError, quoted } from '../error.ts'
import { convolution } from '../kernels/scalar/convolution.ts'
import { allocateStored, type Stored } from '../kernels/scalar/geometry.ts'
import { exportTensor, importTensor, move, storeConstant } from '../kernels/scalar/movement.ts'
import { averagePool, maxPool } from '../kernels/scalar/pooling.ts'
import type { ExportInstruction, ImportInstruction, IntegerGraph, IntegerTensor } from '../lower/integer-graph.ts'
import { isElementwise } from './elementwise-calls.ts'
import { interpretElementwise } from './interpret-elementwise.ts'
import { interpretRows } from './interpret-rows.ts'

export type IntegerArray = Uint8Array | Int8Array | Int16Array | Int32Array

/** The typed array of a port's integers. */
const PORT_ARRAYS = { u8: Uint8Array, s8: Int8Array, s16: Int16Array, s32: Int32Array } as const

function inputOf(
  { inputName, format, output }: ImportInstruction,
  inputs: ReadonlyMap<string, IntegerArray>,
): IntegerArray {
  const source = inputs.get(inputName)
  const count = output.height * output.width * output.channels
  if (!(source instanceof PORT_ARRAYS[format]) || source.length !== count)
    throw new DyadicError(
      'usage',
      `input ${quoted(inputName)} wants ${count} ${format} integers, got ${source === undefined ? 'nothing' : `${source.constructor.name} of ${source.length}`}`,
    )
  return source
}

function outputOf({ input, format, start, loops }: ExportInstruction, stored: Stored): IntegerArray {
  const target = new PORT_ARRAYS[format](loops.reduce((product, { count }) => product * count, 1))
  if (PORT_ARRAYS[input.format].BYTES_PER_ELEMENT !== target.BYTES_PER_ELEMENT)
    throw new DyadicError('refused', `${quoted(input.name)} is stored as ${input.format} and cannot leave as ${format}`)
  exportTensor(stored, target, start, loops)
  return target
}

/**
 * Outputs by name in ONNX order. `tap` sees every stored tensor after it has been written. Throws `usage` when an input
 * is missing, of the wrong type or of the wrong length.
 */
export function interpret(
  graph: IntegerGraph,
  inputs: ReadonlyMap<string, IntegerArray>,
  tap?: (tensor: IntegerTensor, stored: Stored) => void,
): Map<string, IntegerArray> {
  const tensors = new Map<number, Stored>()
  const stored = (tensor: IntegerTensor): Stored => tensors.get(tensor.id) as Stored
  const create = (tensor: IntegerTensor): Stored => {
    const made = allocateStored(tensor.format, tensor.height, tensor.width, tensor.channels)
    tensors.set(tensor.id, made)
    return made
  }
  const results = new Map<string, IntegerArray>()
  for (const instruction of graph.instructions) {
    if (instruction.kind === 'export') {
      results.set(instruction.outputName, outputOf(instruction, stored(instruction.input)))
      continue
    }
    const output = create(instruction.output)
    switch (instruction.kind) {
      case 'import':
        importTensor(inputOf(instruction, inputs), output, instruction.layout)
        break
      case 'constant':
        storeConstant(instruction.codes, output)
        break
      case 'convolution':
      case 'depthwise':
        convolution(stored(instruction.input), output, {
          ...instruction.window,
          ...instruction.requantisation,
          groups: instruction.groups,
          weights: instruction.weights,
          weightZeroPoints: instruction.weightZeroPoints,
          weightGroups: instruction.weightGroups,
          bias: instruction.bias,
          inputZeroPoints: instruction.inputZeroPoints,
          outputZeroPoint: instruction.outputZeroPoint,
          low: instruction.clamp.low,
          high: instruction.clamp.high,
          residual: instruction.residual && { ...instruction.residual, tensor: stored(instruction.residual.input) },
        })
        break
      case 'max-pool':
        maxPool(stored(instruction.input), output, instruction.window)
        break
      case 'average-pool':
        averagePool(stored(instruction.input), output, {
          ...instruction.window,
          ...instruction,
          ...instruction.clamp,
        })
        break
      case 'move':
        move(
          instruction.sources.map((source) => ({ ...source, input: stored(source.input) })),
          output,
          instruction.fill,
        )
        break
      default:
        if (isElementwise(instruction)) interpretElementwise(instruction, stored, output)
        else interpretRows(instruction, stored, output)
    }
    tap?.(instruction.output, output)
  }
  return results
}
