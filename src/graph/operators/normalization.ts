/**
 * BatchNormalization (inference) and Softmax. `simplify` removes every BatchNormalization whose parameters are constants;
 * Softmax exists for the float meaning only.
 */
import { exponential } from '../../num/elementary.ts'
import type { Operator } from '../operator.ts'
import { allocate, elementCount } from '../tensor.ts'
import { floatResult, numberAttribute, numbersOf, operand, refuse, unsupported } from './context.ts'
import { normalizeAxis } from './layout.ts'

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

/** ONNX Softmax along one axis. Before opset 13 it meant several axes at once; the reader rewrites that. */
export const softmax: Operator = {
  name: 'Softmax',
  since: [1, 11, 13],
  inputs: [1, 1],
  outputs: [1, 1],
  attributes: { axis: { kind: 'int', default: -1 } },
  integer: 'softmax',
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
      let largest = -Infinity
      for (let i = 0; i < size; i++) largest = Math.max(largest, x[start + i * inner])
      let sum = 0
      for (let i = 0; i < size; i++) sum += exponential(x[start + i * inner] - largest)
      for (let i = 0; i < size; i++) data[start + i * inner] = exponential(x[start + i * inner] - largest) / sum
    }
    return [{ type, shape, data }]
  },
}
