/** A constant tensor as it is stored: the channel stride is a multiple of 8, spare lanes are 0. */
import { allocateStored } from '../kernels/scalar/geometry.ts'
import { storeConstant } from '../kernels/scalar/movement.ts'
import type { ConstantInstruction } from '../lower/integer-graph.ts'

export function storedConstant({ codes, output }: ConstantInstruction): Int8Array | Int16Array {
  const stored = allocateStored(output.format === 's16' ? 's16' : 's8', output.height, output.width, output.channels)
  storeConstant(codes, stored)
  return stored.data
}
