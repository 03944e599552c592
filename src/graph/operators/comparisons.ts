/**
 * Comparisons, connectives and bits, under numpy broadcasting: Greater, Less and their OrEqual forms; And, Or, Xor; the
 * Bitwise operators and BitShift; IsNaN and IsInf. Exact for every type: 64-bit integers are compared as such.
 */
import { bitsOf, isInteger, storeInteger, wrapInteger } from '../element-conversion.ts'
import type { AttributeSchema, InferContext, Operator } from '../operator.ts'
import { allocate, type ElementType, type Tensor, type TypedArray } from '../tensor.ts'
import { commonShape, expanded } from './broadcast.ts'
import { isFloat, numberAttribute, numbersOf, operand, refuse, stringAttribute } from './context.ts'

/** Two operands of one type, which `allowed` accepts; the common shape. */
function pairShape(context: InferContext, allowed: (type: ElementType) => boolean): number[] {
  const [a, b] = [operand(context, 0).type, operand(context, 1).type]
  if (a !== b || !allowed(a)) refuse(context.node, `types ${a} and ${b} cannot be combined here`)
  return commonShape(context)
}

/** An operator on two broadcast operands; `combine` fills the output. */
function pairs(
  name: string,
  since: readonly number[],
  attributes: Readonly<Record<string, AttributeSchema>>,
  infer: Operator['infer'],
  combine: (
    a: TypedArray,
    b: TypedArray,
    out: TypedArray,
    type: ElementType,
    given: InferContext['attributes'],
  ) => void,
): Operator {
  return {
    name,
    since,
    inputs: [2, 2],
    outputs: [1, 1],
    attributes,
    integer: 'none',
    infer,
    evaluate: ({ inputs, attributes: given, outputs }) => {
      const [{ type, shape }] = outputs
      const [a, b] = inputs.map((input) => expanded(input as Tensor, shape))
      const data = allocate(type, a.length)
      combine(a, b, data, type, given)
      return [{ type, shape, data }]
    },
  }
}

/** A comparison; with a NaN every one is false. */
function comparison(
  name: string,
  since: readonly number[],
  holds: (a: number | bigint, b: number | bigint) => boolean,
) {
  const comparable = (type: ElementType) => type !== 'bool'
  return pairs(
    name,
    since,
    {},
    (context) => [{ type: 'bool', shape: pairShape(context, comparable) }],
    (a, b, out) => {
      for (let i = 0; i < out.length; i++) out[i] = holds(a[i], b[i]) ? 1 : 0
    },
  )
}

/** ONNX Greater. */
export const greater: Operator = comparison('Greater', [7, 9, 13], (a, b) => a > b)

/** ONNX GreaterOrEqual. */
export const greaterOrEqual: Operator = comparison('GreaterOrEqual', [12, 16], (a, b) => a >= b)

/** ONNX Less. */
export const less: Operator = comparison('Less', [7, 9, 13], (a, b) => a < b)

/** ONNX LessOrEqual. */
export const lessOrEqual: Operator = comparison('LessOrEqual', [12, 16], (a, b) => a <= b)

function connective(name: string, combine: (a: number, b: number) => number): Operator {
  return pairs(
    name,
    [7],
    {},
    (context) => [{ type: 'bool', shape: pairShape(context, (type) => type === 'bool') }],
    (a, b, out) => {
      for (let i = 0; i < out.length; i++) out[i] = combine(a[i] as number, b[i] as number)
    },
  )
}

/** ONNX And. */
export const and: Operator = connective('And', (a, b) => a & b)

/** ONNX Or. */
export const or: Operator = connective('Or', (a, b) => a | b)

/** ONNX Xor. */
export const xor: Operator = connective('Xor', (a, b) => a ^ b)

function bitwise(name: string, combine: (a: bigint, b: bigint) => bigint): Operator {
  return pairs(
    name,
    [18],
    {},
    (context) => [{ type: operand(context, 0).type, shape: pairShape(context, isInteger) }],
    (a, b, out, type) => {
      for (let i = 0; i < out.length; i++) storeInteger(out, i, wrapInteger(type, combine(BigInt(a[i]), BigInt(b[i]))))
    },
  )
}

/** ONNX BitwiseAnd. */
export const bitwiseAnd: Operator = bitwise('BitwiseAnd', (a, b) => a & b)

/** ONNX BitwiseOr. */
export const bitwiseOr: Operator = bitwise('BitwiseOr', (a, b) => a | b)

/** ONNX BitwiseXor. */
export const bitwiseXor: Operator = bitwise('BitwiseXor', (a, b) => a ^ b)

/** ONNX BitShift of unsigned integers. A shift by the type's width or more leaves 0. */
export const bitShift: Operator = pairs(
  'BitShift',
  [11],
  { direction: { kind: 'string', required: true } },
  (context) => {
    const direction = stringAttribute(context.attributes, 'direction')
    if (direction !== 'LEFT' && direction !== 'RIGHT') refuse(context.node, 'the direction is neither LEFT nor RIGHT')
    const unsigned = (type: ElementType) => type.startsWith('uint')
    return [{ type: operand(context, 0).type, shape: pairShape(context, unsigned) }]
  },
  (a, b, out, type, given) => {
    const left = stringAttribute(given, 'direction') === 'LEFT'
    const width = BigInt(bitsOf(type))
    for (let i = 0; i < out.length; i++) {
      const [value, count] = [BigInt(a[i]), BigInt(b[i])]
      const shifted = count >= width ? 0n : left ? value << count : value >> count
      storeInteger(out, i, wrapInteger(type, shifted))
    }
  },
)

/** An operator on one operand; the type rule may refuse. */
function single(
  name: string,
  since: readonly number[],
  attributes: Readonly<Record<string, AttributeSchema>>,
  resultType: (type: ElementType) => ElementType | undefined,
  fill: (x: Tensor, out: TypedArray, given: InferContext['attributes'], node: string) => void,
): Operator {
  return {
    name,
    since,
    inputs: [1, 1],
    outputs: [1, 1],
    attributes,
    integer: 'none',
    infer: (context) => {
      const { type, shape } = operand(context, 0)
      return [{ type: resultType(type) ?? refuse(context.node, `${name} of ${type} is not defined`), shape }]
    },
    evaluate: ({ node, inputs, attributes: given, outputs }) => {
      const [{ type, shape }] = outputs
      const data = allocate(type, inputs[0]!.data.length)
      fill(inputs[0]!, data, given, node)
      return [{ type, shape, data }]
    },
  }
}

/** ONNX BitwiseNot. */
export const bitwiseNot: Operator = single(
  'BitwiseNot',
  [18],
  {},
  (type) => (isInteger(type) ? type : undefined),
  ({ type, data }, out) => {
    for (let i = 0; i < out.length; i++) storeInteger(out, i, wrapInteger(type, ~BigInt(data[i])))
  },
)

/** True for floats, of any width. */
const isNumberWithNaN = (type: ElementType): boolean => isFloat(type) || type.startsWith('float8')

/** ONNX IsNaN. */
export const isNotNumber: Operator = single(
  'IsNaN',
  [9, 13, 20],
  {},
  (type) => (isNumberWithNaN(type) ? 'bool' : undefined),
  (x, out, _, node) => {
    const values = numbersOf(x, node)
    for (let i = 0; i < out.length; i++) out[i] = Number.isNaN(values[i]) ? 1 : 0
  },
)

/** ONNX IsInf; `detect_negative` and `detect_positive` say which infinities count. */
export const isInfinite: Operator = single(
  'IsInf',
  [10, 20],
  { detect_negative: { kind: 'int', default: 1 }, detect_positive: { kind: 'int', default: 1 } },
  (type) => (isNumberWithNaN(type) ? 'bool' : undefined),
  (x, out, given, node) => {
    const values = numbersOf(x, node)
    const negative = numberAttribute(given, 'detect_negative') !== 0
    const positive = numberAttribute(given, 'detect_positive') !== 0
    for (let i = 0; i < out.length; i++)
      out[i] = (negative && values[i] === -Infinity) || (positive && values[i] === Infinity) ? 1 : 0
  },
)
