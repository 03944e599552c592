/**
 * Operators that read or write at computed places: GatherElements, GatherND, ScatterElements and ScatterND. Indices may
 * be computed at run time; negative ones count from the end, and one outside its axis is refused, also at run time.
 */
import { isInteger, storeInteger, wrapInteger } from '../element-conversion.ts'
import type { AttributeSchema, InferContext, Operator } from '../operator.ts'
import { allocate, type ElementType, elementCount, type Tensor, type TypedArray } from '../tensor.ts'
import { numberAttribute, operand, refuse, stringAttribute } from './context.ts'
import { normalizeAxis, rowMajorStrides } from './layout.ts'

function checkIndices(context: InferContext): void {
  const { type } = operand(context, 1)
  if (type !== 'int64' && type !== 'int32')
    refuse(context.node, `the indices have type ${type}; int64 or int32 is needed`)
}

/** An index into an axis as 0..size−1. Throws `refused` outside of it. */
function within(node: string, index: number | bigint, size: number): number {
  const at = Number(index)
  if (!(at >= -size && at < size)) refuse(node, `index ${index} does not exist along an axis of size ${size}`)
  return at < 0 ? at + size : at
}

/** Visits the elements of `indices` with the place in a tensor of `shape` that each one names along `axis`. */
function visitElements(
  node: string,
  indices: Tensor,
  shape: readonly number[],
  axis: number,
  visit: (element: number, place: number) => void,
): void {
  const strides = rowMajorStrides(shape)
  const own = rowMajorStrides(indices.shape)
  for (let i = 0; i < indices.data.length; i++) {
    let place = within(node, indices.data[i], shape[axis]) * strides[axis]
    indices.shape.forEach((size, a) => {
      if (a !== axis) place += (Math.floor(i / own[a]) % size) * strides[a]
    })
    visit(i, place)
  }
}

/** The place in a tensor of `shape` of each index tuple in the last axis of `indices`, below `batch` common axes. */
function tuplePlaces(node: string, indices: Tensor, shape: readonly number[], batch: number): number[] {
  const depth = indices.shape.at(-1) as number
  const strides = rowMajorStrides(shape)
  const tuples = elementCount(indices.shape.slice(0, -1))
  const perBatch = elementCount(indices.shape.slice(batch, -1))
  const batchSize = elementCount(shape.slice(batch))
  return Array.from({ length: tuples }, (_, tuple) => {
    let place = Math.floor(tuple / perBatch) * batchSize
    for (let k = 0; k < depth; k++)
      place += within(node, indices.data[tuple * depth + k], shape[batch + k]) * strides[batch + k]
    return place
  })
}

/** ONNX GatherElements: y[i][j] = x[index[i][j]][j] for axis 0. */
export const gatherElements: Operator = {
  name: 'GatherElements',
  since: [11, 13],
  inputs: [2, 2],
  outputs: [1, 1],
  attributes: { axis: { kind: 'int', default: 0 } },
  integer: 'none',
  infer: (context) => {
    checkIndices(context)
    const { type, shape } = operand(context, 0)
    const indices = operand(context, 1).shape
    const axis = normalizeAxis(numberAttribute(context.attributes, 'axis'), shape.length, context.node)
    if (indices.length !== shape.length || indices.some((size, a) => a !== axis && size > shape[a]))
      refuse(context.node, `indices of shape [${indices}] do not fit a tensor of shape [${shape}] along axis ${axis}`)
    return [{ type, shape: indices }]
  },
  evaluate: ({ node, inputs, attributes, outputs }) => {
    const x = inputs[0]!
    const [{ type, shape }] = outputs
    const axis = normalizeAxis(numberAttribute(attributes, 'axis'), x.shape.length, node)
    const data = allocate(type, elementCount(shape))
    visitElements(node, inputs[1]!, x.shape, axis, (element, place) => {
      data[element] = x.data[place]
    })
    return [{ type, shape, data }]
  },
}

/** ONNX GatherND: the last axis of the indices holds tuples that name an element or a slice. */
export const gatherND: Operator = {
  name: 'GatherND',
  since: [11, 12, 13],
  inputs: [2, 2],
  outputs: [1, 1],
  attributes: { batch_dims: { kind: 'int', default: 0 } },
  integer: 'none',
  infer: (context) => {
    checkIndices(context)
    const { node, attributes } = context
    const { type, shape } = operand(context, 0)
    const indices = operand(context, 1).shape
    const batch = numberAttribute(attributes, 'batch_dims')
    const depth = indices.at(-1) ?? 0
    if (depth < 1 || batch < 0 || batch >= indices.length || batch + depth > shape.length)
      refuse(node, `tuples of ${depth} indices after ${batch} batch axes do not fit a tensor of shape [${shape}]`)
    for (let axis = 0; axis < batch; axis++)
      if (indices[axis] !== shape[axis]) refuse(node, `batch axis ${axis} of [${indices}] and [${shape}] differs`)
    return [{ type, shape: [...indices.slice(0, -1), ...shape.slice(batch + depth)] }]
  },
  evaluate: ({ node, inputs, attributes, outputs }) => {
    const [x, indices] = inputs as [Tensor, Tensor]
    const [{ type, shape }] = outputs
    const batch = numberAttribute(attributes, 'batch_dims')
    const size = elementCount(x.shape.slice(batch + (indices.shape.at(-1) as number)))
    const data = allocate(type, elementCount(shape))
    tuplePlaces(node, indices, x.shape, batch).forEach((place, i) => {
      for (let k = 0; k < size; k++) data[i * size + k] = x.data[place + k]
    })
    return [{ type, shape, data }]
  },
}

type Combine = (old: number | bigint, update: number | bigint) => number | bigint

/** How an update meets what is there; integers wrap when they are stored. */
const REDUCTIONS: ReadonlyMap<string, Combine> = new Map<string, Combine>([
  ['none', (_, update) => update],
  ['add', (old, update) => (typeof old === 'bigint' ? old + BigInt(update) : old + Number(update))],
  ['mul', (old, update) => (typeof old === 'bigint' ? old * BigInt(update) : old * Number(update))],
  ['max', (old, update) => (old > update ? old : update)],
  ['min', (old, update) => (old < update ? old : update)],
])

const REDUCTION: Readonly<Record<string, AttributeSchema>> = { reduction: { kind: 'string', default: 'none' } }

function checkReduction({ node, attributes }: InferContext, type: ElementType, updates: ElementType): void {
  if (!REDUCTIONS.has(stringAttribute(attributes, 'reduction')))
    refuse(node, 'reduction is none of "none", "add", "mul", "max" and "min"')
  if (type !== updates) refuse(node, `updates of type ${updates} for a tensor of type ${type}`)
}

/** Writes one update. */
function update(data: TypedArray, type: ElementType, place: number, value: number | bigint, combine: Combine): void {
  if (isInteger(type)) storeInteger(data, place, wrapInteger(type, BigInt(combine(BigInt(data[place]), BigInt(value)))))
  else data[place] = combine(data[place], value)
}

/** ONNX ScatterElements: a copy of x in which y[index[i][j]][j] = update[i][j], for axis 0. */
export const scatterElements: Operator = {
  name: 'ScatterElements',
  since: [11, 13, 16, 18],
  inputs: [3, 3],
  outputs: [1, 1],
  attributes: { axis: { kind: 'int', default: 0 }, ...REDUCTION },
  integer: 'none',
  infer: (context) => {
    checkIndices(context)
    const { type, shape } = operand(context, 0)
    const indices = operand(context, 1).shape
    const updates = operand(context, 2)
    const { node, attributes } = context
    const axis = normalizeAxis(numberAttribute(attributes, 'axis'), shape.length, node)
    checkReduction(context, type, updates.type)
    if (String(indices) !== String(updates.shape) || indices.length !== shape.length)
      refuse(node, `indices of shape [${indices}] and updates of shape [${updates.shape}] for a tensor of [${shape}]`)
    if (indices.some((size, a) => a !== axis && size > shape[a]))
      refuse(node, `updates of shape [${indices}] reach beyond a tensor of shape [${shape}]`)
    return [{ type, shape }]
  },
  evaluate: ({ node, inputs, attributes, outputs }) => {
    const [x, indices, updates] = inputs as [Tensor, Tensor, Tensor]
    const [{ type, shape }] = outputs
    const axis = normalizeAxis(numberAttribute(attributes, 'axis'), shape.length, node)
    const combine = REDUCTIONS.get(stringAttribute(attributes, 'reduction')) as Combine
    const data = x.data.slice()
    visitElements(node, indices, shape, axis, (element, place) => {
      update(data, type, place, updates.data[element], combine)
    })
    return [{ type, shape, data }]
  },
}

/** ONNX ScatterND: a copy of x in which each tuple of indices names an element or a slice that an update replaces. */
export const scatterND: Operator = {
  name: 'ScatterND',
  since: [11, 13, 16, 18],
  inputs: [3, 3],
  outputs: [1, 1],
  attributes: REDUCTION,
  integer: 'none',
  infer: (context) => {
    checkIndices(context)
    const { type, shape } = operand(context, 0)
    const indices = operand(context, 1).shape
    const updates = operand(context, 2)
    const depth = indices.at(-1) ?? 0
    checkReduction(context, type, updates.type)
    const wanted = [...indices.slice(0, -1), ...shape.slice(depth)]
    if (depth < 1 || depth > shape.length || String(updates.shape) !== String(wanted))
      refuse(
        context.node,
        `updates of shape [${updates.shape}] at indices of shape [${indices}] do not fit a tensor of shape [${shape}]`,
      )
    return [{ type, shape }]
  },
  evaluate: ({ node, inputs, attributes, outputs }) => {
    const [x, indices, updates] = inputs as [Tensor, Tensor, Tensor]
    const [{ type, shape }] = outputs
    const combine = REDUCTIONS.get(stringAttribute(attributes, 'reduction')) as Combine
    const size = elementCount(shape.slice(indices.shape.at(-1)))
    const data = x.data.slice()
    tuplePlaces(node, indices, shape, 0).forEach((place, i) => {
      for (let k = 0; k < size; k++) update(data, type, place + k, updates.data[i * size + k], combine)
    })
    return [{ type, shape, data }]
  },
}
