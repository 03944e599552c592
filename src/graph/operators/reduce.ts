/**
 * Reductions over constant axes: ReduceMax, ReduceMin, ReduceMean and ReduceSum. Sums in double, rounded once at the output. Without
 * axes everything is reduced, or nothing where `noop_with_empty_axes` is set.
 */
import type { InferContext, Operator } from '../operator.ts'
import { allocate, elementCount } from '../tensor.ts'
import { constantNumbers, floatResult, isFloat, numberAttribute, numbersOf, operand, refuse } from './context.ts'
import { normalizeAxes, rowMajorStrides } from './layout.ts'

/** The axes that a reduction reduces, in 0..rank−1; `given` is its list of axes. */
export function reducedAxes(
  node: string,
  attributes: InferContext['attributes'],
  rank: number,
  given: readonly number[] | undefined,
): readonly number[] {
  if (given !== undefined && given.length > 0) return normalizeAxes(given, rank, node)
  if (numberAttribute(attributes, 'noop_with_empty_axes') !== 0) return []
  return Array.from({ length: rank }, (_, axis) => axis)
}

function reduction(
  name: string,
  since: readonly number[],
  integer: Operator['integer'],
  integers: boolean,
  start: number,
  combine: (sum: number, x: number) => number,
  finish: (sum: number, count: number) => number,
): Operator {
  return {
    name,
    since,
    inputs: [1, 2],
    outputs: [1, 1],
    attributes: { keepdims: { kind: 'int', default: 1 }, noop_with_empty_axes: { kind: 'int', default: 0 } },
    integer,
    infer: (context) => {
      const { type, shape } = operand(context, 0)
      const { node, attributes } = context
      const axes = reducedAxes(node, attributes, shape.length, constantNumbers(context, 1, 'axes'))
      if (elementCount(shape) === 0) refuse(node, `${name} of shape [${shape}], which holds no elements`)
      const keep = numberAttribute(attributes, 'keepdims') !== 0
      return [
        {
          type: integers && !isFloat(type) ? type : floatResult({ ...context, inputs: context.inputs.slice(0, 1) }),
          shape: shape.flatMap((size, axis) => (!axes.includes(axis) ? [size] : keep ? [1] : [])),
        },
      ]
    },
    evaluate: ({ node, inputs, attributes, outputs }) => {
      const x = numbersOf(inputs[0], node)
      const from = inputs[0]!.shape
      const given = inputs[1] && Array.from(inputs[1].data as ArrayLike<number | bigint>, Number)
      const axes = reducedAxes(node, attributes, from.length, given)
      const [{ type, shape }] = outputs
      // Strides of the output along the input's axes: 0 along the reduced ones.
      const kept = rowMajorStrides(from.map((size, axis) => (axes.includes(axis) ? 1 : size)))
      const strides = kept.map((stride, axis) => (axes.includes(axis) ? 0 : stride))
      const sums = new Float64Array(elementCount(shape)).fill(start)
      let read = 0
      const visit = (axis: number, at: number): void => {
        if (axis === from.length) sums[at] = combine(sums[at], x[read++])
        else for (let i = 0; i < from[axis]; i++) visit(axis + 1, at + i * strides[axis])
      }
      visit(0, 0)
      const data = allocate(type, sums.length)
      for (let i = 0; i < sums.length; i++) data[i] = finish(sums[i], x.length / sums.length)
      return [{ type, shape, data }]
    },
  }
}

/** ONNX ReduceMax, of floats and of integers up to 32 bits. */
export const reduceMax: Operator = reduction(
  'ReduceMax',
  [1, 11, 12, 13, 18, 20],
  'same-scale',
  true,
  -Infinity,
  Math.max,
  (largest) => largest,
)

/** ONNX ReduceMin, of floats and of integers up to 32 bits. */
export const reduceMin: Operator = reduction(
  'ReduceMin',
  [1, 11, 12, 13, 18, 20],
  'same-scale',
  true,
  Infinity,
  Math.min,
  (least) => least,
)

/** ONNX ReduceMean. */
export const reduceMean: Operator = reduction(
  'ReduceMean',
  [1, 11, 13, 18],
  'average',
  false,
  0,
  (sum, x) => sum + x,
  (sum, count) => sum / count,
)

/** ONNX ReduceSum. */
export const reduceSum: Operator = reduction(
  'ReduceSum',
  [1, 11, 13],
  'none',
  false,
  0,
  (sum, x) => sum + x,
  (sum) => sum,
)
