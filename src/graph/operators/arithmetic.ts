/**
 * Functions of two or more tensors under numpy broadcasting: sums, products, quotients, powers, extremes and PRelu. Floats
 * are computed in double and rounded once at the output; integers are exact and wrap as their types do.
 */
import { power } from '../../num/elementary.ts'
import type { InferContext, Operator } from '../operator.ts'
import { allocate, type ElementType, elementBytes, elementCount, type Tensor, type TypedArray } from '../tensor.ts'
import { floatResult, isFloat, operand, refuse, unsupported } from './context.ts'
import { broadcastShapes, broadcastStrides, copyStrided, rowMajorStrides } from './layout.ts'

function broadcast(context: InferContext): number[] {
  return context.inputs.reduce<number[]>((shape, _, index) => {
    const own = operand(context, index).shape
    return broadcastShapes(shape, own) ?? refuse(context.node, `shapes [${shape}] and [${own}] do not broadcast`)
  }, [])
}

function commonType(context: InferContext): ElementType {
  const { type } = operand(context, 0)
  if (context.inputs.every((_, index) => isFloat(operand(context, index).type))) return floatResult(context)
  const other = context.inputs.findIndex((input) => input?.type !== type)
  if (other >= 0) refuse(context.node, `types ${type} and ${operand(context, other).type} cannot be combined`)
  if (type === 'bool') refuse(context.node, 'booleans cannot be combined by arithmetic')
  return type
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

interface Meaning {
  readonly floats: (a: number, b: number) => number
  /** Exact; the result is wrapped to the type's width. Throws `RangeError` where there is none. */
  readonly integers: (a: bigint, b: bigint) => bigint
}

/** Combines the inputs from left to right. */
function combining(
  name: string,
  since: readonly number[],
  inputs: readonly [number, number],
  integer: Operator['integer'],
  { floats, integers }: Meaning,
): Operator {
  return {
    name,
    since,
    inputs,
    outputs: [1, 1],
    attributes: {},
    integer,
    infer: (context) => [{ type: commonType(context), shape: broadcast(context) }],
    evaluate: ({ node, inputs: given, outputs }) => {
      const [{ type, shape }] = outputs
      const bits = 8 * elementBytes(type)
      const wrap = type.startsWith('u') ? BigInt.asUintN : BigInt.asIntN
      const combine = (a: TypedArray, b: TypedArray): TypedArray => {
        const data = allocate(type, a.length)
        if (isFloat(type)) for (let i = 0; i < a.length; i++) data[i] = floats(a[i] as number, b[i] as number)
        else
          for (let i = 0; i < a.length; i++) {
            // By way of bigint: a 64-bit product is not exact as a double.
            const value = wrap(bits, integers(BigInt(a[i]), BigInt(b[i])))
            if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[i] = value
            else data[i] = Number(value)
          }
        return data
      }
      const operands = given.map((tensor) => expanded(tensor!, shape))
      try {
        const data = operands.slice(1).reduce(combine, operands[0] as TypedArray)
        return [{ type, shape, data }]
      } catch (error) {
        if (error instanceof RangeError) refuse(node, `${name} of these integers has no value: ${error.message}`)
        throw error
      }
    },
  }
}

/** ONNX Add. */
export const add: Operator = combining('Add', [7, 13, 14], [2, 2], 'sum', {
  floats: (a, b) => a + b,
  integers: (a, b) => a + b,
})

/** ONNX Sub. */
export const sub: Operator = combining('Sub', [7, 13, 14], [2, 2], 'sum', {
  floats: (a, b) => a - b,
  integers: (a, b) => a - b,
})

/** ONNX Mul. Per-channel constants after a convolution are folded into it. */
export const mul: Operator = combining('Mul', [7, 13, 14], [2, 2], 'product', {
  floats: (a, b) => a * b,
  integers: (a, b) => a * b,
})

/** ONNX Div; integers are divided towards zero, and a zero divisor is refused. `simplify` turns constant divisors into Mul. */
export const div: Operator = combining('Div', [7, 13, 14], [2, 2], 'none', {
  floats: (a, b) => a / b,
  integers: (a, b) => a / b,
})

/** ONNX Max of one tensor or more; a NaN wins. */
export const max: Operator = combining('Max', [6, 8, 12, 13], [1, Infinity], 'none', {
  floats: (a, b) => Math.max(a, b),
  integers: (a, b) => (a > b ? a : b),
})

/** ONNX Min of one tensor or more; a NaN wins. */
export const min: Operator = combining('Min', [6, 8, 12, 13], [1, Infinity], 'none', {
  floats: (a, b) => Math.min(a, b),
  integers: (a, b) => (a < b ? a : b),
})

/** ONNX Pow of a float base; the exponent may have any type. 1 to any power and anything to the power 0 are 1, as in C. */
export const pow: Operator = {
  name: 'Pow',
  since: [7, 12, 13, 15],
  inputs: [2, 2],
  outputs: [1, 1],
  attributes: {},
  integer: 'none',
  infer: (context) => {
    const { type } = operand(context, 0)
    if (!isFloat(type)) unsupported(context.node, `Pow of ${type} is not done; cast the base to float`)
    return [{ type: floatResult({ ...context, inputs: context.inputs.slice(0, 1) }), shape: broadcast(context) }]
  },
  evaluate: ({ inputs, outputs }) => {
    const [{ type, shape }] = outputs
    const base = expanded(inputs[0]!, shape)
    const exponent = expanded(inputs[1]!, shape)
    const data = allocate(type, base.length)
    for (let i = 0; i < base.length; i++) data[i] = power(base[i] as number, Number(exponent[i]))
    return [{ type, shape, data }]
  },
}

/** ONNX PRelu: x where x ≥ 0, slope · x below; the slope broadcasts to x. */
export const pRelu: Operator = {
  ...combining('PRelu', [7, 9, 16], [2, 2], 'rescale', {
    floats: (x, slope) => (x < 0 ? slope * x : x),
    integers: (x, slope) => (x < 0n ? slope * x : x),
  }),
  infer: (context) => {
    const { shape } = operand(context, 0)
    const slope = operand(context, 1).shape
    if (String(broadcastShapes(slope, shape)) !== String(shape))
      refuse(context.node, `the slope of shape [${slope}] does not broadcast to [${shape}]`)
    return [{ type: commonType(context), shape }]
  },
}
