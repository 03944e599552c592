/** `dyadic.Magnitude`, the fused form of √(a² + b²): the length of a vector of two, as spectra have it. */
import type { Operator } from '../operator.ts'
import { allocate } from '../tensor.ts'
import { floatResult, numbersOf, operand, refuse } from './context.ts'

/** √(a² + b²) of two tensors of one shape. */
export const magnitude: Operator = {
  name: 'dyadic.Magnitude',
  since: [1],
  inputs: [2, 2],
  outputs: [1, 1],
  attributes: {},
  integer: 'magnitude',
  infer: (context) => {
    const [a, b] = [operand(context, 0).shape, operand(context, 1).shape]
    if (String(a) !== String(b)) refuse(context.node, `operands have different shapes, [${a}] and [${b}]`)
    return [{ type: floatResult(context), shape: a }]
  },
  evaluate: ({ node, inputs, outputs }) => {
    const [a, b] = [numbersOf(inputs[0], node), numbersOf(inputs[1], node)]
    const [{ type, shape }] = outputs
    const data = allocate(type, a.length)
    // Not Math.hypot, whose roundings engines may choose.
    for (let i = 0; i < a.length; i++) data[i] = Math.sqrt(a[i] * a[i] + b[i] * b[i])
    return [{ type, shape, data }]
  },
}
