/**
 * `dyadic.Lookup`, the fused form of an embedding: rows of a constant table chosen by computed indices, which is Gather along
 * the first axis of a matrix.
 */
import type { Operator } from '../operator.ts'
import { allocate, elementCount } from '../tensor.ts'
import { numbersOf, operand, refuse } from './context.ts'

/** Inputs: table (V, C), a constant; indices of any shape, −V … V − 1. Output: indices' shape, then C. */
export const lookup: Operator = {
  name: 'dyadic.Lookup',
  since: [1],
  inputs: [2, 2],
  outputs: [1, 1],
  attributes: {},
  integer: 'lookup',
  infer: (context) => {
    const [table, indices] = [operand(context, 0), operand(context, 1)]
    if (table.shape.length !== 2) refuse(context.node, `table of shape [${table.shape}] is no matrix`)
    return [{ type: table.type, shape: [...indices.shape, table.shape[1]] }]
  },
  evaluate: ({ node, inputs, outputs }) => {
    const table = numbersOf(inputs[0], node)
    const [entries, channels] = inputs[0]!.shape
    const [{ type, shape }] = outputs
    const data = allocate(type, elementCount(shape))
    Array.from(inputs[1]!.data, Number).forEach((index, row) => {
      const entry = index < 0 ? index + entries : index
      if (!(entry >= 0 && entry < entries)) refuse(node, `index ${index} is outside a table of ${entries} rows`)
      for (let c = 0; c < channels; c++) data[row * channels + c] = table[entry * channels + c]
    })
    return [{ type, shape, data }]
  },
}
