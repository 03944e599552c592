/** BatchNormalization (inference). `simplify` removes every one whose parameters are constants. */
import type { Operator } from '../operator.ts'
import { allocate, elementCount } from '../tensor.ts'
import { floatResult, numberAttribute, numbersOf, operand, refuse, unsupported } from './context.ts'

/** ONNX BatchNormalization: y = scale · (x − mean) / √(variance + epsilon) + bias, per channel (axis 1). */
export const batchNormalization: Operator = {
  name: 'BatchNormalization',
  since: [7, 9, 14, 15],
  inputs: [5, 5],
  outputs: [1, 5],
  attributes: {
    epsilon: { kind: 'float', default: Math.fround(1e-5) },
    momentum: { kind: 'float', default: Math.fround(0.9) },
    training_mode: { kind: 'int', flag: true, default: 0 },
  },
  integer: 'none',
  infer: (context) => {
    const { node, attributes } = context
    const { shape } = operand(context, 0)
    if (numberAttribute(attributes, 'training_mode') !== 0 || context.outputs > 1)
      unsupported(node, 'BatchNormalization in training mode; export the model for inference')
    const channels = shape.length < 2 ? 1 : shape[1]
    for (let i = 1; i < 5; i++) {
      const own = operand(context, i).shape
      if (own.length !== 1 || own[0] !== channels)
        refuse(node, `parameter ${i} has shape [${own}]; the input [${shape}] has ${channels} channels`)
    }
    return [{ type: floatResult(context), shape }]
  },
  evaluate: ({ node, inputs, attributes, outputs }) => {
    const [x, scale, bias, mean, variance] = inputs.map((input) => numbersOf(input, node))
    const epsilon = numberAttribute(attributes, 'epsilon')
    const [{ type, shape }] = outputs
    const plane = elementCount(shape.slice(2))
    const data = allocate(type, x.length)
    for (let i = 0; i < x.length; i++) {
      const c = shape.length < 2 ? 0 : Math.floor(i / plane) % shape[1]
      data[i] = (scale[c] * (x[i] - mean[c])) / Math.sqrt(variance[c] + epsilon) + bias[c]
    }
    return [{ type, shape, data }]
  },
}
