/** Element-by-element instructions by their scalar meaning. */
import { curve } from '../kernels/scalar/curve.ts'
import { add, lookUp, magnitude, multiply, rescale, type StoredCodes } from '../kernels/scalar/elementwise.ts'
import type { Stored } from '../kernels/scalar/geometry.ts'
import { resize } from '../kernels/scalar/resize.ts'
import { softmax } from '../kernels/scalar/softmax.ts'
import type { IntegerTensor } from '../lower/integer-graph.ts'
import type { ElementwiseInstruction } from './elementwise-calls.ts'

/**
 * Fills the real channels of `output`; `stored` gives the operands. None of the tensors is s32, since no such instruction
 * reads or writes one.
 */
export function interpretElementwise(
  instruction: ElementwiseInstruction,
  stored: (tensor: IntegerTensor) => Stored<Int8Array | Int16Array | Int32Array>,
  output: Stored<Int8Array | Int16Array | Int32Array>,
): void {
  const target = output as StoredCodes
  const codes = (tensor: IntegerTensor): StoredCodes => stored(tensor) as StoredCodes
  switch (instruction.kind) {
    case 'add':
      add(codes(instruction.left), codes(instruction.right), target, { ...instruction, ...instruction.clamp })
      break
    case 'multiply':
      multiply(codes(instruction.left), codes(instruction.right), target, { ...instruction, ...instruction.clamp })
      break
    case 'magnitude':
      magnitude(codes(instruction.left), codes(instruction.right), target, { ...instruction, ...instruction.clamp })
      break
    case 'rescale':
      rescale(codes(instruction.input), target, { ...instruction, ...instruction.clamp })
      break
    case 'table':
      lookUp(codes(instruction.input) as Stored<Int8Array>, target, instruction.table)
      break
    case 'curve':
      curve(codes(instruction.input) as Stored<Int16Array>, target, { ...instruction, ...instruction.clamp })
      break
    case 'softmax':
      softmax(codes(instruction.input), target, { ...instruction, ...instruction.clamp })
      break
    case 'resize':
      resize(codes(instruction.input), target, instruction)
      break
  }
}
