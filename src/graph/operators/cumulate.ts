/** Running sums and products along one axis: CumSum and CumProd. Floats in double, rounded at every output; integers wrap. */
import { isInteger, storeInteger, wrapInteger } from '../element-conversion.ts'
import type { Operator } from '../operator.ts'
import { allocate, elementCount } from '../tensor.ts'
import { isFloat, numberAttribute, operand, refuse } from './context.ts'
import { normalizeAxis } from './layout.ts'

function cumulative(
  name: string,
  since: readonly number[],
  neutral: 0 | 1,
  floats: (sum: number, x: number) => number,
  integers: (sum: bigint, x: bigint) => bigint,
): Operator {
  return {
    name,
    since,
    inputs: [2, 2],
    outputs: [1, 1],
    attributes: {
      exclusive: { kind: 'int', flag: true, default: 0 },
      reverse: { kind: 'int', flag: true, default: 0 },
    },
    integer: 'none',
    infer: (context) => {
      const { type, shape } = operand(context, 0)
      const axis = operand(context, 1)
      if (!isFloat(type) && !isInteger(type)) refuse(context.node, `${name} of ${type} is not defined`)
      if (elementCount(axis.shape) !== 1 || (axis.type !== 'int64' && axis.type !== 'int32'))
        refuse(context.node, `the axis is ${axis.type}[${axis.shape}]; one int64 or int32 is needed`)
      return [{ type, shape }]
    },
    evaluate: ({ node, inputs, attributes, outputs }) => {
      const x = inputs[0]!.data
      const [{ type, shape }] = outputs
      const axis = normalizeAxis(Number(inputs[1]!.data[0]), shape.length, node)
      const exclusive = numberAttribute(attributes, 'exclusive') !== 0
      const reverse = numberAttribute(attributes, 'reverse') !== 0
      const data = allocate(type, x.length)
      const size = shape[axis]
      const inner = elementCount(shape.slice(axis + 1))
      for (let row = 0; row < x.length / size; row++) {
        const start = Math.floor(row / inner) * size * inner + (row % inner)
        let real: number = neutral
        let whole = BigInt(neutral)
        for (let k = 0; k < size; k++) {
          const at = start + (reverse ? size - 1 - k : k) * inner
          const [before, wholeBefore] = [real, whole]
          if (isInteger(type)) whole = wrapInteger(type, integers(whole, BigInt(x[at])))
          else real = floats(real, x[at] as number)
          if (isInteger(type)) storeInteger(data, at, exclusive ? wholeBefore : whole)
          else data[at] = exclusive ? before : real
        }
      }
      return [{ type, shape, data }]
    },
  }
}

/** ONNX CumSum; the axis may be computed at run time. */
export const cumSum: Operator = cumulative(
  'CumSum',
  [11, 14],
  0,
  (sum, x) => sum + x,
  (sum, x) => sum + x,
)

/** ONNX CumProd; the axis may be computed at run time. */
export const cumProd: Operator = cumulative(
  'CumProd',
  [26],
  1,
  (product, x) => product * x,
  (product, x) => product * x,
)
