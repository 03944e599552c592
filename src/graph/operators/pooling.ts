/**
 * Pools over any number of spatial axes. Shapes: x (N, C, S…) to y (N, C, O…). Padding never wins a maximum; it counts in
 * an average only with `count_include_pad`, and what ceil_mode reaches beyond the padding never counts.
 */
import type { EvaluateContext, InferContext, Operator } from '../operator.ts'
import { allocate, elementCount, type Tensor } from '../tensor.ts'
import { floatResult, isFloat, numberAttribute, numbersAttribute, numbersOf, operand, refuse } from './context.ts'
import { type ResolvedWindow, resolveWindow, visitWindows, type WindowTaps } from './window.ts'

/** The window of a `MaxPool` or `AveragePool` node, from its attributes and the shape of x. */
export function poolingWindow(
  node: string,
  attributes: InferContext['attributes'],
  x: readonly number[],
): ResolvedWindow {
  if (x.length < 3) refuse(node, `pool input has shape [${x}]; batch, channels and a spatial axis are needed`)
  const window = resolveWindow(node, attributes, x.slice(2), numbersAttribute(attributes, 'kernel_shape') ?? [])
  const rank = x.length - 2
  for (let i = 0; i < 2 * rank; i++) {
    const extent = (window.kernel[i % rank] - 1) * window.dilations[i % rank] + 1
    if (window.pads[i] >= extent)
      refuse(node, `padding ${window.pads[i]} is not smaller than the window's extent ${extent}`)
  }
  return window
}

function pooledShape(context: InferContext): number[] {
  const x = operand(context, 0).shape
  return [...x.slice(0, 2), ...poolingWindow(context.node, context.attributes, x).output]
}

/** Applies `reduce` to every window of every plane. */
function pool(
  { node, inputs, attributes, outputs }: EvaluateContext,
  reduce: (x: ArrayLike<number>, plane: number, at: WindowTaps) => number,
): Tensor[] {
  const x = numbersOf(inputs[0], node)
  const size = inputs[0]!.shape
  const window = poolingWindow(node, attributes, size)
  const planes = size[0] * size[1]
  const plane = elementCount(size.slice(2))
  const positions = elementCount(window.output)
  const [{ type, shape }] = outputs
  const data = allocate(type, planes * positions)
  visitWindows(window, size.slice(2), (at) => {
    for (let p = 0; p < planes; p++) data[p * positions + at.position] = reduce(x, p * plane, at)
  })
  return [{ type, shape, data }]
}

/**
 * ONNX MaxPool; the second output holds where each maximum stands in the whole input, as if it were flat (with
 * `storage_order` 1, as if its planes were stored by columns). Of equal ones the first counts.
 */
export const maxPool: Operator = {
  name: 'MaxPool',
  since: [1, 8, 10, 11, 12, 22],
  inputs: [1, 1],
  outputs: [1, 2],
  attributes: {
    auto_pad: { kind: 'string', default: 'NOTSET' },
    ceil_mode: { kind: 'int', flag: true, default: 0 },
    dilations: { kind: 'ints' },
    kernel_shape: { kind: 'ints', required: true },
    pads: { kind: 'ints' },
    storage_order: { kind: 'int', flag: true, default: 0 },
    strides: { kind: 'ints' },
  },
  integer: 'same-scale',
  infer: (context) => {
    const { type } = operand(context, 0)
    if (!isFloat(type) && type !== 'int8' && type !== 'uint8') refuse(context.node, `MaxPool of ${type} is not defined`)
    const shape = pooledShape(context)
    return [
      { type, shape },
      { type: 'int64', shape },
    ]
  },
  evaluate: (context) => {
    const largest = (x: ArrayLike<number>, plane: number, at: WindowTaps): number => {
      let best = 0
      for (let t = 1; t < at.count; t++) {
        const [found, next] = [x[plane + at.offsets[best]], x[plane + at.offsets[t]]]
        // A NaN wins, as in Max.
        if (next > found || (Number.isNaN(next) && !Number.isNaN(found))) best = t
      }
      return best
    }
    const values = pool(context, (x, plane, at) =>
      at.count === 0 ? -Infinity : x[plane + at.offsets[largest(x, plane, at)]],
    )
    if (context.outputs.length === 1) return values
    const spatial = context.inputs[0]!.shape.slice(2)
    const size = elementCount(spatial)
    const byColumns = numberAttribute(context.attributes, 'storage_order') !== 0
    const places = pool(
      { ...context, outputs: [{ type: 'float64', shape: context.outputs[0].shape }] },
      (x, plane, at) => {
        const offset = at.offsets[largest(x, plane, at)]
        return plane + (byColumns ? columnMajor(offset, spatial, size) : offset)
      },
    )
    const data = BigInt64Array.from(places[0].data as Float64Array, BigInt)
    return [...values, { ...context.outputs[1], data }]
  },
}

/** A row-major position in a plane as the position in the plane's transpose. */
function columnMajor(offset: number, spatial: readonly number[], size: number): number {
  let [rest, step, result] = [offset, size, 0]
  let before = 1
  for (const extent of spatial) {
    step /= extent
    result += Math.floor(rest / step) * before
    rest %= step
    before *= extent
  }
  return result
}

/** ONNX AveragePool. */
export const averagePool: Operator = {
  name: 'AveragePool',
  since: [7, 10, 11, 19, 22],
  inputs: [1, 1],
  outputs: [1, 1],
  attributes: {
    auto_pad: { kind: 'string', default: 'NOTSET' },
    ceil_mode: { kind: 'int', flag: true, default: 0 },
    count_include_pad: { kind: 'int', flag: true, default: 0 },
    dilations: { kind: 'ints' },
    kernel_shape: { kind: 'ints', required: true },
    pads: { kind: 'ints' },
    strides: { kind: 'ints' },
  },
  integer: 'average',
  infer: (context) => [{ type: floatResult(context), shape: pooledShape(context) }],
  evaluate: (context) => {
    const includePadding = numberAttribute(context.attributes, 'count_include_pad') !== 0
    return pool(context, (x, plane, at) => {
      let sum = 0
      for (let t = 0; t < at.count; t++) sum += x[plane + at.offsets[t]]
      return sum / (includePadding ? at.padded : at.count)
    })
  },
}

/** One number per plane, spatial axes kept with size 1. */
function globalPool(
  name: string,
  integer: Operator['integer'],
  reduce: (x: ArrayLike<number>, start: number, count: number) => number,
): Operator {
  return {
    name,
    since: [1, 22],
    inputs: [1, 1],
    outputs: [1, 1],
    attributes: {},
    integer,
    infer: (context) => {
      const x = operand(context, 0).shape
      if (x.length < 3 || elementCount(x) === 0) refuse(context.node, `${name} needs a filled spatial axis, not [${x}]`)
      return [{ type: floatResult(context), shape: x.map((size, axis) => (axis < 2 ? size : 1)) }]
    },
    evaluate: ({ node, inputs, outputs }) => {
      const x = numbersOf(inputs[0], node)
      const plane = elementCount(inputs[0]!.shape.slice(2))
      const [{ type, shape }] = outputs
      const data = allocate(type, elementCount(shape))
      for (let p = 0; p < data.length; p++) data[p] = reduce(x, p * plane, plane)
      return [{ type, shape, data }]
    },
  }
}

/** ONNX GlobalAveragePool. */
export const globalAveragePool: Operator = globalPool('GlobalAveragePool', 'average', (x, start, count) => {
  let sum = 0
  for (let i = 0; i < count; i++) sum += x[start + i]
  return sum / count
})

/** ONNX GlobalMaxPool. */
export const globalMaxPool: Operator = globalPool('GlobalMaxPool', 'same-scale', (x, start, count) => {
  let largest = -Infinity
  for (let i = 0; i < count; i++) largest = Math.max(largest, x[start + i])
  return largest
})

/** Σ|x|^p to the power 1/p of the elements of a window. */
function powerNorm(p: number, values: Iterable<number>): number {
  let sum = 0
  for (const value of values) sum += Math.abs(value) ** p
  return sum ** (1 / p)
}

/** ONNX LpPool: the p-norm of every window; padding is 0. */
export const lpPool: Operator = {
  name: 'LpPool',
  since: [2, 11, 18, 22],
  inputs: [1, 1],
  outputs: [1, 1],
  attributes: {
    auto_pad: { kind: 'string', default: 'NOTSET' },
    ceil_mode: { kind: 'int', flag: true, default: 0 },
    dilations: { kind: 'ints' },
    kernel_shape: { kind: 'ints', required: true },
    p: { kind: 'int', default: 2 },
    pads: { kind: 'ints' },
    strides: { kind: 'ints' },
  },
  integer: 'none',
  infer: (context) => {
    if (numberAttribute(context.attributes, 'p') < 1) refuse(context.node, 'p of LpPool is below 1')
    return [{ type: floatResult(context), shape: pooledShape(context) }]
  },
  evaluate: (context) => {
    const p = numberAttribute(context.attributes, 'p')
    return pool(context, (x, plane, at) =>
      powerNorm(
        p,
        Array.from({ length: at.count }, (_, t) => x[plane + at.offsets[t]]),
      ),
    )
  },
}

/** ONNX GlobalLpPool. */
export const globalLpPool: Operator = {
  ...globalMaxPool,
  name: 'GlobalLpPool',
  since: [2, 22],
  attributes: { p: { kind: 'int', default: 2 } },
  integer: 'none',
  evaluate: ({ node, inputs, attributes, outputs }) => {
    const x = numbersOf(inputs[0], node)
    const p = numberAttribute(attributes, 'p')
    const plane = elementCount(inputs[0]!.shape.slice(2))
    const [{ type, shape }] = outputs
    const data = allocate(type, elementCount(shape))
    for (let i = 0; i < data.length; i++)
      data[i] = powerNorm(
        p,
        Array.from({ length: plane }, (_, k) => x[i * plane + k]),
      )
    return [{ type, shape, data }]
  },
}
