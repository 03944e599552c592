/**
 * Functions of two or more tensors under numpy broadcasting: sums, products, quotients, powers, extremes and PRelu. Floats
 * are computed in double and rounded once at the output; integers are exact and wrap as their types do.
 */
import { power } from '../../num/elementary.ts'
import { isInteger, storeInteger, wrapInteger } from '../element-conversion.ts'
import type { AttributeSchema, InferContext, Operator } from '../operator.ts'
import { allocate, type ElementType, type TypedArray } from '../tensor.ts'
import { commonShape, expanded } from './broadcast.ts'
import { floatResult, isFloat, numberAttribute, operand, refuse } from './context.ts'
import { broadcastShapes } from './layout.ts'

function commonType(context: InferContext): ElementType {
  const { type } = operand(context, 0)
  if (context.inputs.every((_, index) => isFloat(operand(context, index).type))) return floatResult(context)
  const other = context.inputs.findIndex((input) => input?.type !== type)
  if (other >= 0) refuse(context.node, `types ${type} and ${operand(context, other).type} cannot be combined`)
  if (type === 'bool') refuse(context.node, 'booleans cannot be combined by arithmetic')
  return type
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
    infer: (context) => [{ type: commonType(context), shape: commonShape(context) }],
    evaluate: ({ node, inputs: given, outputs }) => {
      const [{ type, shape }] = outputs
      const combine = (a: TypedArray, b: TypedArray): TypedArray => {
        const data = allocate(type, a.length)
        if (isFloat(type)) for (let i = 0; i < a.length; i++) data[i] = floats(a[i] as number, b[i] as number)
        // By way of bigint: a 64-bit product is not exact as a double.
        else
          for (let i = 0; i < a.length; i++)
            storeInteger(data, i, wrapInteger(type, integers(BigInt(a[i]), BigInt(b[i]))))
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

/** ONNX Sum of one float tensor or more. */
export const sum: Operator = {
  ...combining('Sum', [6, 8, 13], [1, Infinity], 'none', { floats: (a, b) => a + b, integers: (a, b) => a + b }),
  infer: (context) => [{ type: floatResult(context), shape: commonShape(context) }],
}

/** ONNX Mean of one float tensor or more: the sum in double, divided and rounded once. */
export const mean: Operator = {
  ...sum,
  name: 'Mean',
  evaluate: ({ inputs, outputs }) => {
    const [{ type, shape }] = outputs
    const operands = inputs.map((tensor) => expanded(tensor!, shape))
    const data = allocate(type, operands[0].length)
    for (let i = 0; i < data.length; i++)
      data[i] = operands.reduce((total, values) => total + (values[i] as number), 0) / operands.length
    return [{ type, shape, data }]
  },
}

const FMOD: Readonly<Record<string, AttributeSchema>> = { fmod: { kind: 'int', flag: true, default: 0 } }

const floored = combining('Mod', [10, 13], [2, 2], 'none', {
  floats: (a, b) => a % b,
  integers: (a, b) => {
    const remainder = a % b
    return remainder !== 0n && remainder < 0n !== b < 0n ? remainder + b : remainder
  },
})

const truncated = combining('Mod', [10, 13], [2, 2], 'none', { floats: (a, b) => a % b, integers: (a, b) => a % b })

/**
 * ONNX Mod: the remainder with the divisor's sign (as in Python), or with `fmod` the dividend's (as in C). Floats need
 * `fmod`; a zero divisor of integers is refused.
 */
export const mod: Operator = {
  ...floored,
  attributes: FMOD,
  infer: (context) => {
    if (isFloat(operand(context, 0).type) && numberAttribute(context.attributes, 'fmod') === 0)
      refuse(context.node, 'Mod of floats needs the attribute fmod')
    return floored.infer(context)
  },
  evaluate: (context) => (numberAttribute(context.attributes, 'fmod') === 0 ? floored : truncated).evaluate(context),
}

/** base^exponent in the width of `type`, by squaring; towards zero for a negative exponent. */
function integerPower(type: ElementType, base: bigint, exponent: bigint): bigint {
  if (exponent < 0n) {
    return base === 1n || (base === -1n && exponent % 2n === 0n) ? 1n : base === -1n ? -1n : 0n
  }
  let result = 1n
  for (let factor = base, rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = wrapInteger(type, result * factor)
    factor = wrapInteger(type, factor * factor)
  }
  return result
}

/**
 * ONNX Pow in the base's type; the exponent may have any other. 1 to any power and anything to the power 0 are 1, as in
 * C. Integers to integer powers are exact and wrap; to float powers they are cut towards zero.
 */
export const pow: Operator = {
  name: 'Pow',
  since: [7, 12, 13, 15],
  inputs: [2, 2],
  outputs: [1, 1],
  attributes: {},
  integer: 'none',
  infer: (context) => {
    const { type } = operand(context, 0)
    if (!isFloat(type) && !isInteger(type)) refuse(context.node, `Pow of ${type} is not defined`)
    const floats = () => floatResult({ ...context, inputs: context.inputs.slice(0, 1) })
    return [{ type: isFloat(type) ? floats() : type, shape: commonShape(context) }]
  },
  evaluate: ({ node, inputs, outputs }) => {
    const [{ type, shape }] = outputs
    const base = expanded(inputs[0]!, shape)
    const exponent = expanded(inputs[1]!, shape)
    const data = allocate(type, base.length)
    const real = (i: number): number => power(Number(base[i]), Number(exponent[i]))
    for (let i = 0; i < base.length; i++) {
      if (isFloat(type)) data[i] = real(i)
      else if (isInteger(inputs[1]!.type)) {
        if (BigInt(base[i]) === 0n && exponent[i] < 0) refuse(node, 'Pow of 0 to a negative power has no value')
        storeInteger(data, i, integerPower(type, BigInt(base[i]), BigInt(exponent[i])))
      } else {
        const result = real(i)
        if (!Number.isFinite(result))
          refuse(node, `${base[i]} to the power ${exponent[i]} has no value of type ${type}`)
        storeInteger(data, i, wrapInteger(type, BigInt(Math.trunc(result))))
      }
    }
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
