/**
 * Functions of one element, and sums and products of two tensors under numpy broadcasting. Computed in double and rounded
 * once at the output; integer tensors wrap as their types do.
 */
import type { AttributeSchema, EvaluateContext, InferContext, Operator } from '../operator.ts'
import { allocate, type ElementType, elementBytes, elementCount, type Tensor, type TypedArray } from '../tensor.ts'
import { floatResult, isFloat, numberAttribute, numbersOf, operand, refuse } from './context.ts'
import { broadcastShapes, broadcastStrides, copyStrided, rowMajorStrides } from './layout.ts'

/** An operator that applies one function to every element of its only input. */
function unary(
  name: string,
  since: readonly number[],
  attributes: Readonly<Record<string, AttributeSchema>>,
  make: (attributes: EvaluateContext['attributes']) => (value: number) => number,
  integers = false,
): Operator {
  return {
    name,
    since,
    inputs: [1, 1],
    outputs: [1, 1],
    attributes,
    integer: 'table',
    infer: (context) => {
      const { type, shape } = operand(context, 0)
      return [{ type: integers && !isFloat(type) ? type : floatResult(context), shape }]
    },
    evaluate: ({ node, inputs, attributes: given, outputs }) => {
      const x = numbersOf(inputs[0], node)
      const [{ type, shape }] = outputs
      const apply = make(given)
      const data = allocate(type, x.length)
      for (let i = 0; i < x.length; i++) data[i] = apply(x[i])
      return [{ type, shape, data }]
    },
  }
}

/** ONNX Relu. */
export const relu: Operator = unary('Relu', [6, 13, 14], {}, () => (x) => Math.max(0, x), true)

/** ONNX Sigmoid. */
export const sigmoid: Operator = unary('Sigmoid', [6, 13], {}, () => (x) => 1 / (1 + Math.exp(-x)))

/** ONNX Tanh. */
export const tanh: Operator = unary('Tanh', [6, 13], {}, () => Math.tanh)

/** ONNX LeakyRelu. */
export const leakyRelu: Operator = unary(
  'LeakyRelu',
  [6, 16],
  { alpha: { kind: 'float', default: Math.fround(0.01) } },
  (attributes) => {
    const alpha = numberAttribute(attributes, 'alpha')
    return (x) => (x < 0 ? alpha * x : x)
  },
)

/** ONNX HardSigmoid. */
export const hardSigmoid: Operator = unary(
  'HardSigmoid',
  [6, 22],
  { alpha: { kind: 'float', default: Math.fround(0.2) }, beta: { kind: 'float', default: 0.5 } },
  (attributes) => {
    const alpha = numberAttribute(attributes, 'alpha')
    const beta = numberAttribute(attributes, 'beta')
    return (x) => Math.max(0, Math.min(1, alpha * x + beta))
  },
)

/** ONNX HardSwish. */
export const hardSwish: Operator = unary(
  'HardSwish',
  [14, 22],
  {},
  () => (x) => x * Math.max(0, Math.min(1, x / 6 + 0.5)),
)

/** ONNX Clip: min and max are scalar inputs; with min > max everything becomes max. */
export const clip: Operator = {
  name: 'Clip',
  since: [6, 11, 12, 13],
  inputs: [1, 3],
  outputs: [1, 1],
  attributes: {},
  integer: 'table',
  infer: (context) => {
    const { type, shape } = operand(context, 0)
    for (const bound of context.inputs.slice(1))
      if (bound !== undefined && elementCount(bound.shape) !== 1)
        refuse(context.node, `a bound of Clip has shape [${bound.shape}]; a scalar is needed`)
    return [{ type: isFloat(type) ? floatResult(context) : type, shape }]
  },
  evaluate: ({ node, inputs, outputs }) => {
    const [x, low, high] = inputs
    const values = numbersOf(x, node)
    const least = low ? numbersOf(low, node)[0] : -Infinity
    const most = high ? numbersOf(high, node)[0] : Infinity
    const [{ type, shape }] = outputs
    const data = allocate(type, values.length)
    for (let i = 0; i < values.length; i++) data[i] = Math.min(most, Math.max(least, values[i]))
    return [{ type, shape, data }]
  },
}

function broadcast(context: InferContext): number[] {
  const a = operand(context, 0).shape
  const b = operand(context, 1).shape
  return broadcastShapes(a, b) ?? refuse(context.node, `shapes [${a}] and [${b}] do not broadcast`)
}

function commonType(context: InferContext): ElementType {
  const a = operand(context, 0).type
  const b = operand(context, 1).type
  if (isFloat(a) && isFloat(b)) return floatResult(context)
  if (a !== b || a === 'bool') refuse(context.node, `types ${a} and ${b} cannot be combined`)
  return a
}

/** The operand's elements repeated to the output's shape. */
function expanded(tensor: Tensor, shape: readonly number[]): TypedArray {
  const data = allocate(tensor.type, elementCount(shape))
  copyStrided(
    shape,
    { data: tensor.data, offset: 0, strides: broadcastStrides(tensor.shape, shape) },
    { data, offset: 0, strides: rowMajorStrides(shape) },
  )
  return data
}

function binary(
  name: string,
  since: readonly number[],
  integer: Operator['integer'],
  floats: (a: number, b: number) => number,
  integers: (a: bigint, b: bigint) => bigint,
): Operator {
  return {
    name,
    since,
    inputs: [2, 2],
    outputs: [1, 1],
    attributes: {},
    integer,
    infer: (context) => [{ type: commonType(context), shape: broadcast(context) }],
    evaluate: ({ inputs, outputs }) => {
      const [{ type, shape }] = outputs
      const a = expanded(inputs[0]!, shape)
      const b = expanded(inputs[1]!, shape)
      const data = allocate(type, a.length)
      if (isFloat(type)) for (let i = 0; i < a.length; i++) data[i] = floats(a[i] as number, b[i] as number)
      else
        for (let i = 0; i < a.length; i++) {
          // Wrapped to the type's width as a bigint: a 64-bit product is not exact as a double.
          const value = BigInt.asIntN(8 * elementBytes(type), integers(BigInt(a[i]), BigInt(b[i])))
          if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[i] = value
          else data[i] = Number(value)
        }
      return [{ type, shape, data }]
    },
  }
}

/** ONNX Add. */
export const add: Operator = binary(
  'Add',
  [7, 13, 14],
  'sum',
  (a, b) => a + b,
  (a, b) => a + b,
)

/** ONNX Mul. Per-channel constants are folded into convolutions; a product of two tensors has no integer meaning yet. */
export const mul: Operator = binary(
  'Mul',
  [7, 13, 14],
  'none',
  (a, b) => a * b,
  (a, b) => a * b,
)
