/**
 * Reductions over constant axes. Floats are computed in double and rounded once at the output; integers are exact and wrap
 * as their types do. Without axes everything is reduced, or nothing where `noop_with_empty_axes` is set. A reduction of no
 * elements gives the neutral element: 0, 1, −∞, or an end of the integers.
 */
import { exponential, logarithm, logarithmOfOneAnd } from '../../num/elementary.ts'
import { integerRange, isInteger, storeInteger, wrapInteger } from '../element-conversion.ts'
import type { InferContext, Operator } from '../operator.ts'
import { allocate, type ElementType, elementCount } from '../tensor.ts'
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

/** The two meanings of a reduction: from `start`, by `combine` over the elements, to `finish` with their count. */
interface Meaning {
  readonly start: number
  readonly combine: (sum: number, x: number) => number
  readonly finish?: (sum: number, count: number) => number
  /** Of integers, exactly; absent where integers have no such reduction here. */
  readonly integers?: {
    readonly start: (type: ElementType) => bigint
    readonly combine: (sum: bigint, x: bigint) => bigint
    readonly finish?: (sum: bigint, count: bigint) => bigint
  }
  /** Whether booleans may be reduced, as integers. */
  readonly booleans?: boolean
}

function reduction(
  name: string,
  since: readonly number[],
  integer: Operator['integer'],
  { start, combine, finish, integers, booleans = false }: Meaning,
): Operator {
  const exact = (type: ElementType): boolean =>
    integers !== undefined && (isInteger(type) || (booleans && type === 'bool'))
  return {
    name,
    since,
    inputs: [1, 2],
    outputs: [1, 1],
    attributes: {
      keepdims: { kind: 'int', flag: true, default: 1 },
      noop_with_empty_axes: { kind: 'int', flag: true, default: 0 },
    },
    integer,
    infer: (context) => {
      const { type, shape } = operand(context, 0)
      const { node, attributes } = context
      const axes = reducedAxes(node, attributes, shape.length, constantNumbers(context, 1, 'axes'))
      if (!exact(type) && !isFloat(type)) refuse(node, `${name} of ${type} is not defined`)
      const keep = numberAttribute(attributes, 'keepdims') !== 0
      return [
        {
          type: exact(type) ? type : floatResult({ ...context, inputs: context.inputs.slice(0, 1) }),
          shape: shape.flatMap((size, axis) => (!axes.includes(axis) ? [size] : keep ? [1] : [])),
        },
      ]
    },
    evaluate: ({ node, inputs, attributes, outputs }) => {
      const x = inputs[0]!
      const given = inputs[1] && Array.from(inputs[1].data as ArrayLike<number | bigint>, Number)
      const axes = reducedAxes(node, attributes, x.shape.length, given)
      const [{ type, shape }] = outputs
      const data = allocate(type, elementCount(shape))
      const count = axes.reduce((product, axis) => product * x.shape[axis], 1)
      if (exact(type) && integers !== undefined) {
        const sums = new Array<bigint>(data.length).fill(integers.start(type))
        visitReduced(x.shape, axes, (read, at) => {
          sums[at] = integers.combine(sums[at], BigInt(x.data[read]))
        })
        const whole = integers.finish ?? ((sum: bigint) => sum)
        if (count === 0 && integers.finish) refuse(node, `${name} of no integers has no value`)
        sums.forEach((sum, i) => {
          storeInteger(data, i, wrapInteger(type, whole(sum, BigInt(count))))
        })
      } else {
        const values = numbersOf(x, node)
        const sums = new Float64Array(data.length).fill(start)
        visitReduced(x.shape, axes, (read, at) => {
          sums[at] = combine(sums[at], values[read])
        })
        for (let i = 0; i < sums.length; i++) data[i] = finish ? finish(sums[i], count) : sums[i]
      }
      return [{ type, shape, data }]
    },
  }
}

/** Visits every element of `shape` in order, with the index of the output element that it is reduced into. */
function visitReduced(
  shape: readonly number[],
  axes: readonly number[],
  visit: (read: number, at: number) => void,
): void {
  const kept = rowMajorStrides(shape.map((size, axis) => (axes.includes(axis) ? 1 : size)))
  const strides = kept.map((stride, axis) => (axes.includes(axis) ? 0 : stride))
  let read = 0
  const walk = (axis: number, at: number): void => {
    if (axis === shape.length) visit(read++, at)
    else for (let i = 0; i < shape[axis]; i++) walk(axis + 1, at + i * strides[axis])
  }
  walk(0, 0)
}

const magnitude = (x: bigint): bigint => (x < 0n ? -x : x)

/** ONNX ReduceMax; of booleans, whether any is true. */
export const reduceMax: Operator = reduction('ReduceMax', [1, 11, 12, 13, 18, 20], 'same-scale', {
  start: -Infinity,
  combine: Math.max,
  integers: {
    start: (type) => (type === 'bool' ? 0n : integerRange(type)[0]),
    combine: (largest, x) => (x > largest ? x : largest),
  },
  booleans: true,
})

/** ONNX ReduceMin; of booleans, whether all are true. */
export const reduceMin: Operator = reduction('ReduceMin', [1, 11, 12, 13, 18, 20], 'same-scale', {
  start: Infinity,
  combine: Math.min,
  integers: {
    start: (type) => (type === 'bool' ? 1n : integerRange(type)[1]),
    combine: (least, x) => (x < least ? x : least),
  },
  booleans: true,
})

/** ONNX ReduceMean; of integers, the quotient cut towards zero. */
export const reduceMean: Operator = reduction('ReduceMean', [1, 11, 13, 18], 'average', {
  start: 0,
  combine: (sum, x) => sum + x,
  finish: (sum, count) => sum / count,
  integers: { start: () => 0n, combine: (sum, x) => sum + x, finish: (sum, count) => sum / count },
})

/** ONNX ReduceSum. */
export const reduceSum: Operator = reduction('ReduceSum', [1, 11, 13], 'none', {
  start: 0,
  combine: (sum, x) => sum + x,
  integers: { start: () => 0n, combine: (sum, x) => sum + x },
})

/** ONNX ReduceProd. */
export const reduceProd: Operator = reduction('ReduceProd', [1, 11, 13, 18], 'none', {
  start: 1,
  combine: (product, x) => product * x,
  // Wrapped at every step, so that a product of many integers does not grow.
  integers: { start: () => 1n, combine: (product, x) => BigInt.asIntN(64, product * x) },
})

/** ONNX ReduceSumSquare. */
export const reduceSumSquare: Operator = reduction('ReduceSumSquare', [1, 11, 13, 18], 'none', {
  start: 0,
  combine: (sum, x) => sum + x * x,
  integers: { start: () => 0n, combine: (sum, x) => sum + x * x },
})

/** ONNX ReduceL1: the sum of magnitudes. */
export const reduceL1: Operator = reduction('ReduceL1', [1, 11, 13, 18], 'none', {
  start: 0,
  combine: (sum, x) => sum + Math.abs(x),
  integers: { start: () => 0n, combine: (sum, x) => sum + magnitude(x) },
})

/** ONNX ReduceL2: the root of the sum of squares. */
export const reduceL2: Operator = reduction('ReduceL2', [1, 11, 13, 18], 'none', {
  start: 0,
  combine: (sum, x) => sum + x * x,
  finish: Math.sqrt,
})

/** ONNX ReduceLogSum. */
export const reduceLogSum: Operator = reduction('ReduceLogSum', [1, 11, 13, 18], 'none', {
  start: 0,
  combine: (sum, x) => sum + x,
  finish: logarithm,
})

/** ln(e^a + e^b), without overflow. */
function addLogarithms(a: number, b: number): number {
  const largest = Math.max(a, b)
  return Number.isFinite(largest) ? largest + logarithmOfOneAnd(exponential(-Math.abs(a - b))) : largest
}

/** ONNX ReduceLogSumExp. */
export const reduceLogSumExp: Operator = reduction('ReduceLogSumExp', [1, 11, 13, 18], 'none', {
  start: -Infinity,
  combine: addLogarithms,
})
