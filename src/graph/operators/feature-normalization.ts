/**
 * Normalisations with statistics of the sample itself: InstanceNormalization per channel, GroupNormalization per group of
 * channels, MeanVarianceNormalization over given axes, LpNormalization along one axis, LRN across neighbouring channels.
 * In double, rounded once at the output.
 */
import type { Operator } from '../operator.ts'
import { allocate, elementCount } from '../tensor.ts'
import { floatResult, numberAttribute, numbersAttribute, numbersOf, operand, refuse } from './context.ts'
import { normalizeAxes, normalizeAxis, rowMajorStrides } from './layout.ts'

/** (x − mean) / √(variance + epsilon) over `count` elements from `start` on, as doubles. */
function standardised(x: ArrayLike<number>, start: number, count: number, epsilon: number): Float64Array {
  let sum = 0
  for (let i = 0; i < count; i++) sum += x[start + i]
  const mean = sum / count
  let squares = 0
  for (let i = 0; i < count; i++) squares += (x[start + i] - mean) ** 2
  const deviation = Math.sqrt(squares / count + epsilon)
  return Float64Array.from({ length: count }, (_, i) => (x[start + i] - mean) / deviation)
}

/** scale · standardised(x) + bias, with statistics of blocks of neighbouring channels. */
function groupsOfChannels(
  name: string,
  since: readonly number[],
  groupsOf: (channels: number, attributes: ReadonlyMap<string, unknown>) => number,
  attributes: Operator['attributes'],
): Operator {
  return {
    name,
    since,
    inputs: [3, 3],
    outputs: [1, 1],
    attributes: { epsilon: { kind: 'float', default: Math.fround(1e-5) }, ...attributes },
    integer: 'none',
    infer: (context) => {
      const { node } = context
      const { shape } = operand(context, 0)
      if (shape.length < 2 || elementCount(shape) === 0) refuse(node, `${name} of shape [${shape}]`)
      const groups = groupsOf(shape[1], context.attributes)
      if (!(groups >= 1) || shape[1] % groups !== 0) refuse(node, `${shape[1]} channels in ${groups} groups`)
      for (const index of [1, 2]) {
        const own = operand(context, index).shape
        if (own.length !== 1 || own[0] !== shape[1])
          refuse(node, `parameter ${index} has shape [${own}]; the input [${shape}] has ${shape[1]} channels`)
      }
      return [{ type: floatResult(context), shape }]
    },
    evaluate: ({ node, inputs, attributes: given, outputs }) => {
      const [x, scale, bias] = inputs.map((input) => numbersOf(input, node))
      const [{ type, shape }] = outputs
      const plane = elementCount(shape.slice(2))
      const block = (shape[1] / groupsOf(shape[1], given)) * plane
      const data = allocate(type, x.length)
      for (let start = 0; start < x.length; start += block)
        standardised(x, start, block, numberAttribute(given, 'epsilon')).forEach((value, i) => {
          const channel = Math.floor((start + i) / plane) % shape[1]
          data[start + i] = value * scale[channel] + bias[channel]
        })
      return [{ type, shape, data }]
    },
  }
}

/** ONNX InstanceNormalization: every channel of every sample by its own mean and variance. */
export const instanceNormalization: Operator = groupsOfChannels(
  'InstanceNormalization',
  [6, 22],
  (channels) => channels,
  {},
)

/** ONNX GroupNormalization from opset 21 on; scale and bias are per channel. */
export const groupNormalization: Operator = groupsOfChannels(
  'GroupNormalization',
  [21],
  (_, attributes) => attributes.get('num_groups') as number,
  { num_groups: { kind: 'int', required: true }, stash_type: { kind: 'int', default: 1 } },
)

/** ONNX MeanVarianceNormalization over `axes`: (x − mean) / (standard deviation + 1e-9). */
export const meanVarianceNormalization: Operator = {
  name: 'MeanVarianceNormalization',
  since: [9, 13],
  inputs: [1, 1],
  outputs: [1, 1],
  attributes: { axes: { kind: 'ints', default: [0, 2, 3] } },
  integer: 'none',
  infer: (context) => {
    const { shape } = operand(context, 0)
    normalizeAxes(numbersAttribute(context.attributes, 'axes') ?? [], shape.length, context.node)
    return [{ type: floatResult(context), shape }]
  },
  evaluate: ({ node, inputs, attributes, outputs }) => {
    const x = numbersOf(inputs[0], node)
    const [{ type, shape }] = outputs
    const axes = normalizeAxes(numbersAttribute(attributes, 'axes') ?? [], shape.length, node)
    const own = rowMajorStrides(shape)
    const kept = rowMajorStrides(shape.map((size, axis) => (axes.includes(axis) ? 1 : size)))
    const groupOf = (i: number): number =>
      shape.reduce(
        (sum, size, axis) => sum + (axes.includes(axis) ? 0 : (Math.floor(i / own[axis]) % size) * kept[axis]),
        0,
      )
    const groups = new Map<number, number[]>()
    for (let i = 0; i < x.length; i++) {
      const group = groupOf(i)
      const members = groups.get(group)
      if (members) members.push(i)
      else groups.set(group, [i])
    }
    const data = allocate(type, x.length)
    for (const members of groups.values()) {
      const mean = members.reduce((sum, i) => sum + x[i], 0) / members.length
      const variance = members.reduce((sum, i) => sum + (x[i] - mean) ** 2, 0) / members.length
      for (const i of members) data[i] = (x[i] - mean) / (Math.sqrt(variance) + 1e-9)
    }
    return [{ type, shape, data }]
  },
}

/** ONNX LpNormalization: x over the sum of magnitudes (p = 1) or the root of the sum of squares (p = 2); zeros stay. */
export const lpNormalization: Operator = {
  name: 'LpNormalization',
  since: [1, 22],
  inputs: [1, 1],
  outputs: [1, 1],
  attributes: { axis: { kind: 'int', default: -1 }, p: { kind: 'int', default: 2 } },
  integer: 'none',
  infer: (context) => {
    const { shape } = operand(context, 0)
    const p = numberAttribute(context.attributes, 'p')
    if (p !== 1 && p !== 2) refuse(context.node, `p is ${p}; 1 or 2 is needed`)
    normalizeAxis(numberAttribute(context.attributes, 'axis'), shape.length, context.node)
    return [{ type: floatResult(context), shape }]
  },
  evaluate: ({ node, inputs, attributes, outputs }) => {
    const x = numbersOf(inputs[0], node)
    const [{ type, shape }] = outputs
    const axis = normalizeAxis(numberAttribute(attributes, 'axis'), shape.length, node)
    const squares = numberAttribute(attributes, 'p') === 2
    const size = shape[axis]
    const inner = elementCount(shape.slice(axis + 1))
    const data = allocate(type, x.length)
    for (let row = 0; row < x.length / size; row++) {
      const start = Math.floor(row / inner) * size * inner + (row % inner)
      let sum = 0
      for (let i = 0; i < size; i++) sum += squares ? x[start + i * inner] ** 2 : Math.abs(x[start + i * inner])
      const norm = squares ? Math.sqrt(sum) : sum
      for (let i = 0; i < size; i++) data[start + i * inner] = norm === 0 ? 0 : x[start + i * inner] / norm
    }
    return [{ type, shape, data }]
  },
}

/** ONNX LRN: x / (bias + alpha / size · Σ x²)^beta over `size` neighbouring channels, the longer side above. */
export const lrn: Operator = {
  name: 'LRN',
  since: [1, 13],
  inputs: [1, 1],
  outputs: [1, 1],
  attributes: {
    alpha: { kind: 'float', default: Math.fround(0.0001) },
    beta: { kind: 'float', default: 0.75 },
    bias: { kind: 'float', default: 1 },
    size: { kind: 'int', required: true },
  },
  integer: 'none',
  infer: (context) => {
    const { shape } = operand(context, 0)
    if (shape.length < 2) refuse(context.node, `LRN of shape [${shape}]; batch and channels are needed`)
    const size = numberAttribute(context.attributes, 'size')
    if (size < 1) refuse(context.node, `size is ${size}`)
    return [{ type: floatResult(context), shape }]
  },
  evaluate: ({ node, inputs, attributes, outputs }) => {
    const x = numbersOf(inputs[0], node)
    const [{ type, shape }] = outputs
    const [alpha, beta, bias, size] = ['alpha', 'beta', 'bias', 'size'].map((name) => numberAttribute(attributes, name))
    const plane = elementCount(shape.slice(2))
    const [below, above] = [Math.floor((size - 1) / 2), Math.ceil((size - 1) / 2)]
    const data = allocate(type, x.length)
    for (let i = 0; i < x.length; i++) {
      const channel = Math.floor(i / plane) % shape[1]
      let sum = 0
      for (let c = Math.max(0, channel - below); c <= Math.min(shape[1] - 1, channel + above); c++)
        sum += x[i + (c - channel) * plane] ** 2
      data[i] = x[i] / (bias + (alpha / size) * sum) ** beta
    }
    return [{ type, shape, data }]
  },
}
