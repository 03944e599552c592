/** numpy broadcasting of an operator's operands: their common shape, and their elements repeated to it. */
import type { InferContext } from '../operator.ts'
import { allocate, elementCount, type Tensor, type TypedArray } from '../tensor.ts'
import { operand, refuse } from './context.ts'
import { broadcastShapes, broadcastStrides, copyStrided, rowMajorStrides } from './layout.ts'

/** The common shape of all inputs. Throws `refused` naming the node where there is none. */
export function commonShape(context: InferContext): number[] {
  return context.inputs.reduce<number[]>((shape, _, index) => {
    const own = operand(context, index).shape
    return broadcastShapes(shape, own) ?? refuse(context.node, `shapes [${shape}] and [${own}] do not broadcast`)
  }, [])
}

/** The operand's elements repeated to the output's shape. */
export function expanded(tensor: Tensor, shape: readonly number[]): TypedArray {
  const data = allocate(tensor.type, elementCount(shape))
  copyStrided(
    shape,
    { data: tensor.data, offset: 0, strides: broadcastStrides(tensor.shape, shape) },
    { data, offset: 0, strides: rowMajorStrides(shape) },
  )
  return data
}
