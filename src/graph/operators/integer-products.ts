/**
 * Products of quantised tensors as ONNX has them: MatMulInteger and ConvInteger give int32 sums of differences from the
 * zero points, QLinearMatMul and QLinearConv requantise theirs with the scales of the file. Sums are exact and wrap as
 * int32. Requantisation multiplies by the ratio of scales in float32 and rounds half to even, as ONNX Runtime does; a
 * compiled program has rule R3 of docs/arithmetic.md instead.
 */
import { roundHalfEven } from '../../num/dyadic.ts'
import { integerRange } from '../element-conversion.ts'
import type { EvaluateContext, InferContext, InferredValue, Operator } from '../operator.ts'
import { allocate, type ElementType, elementCount, type Tensor, type TypedArray } from '../tensor.ts'
import { expanded } from './broadcast.ts'
import { isFloat, numberAttribute, numbersOf, operand, refuse } from './context.ts'
import { conv, convolutionMacs, convolutionShape, convolutionWindow, convolve } from './convolution.ts'
import { broadcastShapes } from './layout.ts'
import { matMul } from './linear.ts'

const isByte = (type: ElementType): boolean => type === 'int8' || type === 'uint8'

/**
 * A scale or zero point for every element of a tensor: one number, one per index of `axis` (a vector), or one per place
 * of a shape that broadcasts.
 */
function perElement(
  parameter: Tensor | undefined,
  shape: readonly number[],
  axis: number,
  node: string,
): ArrayLike<number> {
  if (parameter === undefined) return new Float64Array(elementCount(shape))
  const vector = parameter.shape.length === 1 && parameter.data.length > 1
  const placed = vector ? [parameter.data.length, ...shape.slice(axis + 1).map(() => 1)] : parameter.shape
  return numbersOf({ ...parameter, data: expanded({ ...parameter, shape: placed }, shape) }, node)
}

/** Whether a parameter is one number, a vector along `axis`, or of a shape that broadcasts to `shape`. */
function checkParameter(context: InferContext, index: number, shape: readonly number[], axis: number): void {
  const parameter = context.inputs[index]
  if (parameter === undefined || elementCount(parameter.shape) === 1) return
  const fits =
    parameter.shape.length === 1
      ? parameter.shape[0] === shape[axis]
      : String(broadcastShapes(parameter.shape, shape)) === String(shape)
  if (!fits)
    refuse(context.node, `input ${index} of shape [${parameter.shape}] does not belong to a tensor of shape [${shape}]`)
}

/** A tensor's differences from its zero point, exact in double. */
function differences(tensor: Tensor, zero: Tensor | undefined, axis: number, node: string): Tensor {
  const values = numbersOf(tensor, node)
  const zeros = perElement(zero, tensor.shape, axis, node)
  return { type: 'float64', shape: tensor.shape, data: Float64Array.from(values, (value, i) => value - zeros[i]) }
}

function checkCodes(context: InferContext, pairs: readonly (readonly [number, number])[]): void {
  for (const [index, zero] of pairs) {
    const { type } = operand(context, index)
    if (!isByte(type)) refuse(context.node, `input ${index} has type ${type}; int8 or uint8 is needed`)
    const given = context.inputs[zero]
    if (given !== undefined && given.type !== type)
      refuse(context.node, `the zero point in input ${zero} has type ${given.type} for codes of type ${type}`)
  }
}

/** The shape of a product whose operands are inputs 0 and `right` of the node, by the rule of the float operator. */
function productShape(context: InferContext, right: number): readonly number[] {
  const asFloat = (index: number) => ({ type: 'float32' as const, shape: operand(context, index).shape })
  const inputs = [asFloat(0), asFloat(right)]
  return matMul.infer({ ...context, inputs, constant: () => undefined })[0].shape
}

/** Exact sums of a matrix product of differences. */
function matrixSums(context: EvaluateContext, a: Tensor, b: Tensor): TypedArray {
  const outputs: InferredValue[] = [{ type: 'float64', shape: context.outputs[0].shape }]
  return matMul.evaluate({ ...context, inputs: [a, b], outputs })[0].data
}

/** ONNX MatMulInteger: inputs a, b and their zero points; per row of a, per column of b. */
export const matMulInteger: Operator = {
  name: 'MatMulInteger',
  since: [10],
  inputs: [2, 4],
  outputs: [1, 1],
  attributes: {},
  integer: 'none',
  infer: (context) => {
    checkCodes(context, [
      [0, 2],
      [1, 3],
    ])
    const [a, b] = [operand(context, 0).shape, operand(context, 1).shape]
    checkParameter(context, 2, a, Math.max(0, a.length - 2))
    checkParameter(context, 3, b, b.length - 1)
    return [{ type: 'int32', shape: productShape(context, 1) }]
  },
  evaluate: (context) => {
    const [a, b, aZero, bZero] = context.inputs as [Tensor, Tensor, Tensor?, Tensor?]
    const left = differences(a, aZero, Math.max(0, a.shape.length - 2), context.node)
    const right = differences(b, bZero, b.shape.length - 1, context.node)
    const sums = matrixSums(context, left, right) as Float64Array
    return [{ ...context.outputs[0], data: Int32Array.from(sums) }]
  },
  macs: (context, outputs) => elementCount(outputs[0].shape) * (operand(context, 0).shape.at(-1) ?? 1),
}

/** ONNX ConvInteger: inputs x, w, the zero point of x and those of w (one, or one per output channel). */
export const convInteger: Operator = {
  name: 'ConvInteger',
  since: [10],
  inputs: [2, 4],
  outputs: [1, 1],
  attributes: conv.attributes,
  integer: 'none',
  infer: (context) => {
    checkCodes(context, [
      [0, 2],
      [1, 3],
    ])
    const inputs = context.inputs.slice(0, 2)
    checkScalar(context, 2)
    checkParameter(context, 3, operand(context, 1).shape, 0)
    return [{ type: 'int32', shape: convolutionShape({ ...context, inputs }) }]
  },
  evaluate: (context) => {
    const [x, w, xZero, wZero] = context.inputs as [Tensor, Tensor, Tensor?, Tensor?]
    return [{ ...context.outputs[0], data: Int32Array.from(convolutionSums(context, x, xZero, w, wZero)) }]
  },
  macs: convolutionMacs,
}

function checkScalar(context: InferContext, index: number): void {
  const parameter = context.inputs[index]
  if (parameter !== undefined && elementCount(parameter.shape) !== 1)
    refuse(context.node, `input ${index} has shape [${parameter.shape}]; one number is needed`)
}

/** Exact sums of a convolution of differences: padding is the zero point. */
function convolutionSums(
  { node, attributes }: EvaluateContext,
  x: Tensor,
  xZero: Tensor | undefined,
  w: Tensor,
  wZero: Tensor | undefined,
): Float64Array {
  const left = differences(x, xZero, 0, node).data as Float64Array
  const right = differences(w, wZero, 0, node).data as Float64Array
  const window = convolutionWindow(node, attributes, x.shape, w.shape)
  return convolve(left, x.shape, right, w.shape, numberAttribute(attributes, 'group'), window)
}

/** An exact sum in units of the output's scale, in its codes. */
function requantised(sum: number, ratio: number, zero: number, [least, most]: readonly number[]): number {
  const code = roundHalfEven(Math.fround(Math.fround(sum) * ratio)) + zero
  return Math.min(most, Math.max(least, code))
}

/** The factor between accumulator and output codes, in float32 at every step. */
function ratioOf(left: number, right: number, output: number): number {
  return Math.fround(Math.fround(left * right) / output)
}

function checkScales(context: InferContext, indices: readonly number[]): void {
  for (const index of indices) {
    const { type } = operand(context, index)
    if (!isFloat(type)) refuse(context.node, `the scale in input ${index} has type ${type}; a float is needed`)
  }
}

/** Type of the result: that of its zero point, input 7 in both operators. */
function resultType(context: InferContext): ElementType {
  const { type } = operand(context, 7)
  if (!isByte(type)) refuse(context.node, `the output's zero point has type ${type}; int8 or uint8 is needed`)
  checkScalar(context, 6)
  checkScalar(context, 7)
  return type
}

/** ONNX QLinearMatMul: a, its scale and zero point, b with its own, scale and zero point of the result. */
export const qLinearMatMul: Operator = {
  name: 'QLinearMatMul',
  since: [10, 21],
  inputs: [8, 8],
  outputs: [1, 1],
  attributes: {},
  integer: 'none',
  infer: (context) => {
    checkCodes(context, [
      [0, 2],
      [3, 5],
    ])
    checkScales(context, [1, 4, 6])
    const [a, b] = [operand(context, 0).shape, operand(context, 3).shape]
    for (const index of [1, 2]) checkParameter(context, index, a, Math.max(0, a.length - 2))
    for (const index of [4, 5]) checkParameter(context, index, b, b.length - 1)
    return [{ type: resultType(context), shape: productShape(context, 3) }]
  },
  evaluate: (context) => {
    const { node } = context
    const [a, aScale, aZero, b, bScale, bZero, scale, zero] = context.inputs as Tensor[]
    const [{ type, shape }] = context.outputs
    const left = differences(a, aZero, Math.max(0, a.shape.length - 2), node)
    const right = differences(b, bZero, b.shape.length - 1, node)
    const sums = matrixSums(context, left, right)
    // Vectors of scales belong to rows of the result and to its columns, as they do to the operands'.
    const rows = perElement(aScale, shape, Math.max(0, shape.length - 2), node)
    const columns = perElement(bScale, shape, shape.length - 1, node)
    const [output] = numbersOf(scale, node) as Float32Array
    const offset = Number(zero.data[0])
    const range = integerRange(type).map(Number)
    const data = allocate(type, sums.length)
    for (let i = 0; i < sums.length; i++)
      data[i] = requantised(sums[i] as number, ratioOf(rows[i], columns[i], output), offset, range)
    return [{ type, shape, data }]
  },
  macs: (context, outputs) => elementCount(outputs[0].shape) * (operand(context, 0).shape.at(-1) ?? 1),
}

/** ONNX QLinearConv: x, its scale and zero point, w with its own (one, or one per output channel), those of y, bias. */
export const qLinearConv: Operator = {
  name: 'QLinearConv',
  since: [10],
  inputs: [8, 9],
  outputs: [1, 1],
  attributes: conv.attributes,
  integer: 'none',
  infer: (context) => {
    checkCodes(context, [
      [0, 2],
      [3, 5],
    ])
    checkScales(context, [1, 4, 6])
    for (const index of [1, 2]) checkScalar(context, index)
    const w = operand(context, 3).shape
    for (const index of [4, 5]) checkParameter(context, index, w, 0)
    const bias = context.inputs[8]
    if (bias !== undefined && bias.type !== 'int32')
      refuse(context.node, `the bias has type ${bias.type}; int32 is needed`)
    const inputs = [context.inputs[0], context.inputs[3], bias]
    return [{ type: resultType(context), shape: convolutionShape({ ...context, inputs }) }]
  },
  evaluate: (context) => {
    const { node } = context
    const [x, xScale, xZero, w, wScale, wZero, scale, zero, bias] = context.inputs as Tensor[]
    const [{ type, shape }] = context.outputs
    const sums = convolutionSums(context, x, xZero, w, wZero)
    const scales = perElement(wScale, [shape[1]], 0, node)
    const [input] = numbersOf(xScale, node) as Float32Array
    const [output] = numbersOf(scale, node) as Float32Array
    const offset = Number(zero.data[0])
    const range = integerRange(type).map(Number)
    const positions = elementCount(shape.slice(2))
    const data = allocate(type, sums.length)
    for (let i = 0; i < sums.length; i++) {
      const channel = Math.floor(i / positions) % shape[1]
      const sum = sums[i] + (bias ? Number(bias.data[channel]) : 0)
      data[i] = requantised(sum, ratioOf(input, scales[channel], output), offset, range)
    }
    return [{ type, shape, data }]
  },
  macs: (context, outputs) => {
    const w = operand(context, 3).shape
    return elementCount(outputs[0].shape) * elementCount(w.slice(1))
  },
}
