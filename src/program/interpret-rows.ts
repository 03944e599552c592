/** Instructions over whole rows of channels, and products of matrices, by their scalar meaning. */
import type { StoredCodes } from '../kernels/scalar/elementwise.ts'
import { familySoftmax } from '../kernels/scalar/family-softmax.ts'
import type { Stored } from '../kernels/scalar/geometry.ts'
import { lookUpRows } from '../kernels/scalar/lookup.ts'
import { normalize } from '../kernels/scalar/normalize.ts'
import { product } from '../kernels/scalar/product.ts'
import { shiftGelu } from '../kernels/scalar/shift-gelu.ts'
import type { IntegerTensor, ProductInstruction } from '../lower/integer-graph.ts'
import { geluExponential, softmaxExponential } from './family-integers.ts'
import type { RowInstruction } from './row-calls.ts'

/** Fills the real channels of `output`, which has 8 or 16 bits; `stored` gives the operands. */
export function interpretRows(
  instruction: RowInstruction | ProductInstruction,
  stored: (tensor: IntegerTensor) => Stored,
  output: Stored,
): void {
  const target = output as StoredCodes
  const codes = (tensor: IntegerTensor): StoredCodes => stored(tensor) as StoredCodes
  switch (instruction.kind) {
    case 'product':
      product(codes(instruction.left), codes(instruction.right), target, { ...instruction, ...instruction.clamp })
      break
    case 'normalize':
      normalize(codes(instruction.input), target, { ...instruction, ...instruction.clamp })
      break
    case 'family-softmax':
      familySoftmax(codes(instruction.input), target, {
        ...instruction,
        ...instruction.clamp,
        exponential: softmaxExponential(instruction),
      })
      break
    case 'shift-gelu':
      shiftGelu(codes(instruction.input), target, {
        ...instruction,
        ...instruction.clamp,
        exponential: geluExponential(instruction),
      })
      break
    case 'lookup':
      lookUpRows(stored(instruction.input), target, instruction)
      break
  }
}
