/**
 * ArgMax and ArgMin: where along one axis the largest or least element stands; exact for every type. A NaN counts as the
 * extreme, as in numpy.
 */
import type { Operator } from '../operator.ts'
import { allocate, elementCount } from '../tensor.ts'
import { numberAttribute, operand, refuse } from './context.ts'
import { normalizeAxis } from './layout.ts'

/** `better` says whether a later element replaces the one found; `select_last_index` also lets equal ones. */
function extremeIndex(name: string, better: (a: number | bigint, b: number | bigint) => boolean): Operator {
  return {
    name,
    since: [1, 11, 12, 13],
    inputs: [1, 1],
    outputs: [1, 1],
    attributes: {
      axis: { kind: 'int', default: 0 },
      keepdims: { kind: 'int', flag: true, default: 1 },
      select_last_index: { kind: 'int', flag: true, default: 0 },
    },
    integer: 'none',
    infer: (context) => {
      const { type, shape } = operand(context, 0)
      const { node, attributes } = context
      const axis = normalizeAxis(numberAttribute(attributes, 'axis'), shape.length, node)
      if (type === 'bool') refuse(node, `${name} of booleans is not defined`)
      if (shape[axis] === 0) refuse(node, `${name} along axis ${axis} of shape [${shape}], which holds no elements`)
      const keep = numberAttribute(attributes, 'keepdims') !== 0
      return [{ type: 'int64', shape: shape.flatMap((size, i) => (i !== axis ? [size] : keep ? [1] : [])) }]
    },
    evaluate: ({ node, inputs, attributes, outputs }) => {
      const { shape: from, data: x } = inputs[0]!
      const axis = normalizeAxis(numberAttribute(attributes, 'axis'), from.length, node)
      const last = numberAttribute(attributes, 'select_last_index') !== 0
      const [{ type, shape }] = outputs
      const data = allocate(type, elementCount(shape)) as BigInt64Array
      const inner = elementCount(from.slice(axis + 1))
      const size = from[axis]
      for (let i = 0; i < data.length; i++) {
        const start = Math.floor(i / inner) * size * inner + (i % inner)
        let best = 0
        for (let k = 1; k < size; k++) {
          const [found, next] = [x[start + best * inner], x[start + k * inner]]
          const undefinedNow = Number.isNaN(next) && (last || !Number.isNaN(found))
          if (better(next, found) || (last && next === found) || undefinedNow) best = k
        }
        data[i] = BigInt(best)
      }
      return [{ type, shape, data }]
    },
  }
}

/** ONNX ArgMax. */
export const argMax: Operator = extremeIndex('ArgMax', (a, b) => a > b)

/** ONNX ArgMin. */
export const argMin: Operator = extremeIndex('ArgMin', (a, b) => a < b)
