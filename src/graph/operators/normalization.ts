/**
 * BatchNormalization: with given statistics, or in its training form with those of the batch. `simplify` removes every one
 * whose parameters are constants.
 */
import type { Operator } from '../operator.ts'
import { allocate, elementCount, type Tensor } from '../tensor.ts'
import { floatResult, isFloat, numberAttribute, numbersOf, operand, refuse, unsupported } from './context.ts'

/**
 * ONNX BatchNormalization: y = scale · (x − mean) / √(variance + epsilon) + bias, per channel (axis 1). In the training form
 * mean and variance are those of the input over all other axes (the variance divides by their number), and two more outputs
 * are the running statistics: momentum · given + (1 − momentum) · own.
 */
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
    const training = numberAttribute(attributes, 'training_mode') !== 0
    if (context.outputs > (training ? 3 : 1))
      unsupported(
        node,
        `BatchNormalization with ${context.outputs} outputs, ${training ? 'a training form older than opset 14' : 'which only its training form has'}; export the model in evaluation mode`,
      )
    const channels = shape.length < 2 ? 1 : shape[1]
    for (let i = 1; i < 5; i++) {
      const own = operand(context, i).shape
      if (own.length !== 1 || own[0] !== channels)
        refuse(node, `parameter ${i} has shape [${own}]; the input [${shape}] has ${channels} channels`)
    }
    if (training && elementCount(shape) === 0) refuse(node, `an input of shape [${shape}] has no statistics of its own`)
    const statistics = [3, 4].map((index) => operand(context, index).type).map((type) => ({ type, shape: [channels] }))
    for (const { type } of statistics)
      if (!isFloat(type)) refuse(node, `its statistics have type ${type}; a float tensor is needed`)
    return [{ type: floatResult(context), shape }, ...(training ? statistics : [])]
  },
  evaluate: ({ node, inputs, attributes, outputs }) => {
    const [x, scale, bias, givenMean, givenVariance] = inputs.map((input) => numbersOf(input, node))
    const epsilon = numberAttribute(attributes, 'epsilon')
    const training = numberAttribute(attributes, 'training_mode') !== 0
    const [{ type, shape }] = outputs
    const plane = elementCount(shape.slice(2))
    const channelOf = (i: number): number => (shape.length < 2 ? 0 : Math.floor(i / plane) % shape[1])
    const own = training ? statisticsOf(x, channelOf, scale.length) : undefined
    const [mean, variance] = own ?? [givenMean, givenVariance]
    const data = allocate(type, x.length)
    for (let i = 0; i < x.length; i++) {
      const c = channelOf(i)
      data[i] = (scale[c] * (x[i] - mean[c])) / Math.sqrt(variance[c] + epsilon) + bias[c]
    }
    const y: Tensor = { type, shape, data }
    if (own === undefined) return [y]
    const momentum = numberAttribute(attributes, 'momentum')
    const running = [givenMean, givenVariance].map((given, index): Tensor => {
      // Either output may be left out, so types are those of what was given.
      const { type: kept } = inputs[index + 3] as Tensor
      const values = allocate(kept, scale.length)
      for (let c = 0; c < scale.length; c++) values[c] = given[c] * momentum + own[index][c] * (1 - momentum)
      return { type: kept, shape: [scale.length], data: values }
    })
    return [y, ...running]
  },
}

/** Mean and population variance of every channel, as doubles. */
function statisticsOf(
  x: ArrayLike<number>,
  channelOf: (index: number) => number,
  channels: number,
): readonly [Float64Array, Float64Array] {
  const count = x.length / channels
  const mean = new Float64Array(channels)
  for (let i = 0; i < x.length; i++) mean[channelOf(i)] += x[i] / count
  const variance = new Float64Array(channels)
  for (let i = 0; i < x.length; i++) variance[channelOf(i)] += (x[i] - mean[channelOf(i)]) ** 2 / count
  return [mean, variance]
}
