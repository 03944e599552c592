/**
 * Operators that choose, surround or join values: Slice, Pad in all its modes and Concat. Of any element type.
 */
import type { EvaluateContext, InferContext, Operator } from '../operator.ts'
import { allocate, elementCount, type Tensor } from '../tensor.ts'
import { constantNumbers, numberAttribute, operand, refuse, stringAttribute } from './context.ts'
import { copyStrided, normalizeAxes, normalizeAxis, rowMajorStrides } from './layout.ts'

/** What a Slice keeps of one axis: `count` elements from `start`, `step` apart (step may be negative). */
export interface SliceAxis {
  readonly start: number
  readonly step: number
  readonly count: number
}

/** Clamps starts and ends as numpy slicing does. Lists are those of the node's constant inputs. */
export function resolveSlice(
  node: string,
  shape: readonly number[],
  starts: readonly number[],
  ends: readonly number[],
  axes: readonly number[] | undefined,
  steps: readonly number[] | undefined,
): SliceAxis[] {
  const named = normalizeAxes(axes ?? starts.map((_, axis) => axis), shape.length, node)
  const strides = steps ?? starts.map(() => 1)
  if (ends.length !== starts.length || named.length !== starts.length || strides.length !== starts.length)
    refuse(node, 'starts, ends, axes and steps of Slice have different lengths')
  const result: SliceAxis[] = shape.map((count) => ({ start: 0, step: 1, count }))
  named.forEach((axis, i) => {
    const size = shape[axis]
    const step = strides[i]
    if (step === 0) refuse(node, `step 0 along axis ${axis}`)
    const within = (at: number, least: number, most: number) => Math.min(most, Math.max(least, at < 0 ? at + size : at))
    const start = step > 0 ? within(starts[i], 0, size) : within(starts[i], 0, size - 1)
    const end = step > 0 ? within(ends[i], 0, size) : within(ends[i], -1, size - 1)
    result[axis] = { start, step, count: size === 0 ? 0 : Math.max(0, Math.ceil((end - start) / step)) }
  })
  return result
}

/** A 64-bit bound such as "to the end" is beyond 53 bits; only its clamped value matters. */
function bounds(context: Pick<InferContext, 'node'>, data: ArrayLike<number | bigint>): number[] {
  return Array.from(data, (value) => {
    const number = Number(value)
    if (Number.isNaN(number)) refuse(context.node, 'a Slice argument is not an integer')
    return number
  })
}

function sliceOf(context: InferContext): SliceAxis[] {
  const [starts, ends, axes, steps] = [1, 2, 3, 4].map((index) => {
    if (context.inputs[index] === undefined) return undefined
    const constant = context.constant(index)
    if (constant?.type === 'int64') {
      const { bytes } = constant
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      return bounds(
        context,
        Array.from({ length: elementCount(constant.shape) }, (_, i) => view.getBigInt64(8 * i, true)),
      )
    }
    return constantNumbers(context, index, 'slice bounds')
  })
  return resolveSlice(context.node, operand(context, 0).shape, starts ?? [], ends ?? [], axes, steps)
}

/** ONNX Slice. */
export const slice: Operator = {
  name: 'Slice',
  since: [1, 10, 11, 13],
  inputs: [3, 5],
  outputs: [1, 1],
  attributes: {},
  integer: 'same-scale',
  infer: (context) => [{ type: operand(context, 0).type, shape: sliceOf(context).map((axis) => axis.count) }],
  evaluate: ({ node, inputs, outputs }) => {
    const x = inputs[0]!
    const [starts, ends, axes, steps] = [1, 2, 3, 4].map((i) => inputs[i] && bounds({ node }, inputs[i].data))
    const chosen = resolveSlice(node, x.shape, starts ?? [], ends ?? [], axes, steps)
    const own = rowMajorStrides(x.shape)
    const [{ type, shape }] = outputs
    const data = allocate(type, elementCount(shape))
    const offset = chosen.reduce((sum, axis, i) => sum + axis.start * own[i], 0)
    const strides = chosen.map((axis, i) => axis.step * own[i])
    copyStrided(shape, { data: x.data, offset, strides }, { data, offset: 0, strides: rowMajorStrides(shape) })
    return [{ type, shape, data }]
  },
}

/** Pads of every axis, all begins, then all ends; negative pads crop. */
export function resolvePads(
  node: string,
  rank: number,
  pads: readonly number[],
  axes: readonly number[] | undefined,
): number[] {
  const named = axes === undefined ? Array.from({ length: rank }, (_, axis) => axis) : normalizeAxes(axes, rank, node)
  if (pads.length !== 2 * named.length) refuse(node, `${pads.length} pads for ${named.length} axes`)
  const result = new Array<number>(2 * rank).fill(0)
  named.forEach((axis, i) => {
    result[axis] = pads[i]
    result[axis + rank] = pads[i + named.length]
  })
  return result
}

/** Modes of Pad that take their elements from the input. */
export type InnerPadMode = 'reflect' | 'edge' | 'wrap'

/** The mode of a Pad node, where it takes its elements from the input. */
export function innerPadMode(attributes: InferContext['attributes']): InnerPadMode | undefined {
  const mode = stringAttribute(attributes, 'mode')
  return mode === 'reflect' || mode === 'edge' || mode === 'wrap' ? mode : undefined
}

/** Where each position of a padded axis reads: the mirror image without the border, the border itself, or the other end. */
export function paddedPositions(size: number, before: number, padded: number, mode: InnerPadMode): number[] {
  const period = 2 * (size - 1)
  return Array.from({ length: padded }, (_, position) => {
    const at = position - before
    if (mode === 'wrap') return ((at % size) + size) % size
    if (mode === 'edge' || period === 0) return Math.min(size - 1, Math.max(0, at))
    const wrapped = ((at % period) + period) % period
    return Math.min(wrapped, period - wrapped)
  })
}

/** Pads axis by axis with elements of the input. */
function padFromInside(x: Tensor, pads: readonly number[], mode: InnerPadMode, shape: readonly number[]): Tensor {
  return shape.reduce<Tensor>((sofar, padded, axis) => {
    const size = sofar.shape[axis]
    if (padded === size && pads[axis] === 0) return sofar
    const outer = elementCount(sofar.shape.slice(0, axis))
    const inner = elementCount(sofar.shape.slice(axis + 1))
    const data = allocate(x.type, outer * padded * inner)
    paddedPositions(size, pads[axis], padded, mode).forEach((read, position) => {
      copyStrided(
        [outer, inner],
        { data: sofar.data, offset: read * inner, strides: [size * inner, 1] },
        { data, offset: position * inner, strides: [padded * inner, 1] },
      )
    })
    return { type: x.type, shape: sofar.shape.map((own, i) => (i === axis ? padded : own)), data }
  }, x)
}

function padEvaluate({ node, inputs, attributes, outputs }: EvaluateContext): Tensor[] {
  const x = inputs[0]!
  const rank = x.shape.length
  const read = (index: number) => inputs[index] && Array.from(inputs[index].data as ArrayLike<number | bigint>, Number)
  const pads = resolvePads(node, rank, read(1) ?? [], read(3))
  const [{ type, shape }] = outputs
  const mode = innerPadMode(attributes)
  if (mode !== undefined) return [padFromInside(x, pads, mode, shape)]
  const data = allocate(type, elementCount(shape))
  const fill = inputs[2] && elementCount(inputs[2].shape) > 0 ? inputs[2].data[0] : undefined
  if (fill !== undefined) (data as Float32Array).fill(fill as number)
  const own = rowMajorStrides(x.shape)
  const strides = rowMajorStrides(shape)
  const kept = x.shape.map((size, axis) => Math.max(0, size + Math.min(0, pads[axis]) + Math.min(0, pads[axis + rank])))
  const offset = (sign: 1 | -1, of: readonly number[]) =>
    of.reduce((sum, stride, axis) => sum + Math.max(0, sign * pads[axis]) * stride, 0)
  copyStrided(
    kept,
    { data: x.data, offset: offset(-1, own), strides: own },
    { data, offset: offset(1, strides), strides },
  )
  return [{ type, shape, data }]
}

/** ONNX Pad, modes constant, reflect, edge and wrap: inputs data, pads, constant_value?, axes?. */
export const pad: Operator = {
  name: 'Pad',
  since: [2, 11, 13, 18, 19, 21, 23],
  inputs: [2, 4],
  outputs: [1, 1],
  attributes: { mode: { kind: 'string', default: 'constant' } },
  integer: 'same-scale',
  infer: (context) => {
    const { node } = context
    const { type, shape } = operand(context, 0)
    const mode = stringAttribute(context.attributes, 'mode')
    if (mode !== 'constant' && innerPadMode(context.attributes) === undefined)
      refuse(node, 'the mode of Pad is none of constant, reflect, edge and wrap')
    const fill = context.inputs[2]
    if (fill !== undefined && (fill.type !== type || elementCount(fill.shape) > 1))
      refuse(node, `the fill value of Pad is ${fill.type}[${fill.shape}]; a scalar of type ${type} is needed`)
    const pads = resolvePads(
      node,
      shape.length,
      constantNumbers(context, 1, 'pads') ?? [],
      constantNumbers(context, 3, 'axes'),
    )
    const padded = shape.map((size, axis) => size + pads[axis] + pads[axis + shape.length])
    if (padded.some((size) => size < 0)) refuse(node, `pads [${pads}] crop more than the input [${shape}] has`)
    if (mode !== 'constant' && shape.some((size, axis) => size === 0 && padded[axis] > 0))
      refuse(node, `Pad in mode "${mode}" of shape [${shape}], which has nothing to repeat`)
    return [{ type, shape: padded }]
  },
  evaluate: padEvaluate,
}

/** ONNX Concat. */
export const concat: Operator = {
  name: 'Concat',
  since: [4, 11, 13],
  inputs: [1, Infinity],
  outputs: [1, 1],
  attributes: { axis: { kind: 'int', required: true } },
  integer: 'join',
  infer: (context) => {
    const { node } = context
    const { type, shape } = operand(context, 0)
    const axis = normalizeAxis(numberAttribute(context.attributes, 'axis'), shape.length, node)
    let size = 0
    context.inputs.forEach((_, index) => {
      const other = operand(context, index)
      if (other.type !== type) refuse(node, `input ${index} has type ${other.type}; the first has ${type}`)
      if (other.shape.length !== shape.length || other.shape.some((s, i) => i !== axis && s !== shape[i]))
        refuse(node, `input ${index} of shape [${other.shape}] does not join [${shape}] along axis ${axis}`)
      size += other.shape[axis]
    })
    return [{ type, shape: shape.map((s, i) => (i === axis ? size : s)) }]
  },
  evaluate: ({ node, inputs, attributes, outputs }) => {
    const [{ type, shape }] = outputs
    const axis = normalizeAxis(numberAttribute(attributes, 'axis'), shape.length, node)
    const data = allocate(type, elementCount(shape))
    const strides = rowMajorStrides(shape)
    let offset = 0
    for (const input of inputs) {
      const own = input!.shape
      copyStrided(own, { data: input!.data, offset: 0, strides: rowMajorStrides(own) }, { data, offset, strides })
      offset += own[axis] * strides[axis]
    }
    return [{ type, shape, data }]
  },
}
