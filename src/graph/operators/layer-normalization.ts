/**
 * Normalisation of each sample over its last axes: LayerNormalization (mean and variance) and RMSNormalization (mean square
 * only). Sums in double, rounded once at the output. Source: onnx/docs/Operators.md.
 */
import type { EvaluateContext, InferContext, Operator } from '../operator.ts'
import { allocate, elementCount, type Tensor } from '../tensor.ts'
import { floatResult, numberAttribute, numbersOf, operand, refuse } from './context.ts'
import { broadcastShapes, broadcastStrides, normalizeAxis } from './layout.ts'

const ATTRIBUTES: Operator['attributes'] = {
  axis: { kind: 'int', default: -1 },
  epsilon: { kind: 'float', default: Math.fround(1e-5) },
  stash_type: { kind: 'int', default: 1 },
}

/** The first normalised axis. Throws `refused` where a parameter does not broadcast to the normalised axes. */
function firstAxis(context: InferContext): number {
  const { shape } = operand(context, 0)
  const axis = normalizeAxis(numberAttribute(context.attributes, 'axis'), shape.length, context.node)
  const normalised = shape.slice(axis)
  context.inputs.slice(1).forEach((parameter, index) => {
    if (parameter === undefined) return
    if (String(broadcastShapes(parameter.shape, normalised)) !== String(normalised))
      refuse(
        context.node,
        `parameter ${index + 1} of shape [${parameter.shape}] does not fit the normalised axes [${normalised}]`,
      )
  })
  return axis
}

/** A parameter's index for each element of the normalised axes. */
function parameterIndex(parameter: Tensor, normalised: readonly number[]): Int32Array {
  const index = new Int32Array(elementCount(normalised))
  const strides = broadcastStrides(parameter.shape, normalised)
  let written = 0
  const visit = (axis: number, at: number): void => {
    if (axis === normalised.length) index[written++] = at
    else for (let i = 0; i < normalised[axis]; i++) visit(axis + 1, at + i * strides[axis])
  }
  visit(0, 0)
  return index
}

/** Y, the centres and the inverse deviations of all rows; `centred` says whether the mean is taken away. */
function normalise({ node, inputs, attributes, outputs }: EvaluateContext, centred: boolean): Tensor[] {
  const x = numbersOf(inputs[0], node)
  const [{ type, shape }] = outputs
  const axis = normalizeAxis(numberAttribute(attributes, 'axis'), shape.length, node)
  const normalised = shape.slice(axis)
  const size = elementCount(normalised)
  const rows = x.length / size
  const [scale, shift] = [1, 2].map((i) => inputs[i] && numbersOf(inputs[i], node))
  const [scaleAt, shiftAt] = [1, 2].map((i) => inputs[i] && parameterIndex(inputs[i], normalised))
  const epsilon = numberAttribute(attributes, 'epsilon')
  const data = allocate(type, x.length)
  const kept = shape.map((own, i) => (i < axis ? own : 1))
  const means = allocate('float32', rows)
  const inverses = allocate('float32', rows)
  for (let row = 0; row < rows; row++) {
    const start = row * size
    let sum = 0
    for (let i = 0; centred && i < size; i++) sum += x[start + i]
    const mean = sum / size
    let squares = 0
    for (let i = 0; i < size; i++) squares += (x[start + i] - mean) ** 2
    const inverse = 1 / Math.sqrt(squares / size + epsilon)
    for (let i = 0; i < size; i++)
      data[start + i] =
        (x[start + i] - mean) * inverse * (scale ? scale[scaleAt![i]] : 1) + (shift ? shift[shiftAt![i]] : 0)
    means[row] = mean
    inverses[row] = inverse
  }
  return [
    { type, shape, data },
    { type: 'float32', shape: kept, data: means },
    { type: 'float32', shape: kept, data: inverses },
  ]
}

/** ONNX LayerNormalization: (x − mean) / √(variance + epsilon) · scale + bias over the axes from `axis` on. */
export const layerNormalization: Operator = {
  name: 'LayerNormalization',
  since: [17],
  inputs: [2, 3],
  outputs: [1, 3],
  attributes: ATTRIBUTES,
  integer: 'normalize',
  infer: (context) => {
    const { shape } = operand(context, 0)
    const axis = firstAxis(context)
    const kept = shape.map((size, i) => (i < axis ? size : 1))
    return [
      { type: floatResult(context), shape },
      { type: 'float32', shape: kept },
      { type: 'float32', shape: kept },
    ]
  },
  evaluate: (context) => normalise(context, true),
}

/** ONNX RMSNormalization: x / √(mean(x²) + epsilon) · scale over the axes from `axis` on. */
export const rmsNormalization: Operator = {
  name: 'RMSNormalization',
  since: [23],
  inputs: [2, 2],
  outputs: [1, 1],
  attributes: ATTRIBUTES,
  integer: 'normalize',
  infer: (context) => {
    firstAxis(context)
    return [{ type: floatResult(context), shape: operand(context, 0).shape }]
  },
  evaluate: (context) => normalise(context, false).slice(0, 1),
}
