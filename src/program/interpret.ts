/**
 * Runs an integer graph by the scalar meaning of its instructions: the definition that every compiled target must equal
 * byte for byte. Slow and obvious.
 */
import { DyadicError, quoted } from '../error.ts'
import { convolution } from '../kernels/scalar/convolution.ts'
import { add, lookUp } from '../kernels/scalar/elementwise.ts'
import { allocateStored, type Stored } from '../kernels/scalar/geometry.ts'
import { concat, exportTensor, importTensor, select } from '../kernels/scalar/movement.ts'
import { averagePool, maxPool } from '../kernels/scalar/pooling.ts'
import type { IntegerGraph, IntegerTensor } from '../lower/integer-graph.ts'

export type IntegerArray = Uint8Array | Int8Array | Int32Array

/**
 * Outputs by name in ONNX order. `tap` sees every stored tensor after it has been written. Throws `usage` when an input
 * is missing, of the wrong type or of the wrong length.
 */
export function interpret(
  graph: IntegerGraph,
  inputs: ReadonlyMap<string, IntegerArray>,
  tap?: (tensor: IntegerTensor, stored: Stored<Int8Array> | Stored<Int32Array>) => void,
): Map<string, IntegerArray> {
  const stored = new Map<number, Stored<Int8Array> | Stored<Int32Array>>()
  const bytes = (tensor: IntegerTensor): Stored => stored.get(tensor.id) as Stored
  const create = (tensor: IntegerTensor): Stored<Int8Array> | Stored<Int32Array> => {
    const made =
      tensor.format === 's8'
        ? allocateStored<Int8Array>('s8', tensor.height, tensor.width, tensor.channels)
        : allocateStored<Int32Array>('s32', tensor.height, tensor.width, tensor.channels)
    stored.set(tensor.id, made)
    return made
  }
  const results = new Map<string, IntegerArray>()
  for (const instruction of graph.instructions) {
    if (instruction.kind === 'export') {
      const count = instruction.input.height * instruction.input.width * instruction.input.channels
      const target =
        instruction.format === 'u8'
          ? new Uint8Array(count)
          : instruction.format === 's8'
            ? new Int8Array(count)
            : new Int32Array(count)
      exportTensor(stored.get(instruction.input.id) as Stored, target, instruction.layout)
      results.set(instruction.outputName, target)
      continue
    }
    const output = create(instruction.output)
    switch (instruction.kind) {
      case 'import': {
        const source = inputs.get(instruction.inputName)
        const count = output.height * output.width * output.channels
        const fits = instruction.format === 'u8' ? source instanceof Uint8Array : source instanceof Int8Array
        if (source === undefined || !fits || source.length !== count)
          throw new DyadicError(
            'usage',
            `input ${quoted(instruction.inputName)} wants ${count} ${instruction.format} integers, got ${source === undefined ? 'nothing' : `${source.constructor.name} of ${source.length}`}`,
          )
        importTensor(source as Uint8Array | Int8Array, output as Stored, instruction.layout)
        break
      }
      case 'convolution':
      case 'depthwise':
        convolution(bytes(instruction.input), output, {
          ...instruction.window,
          ...instruction.requantisation,
          groups: instruction.groups,
          weights: instruction.weights,
          weightZeroPoints: instruction.weightZeroPoints,
          bias: instruction.bias,
          inputZeroPoints: instruction.inputZeroPoints,
          outputZeroPoint: instruction.outputZeroPoint,
          low: instruction.clamp.low,
          high: instruction.clamp.high,
          residual: instruction.residual && { ...instruction.residual, tensor: bytes(instruction.residual.input) },
        })
        break
      case 'add':
        add(bytes(instruction.left), bytes(instruction.right), output as Stored, {
          ...instruction,
          ...instruction.clamp,
        })
        break
      case 'max-pool':
        maxPool(bytes(instruction.input), output as Stored, instruction.window)
        break
      case 'average-pool':
        averagePool(bytes(instruction.input), output as Stored, {
          ...instruction.window,
          ...instruction,
          ...instruction.clamp,
        })
        break
      case 'table':
        lookUp(bytes(instruction.input), output as Stored, instruction.table)
        break
      case 'concat':
        concat(instruction.inputs.map(bytes), output as Stored, instruction.axis)
        break
      case 'select':
        select(bytes(instruction.input), output as Stored, instruction.axes, instruction.fill)
        break
    }
    tap?.(instruction.output, output)
  }
  return results
}
