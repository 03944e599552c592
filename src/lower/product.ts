/**
 * Products of two computed matrices (R15): attention's scores, and its weighted sums. Operands stay where they are as long as
 * every dimension is one regular run; heads, transposes and slices are then only other steps.
 */
import { DyadicError, quoted } from '../error.ts'
import { channelStride, LANES } from '../kernels/scalar/geometry.ts'
import { dyadicRatios } from '../num/dyadic.ts'
import { interval } from '../num/interval.ts'
import { proveProduct } from './bounds.ts'
import { plannedTensor, plannedValue } from './elementwise.ts'
import { moveTo } from './place.ts'
import {
  clampInterval,
  demandNarrow,
  type LoweringContext,
  narrowPlan,
  type QuantisedValue,
  reached,
  storedOffset,
  uniform,
} from './quantised-value.ts'
import { type Assignment, assign, broadcastView, jointLoops, type View } from './view.ts'

/** `dyadic.MatMul`: left (…, M, K) times right (…, K, N), times a factor. Leading dimensions broadcast. */
export function lowerProduct(context: LoweringContext): QuantisedValue {
  const { node, outputName, outputShape } = context
  const target = narrowPlan(context)
  const rank = outputShape.length
  const leading = outputShape.slice(0, -2)
  const [left, right] = [0, 1].map((index) => matrixOperand(context, index))
  const [rows, inner] = left.view.dimensions.slice(-2).map(sizeAndStep)
  const [, column] = right.view.dimensions.slice(-2).map(sizeAndStep)
  const rightInner = sizeAndStep(right.view.dimensions.at(-2) ?? [])
  const factor = context.attribute<number>('factor') ?? 1
  const [a, b] = [uniform(left, node), uniform(right, node)]
  const {
    multipliers,
    shift,
    left: leftShift,
  } = dyadicRatios([(a.scale * b.scale * factor) / target.scale], `product ${quoted(outputName)}`)
  const bounds = proveProduct({
    where: outputName,
    leftRange: interval(left.tensor.range.low - a.zeroPoint, left.tensor.range.high - a.zeroPoint),
    rightRange: interval(right.tensor.range.low - b.zeroPoint, right.tensor.range.high - b.zeroPoint),
    inner: inner.size,
    multiplier: multipliers[0],
    shift,
    leftShift,
    largestRowSum: rowSum(left, inner),
  })
  const limits = clampInterval(context, target)
  const outputZeroPoint = target.zeroPoint - storedOffset(target.format)
  const { storage, view } = assign(outputShape, outputAssignment(context))
  const output = plannedTensor(context, target, storage, reached(bounds.requantised, outputZeroPoint, limits))
  const box = (value: View): View => ({
    start: value.start,
    dimensions: broadcastView({ ...value, dimensions: value.dimensions.slice(0, -2) }, leading).dimensions,
  })
  const batches = jointLoops([box(left.view), box(right.view), box(view)])
  context.emit({
    kind: 'product',
    name: node.name,
    output,
    left: left.tensor,
    right: right.tensor,
    leftStart: left.view.start,
    rightStart: right.view.start,
    outputStart: view.start,
    batches: batches.map(({ count, steps: [leftStep, rightStep, outputStep] }) => ({
      count,
      leftStep,
      rightStep,
      outputStep,
    })),
    rows: rows.size,
    inner: inner.size,
    columns: column.size,
    leftSteps: { row: rows.step, inner: inner.step },
    rightSteps: { inner: rightInner.step, column: column.step },
    outputSteps: { row: sizeAndStep(view.dimensions[rank - 2]).step, column: 1 },
    leftZeroPoint: a.zeroPoint,
    rightZeroPoint: b.zeroPoint,
    multiplier: multipliers[0],
    shift,
    leftShift,
    outputZeroPoint,
    clamp: limits,
    bounds,
  })
  return plannedValue(output, target, view)
}

/** A dimension that is one run of elements. */
function sizeAndStep(axes: View['dimensions'][number]): { size: number; step: number } {
  return { size: axes[0]?.count ?? 1, step: axes[0]?.step ?? 0 }
}

/** An operand each of whose dimensions is one run: itself, or moved to rows of its last dimension. */
function matrixOperand(context: LoweringContext, index: number): QuantisedValue {
  const value = context.input(index)
  demandNarrow(value, context.node)
  const { dimensions } = value.view
  if (dimensions.length < 2)
    throw new DyadicError(
      'unsupported',
      `node ${quoted(context.node.name)} (${context.node.operator}): input ${index}, ${quoted(context.node.inputs[index])}, has ${dimensions.length} dimensions; products of two computed values need matrices: add a dimension of 1`,
    )
  return dimensions.every((axes) => axes.length <= 1)
    ? value
    : moveTo(context, value, rowsAssignment(dimensions.length))
}

function rowsAssignment(rank: number): Assignment {
  const dimensions = Array.from({ length: rank }, (_, dimension) => dimension)
  return { height: [], width: dimensions.slice(0, -1), channels: dimensions.slice(-1) }
}

/**
 * Rows of the last dimension; where only transpositions read the value, as behind attention's heads, with the heads side by
 * side in each row: what is transposed and reshaped to one row for each token is then the tensor as it stands.
 */
function outputAssignment(context: LoweringContext): Assignment {
  const rank = context.outputShape.length
  const plain = rowsAssignment(rank)
  const columns = context.outputShape[rank - 1]
  const readers = context.readers()
  if (rank < 3 || columns % LANES !== 0 || readers.length === 0) return plain
  if (readers.some(({ operator }) => operator !== 'Transpose')) return plain
  return { height: [], width: [...plain.width.slice(0, rank - 3), rank - 2], channels: [rank - 3, rank - 1] }
}

/** What a row of the left operand adds up to at most, where its producer bounds that: probabilities. */
function rowSum(left: QuantisedValue, inner: { size: number; step: number }): number | undefined {
  const wholeRow = inner.step === 1 && inner.size === left.tensor.channels
  const inPlace = left.view.start % channelStride(left.tensor.channels) === 0
  return wholeRow && inPlace ? left.rowSum : undefined
}
