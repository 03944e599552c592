/**
 * Operators that choose elements by their values or places: TopK, Compress, NonZero and Trilu. Where the shape of the
 * result depends on values (k, a condition), these must be constants.
 */
import type { InferContext, Operator } from '../operator.ts'
import { allocate, type Constant, elementCount, readConstant } from '../tensor.ts'
import { constantNumbers, numberAttribute, operand, optionalNumber, refuse, unsupported } from './context.ts'
import { normalizeAxis, rowMajorStrides } from './layout.ts'

/** ONNX TopK: the k largest or smallest along an axis, best first, and their indices; of equal ones the first wins. */
export const topK: Operator = {
  name: 'TopK',
  since: [1, 10, 11, 24],
  inputs: [2, 2],
  outputs: [1, 2],
  attributes: {
    axis: { kind: 'int', default: -1 },
    largest: { kind: 'int', flag: true, default: 1 },
    sorted: { kind: 'int', flag: true, default: 1 },
  },
  integer: 'none',
  infer: (context) => {
    const { type, shape } = operand(context, 0)
    const { node } = context
    const axis = normalizeAxis(numberAttribute(context.attributes, 'axis'), shape.length, node)
    const k = constantNumbers(context, 1, 'k') as number[]
    if (k.length !== 1 || k[0] < 0 || k[0] > shape[axis])
      refuse(node, `k is [${k}]; one number from 0 to ${shape[axis]}, the size of axis ${axis}, is needed`)
    const chosen = shape.map((size, a) => (a === axis ? k[0] : size))
    return [
      { type, shape: chosen },
      { type: 'int64', shape: chosen },
    ]
  },
  evaluate: ({ node, inputs, attributes }) => {
    const x = inputs[0]!
    const axis = normalizeAxis(numberAttribute(attributes, 'axis'), x.shape.length, node)
    const largest = numberAttribute(attributes, 'largest') !== 0
    const k = Number(inputs[1]!.data[0])
    const size = x.shape[axis]
    const inner = elementCount(x.shape.slice(axis + 1))
    const shape = x.shape.map((own, a) => (a === axis ? k : own))
    const values = allocate(x.type, elementCount(shape))
    const indices = new BigInt64Array(values.length)
    // Comparisons of their own: a difference of bigints is no number. NaN counts as largest.
    const above = (a: number | bigint, b: number | bigint) => (Number.isNaN(a) ? !Number.isNaN(b) : a > b)
    for (let row = 0; row < x.data.length / size; row++) {
      const [block, lane] = [Math.floor(row / inner), row % inner]
      const at = (index: number) => x.data[(block * size + index) * inner + lane]
      const order = Array.from({ length: size }, (_, index) => index)
      order.sort((a, b) => {
        const [first, second] = [at(a), at(b)]
        if (above(first, second)) return largest ? -1 : 1
        if (above(second, first)) return largest ? 1 : -1
        return a - b
      })
      for (let rank = 0; rank < k; rank++) {
        const target = (block * k + rank) * inner + lane
        values[target] = at(order[rank])
        indices[target] = BigInt(order[rank])
      }
    }
    return [
      { type: x.type, shape, data: values },
      { type: 'int64', shape, data: indices },
    ]
  },
}

/** The constant that decides a shape. Throws `unsupported` when it is computed at run time. */
function deciding(context: InferContext, index: number, what: string): Constant {
  return (
    context.constant(index) ??
    unsupported(context.node, `its ${what} (input ${index}) is computed at run time; shapes must be static: bind it`)
  )
}

function isTrue(value: number | bigint): boolean {
  return value !== 0 && value !== 0n
}

/** ONNX Compress: the slices along an axis (or the elements) at which a constant condition is true. */
export const compress: Operator = {
  name: 'Compress',
  since: [9, 11],
  inputs: [2, 2],
  outputs: [1, 1],
  attributes: { axis: { kind: 'int' } },
  integer: 'none',
  infer: (context) => {
    const { type, shape } = operand(context, 0)
    const { node, attributes } = context
    const condition = deciding(context, 1, 'condition')
    if (condition.type !== 'bool' || condition.shape.length !== 1)
      refuse(node, `the condition is ${condition.type}[${condition.shape}]; a vector of booleans is needed`)
    const given = optionalNumber(attributes, 'axis')
    const axis = given === undefined ? undefined : normalizeAxis(given, shape.length, node)
    const size = axis === undefined ? elementCount(shape) : shape[axis]
    if (condition.shape[0] > size) refuse(node, `a condition of ${condition.shape[0]} elements for ${size}`)
    const count = Array.from(readConstant(condition) as ArrayLike<number>).filter(isTrue).length
    return [{ type, shape: axis === undefined ? [count] : shape.map((own, a) => (a === axis ? count : own)) }]
  },
  evaluate: ({ node, inputs, attributes, outputs }) => {
    const x = inputs[0]!
    const given = optionalNumber(attributes, 'axis')
    const shape = given === undefined ? [x.data.length] : x.shape
    const axis = given === undefined ? 0 : normalizeAxis(given, shape.length, node)
    const chosen = Array.from(inputs[1]!.data as ArrayLike<number>).flatMap((value, i) => (isTrue(value) ? [i] : []))
    const inner = elementCount(shape.slice(axis + 1))
    const data = allocate(x.type, elementCount(outputs[0].shape))
    for (let outer = 0; outer < elementCount(shape.slice(0, axis)); outer++)
      chosen.forEach((index, i) => {
        for (let k = 0; k < inner; k++)
          data[(outer * chosen.length + i) * inner + k] = x.data[(outer * shape[axis] + index) * inner + k]
      })
    return [{ ...outputs[0], data }]
  },
}

/** Flat positions of the elements that are not 0; NaN is not. */
function nonZeroPlaces(data: ArrayLike<number | bigint>): number[] {
  return Array.from(data).flatMap((value, i) => (isTrue(value) ? [i] : []))
}

/** ONNX NonZero of a constant: the coordinates of what is not 0, one column each. */
export const nonZero: Operator = {
  name: 'NonZero',
  since: [9, 13],
  inputs: [1, 1],
  outputs: [1, 1],
  attributes: {},
  integer: 'none',
  infer: (context) => {
    const x = deciding(context, 0, 'operand')
    return [{ type: 'int64', shape: [x.shape.length, nonZeroPlaces(readConstant(x)).length] }]
  },
  evaluate: ({ inputs, outputs }) => {
    const x = inputs[0]!
    const strides = rowMajorStrides(x.shape)
    const places = nonZeroPlaces(x.data)
    const data = new BigInt64Array(x.shape.length * places.length)
    x.shape.forEach((size, axis) => {
      places.forEach((place, i) => {
        data[axis * places.length + i] = BigInt(Math.floor(place / strides[axis]) % size)
      })
    })
    return [{ ...outputs[0], data }]
  },
}

/** ONNX Trilu: the upper (or lower) triangle of every matrix from diagonal k on, zeros elsewhere. */
export const trilu: Operator = {
  name: 'Trilu',
  since: [14],
  inputs: [1, 2],
  outputs: [1, 1],
  attributes: { upper: { kind: 'int', flag: true, default: 1 } },
  integer: 'none',
  infer: (context) => {
    const { type, shape } = operand(context, 0)
    const k = context.inputs[1]
    if (shape.length < 2) refuse(context.node, `Trilu of shape [${shape}]; a matrix is needed`)
    if (k !== undefined && (k.type !== 'int64' || elementCount(k.shape) !== 1))
      refuse(context.node, `the diagonal is ${k.type}[${k.shape}]; one int64 is needed`)
    return [{ type, shape }]
  },
  evaluate: ({ inputs, attributes, outputs }) => {
    const x = inputs[0]!.data
    const diagonal = inputs[1] ? Number(inputs[1].data[0]) : 0
    const upper = numberAttribute(attributes, 'upper') !== 0
    const [{ type, shape }] = outputs
    const [rows, columns] = shape.slice(-2)
    const data = allocate(type, x.length)
    for (let i = 0; i < x.length; i++) {
      const [row, column] = [Math.floor(i / columns) % rows, i % columns]
      if (upper ? column - row >= diagonal : column - row <= diagonal) data[i] = x[i]
    }
    return [{ type, shape, data }]
  },
}
