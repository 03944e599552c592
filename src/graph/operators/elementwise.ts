/**
 * Functions of one element: arithmetic, and activations of straight pieces. Computed in double and rounded once at the
 * output. Smooth activations stand in activation.ts.
 */
import { isInteger, storeInteger, wrapInteger } from '../element-conversion.ts'
import type { AttributeSchema, EvaluateContext, Operator } from '../operator.ts'
import { allocate, elementCount } from '../tensor.ts'
import { floatResult, isFloat, numberAttribute, numbersOf, operand, refuse } from './context.ts'

/** An operator that applies one function to every element of its only input; `integers` is its exact form for integers. */
export function unary(
  name: string,
  since: readonly number[],
  attributes: Readonly<Record<string, AttributeSchema>>,
  make: (attributes: EvaluateContext['attributes']) => (value: number) => number,
  integers?: (value: bigint) => bigint,
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
      return [{ type: integers && isInteger(type) ? type : floatResult(context), shape }]
    },
    evaluate: ({ node, inputs, attributes: given, outputs }) => {
      const [{ type, shape }] = outputs
      const apply = make(given)
      const from = inputs[0]!.data
      const data = allocate(type, from.length)
      if (integers && isInteger(type))
        for (let i = 0; i < from.length; i++) storeInteger(data, i, wrapInteger(type, integers(BigInt(from[i]))))
      else {
        const x = numbersOf(inputs[0], node)
        for (let i = 0; i < x.length; i++) data[i] = apply(x[i])
      }
      return [{ type, shape, data }]
    },
  }
}

/** ONNX Relu. */
export const relu: Operator = unary(
  'Relu',
  [6, 13, 14],
  {},
  () => (x) => Math.max(0, x),
  (x) => (x > 0n ? x : 0n),
)

/** ONNX Neg, of floats and of integers. */
export const neg: Operator = unary(
  'Neg',
  [6, 13],
  {},
  () => (x) => -x,
  (x) => -x,
)

/** ONNX Abs, of floats and of integers. */
export const abs: Operator = unary(
  'Abs',
  [6, 13],
  {},
  () => Math.abs,
  (x) => (x < 0n ? -x : x),
)

/** ONNX Sign, of floats and of integers; 0 for zeros of either sign. */
export const sign: Operator = unary(
  'Sign',
  [9, 13],
  {},
  () => (x) => Math.sign(x) + 0,
  (x) => (x > 0n ? 1n : x < 0n ? -1n : 0n),
)

/** ONNX Floor. */
export const floor: Operator = unary('Floor', [6, 13], {}, () => Math.floor)

/** ONNX Ceil. */
export const ceil: Operator = unary('Ceil', [6, 13], {}, () => Math.ceil)

/** ONNX Round: to the nearest integer, halves to the even one. */
export const round: Operator = unary('Round', [11, 22], {}, () => (x) => {
  const below = Math.floor(x)
  const nearest = Math.round(x)
  return x - below === 0.5 && nearest % 2 !== 0 ? below : nearest
})

/** ONNX Reciprocal. */
export const reciprocal: Operator = unary('Reciprocal', [6, 13], {}, () => (x) => 1 / x)

/** ONNX Sqrt. */
export const sqrt: Operator = unary('Sqrt', [6, 13], {}, () => Math.sqrt)

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

/** ONNX ThresholdedRelu: x above alpha, 0 up to it. */
export const thresholdedRelu: Operator = unary(
  'ThresholdedRelu',
  [10, 22],
  { alpha: { kind: 'float', default: 1 } },
  (attributes) => {
    const alpha = numberAttribute(attributes, 'alpha')
    return (x) => (x > alpha ? x : 0)
  },
)

/** ONNX Shrink: x ∓ bias outside −lambd … lambd, 0 inside. */
export const shrink: Operator = unary(
  'Shrink',
  [9],
  { bias: { kind: 'float', default: 0 }, lambd: { kind: 'float', default: 0.5 } },
  (attributes) => {
    const bias = numberAttribute(attributes, 'bias')
    const limit = numberAttribute(attributes, 'lambd')
    return (x) => (x < -limit ? x + bias : x > limit ? x - bias : 0)
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
    for (const bound of context.inputs.slice(1)) {
      if (bound === undefined) continue
      if (elementCount(bound.shape) !== 1)
        refuse(context.node, `a bound of Clip has shape [${bound.shape}]; a scalar is needed`)
      if (bound.type !== type && !(isFloat(bound.type) && isFloat(type)))
        refuse(context.node, `a bound of Clip has type ${bound.type}, its input ${type}`)
    }
    return [{ type: isFloat(type) ? floatResult(context) : type, shape }]
  },
  evaluate: ({ inputs, outputs }) => {
    const [x, low, high] = inputs
    const values = x!.data
    const least = low?.data[0]
    const most = high?.data[0]
    const [{ type, shape }] = outputs
    const data = allocate(type, values.length)
    for (let i = 0; i < values.length; i++) {
      const raised = least !== undefined && values[i] < least ? least : values[i]
      data[i] = most !== undefined && raised > most ? most : raised
    }
    return [{ type, shape, data }]
  },
}
