/** Operators that repeat values: Expand by broadcasting, Tile by counts. Of any element type; the counts are constants. */
import type { Operator } from '../operator.ts'
import { allocate, elementCount } from '../tensor.ts'
import { constantNumbers, operand, refuse } from './context.ts'
import { broadcastShapes, broadcastStrides, copyStrided, rowMajorStrides } from './layout.ts'

/** ONNX Expand: the input broadcast with the shape that input 1 names; neither side need contain the other. */
export const expand: Operator = {
  name: 'Expand',
  since: [8, 13],
  inputs: [2, 2],
  outputs: [1, 1],
  attributes: {},
  integer: 'same-scale',
  infer: (context) => {
    const { type, shape } = operand(context, 0)
    const target = constantNumbers(context, 1, 'shape') as number[]
    if (target.some((size) => size < 0)) refuse(context.node, `shape [${target}] has a negative size`)
    const broadcast = broadcastShapes(shape, target)
    if (broadcast === undefined) refuse(context.node, `shapes [${shape}] and [${target}] do not broadcast`)
    return [{ type, shape: broadcast }]
  },
  evaluate: ({ inputs, outputs }) => {
    const x = inputs[0]!
    const [{ type, shape }] = outputs
    const data = allocate(type, elementCount(shape))
    copyStrided(
      shape,
      { data: x.data, offset: 0, strides: broadcastStrides(x.shape, shape) },
      { data, offset: 0, strides: rowMajorStrides(shape) },
    )
    return [{ type, shape, data }]
  },
}

/** ONNX Tile: the input repeated as often as input 1 says, along each axis. */
export const tile: Operator = {
  name: 'Tile',
  since: [6, 13],
  inputs: [2, 2],
  outputs: [1, 1],
  attributes: {},
  integer: 'same-scale',
  infer: (context) => {
    const { type, shape } = operand(context, 0)
    const repeats = constantNumbers(context, 1, 'repeats') as number[]
    if (repeats.length !== shape.length || repeats.some((count) => count < 0))
      refuse(context.node, `repeats [${repeats}] do not fit an input of shape [${shape}]`)
    return [{ type, shape: shape.map((size, axis) => size * repeats[axis]) }]
  },
  evaluate: ({ inputs, outputs }) => {
    const x = inputs[0]!
    const [{ type, shape }] = outputs
    const data = allocate(type, elementCount(shape))
    const own = rowMajorStrides(x.shape)
    const strides = rowMajorStrides(shape)
    // Every axis as two, which copy of the input and where in it.
    copyStrided(
      shape.flatMap((size, axis) => [x.shape[axis] === 0 ? 0 : size / x.shape[axis], x.shape[axis]]),
      { data: x.data, offset: 0, strides: own.flatMap((stride) => [0, stride]) },
      { data, offset: 0, strides: strides.flatMap((stride, axis) => [stride * x.shape[axis], stride]) },
    )
    return [{ type, shape, data }]
  },
}
