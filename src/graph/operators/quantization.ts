/**
 * QuantizeLinear, DequantizeLinear and DynamicQuantizeLinear: to and from integers of 2 to 16 bits (and int32 where ONNX
 * allows it), float8 and float4; per tensor, per axis or in blocks along an axis. Quantising divides in the `precision`
 * of the node (float32, or float16), rounds half to even, adds the zero point and saturates, as ONNX Runtime does.
 */
import { roundHalfEven } from '../../num/dyadic.ts'
import { typeOfNumber } from '../data-type-numbers.ts'
import { integerRange, isInteger, roundToSmallFloat } from '../element-conversion.ts'
import type { AttributeSchema, InferContext, Operator } from '../operator.ts'
import { allocate, type ElementType, elementCount, type Tensor } from '../tensor.ts'
import { isFloat, numberAttribute, numbersOf, operand, refuse, unsupported } from './context.ts'
import { normalizeAxis } from './layout.ts'

const ATTRIBUTES: Readonly<Record<string, AttributeSchema>> = {
  axis: { kind: 'int', default: 1 },
  block_size: { kind: 'int', default: 0 },
  output_dtype: { kind: 'int', default: 0 },
}

/** Whether codes of a type are quantised numbers. */
function isQuantised(type: ElementType): boolean {
  return (isInteger(type) && !type.endsWith('64') && type !== 'uint32') || isSmall(type)
}

function isSmall(type: ElementType): boolean {
  return type === 'float4e2m1' || (type.startsWith('float8') && type !== 'float8e8m0')
}

/** Checks scale and zero point against x: one number, one per index of an axis, or one per block of it. */
function checkParameters(context: InferContext): void {
  const { node, attributes } = context
  const x = operand(context, 0).shape
  const scale = operand(context, 1)
  const zero = context.inputs[2]
  if (!isFloat(scale.type) && scale.type !== 'float8e8m0')
    refuse(node, `the scale has type ${scale.type}; a float is needed`)
  if (
    zero !== undefined &&
    String(zero.shape) !== String(scale.shape) &&
    (elementCount(zero.shape) !== elementCount(scale.shape) || scale.shape.length > 1)
  )
    refuse(node, `zero point of shape [${zero.shape}] does not match a scale of shape [${scale.shape}]`)
  const block = numberAttribute(attributes, 'block_size')
  if (block < 0) refuse(node, `block_size is ${block}`)
  if (block === 0 && elementCount(scale.shape) === 1) return
  const axis = normalizeAxis(numberAttribute(attributes, 'axis'), x.length, node)
  if (block > 0) {
    const blocked = x.map((size, i) => (i === axis ? Math.ceil(size / block) : size))
    if (String(blocked) !== String(scale.shape))
      refuse(
        node,
        `blocks of ${block} along axis ${axis} of [${x}] need scales of shape [${blocked}], not [${scale.shape}]`,
      )
    return
  }
  if (scale.shape.length !== 1) unsupported(node, `a scale of shape [${scale.shape}]; one number or a vector is needed`)
  if (scale.shape[0] !== x[axis]) refuse(node, `${scale.shape[0]} scales for axis ${axis} of shape [${x}]`)
}

/** Index of the scale that belongs to an element. */
function scaleIndex(
  x: Tensor,
  scale: Tensor,
  attributes: InferContext['attributes'],
  node: string,
): (element: number) => number {
  const count = elementCount(scale.shape)
  if (count === 1) return () => 0
  const axis = normalizeAxis(numberAttribute(attributes, 'axis'), x.shape.length, node)
  const inner = elementCount(x.shape.slice(axis + 1))
  const block = numberAttribute(attributes, 'block_size')
  if (block === 0) return (element) => Math.floor(element / inner) % count
  const [size, blocks] = [x.shape[axis], scale.shape[axis]]
  return (element) => {
    const outer = Math.floor(element / (inner * size))
    return (outer * blocks + Math.floor((Math.floor(element / inner) % size) / block)) * inner + (element % inner)
  }
}

/** The rounding of the division: that of float32, or of float16 where node or operands say so. */
function divisionRounding(precision: ElementType): (quotient: number) => number {
  if (precision === 'float16' || precision === 'bfloat16') return (quotient) => roundToSmallFloat(precision, quotient)
  return precision === 'float64' ? (quotient) => quotient : Math.fround
}

/** ONNX QuantizeLinear. */
export const quantizeLinear: Operator = {
  name: 'QuantizeLinear',
  since: [10, 13, 19, 21, 23, 24, 25],
  inputs: [2, 3],
  outputs: [1, 1],
  attributes: {
    ...ATTRIBUTES,
    precision: { kind: 'int', default: 0 },
    saturate: { kind: 'int', flag: true, default: 1 },
  },
  integer: 'boundary',
  infer: (context) => {
    checkParameters(context)
    const { node, attributes } = context
    const x = operand(context, 0)
    if (!isFloat(x.type) && x.type !== 'int32') refuse(node, `QuantizeLinear of ${x.type}; a float tensor is needed`)
    const precision = numberAttribute(attributes, 'precision')
    const exact = typeOfNumber(precision)
    if (precision !== 0 && (exact === undefined || !isFloat(exact))) refuse(node, `precision ${precision} is no float`)
    const wanted = numberAttribute(attributes, 'output_dtype')
    const given = context.inputs[2]?.type
    const type = given ?? (wanted === 0 ? 'uint8' : typeOfNumber(wanted))
    if (type === undefined || !isQuantised(type))
      unsupported(node, `QuantizeLinear to ${given ?? `data type ${wanted}`} is not done`)
    if (wanted !== 0 && typeOfNumber(wanted) !== type)
      refuse(node, `output_dtype ${wanted} contradicts a zero point of type ${type}`)
    return [{ type, shape: x.shape }]
  },
  evaluate: ({ node, inputs, attributes, outputs }) => {
    const [x, scale, zero] = inputs
    const values = numbersOf(x, node)
    const scales = numbersOf(scale, node)
    const zeros = zero && numbersOf(zero, node)
    const [{ type, shape }] = outputs
    const precision = typeOfNumber(numberAttribute(attributes, 'precision')) ?? 'float32'
    const rounded = divisionRounding(precision)
    const saturate = numberAttribute(attributes, 'saturate') !== 0
    const [least, most] = isInteger(type) ? integerRange(type).map(Number) : [0, 0]
    const at = scaleIndex(x!, scale!, attributes, node)
    const data = allocate(type, values.length)
    for (let i = 0; i < values.length; i++) {
      const s = at(i)
      const quotient = rounded(rounded(values[i]) / rounded(scales[s]))
      const offset = zeros ? zeros[s] : 0
      if (isInteger(type)) {
        if (Number.isNaN(quotient)) refuse(node, `element ${i} is not a number`)
        data[i] = Math.min(most, Math.max(least, roundHalfEven(quotient) + offset))
      } else data[i] = roundToSmallFloat(type, quotient + offset, { saturate })
    }
    return [{ type, shape, data }]
  },
}

/** ONNX DequantizeLinear: (x − zero point) · scale, in the scale's type or the one of `output_dtype`. */
export const dequantizeLinear: Operator = {
  name: 'DequantizeLinear',
  since: [10, 13, 19, 21, 23, 24, 25],
  inputs: [2, 3],
  outputs: [1, 1],
  attributes: ATTRIBUTES,
  integer: 'boundary',
  infer: (context) => {
    checkParameters(context)
    const { node, attributes } = context
    const x = operand(context, 0)
    const zero = context.inputs[2]
    if (!isQuantised(x.type)) unsupported(node, `DequantizeLinear of ${x.type} is not done`)
    if (zero !== undefined && zero.type !== x.type)
      refuse(node, `zero point of type ${zero.type} for elements of type ${x.type}`)
    const wanted = numberAttribute(attributes, 'output_dtype')
    const type = wanted === 0 ? operand(context, 1).type : typeOfNumber(wanted)
    if (type === undefined || !isFloat(type)) refuse(node, 'DequantizeLinear gives floats; its output type is none')
    return [{ type, shape: x.shape }]
  },
  evaluate: ({ node, inputs, attributes, outputs }) => {
    const [x, scale, zero] = inputs
    const values = numbersOf(x, node)
    const scales = numbersOf(scale, node)
    const zeros = zero && numbersOf(zero, node)
    const [{ type, shape }] = outputs
    const at = scaleIndex(x!, scale!, attributes, node)
    const data = allocate(type, values.length)
    for (let i = 0; i < values.length; i++) {
      const s = at(i)
      const difference = values[i] - (zeros ? zeros[s] : 0)
      data[i] = (type === 'float64' ? difference : Math.fround(difference)) * scales[s]
    }
    return [{ type, shape, data }]
  },
}

/**
 * ONNX DynamicQuantizeLinear: codes of 8 bits, and the scale and zero point that the numbers themselves give: their range
 * widened to hold 0. All in float32, as ONNX defines it.
 */
export const dynamicQuantizeLinear: Operator = {
  name: 'DynamicQuantizeLinear',
  since: [11],
  inputs: [1, 1],
  outputs: [1, 3],
  attributes: {},
  integer: 'none',
  infer: (context) => {
    const { type, shape } = operand(context, 0)
    if (type !== 'float32') refuse(context.node, `DynamicQuantizeLinear of ${type}; float32 is needed`)
    return [
      { type: 'uint8', shape },
      { type: 'float32', shape: [] },
      { type: 'uint8', shape: [] },
    ]
  },
  evaluate: ({ node, inputs }) => {
    const x = numbersOf(inputs[0], node)
    let [least, most] = [0, 0]
    for (let i = 0; i < x.length; i++) {
      if (!Number.isFinite(x[i])) refuse(node, `element ${i} is ${x[i]}, which no scale can hold`)
      least = Math.min(least, x[i])
      most = Math.max(most, x[i])
    }
    const range = Math.fround(most - least)
    // Nothing but zeros has no range; any scale keeps them, and 1 divides.
    const scale = range === 0 ? 1 : Math.fround(range / 255)
    const byte = (value: number): number => Math.min(255, Math.max(0, roundHalfEven(value)))
    const zero = byte(Math.fround(-least / scale))
    const data = Uint8Array.from(x, (value) => byte(roundHalfEven(Math.fround(value / scale)) + zero))
    return [
      { type: 'uint8', shape: inputs[0]!.shape, data },
      { type: 'float32', shape: [], data: Float32Array.of(scale) },
      { type: 'uint8', shape: [], data: Uint8Array.of(zero) },
    ]
  },
}
