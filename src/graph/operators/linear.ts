/**
 * Matrix products. Gemm: y (M, N) = alpha · A' (M, K) · B' (K, N) + beta · C; MatMul: numpy's matmul with broadcast batch
 * axes. Sums in double, rounded once at the output.
 */
import type { Operator } from '../operator.ts'
import { allocate, elementCount } from '../tensor.ts'
import { floatResult, numberAttribute, numbersOf, operand, refuse } from './context.ts'
import { broadcastShapes, broadcastStrides } from './layout.ts'

/** Σ a[aStart + i·aStride] · b[bStart + i·bStride] over `count` terms, in double. */
export function dot(
  a: ArrayLike<number>,
  aStart: number,
  aStride: number,
  b: ArrayLike<number>,
  bStart: number,
  bStride: number,
  count: number,
): number {
  let sum = 0
  for (let i = 0; i < count; i++) sum += a[aStart + i * aStride] * b[bStart + i * bStride]
  return sum
}

/** ONNX Gemm. C broadcasts to (M, N). */
export const gemm: Operator = {
  name: 'Gemm',
  since: [7, 9, 11, 13],
  inputs: [2, 3],
  outputs: [1, 1],
  attributes: {
    alpha: { kind: 'float', default: 1 },
    beta: { kind: 'float', default: 1 },
    transA: { kind: 'int', flag: true, default: 0 },
    transB: { kind: 'int', flag: true, default: 0 },
  },
  integer: 'accumulate',
  infer: (context) => {
    const a = operand(context, 0).shape
    const b = operand(context, 1).shape
    const c = context.inputs[2]?.shape
    const { node, attributes } = context
    if (a.length !== 2 || b.length !== 2) refuse(node, `Gemm needs matrices, not shapes [${a}] and [${b}]`)
    const [rows, depth] = numberAttribute(attributes, 'transA') !== 0 ? [a[1], a[0]] : a
    const [height, columns] = numberAttribute(attributes, 'transB') !== 0 ? [b[1], b[0]] : b
    if (depth !== height) refuse(node, `inner sizes ${depth} and ${height} of shapes [${a}] and [${b}] differ`)
    const shape = [rows, columns]
    if (c !== undefined && String(broadcastShapes(c, shape)) !== String(shape))
      refuse(node, `C of shape [${c}] does not broadcast to [${shape}]`)
    return [{ type: floatResult(context), shape }]
  },
  evaluate: ({ node, inputs, attributes, outputs }) => {
    const [a, b, c] = inputs
    const left = numbersOf(a, node)
    const right = numbersOf(b, node)
    const addend = c && numbersOf(c, node)
    const [{ type, shape }] = outputs
    const [rows, columns] = shape
    const transposedA = numberAttribute(attributes, 'transA') !== 0
    const transposedB = numberAttribute(attributes, 'transB') !== 0
    const depth = a!.shape[transposedA ? 0 : 1]
    const alpha = numberAttribute(attributes, 'alpha')
    const beta = numberAttribute(attributes, 'beta')
    const [aRow, aStep] = transposedA ? [1, rows] : [depth, 1]
    const [bColumn, bStep] = transposedB ? [depth, 1] : [1, columns]
    const [cRow, cColumn] = c ? broadcastStrides(c.shape, shape) : [0, 0]
    const data = allocate(type, rows * columns)
    for (let m = 0; m < rows; m++)
      for (let n = 0; n < columns; n++)
        data[m * columns + n] =
          alpha * dot(left, m * aRow, aStep, right, n * bColumn, bStep, depth) +
          (addend ? beta * addend[m * cRow + n * cColumn] : 0)
    return [{ type, shape, data }]
  },
  macs: (context, outputs) =>
    elementCount(outputs[0].shape) *
    operand(context, 0).shape[numberAttribute(context.attributes, 'transA') !== 0 ? 0 : 1],
}

/** Batch axes, rows, depth and columns of a matmul; a vector counts as one row (left) or one column (right). */
function matMulShape(a: readonly number[], b: readonly number[], node: string) {
  if (a.length === 0 || b.length === 0) refuse(node, 'MatMul of a scalar')
  const left = a.length === 1 ? [1, a[0]] : a
  const right = b.length === 1 ? [b[0], 1] : b
  const [rows, depth] = left.slice(-2)
  const [height, columns] = right.slice(-2)
  const batch = broadcastShapes(left.slice(0, -2), right.slice(0, -2))
  if (depth !== height || batch === undefined) refuse(node, `shapes [${a}] and [${b}] cannot be multiplied`)
  const shape = [...batch, ...(a.length === 1 ? [] : [rows]), ...(b.length === 1 ? [] : [columns])]
  return { left, right, batch, rows, depth, columns, shape }
}

/** ONNX MatMul. */
export const matMul: Operator = {
  name: 'MatMul',
  since: [1, 9, 13],
  inputs: [2, 2],
  outputs: [1, 1],
  attributes: {},
  integer: 'accumulate',
  infer: (context) => [
    {
      type: floatResult(context),
      shape: matMulShape(operand(context, 0).shape, operand(context, 1).shape, context.node).shape,
    },
  ],
  evaluate: ({ node, inputs, outputs }) => {
    const a = numbersOf(inputs[0], node)
    const b = numbersOf(inputs[1], node)
    const { left, right, batch, rows, depth, columns } = matMulShape(inputs[0]!.shape, inputs[1]!.shape, node)
    const [{ type, shape }] = outputs
    const data = allocate(type, elementCount(shape))
    const aStrides = broadcastStrides(left.slice(0, -2), batch)
    const bStrides = broadcastStrides(right.slice(0, -2), batch)
    let written = 0
    const multiply = (axis: number, aMatrix: number, bMatrix: number): void => {
      if (axis < batch.length) {
        for (let i = 0; i < batch[axis]; i++)
          multiply(axis + 1, aMatrix + i * aStrides[axis], bMatrix + i * bStrides[axis])
        return
      }
      for (let m = 0; m < rows; m++)
        for (let n = 0; n < columns; n++)
          data[written++] = dot(a, (aMatrix * rows + m) * depth, 1, b, bMatrix * depth * columns + n, columns, depth)
    }
    multiply(0, 0, 0)
    return [{ type, shape, data }]
  },
  macs: (context, outputs) => elementCount(outputs[0].shape) * (operand(context, 0).shape.at(-1) ?? 1),
}
