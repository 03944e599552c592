/**
 * Operators that arrange values anew: Gather, Split, DepthToSpace and SpaceToDepth, of any element type; and Shape, which
 * describes them.
 */
import type { InferContext, Operator } from '../operator.ts'
import { allocate, elementCount } from '../tensor.ts'
import {
  constantNumbers,
  numberAttribute,
  operand,
  optionalNumber,
  refuse,
  stringAttribute,
  unsupported,
} from './context.ts'
import { copyStrided, normalizeAxis, rowMajorStrides } from './layout.ts'

/** ONNX Shape: the input's sizes from `start` to `end` (clamped) as int64. */
export const shapeOf: Operator = {
  name: 'Shape',
  since: [1, 13, 15, 19, 21, 23],
  inputs: [1, 1],
  outputs: [1, 1],
  attributes: { start: { kind: 'int', default: 0 }, end: { kind: 'int' } },
  integer: 'none',
  infer: (context) => [{ type: 'int64', shape: [chosenSizes(operand(context, 0).shape, context.attributes).length] }],
  evaluate: ({ inputs, attributes, outputs }) => [
    { ...outputs[0], data: BigInt64Array.from(chosenSizes(inputs[0]!.shape, attributes), BigInt) },
  ],
}

function chosenSizes(shape: readonly number[], attributes: InferContext['attributes']): readonly number[] {
  return shape.slice(numberAttribute(attributes, 'start'), optionalNumber(attributes, 'end') ?? shape.length)
}

/**
 * ONNX Gather: slices of `data` along one axis, in the indices' shape. Indices outside the axis are refused, when the graph
 * is made where they are constant, else when it runs.
 */
export const gather: Operator = {
  name: 'Gather',
  since: [1, 11, 13],
  inputs: [2, 2],
  outputs: [1, 1],
  attributes: { axis: { kind: 'int', default: 0 } },
  integer: 'same-scale',
  infer: (context) => {
    const { node } = context
    const { type, shape } = operand(context, 0)
    const axis = normalizeAxis(numberAttribute(context.attributes, 'axis'), shape.length, node)
    const size = shape[axis]
    const indices = operand(context, 1)
    if (indices.type !== 'int64' && indices.type !== 'int32')
      refuse(node, `its indices have type ${indices.type}; int64 or int32 is needed`)
    if (context.constant(1) !== undefined)
      refuseMissing(node, constantNumbers(context, 1, 'indices') as number[], size, axis)
    return [{ type, shape: [...shape.slice(0, axis), ...indices.shape, ...shape.slice(axis + 1)] }]
  },
  evaluate: ({ node, inputs, attributes, outputs }) => {
    const x = inputs[0]!
    const axis = normalizeAxis(numberAttribute(attributes, 'axis'), x.shape.length, node)
    const indices = Array.from(inputs[1]!.data as ArrayLike<number | bigint>, Number)
    const [{ type, shape }] = outputs
    const inner = elementCount(x.shape.slice(axis + 1))
    const outer = elementCount(x.shape.slice(0, axis))
    const size = x.shape[axis]
    refuseMissing(node, indices, size, axis)
    const data = allocate(type, elementCount(shape))
    indices.forEach((index, i) => {
      copyStrided(
        [outer, inner],
        { data: x.data, offset: (index < 0 ? index + size : index) * inner, strides: [size * inner, 1] },
        { data, offset: i * inner, strides: [indices.length * inner, 1] },
      )
    })
    return [{ type, shape, data }]
  },
}

/** Throws `refused` for the first index outside −size..size−1. */
export function refuseMissing(node: string, indices: readonly number[], size: number, axis: number): void {
  const wrong = indices.find((index) => index < -size || index >= size)
  if (wrong !== undefined) refuse(node, `index ${wrong} does not exist along axis ${axis}, which has ${size} elements`)
}

/** ONNX Split along one axis: by constant sizes, or into equal parts of which the last may be smaller. */
export const split: Operator = {
  name: 'Split',
  since: [2, 11, 13, 18],
  inputs: [1, 2],
  outputs: [1, Infinity],
  attributes: { axis: { kind: 'int', default: 0 }, num_outputs: { kind: 'int' } },
  integer: 'same-scale',
  infer: (context) => {
    const { node, attributes, outputs: count } = context
    const { type, shape } = operand(context, 0)
    const axis = normalizeAxis(numberAttribute(attributes, 'axis'), shape.length, node)
    const part = Math.ceil(shape[axis] / count)
    const sizes =
      constantNumbers(context, 1, 'sizes') ??
      Array.from({ length: count }, (_, i) => (i < count - 1 ? part : shape[axis] - part * (count - 1)))
    const total = sizes.reduce((sum, size) => sum + size, 0)
    if (sizes.length !== count || total !== shape[axis] || sizes.some((size) => size < 0))
      refuse(node, `sizes [${sizes}] do not split axis ${axis} of shape [${shape}] into ${count} outputs`)
    if ((optionalNumber(attributes, 'num_outputs') ?? count) !== count)
      refuse(node, `num_outputs is ${optionalNumber(attributes, 'num_outputs')}, but the node has ${count} outputs`)
    return sizes.map((size) => ({ type, shape: shape.map((own, i) => (i === axis ? size : own)) }))
  },
  evaluate: ({ node, inputs, attributes, outputs }) => {
    const x = inputs[0]!
    const axis = normalizeAxis(numberAttribute(attributes, 'axis'), x.shape.length, node)
    const own = rowMajorStrides(x.shape)
    const parts = outputs.reduce((sum, { shape }) => sum + shape[axis], 0)
    if (parts !== x.shape[axis]) unsupported(node, 'Split with an output that is left out')
    let start = 0
    return outputs.map(({ type, shape }) => {
      const data = allocate(type, elementCount(shape))
      const to = { data, offset: 0, strides: rowMajorStrides(shape) }
      copyStrided(shape, { data: x.data, offset: start * own[axis], strides: own }, to)
      start += shape[axis]
      return { type, shape, data }
    })
  },
}

/** The side of a block that divides what it must; `shape` is the input's. */
function blockSide(context: InferContext, divides: (shape: readonly number[], side: number) => boolean): number {
  const { shape } = operand(context, 0)
  const side = numberAttribute(context.attributes, 'blocksize')
  if (shape.length !== 4) refuse(context.node, `input of shape [${shape}]; batch, channels, height, width are needed`)
  if (side < 1 || !divides(shape, side)) refuse(context.node, `blocksize ${side} does not fit shape [${shape}]`)
  return side
}

/** ONNX DepthToSpace: (N, C·B·B, H, W) to (N, C, H·B, W·B); channels hold the block first (DCR) or last (CRD). */
export const depthToSpace: Operator = {
  name: 'DepthToSpace',
  since: [1, 11, 13],
  inputs: [1, 1],
  outputs: [1, 1],
  attributes: { blocksize: { kind: 'int', required: true }, mode: { kind: 'string', default: 'DCR' } },
  integer: 'same-scale',
  infer: (context) => {
    const mode = stringAttribute(context.attributes, 'mode')
    if (mode !== 'DCR' && mode !== 'CRD') refuse(context.node, 'the mode of DepthToSpace is neither DCR nor CRD')
    const side = blockSide(context, ([, channels], b) => channels % (b * b) === 0)
    const { type, shape } = operand(context, 0)
    const [n, c, h, w] = shape
    return [{ type, shape: [n, c / (side * side), h * side, w * side] }]
  },
  evaluate: ({ inputs, attributes, outputs }) => {
    const x = inputs[0]!
    const side = numberAttribute(attributes, 'blocksize')
    const [{ type, shape }] = outputs
    const [n, c, h, w] = shape
    const [sample, plane, row] = rowMajorStrides(x.shape)
    const blockFirst = stringAttribute(attributes, 'mode') === 'DCR'
    const channel = blockFirst ? plane : plane * side * side
    const block = blockFirst ? plane * c : plane
    const data = allocate(type, elementCount(shape))
    copyStrided(
      [n, c, h / side, side, w / side, side],
      { data: x.data, offset: 0, strides: [sample, channel, row, side * block, 1, block] },
      { data, offset: 0, strides: rowMajorStrides([n, c, h / side, side, w / side, side]) },
    )
    return [{ type, shape, data }]
  },
}

/** ONNX SpaceToDepth: (N, C, H, W) to (N, B·B·C, H/B, W/B), the block before the channels. */
export const spaceToDepth: Operator = {
  name: 'SpaceToDepth',
  since: [1, 13],
  inputs: [1, 1],
  outputs: [1, 1],
  attributes: { blocksize: { kind: 'int', required: true } },
  integer: 'same-scale',
  infer: (context) => {
    const side = blockSide(context, ([, , height, width], b) => height % b === 0 && width % b === 0)
    const { type, shape } = operand(context, 0)
    const [n, c, h, w] = shape
    return [{ type, shape: [n, c * side * side, h / side, w / side] }]
  },
  evaluate: ({ inputs, attributes, outputs }) => {
    const x = inputs[0]!
    const side = numberAttribute(attributes, 'blocksize')
    const [{ type, shape }] = outputs
    const [n, , h, w] = shape
    const [sample, plane, row] = rowMajorStrides(x.shape)
    const order = [n, side, side, x.shape[1], h, w]
    const data = allocate(type, elementCount(shape))
    copyStrided(
      order,
      { data: x.data, offset: 0, strides: [sample, row, 1, plane, row * side, side] },
      { data, offset: 0, strides: rowMajorStrides(order) },
    )
    return [{ type, shape, data }]
  },
}
