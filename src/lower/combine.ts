/** Sums and products of two values. */
import { DyadicError, quoted } from '../error.ts'
import { channelStride } from '../kernels/scalar/geometry.ts'
import { dyadicRatios } from '../num/dyadic.ts'
import { interval } from '../num/interval.ts'
import { clamp } from '../num/requantize.ts'
import { formatRange, type TensorPlan } from '../quantize/plan.ts'
import { proveAdd, proveMultiply } from './bounds.ts'
import { lowerFactors, plannedTensor, plannedValue, rescale, signedMultipliers } from './elementwise.ts'
import { moveLike, moveTo, wholeInput } from './place.ts'
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
import { assignmentLike, broadcastView, coversTensor, sameView, type View, viewPositions } from './view.ts'

/** `dyadic.Add` and Add by rule R5. */
export function lowerAdd(context: LoweringContext): QuantisedValue {
  return lowerSum(context, 1)
}

/** Sub: R5 with a negative multiplier. */
export function lowerSub(context: LoweringContext): QuantisedValue {
  return lowerSum(context, -1)
}

function lowerSum(context: LoweringContext, sign: 1 | -1): QuantisedValue {
  const target = narrowPlan(context)
  const { left, right, swapped } = operands(context, (left) => sumLimits(context, target, left))
  const [a, b] = [uniform(left, context.node), uniform(right, context.node)]
  const [signA, signB] = swapped ? [sign, 1] : [1, sign]
  const range = (value: QuantisedValue, zeroPoint: number) =>
    interval(value.tensor.range.low - zeroPoint, value.tensor.range.high - zeroPoint)
  const [leftRange, rightRange] = [range(left, a.zeroPoint), range(right, b.zeroPoint)]
  const magnitude = ({ low, high }: { low: number; high: number }): number => Math.max(-low, high, 1)
  const { multipliers, shift } = signedMultipliers(
    [
      { ratios: [(signA * a.scale) / target.scale], magnitude: magnitude(leftRange) },
      { ratios: [(signB * b.scale) / target.scale], magnitude: magnitude(rightRange) },
    ],
    (x, y) => x + y,
    `addition ${quoted(context.node.name)}`,
  )
  const [[leftMultiplier], [rightMultiplier]] = multipliers
  const bounds = proveAdd(context.outputName, leftRange, leftMultiplier, rightRange, rightMultiplier, shift)
  const limits = clampInterval(context, target)
  const outputZeroPoint = target.zeroPoint - storedOffset(target.format)
  const output = plannedTensor(context, target, left.tensor, reached(bounds.requantised, outputZeroPoint, limits))
  context.emit({
    kind: 'add',
    name: context.node.name,
    output,
    left: left.tensor,
    right: right.tensor,
    leftMultiplier,
    rightMultiplier,
    shift,
    leftZeroPoint: a.zeroPoint,
    rightZeroPoint: b.zeroPoint,
    outputZeroPoint,
    clamp: limits,
    bounds,
  })
  return plannedValue(output, target, left.view)
}

/**
 * How large a constant of a sum need be: one that takes every value of the other operand out of the output's codes need not
 * take it further. Masks of −10^9 or −∞ become what 16 bits can hold.
 */
function sumLimits(context: LoweringContext, target: TensorPlan, left: QuantisedValue): number {
  const { scale, zeroPoint } = uniform(left, context.node)
  const codes = formatRange(target.format)
  const reach = (low: number, high: number): number => Math.max(Math.abs(low), Math.abs(high))
  return (
    scale * reach(left.tensor.range.low - zeroPoint, left.tensor.range.high - zeroPoint) +
    target.scale * reach(codes.low - target.zeroPoint, codes.high - target.zeroPoint)
  )
}

/** Mul: by R11, or by R10 where one factor is a constant for all elements or for each channel. */
export function lowerMul(context: LoweringContext): QuantisedValue {
  const target = narrowPlan(context)
  const constantIndex = [0, 1].find((index) => context.isConstant(index))
  if (constantIndex !== undefined) {
    const { values, shape } = context.constant(constantIndex)
    const rank = context.outputShape.length
    const varying = shape.flatMap((size, index) => (size > 1 ? [index + rank - shape.length] : []))
    if (varying.length === 0 || (varying.length === 1 && isChannel(context, 1 - constantIndex, varying[0])))
      return lowerFactors(context, 1 - constantIndex, varying, Array.from(values, Number))
  }
  let { left, right } = operands(context)
  const ratioOf = (): number => (uniform(left, context.node).scale * uniform(right, context.node).scale) / target.scale
  let ratio = dyadicRatios([ratioOf()], `product ${quoted(context.outputName)}`)
  if (ratio.left > 0) {
    // R11 does not shift left; finer codes of a factor are the same thing, and exact.
    const { scale } = uniform(left, context.node)
    const finer: TensorPlan = { format: 's16', scale: scale / 2 ** Math.min(6, ratio.left), zeroPoint: 0 }
    if (left.tensor.format === 's8') left = rescale(context, left, finer, context.fresh())
    ratio = dyadicRatios([ratioOf()], `product ${quoted(context.outputName)}`)
    if (ratio.left > 0)
      throw new DyadicError(
        'refused',
        `product ${quoted(context.node.name)}: the output scale ${target.scale} is finer than half a unit of the product; give ${quoted(context.outputName)} a larger scale in the plan`,
      )
  }
  const [a, b] = [uniform(left, context.node), uniform(right, context.node)]
  const bounds = proveMultiply(
    context.outputName,
    interval(left.tensor.range.low - a.zeroPoint, left.tensor.range.high - a.zeroPoint),
    interval(right.tensor.range.low - b.zeroPoint, right.tensor.range.high - b.zeroPoint),
    ratio.multipliers[0],
    ratio.shift,
  )
  const limits = clampInterval(context, target)
  const outputZeroPoint = target.zeroPoint - storedOffset(target.format)
  const output = plannedTensor(context, target, left.tensor, reached(bounds.requantised, outputZeroPoint, limits))
  context.emit({
    kind: 'multiply',
    name: context.node.name,
    output,
    left: left.tensor,
    right: right.tensor,
    leftZeroPoint: a.zeroPoint,
    rightZeroPoint: b.zeroPoint,
    multiplier: ratio.multipliers[0],
    shift: ratio.shift,
    outputZeroPoint,
    clamp: limits,
    bounds,
  })
  return plannedValue(output, target, left.view)
}

/** Whether a dimension of an input is its stored channels. */
function isChannel(context: LoweringContext, index: number, dimension: number): boolean {
  const { view, tensor } = context.input(index)
  const axes = view.dimensions[dimension]
  return axes.length === 1 && axes[0].step === 1 && axes[0].count === tensor.channels
}

/**
 * Both operands, the left one with the output's shape over a whole tensor, the right one stored alike or as one pixel;
 * `swapped` where left is the node's second input.
 */
function operands(
  context: LoweringContext,
  limitOf: (left: QuantisedValue) => number = () => Infinity,
): { left: QuantisedValue; right: QuantisedValue; swapped: boolean } {
  const shape = context.outputShape
  const full = [0, 1].find((index) => !context.isConstant(index) && String(context.inputShape(index)) === String(shape))
  const swapped = full === 1
  const left = full === undefined ? repeated(context, 0, undefined) : wholeInput(context, full)
  const other = swapped ? 0 : 1
  const right = context.isConstant(other)
    ? constantOperand(context, other, left, limitOf(left))
    : computedOperand(context, other, left)
  return { left, right, swapped }
}

/** A computed operand as it is stored, as one pixel, or moved to the storage of the other. */
function computedOperand(context: LoweringContext, index: number, left: QuantisedValue): QuantisedValue {
  const value = context.input(index)
  demandNarrow(value, context.node)
  const { height, width, channels } = left.tensor
  const { tensor } = value
  const view = broadcastView(value.view, context.outputShape)
  if (tensor.channels === channels && coversTensor(value.view, tensor)) {
    if (tensor.height === height && tensor.width === width && sameView(view, left.view)) return value
    // One pixel meets all pixels where its channels lie along the same dimension.
    const onPixel = left.view.dimensions.map((axes) => (axes.some(({ step }) => step === 1) ? axes : []))
    const own = view.dimensions.map((axes) => axes.filter(({ step }) => step !== 0))
    if (
      tensor.height * tensor.width === 1 &&
      sameView({ start: 0, dimensions: own }, { start: 0, dimensions: onPixel })
    )
      return value
  }
  return repeated(context, index, left)
}

/** An operand repeated to the output's shape, in the storage of another value where that is given. */
function repeated(context: LoweringContext, index: number, like: QuantisedValue | undefined): QuantisedValue {
  const value = context.input(index)
  demandNarrow(value, context.node)
  const expanded = { ...value, view: broadcastView(value.view, context.outputShape) }
  return like === undefined
    ? moveTo(context, expanded, assignmentLike(expanded.view))
    : moveLike(context, expanded, like)
}

/**
 * A constant operand, limited to ±`limit`, as 16-bit codes over its own range: one pixel where only channels differ, otherwise
 * a whole tensor.
 */
function constantOperand(context: LoweringContext, index: number, left: QuantisedValue, limit: number): QuantisedValue {
  const { values: given, shape } = context.constant(index)
  const values = Array.from(given, (value) => clamp(Number(value), -limit, limit))
  const magnitude = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  if (!(magnitude < Infinity))
    throw new DyadicError(
      'unsupported',
      `node ${quoted(context.node.name)} (${context.node.operator}): constant ${quoted(context.node.inputs[index])} is not finite`,
    )
  const scale = magnitude / 32767 || 1
  const { height, width, channels } = left.tensor
  const rows = rowMajor(shape)
  // Where the constant's elements lie for each element of the output, in the output's order.
  const positions = viewPositions(broadcastView(rows, context.outputShape))
  const stored = viewPositions(left.view)
  const stride = channelStride(channels)
  const codes = new Int16Array(height * width * channels)
  stored.forEach((position, element) => {
    const channel = position % stride
    const place = ((position - channel) / stride) * channels + channel
    codes[place] = clamp(Math.floor(values[positions[element]] / scale + 0.5), -32767, 32767)
  })
  const onePixel = codes.every((code, place) => code === codes[place % channels])
  const name = context.fresh()
  const output = context.tensor({
    name,
    format: 's16',
    height: onePixel ? 1 : height,
    width: onePixel ? 1 : width,
    channels,
    scale,
    zeroPoint: 0,
    range: interval(
      Math.min(
        0,
        codes.reduce((a, b) => Math.min(a, b)),
      ),
      Math.max(
        0,
        codes.reduce((a, b) => Math.max(a, b)),
      ),
    ),
  })
  context.emit({ kind: 'constant', name, output, codes: onePixel ? codes.slice(0, channels) : codes })
  return { tensor: output, format: 's16', scale: [scale], zeroPoint: [0], view: left.view }
}

/** The view of a compact row-major array. */
function rowMajor(shape: readonly number[]): View {
  let step = 1
  const dimensions = shape.toReversed().map((count) => {
    const axes = count === 1 ? [] : [{ count, step }]
    step *= count
    return axes
  })
  return { start: 0, dimensions: dimensions.toReversed() }
}
