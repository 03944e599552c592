/**
 * Conversions between element types: Cast, CastLike and BitCast. Floats round to nearest, fractions are cut towards zero,
 * integers wrap, narrow floats saturate or not as the node says. NaN and infinities to an integer, which ONNX leaves
 * undefined, are refused.
 */
import { typeOfNumber } from '../data-type-numbers.ts'
import {
  bitsOf,
  type ConversionOptions,
  codeOf,
  convertElement,
  elementOfCode,
  smallFloatFormat,
} from '../element-conversion.ts'
import type { AttributeSchema, InferContext, Operator } from '../operator.ts'
import { allocate, type ElementType, type Tensor, type TypedArray } from '../tensor.ts'
import { isFloat, numberAttribute, operand, refuse, stringAttribute, unsupported } from './context.ts'

const OPTIONS: Readonly<Record<string, AttributeSchema>> = {
  saturate: { kind: 'int', flag: true, default: 1 },
  round_mode: { kind: 'string', default: 'up' },
}

/** The element type that an attribute names by its ONNX number. Throws `unsupported` for types that graphs lack. */
export function namedType(context: InferContext, attribute: string): ElementType {
  const number = numberAttribute(context.attributes, attribute)
  return typeOfNumber(number) ?? unsupported(context.node, `ONNX data type ${number} in "${attribute}" is not done`)
}

function checkRounding({ node, attributes }: InferContext): void {
  if (!['up', 'down', 'nearest'].includes(stringAttribute(attributes, 'round_mode')))
    refuse(node, 'round_mode is none of "up", "down" and "nearest"')
}

/** Every element converted to `type`. Throws `refused` naming the node for NaN or an infinity to an integer type. */
export function convert(node: string, tensor: Tensor, type: ElementType, options: ConversionOptions = {}): TypedArray {
  const from = tensor.data
  const data = allocate(type, from.length)
  // Every float of 32 bits and fewer, held as such, is stored by rounding once.
  if (isFloat(tensor.type) && isFloat(type) && smallFloatFormat(type) === undefined) {
    for (let i = 0; i < from.length; i++) data[i] = from[i]
    return data
  }
  for (let i = 0; i < from.length; i++) {
    const value = convertElement(type, from[i], options)
    if (value === undefined) refuse(node, `${from[i]} has no value of type ${type}; ONNX leaves this Cast undefined`)
    data[i] = value
  }
  return data
}

function optionsOf(attributes: InferContext['attributes']): ConversionOptions {
  return {
    saturate: numberAttribute(attributes, 'saturate') !== 0,
    exponentRounding: stringAttribute(attributes, 'round_mode') as 'up' | 'down' | 'nearest',
  }
}

/** ONNX Cast between numbers and booleans. */
export const cast: Operator = {
  name: 'Cast',
  since: [6, 9, 13, 19, 21, 23, 24, 25],
  inputs: [1, 1],
  outputs: [1, 1],
  attributes: { to: { kind: 'int', required: true }, ...OPTIONS },
  integer: 'none',
  infer: (context) => {
    checkRounding(context)
    return [{ type: namedType(context, 'to'), shape: operand(context, 0).shape }]
  },
  evaluate: ({ node, inputs, attributes, outputs }) => {
    const [{ type, shape }] = outputs
    return [{ type, shape, data: convert(node, inputs[0]!, type, optionsOf(attributes)) }]
  },
}

/** ONNX CastLike: Cast to the type of the second input, whose numbers do not matter. */
export const castLike: Operator = {
  ...cast,
  name: 'CastLike',
  since: [15, 19, 21, 23, 24, 25],
  inputs: [2, 2],
  attributes: OPTIONS,
  infer: (context) => {
    checkRounding(context)
    return [{ type: operand(context, 1).type, shape: operand(context, 0).shape }]
  },
}

/** ONNX BitCast: the same bits read as another type of the same width. */
export const bitCast: Operator = {
  name: 'BitCast',
  since: [26],
  inputs: [1, 1],
  outputs: [1, 1],
  attributes: { to: { kind: 'int', required: true } },
  integer: 'none',
  infer: (context) => {
    const { type, shape } = operand(context, 0)
    const to = namedType(context, 'to')
    if (bitsOf(to) !== bitsOf(type))
      refuse(context.node, `BitCast from ${type} (${bitsOf(type)} bits) to ${to} (${bitsOf(to)} bits)`)
    return [{ type: to, shape }]
  },
  evaluate: ({ inputs, outputs }) => {
    const { type: from, data: values } = inputs[0]!
    const [{ type, shape }] = outputs
    const data = allocate(type, values.length)
    for (let i = 0; i < values.length; i++) data[i] = elementOfCode(type, codeOf(from, values[i]))
    return [{ type, shape, data }]
  },
}
