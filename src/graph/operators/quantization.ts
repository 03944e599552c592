/**
 * QuantizeLinear and DequantizeLinear, per tensor or per axis, to and from 8- and 16-bit integers (and int32 where ONNX
 * allows it). Quantising divides in float32, rounds half to even, adds the zero point and saturates, as ONNX Runtime does.
 */
import { DyadicError, quoted } from '../../error.ts'
import { roundHalfEven } from '../../num/dyadic.ts'
import type { AttributeSchema, InferContext, Operator } from '../operator.ts'
import { allocate, type ElementType, elementCount, type Tensor } from '../tensor.ts'
import { isFloat, numberAttribute, numbersOf, operand, refuse, unsupported } from './context.ts'
import { normalizeAxis } from './layout.ts'

const RANGES: ReadonlyMap<ElementType, readonly [number, number]> = new Map([
  ['int8', [-128, 127]],
  ['uint8', [0, 255]],
  ['int16', [-32768, 32767]],
  ['uint16', [0, 65535]],
  ['int32', [-(2 ** 31), 2 ** 31 - 1]],
])

/** ONNX `TensorProto.DataType` numbers of the types above, for `output_dtype`. */
const TYPE_NUMBERS: ReadonlyMap<number, ElementType> = new Map([
  [2, 'uint8'],
  [3, 'int8'],
  [4, 'uint16'],
  [5, 'int16'],
  [6, 'int32'],
])

const ATTRIBUTES: Readonly<Record<string, AttributeSchema>> = {
  axis: { kind: 'int', default: 1 },
  block_size: { kind: 'int', default: 0 },
  output_dtype: { kind: 'int', default: 0 },
}

/** Checks scale and zero point against x; per-axis ones must have the axis' size. */
function checkParameters(context: InferContext): void {
  const { node, attributes } = context
  const x = operand(context, 0).shape
  const scale = operand(context, 1)
  const zero = context.inputs[2]
  if (!isFloat(scale.type)) refuse(node, `the scale has type ${scale.type}; a float is needed`)
  if (numberAttribute(attributes, 'block_size') !== 0)
    unsupported(node, 'blocked quantisation (block_size) is not done')
  if (
    zero !== undefined &&
    String(zero.shape) !== String(scale.shape) &&
    elementCount(zero.shape) !== elementCount(scale.shape)
  )
    refuse(node, `zero point of shape [${zero.shape}] does not match a scale of shape [${scale.shape}]`)
  if (elementCount(scale.shape) === 1) return
  if (scale.shape.length !== 1) unsupported(node, `a scale of shape [${scale.shape}]; one number or a vector is needed`)
  const axis = normalizeAxis(numberAttribute(attributes, 'axis'), x.length, node)
  if (scale.shape[0] !== x[axis]) refuse(node, `${scale.shape[0]} scales for axis ${axis} of shape [${x}]`)
}

/** Index of the scale that belongs to an element. */
function scaleIndex(x: Tensor, scale: Tensor, axis: number, node: string): (element: number) => number {
  const count = elementCount(scale.shape)
  if (count === 1) return () => 0
  const inner = elementCount(x.shape.slice(normalizeAxis(axis, x.shape.length, node) + 1))
  return (element) => Math.floor(element / inner) % count
}

/** ONNX QuantizeLinear. */
export const quantizeLinear: Operator = {
  name: 'QuantizeLinear',
  since: [10, 13, 19, 21, 23],
  inputs: [2, 3],
  outputs: [1, 1],
  attributes: { ...ATTRIBUTES, precision: { kind: 'int', default: 0 }, saturate: { kind: 'int', default: 1 } },
  integer: 'boundary',
  infer: (context) => {
    checkParameters(context)
    const x = operand(context, 0)
    if (!isFloat(x.type)) refuse(context.node, `QuantizeLinear of ${x.type}; a float tensor is needed`)
    const wanted = numberAttribute(context.attributes, 'output_dtype')
    const given = context.inputs[2]?.type
    const type = given ?? (wanted === 0 ? 'uint8' : TYPE_NUMBERS.get(wanted))
    if (type === undefined || !RANGES.has(type))
      unsupported(context.node, `QuantizeLinear to ${given ?? `data type ${wanted}`} is not done`)
    if (wanted !== 0 && TYPE_NUMBERS.get(wanted) !== type)
      refuse(context.node, `output_dtype ${wanted} contradicts a zero point of type ${type}`)
    return [{ type, shape: x.shape }]
  },
  evaluate: ({ node, inputs, attributes, outputs }) => {
    const [x, scale, zero] = inputs
    const values = numbersOf(x, node)
    const scales = numbersOf(scale, node)
    const zeros = zero && numbersOf(zero, node)
    const [{ type, shape }] = outputs
    const [least, most] = RANGES.get(type)!
    const at = scaleIndex(x!, scale!, numberAttribute(attributes, 'axis'), node)
    const data = allocate(type, values.length)
    for (let i = 0; i < values.length; i++) {
      const s = at(i)
      const quotient = Math.fround(Math.fround(values[i]) / Math.fround(scales[s]))
      if (Number.isNaN(quotient)) throw new DyadicError('refused', `node ${quoted(node)}: element ${i} is not a number`)
      data[i] = Math.min(most, Math.max(least, roundHalfEven(quotient) + (zeros ? zeros[s] : 0)))
    }
    return [{ type, shape, data }]
  },
}

/** ONNX DequantizeLinear: (x − zero point) · scale, in the scale's type. */
export const dequantizeLinear: Operator = {
  name: 'DequantizeLinear',
  since: [10, 13, 19, 21, 23],
  inputs: [2, 3],
  outputs: [1, 1],
  attributes: ATTRIBUTES,
  integer: 'boundary',
  infer: (context) => {
    checkParameters(context)
    const x = operand(context, 0)
    const zero = context.inputs[2]
    if (!RANGES.has(x.type)) unsupported(context.node, `DequantizeLinear of ${x.type} is not done`)
    if (zero !== undefined && zero.type !== x.type)
      refuse(context.node, `zero point of type ${zero.type} for elements of type ${x.type}`)
    return [{ type: operand(context, 1).type, shape: x.shape }]
  },
  evaluate: ({ node, inputs, attributes, outputs }) => {
    const [x, scale, zero] = inputs
    const values = numbersOf(x, node)
    const scales = numbersOf(scale, node)
    const zeros = zero && numbersOf(zero, node)
    const [{ type, shape }] = outputs
    const at = scaleIndex(x!, scale!, numberAttribute(attributes, 'axis'), node)
    const data = allocate(type, values.length)
    for (let i = 0; i < values.length; i++) {
      const s = at(i)
      const difference = values[i] - (zeros ? zeros[s] : 0)
      data[i] = (type === 'float32' ? Math.fround(difference) : difference) * scales[s]
    }
    return [{ type, shape, data }]
  },
}
