/** Truth values and choices by them: Equal, Not and Where. Of any element type; Equal compares 64-bit integers exactly. */
import type { InferContext, Operator } from '../operator.ts'
import { allocate } from '../tensor.ts'
import { commonShape, expanded } from './broadcast.ts'
import { floatResult, isFloat, operand, refuse } from './context.ts'

/** ONNX Equal. NaN equals nothing. */
export const equal: Operator = {
  name: 'Equal',
  since: [7, 11, 13, 19],
  inputs: [2, 2],
  outputs: [1, 1],
  attributes: {},
  integer: 'none',
  infer: (context) => {
    const [a, b] = [operand(context, 0).type, operand(context, 1).type]
    if (a !== b && !(isFloat(a) && isFloat(b))) refuse(context.node, `types ${a} and ${b} cannot be compared`)
    return [{ type: 'bool', shape: commonShape(context) }]
  },
  evaluate: ({ inputs, outputs }) => {
    const [{ shape }] = outputs
    const [a, b] = inputs.map((input) => expanded(input!, shape))
    return [{ type: 'bool', shape, data: Uint8Array.from({ length: a.length }, (_, i) => (a[i] === b[i] ? 1 : 0)) }]
  },
}

/** ONNX Not. */
export const not: Operator = {
  name: 'Not',
  since: [1],
  inputs: [1, 1],
  outputs: [1, 1],
  attributes: {},
  integer: 'none',
  infer: (context) => {
    const { type, shape } = operand(context, 0)
    if (type !== 'bool') refuse(context.node, `its input has type ${type}; bool is needed`)
    return [{ type, shape }]
  },
  evaluate: ({ inputs, outputs }) => [
    { ...outputs[0], data: Uint8Array.from(inputs[0]!.data as Uint8Array, (value) => (value === 0 ? 1 : 0)) },
  ],
}

/** ONNX Where: elements of input 1 where input 0 is true, of input 2 elsewhere. */
export const where: Operator = {
  name: 'Where',
  since: [9, 16],
  inputs: [3, 3],
  outputs: [1, 1],
  attributes: {},
  integer: 'none',
  infer: (context) => {
    const [condition, a, b] = [0, 1, 2].map((index) => operand(context, index).type)
    if (condition !== 'bool') refuse(context.node, `its condition has type ${condition}; bool is needed`)
    if (a !== b && !(isFloat(a) && isFloat(b))) refuse(context.node, `types ${a} and ${b} cannot be mixed`)
    const values: InferContext = {
      ...context,
      inputs: context.inputs.slice(1),
      constant: (index) => context.constant(index + 1),
    }
    return [{ type: isFloat(a) ? floatResult(values) : a, shape: commonShape(context) }]
  },
  evaluate: ({ inputs, outputs }) => {
    const [{ type, shape }] = outputs
    const [condition, a, b] = inputs.map((input) => expanded(input!, shape))
    const data = allocate(type, condition.length)
    for (let i = 0; i < data.length; i++) data[i] = (condition[i] ? a[i] : b[i]) as never
    return [{ type, shape, data }]
  },
}
