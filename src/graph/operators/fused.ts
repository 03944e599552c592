/**
 * The fused forms that `fuse` makes and that plans, lowering and fast executors read. All but the product of two computed
 * matrices clip their result to [low, high] where given. Weights and bias are constants; nothing about windows is left
 * implicit.
 */
import type { AttributeValue } from '../graph.ts'
import type { AttributeSchema, Operator } from '../operator.ts'
import { allocate, elementCount } from '../tensor.ts'
import { floatResult, numberAttribute, numbersOf, operand, optionalNumber, refuse } from './context.ts'
import { convolutionMacs, convolutionShape, convolutionWindow, convolve } from './convolution.ts'
import { dot, matMul } from './linear.ts'

const BOUNDS: Readonly<Record<string, AttributeSchema>> = { low: { kind: 'float' }, high: { kind: 'float' } }

/** The clip of a fused node; an absent bound is infinite. A result above `high` wins over `low`, as in ONNX Clip. */
function bounded(attributes: ReadonlyMap<string, AttributeValue>): (value: number) => number {
  const low = optionalNumber(attributes, 'low') ?? -Infinity
  const high = optionalNumber(attributes, 'high') ?? Infinity
  return (value) => Math.min(high, Math.max(low, value))
}

/** clip(conv(x, w) + b + residual, low, high). Inputs x, w, b?, residual? (of the output's shape); x (N, C, S…). */
export const fusedConv: Operator = {
  name: 'dyadic.Conv',
  since: [1],
  inputs: [2, 4],
  outputs: [1, 1],
  attributes: {
    kernel_shape: { kind: 'ints', required: true },
    strides: { kind: 'ints', required: true },
    dilations: { kind: 'ints', required: true },
    pads: { kind: 'ints', required: true },
    group: { kind: 'int', required: true },
    ...BOUNDS,
  },
  integer: 'accumulate',
  infer: (context) => {
    const shape = convolutionShape(context)
    const residual = context.inputs[3]?.shape
    if (residual !== undefined && String(residual) !== String(shape))
      refuse(context.node, `residual of shape [${residual}] does not match the output shape [${shape}]`)
    return [{ type: floatResult(context), shape }]
  },
  evaluate: ({ node, inputs, attributes, outputs }) => {
    const [x, w, b, r] = inputs
    const values = numbersOf(x, node)
    const weights = numbersOf(w, node)
    const bias = b && numbersOf(b, node)
    const residual = r && numbersOf(r, node)
    const window = convolutionWindow(node, attributes, x!.shape, w!.shape)
    const sums = convolve(values, x!.shape, weights, w!.shape, numberAttribute(attributes, 'group'), window)
    const [{ type, shape }] = outputs
    const clip = bounded(attributes)
    const positions = elementCount(window.output)
    const data = allocate(type, sums.length)
    for (let i = 0; i < sums.length; i++) {
      const channel = Math.floor(i / positions) % shape[1]
      data[i] = clip(sums[i] + (bias ? bias[channel] : 0) + (residual ? residual[i] : 0))
    }
    return [{ type, shape, data }]
  },
  macs: convolutionMacs,
}

/** clip(x · wᵀ + b + residual, low, high). Inputs x (…, K), w (M, K), b? (M), residual? (of the output's shape); output (…, M). */
export const fusedDense: Operator = {
  name: 'dyadic.Dense',
  since: [1],
  inputs: [2, 4],
  outputs: [1, 1],
  attributes: BOUNDS,
  integer: 'accumulate',
  infer: (context) => {
    const x = operand(context, 0).shape
    const w = operand(context, 1).shape
    const b = context.inputs[2]?.shape
    const residual = context.inputs[3]?.shape
    if (x.length < 2 || w.length !== 2 || x.at(-1) !== w[1])
      refuse(context.node, `input of shape [${x}] does not match weights of shape [${w}] (output × input)`)
    if (b !== undefined && (b.length !== 1 || b[0] !== w[0]))
      refuse(context.node, `bias of shape [${b}] is not [${w[0]}]`)
    const shape = [...x.slice(0, -1), w[0]]
    if (residual !== undefined && String(residual) !== String(shape))
      refuse(context.node, `residual of shape [${residual}] does not match the output shape [${shape}]`)
    return [{ type: floatResult(context), shape }]
  },
  evaluate: ({ node, inputs, attributes, outputs }) => {
    const x = numbersOf(inputs[0], node)
    const w = numbersOf(inputs[1], node)
    const bias = inputs[2] && numbersOf(inputs[2], node)
    const residual = inputs[3] && numbersOf(inputs[3], node)
    const [{ type, shape }] = outputs
    const [columns, depth] = inputs[1]!.shape
    const clip = bounded(attributes)
    const data = allocate(type, elementCount(shape))
    for (let i = 0; i < data.length; i++) {
      const m = i % columns
      const sum = dot(x, ((i - m) / columns) * depth, 1, w, m * depth, 1, depth)
      data[i] = clip(sum + (bias ? bias[m] : 0) + (residual ? residual[i] : 0))
    }
    return [{ type, shape, data }]
  },
  macs: (context, outputs) => elementCount(outputs[0].shape) * operand(context, 1).shape[1],
}

/** factor · (a · b): matrices and batches as MatMul has them. */
export const fusedMatMul: Operator = {
  ...matMul,
  name: 'dyadic.MatMul',
  since: [1],
  attributes: { factor: { kind: 'float', default: 1 } },
  integer: 'matrix-product',
  evaluate: (context) => {
    const [{ type, shape }] = context.outputs
    const [{ data: sums }] = matMul.evaluate({ ...context, outputs: [{ type: 'float64', shape }] })
    const factor = numberAttribute(context.attributes, 'factor')
    const data = allocate(type, sums.length)
    for (let i = 0; i < data.length; i++) data[i] = (sums[i] as number) * factor
    return [{ type, shape, data }]
  },
}

/** clip(a + b, low, high) of two tensors of one shape. */
export const fusedAdd: Operator = {
  name: 'dyadic.Add',
  since: [1],
  inputs: [2, 2],
  outputs: [1, 1],
  attributes: BOUNDS,
  integer: 'sum',
  infer: (context) => {
    const a = operand(context, 0).shape
    const b = operand(context, 1).shape
    if (String(a) !== String(b)) refuse(context.node, `operands have different shapes, [${a}] and [${b}]`)
    return [{ type: floatResult(context), shape: a }]
  },
  evaluate: ({ node, inputs, attributes, outputs }) => {
    const a = numbersOf(inputs[0], node)
    const b = numbersOf(inputs[1], node)
    const [{ type, shape }] = outputs
    const clip = bounded(attributes)
    const data = allocate(type, a.length)
    for (let i = 0; i < a.length; i++) data[i] = clip(a[i] + b[i])
    return [{ type, shape, data }]
  },
}
