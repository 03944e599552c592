/**
 * Softmax along one axis and its kin: LogSoftmax, its logarithm without the overflow, and Hardmax, 1 at the first largest element
 * and 0 elsewhere. Before opset 13 they meant several axes at once; the reader rewrites that.
 */
import { exponential, logarithm } from '../../num/elementary.ts'
import type { IntegerMeaning, Operator } from '../operator.ts'
import { allocate, elementCount } from '../tensor.ts'
import { floatResult, numberAttribute, numbersOf, operand } from './context.ts'
import { normalizeAxis } from './layout.ts'

/** An operator on rows along an axis: `fill` gets one row as doubles and gives its results. */
function alongAxis(name: string, integer: IntegerMeaning, fill: (row: Float64Array) => ArrayLike<number>): Operator {
  return {
    name,
    since: [1, 11, 13],
    inputs: [1, 1],
    outputs: [1, 1],
    attributes: { axis: { kind: 'int', default: -1 } },
    integer,
    infer: (context) => {
      const { shape } = operand(context, 0)
      normalizeAxis(numberAttribute(context.attributes, 'axis'), shape.length, context.node)
      return [{ type: floatResult(context), shape }]
    },
    evaluate: ({ node, inputs, attributes, outputs }) => {
      const x = numbersOf(inputs[0], node)
      const [{ type, shape }] = outputs
      const axis = normalizeAxis(numberAttribute(attributes, 'axis'), shape.length, node)
      const size = shape[axis]
      const inner = elementCount(shape.slice(axis + 1))
      const data = allocate(type, x.length)
      for (let row = 0; row < x.length / size; row++) {
        const start = Math.floor(row / inner) * size * inner + (row % inner)
        const results = fill(Float64Array.from({ length: size }, (_, i) => x[start + i * inner]))
        for (let i = 0; i < size; i++) data[start + i * inner] = results[i]
      }
      return [{ type, shape, data }]
    },
  }
}

/** ONNX Softmax. */
export const softmax: Operator = alongAxis('Softmax', 'softmax', (row) => {
  const largest = row.reduce((a, b) => Math.max(a, b), -Infinity)
  const powers = row.map((x) => exponential(x - largest))
  const sum = powers.reduce((total, power) => total + power, 0)
  return powers.map((power) => power / sum)
})

/** ONNX LogSoftmax. */
export const logSoftmax: Operator = alongAxis('LogSoftmax', 'none', (row) => {
  const largest = row.reduce((a, b) => Math.max(a, b), -Infinity)
  const sum = row.reduce((total, x) => total + exponential(x - largest), 0)
  return row.map((x) => x - largest - logarithm(sum))
})

/** ONNX Hardmax. */
export const hardmax: Operator = alongAxis('Hardmax', 'none', (row) => {
  const largest = row.reduce((a, b) => Math.max(a, b), -Infinity)
  const first = row.indexOf(largest)
  return row.map((_, i) => (i === first ? 1 : 0))
})
