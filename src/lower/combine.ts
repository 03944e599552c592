/** Additions, averages and unary functions to integers. */
import { DyadicError, quoted } from '../error.ts'
import { operators } from '../graph/operators/index.ts'
import { type DyadicRatios, dyadicRatios, roundHalfUp } from '../num/dyadic.ts'
import { interval } from '../num/interval.ts'
import { clamp } from '../num/requantize.ts'
import { formatRange, type TensorPlan } from '../quantize/plan.ts'
import { clampInterval, reached } from './accumulate.ts'
import { proveAdd, proveAverage, proveConvolution } from './bounds.ts'
import type { IntegerTensor, Window } from './integer-graph.ts'
import {
  demand8Bit,
  demandImage,
  demandSameStorage,
  type LoweringContext,
  type QuantisedValue,
  storedOffset,
  tensorPlan,
  uniform,
} from './quantised-value.ts'

/** Stored 8-bit format or a refusal. */
function demandNarrow(target: TensorPlan, context: LoweringContext): void {
  if (target.format !== 'u8' && target.format !== 's8')
    throw new DyadicError(
      'unsupported',
      `node ${quoted(context.node.name)} (${context.node.operator}) cannot store ${target.format}; only convolutions and dense layers can be wider than 8 bits: choose s8 or u8 for ${quoted(context.outputName)} in the plan`,
    )
}

function outputTensor(
  context: LoweringContext,
  target: TensorPlan,
  like: Pick<IntegerTensor, 'height' | 'width' | 'channels'>,
  range: { low: number; high: number },
  name = context.outputName,
): IntegerTensor {
  return context.tensor({
    name,
    format: 's8',
    height: like.height,
    width: like.width,
    channels: like.channels,
    scale: target.scale,
    zeroPoint: target.zeroPoint - storedOffset(target.format),
    range,
  })
}

function result(tensor: IntegerTensor, target: TensorPlan, flat: boolean): QuantisedValue {
  return { tensor, format: target.format, scale: [target.scale], zeroPoint: [target.zeroPoint], flat }
}

/** `dyadic.Add` by rule R5: multipliers of one common shift, as precise as int32 allows. */
export function lowerAdd(context: LoweringContext): QuantisedValue {
  const [left, right] = [context.input(0), context.input(1)]
  for (const value of [left, right]) demand8Bit(value, context.node)
  demandSameStorage(left, right.tensor, context.node)
  const target = tensorPlan(context.plan, context.outputName, context.node)
  demandNarrow(target, context)
  const [a, b] = [uniform(left, context.node), uniform(right, context.node)]
  const leftRange = interval(left.tensor.range.low - a.zeroPoint, left.tensor.range.high - a.zeroPoint)
  const rightRange = interval(right.tensor.range.low - b.zeroPoint, right.tensor.range.high - b.zeroPoint)
  const magnitude = (range: { low: number; high: number }): number => Math.max(-range.low, range.high, 1)
  const ratios = [a.scale / target.scale, b.scale / target.scale]
  let shift = 30
  let multipliers: number[]
  do {
    multipliers = ratios.map((ratio) => roundHalfUp(ratio * 2 ** shift))
    const reach = magnitude(leftRange) * multipliers[0] + magnitude(rightRange) * multipliers[1] + 2 ** (shift - 1)
    if (reach < 2 ** 31) break
  } while (--shift > 0)
  if (shift === 0)
    throw new DyadicError(
      'refused',
      `addition ${quoted(context.node.name)}: scale ratios ${ratios} leave no room in int32; check the scales of the plan`,
    )
  const bounds = proveAdd(context.outputName, leftRange, multipliers[0], rightRange, multipliers[1], shift)
  const limits = clampInterval(context, target)
  const outputZeroPoint = target.zeroPoint - storedOffset(target.format)
  const output = outputTensor(context, target, left.tensor, reached(bounds.requantised, outputZeroPoint, limits))
  context.emit({
    kind: 'add',
    name: context.node.name,
    output,
    left: left.tensor,
    right: right.tensor,
    leftMultiplier: multipliers[0],
    rightMultiplier: multipliers[1],
    shift,
    leftZeroPoint: a.zeroPoint,
    rightZeroPoint: b.zeroPoint,
    outputZeroPoint,
    clamp: limits,
    bounds,
  })
  return result(output, target, left.flat)
}

/** Whether every window lies within the tensor and its padding (`ceil_mode` lets the last ones reach beyond). */
function windowsFit({ height, width }: IntegerTensor, output: readonly number[], window: Window): boolean {
  return [height, width].every((size, axis) => {
    const extent = (window.kernel[axis] - 1) * window.dilations[axis] + 1
    return (output[axis + 2] - 1) * window.strides[axis] + extent <= size + window.pads[axis] + window.pads[axis + 2]
  })
}

/** AveragePool and GlobalAveragePool by rule R6: every window must divide by the same count. */
export function lowerAverage(context: LoweringContext, window: Window, countsPadding: boolean): QuantisedValue {
  const input = context.input(0)
  demand8Bit(input, context.node)
  demandImage(input, context.node)
  const target = tensorPlan(context.plan, context.outputName, context.node)
  demandNarrow(target, context)
  if ((!countsPadding && window.pads.some((pad) => pad > 0)) || !windowsFit(input.tensor, context.outputShape, window))
    throw new DyadicError(
      'unsupported',
      `node ${quoted(context.node.name)} (${context.node.operator}) averages over windows of different sizes at the border; only count_include_pad = 1 or no padding, and ceil_mode = 0 where a window would be cut, has an integer form`,
    )
  const { scale, zeroPoint } = uniform(input, context.node)
  const count = window.kernel[0] * window.kernel[1]
  const ratio = dyadicRatios([scale / (target.scale * count)], `average ${quoted(context.outputName)}`)
  const [multiplier] = ratio.multipliers
  const limits = clampInterval(context, target)
  const outputZeroPoint = target.zeroPoint - storedOffset(target.format)
  const [, channels, height = 1, width = 1] = context.outputShape
  if (ratio.left > 0) return lowerFineAverage(context, target, window, ratio)
  const bounds = proveAverage(context.outputName, input.tensor.range, zeroPoint, count, multiplier, ratio.shift)
  const output = outputTensor(
    context,
    target,
    { height, width, channels },
    reached(bounds.requantised, outputZeroPoint, limits),
  )
  context.emit({
    kind: 'average-pool',
    name: context.node.name,
    output,
    input: input.tensor,
    window,
    inputZeroPoint: zeroPoint,
    multiplier,
    shift: ratio.shift,
    outputZeroPoint,
    clamp: limits,
    bounds,
  })
  return result(output, target, false)
}

/**
 * An average whose output scale is finer than half a unit of the sum. Only convolutions shift left (R2), so it becomes one,
 * with weights 1: the same sums and the same rounding.
 */
function lowerFineAverage(
  context: LoweringContext,
  target: TensorPlan,
  window: Window,
  ratio: DyadicRatios,
): QuantisedValue {
  const input = context.input(0)
  const [, channels, height = 1, width = 1] = context.outputShape
  const sum = {
    weights: new Int8Array(channels * window.kernel[0] * window.kernel[1]).fill(1),
    weightZeroPoints: new Int16Array(channels),
    bias: new Int32Array(channels),
    inputZeroPoints: new Int16Array(channels).fill(uniform(input, context.node).zeroPoint),
    groups: channels,
    requantisation: { ...ratio, multipliers: new Int32Array(channels).fill(ratio.multipliers[0]) },
  }
  const bounds = proveConvolution({
    ...sum,
    where: context.outputName,
    outputs: channels,
    inputChannels: channels,
    inputRange: input.tensor.range,
    padded: window.pads.some((pad) => pad > 0),
  })
  const limits = clampInterval(context, target)
  const outputZeroPoint = target.zeroPoint - storedOffset(target.format)
  const range = reached(bounds.requantised, outputZeroPoint, limits)
  const output = outputTensor(context, target, { height, width, channels }, range)
  context.emit({
    ...sum,
    kind: channels > 1 ? 'depthwise' : 'convolution',
    name: context.node.name,
    output,
    input: input.tensor,
    window,
    weightFormat: 's2',
    outputZeroPoint,
    clamp: limits,
    bounds,
  })
  return result(output, target, false)
}

/** Any function of one 8-bit value: 256 entries, computed by the operator's own float meaning and rounded half up (R7). */
export function lowerTable(context: LoweringContext): QuantisedValue {
  const input = context.input(0)
  demand8Bit(input, context.node)
  const { scale, zeroPoint } = uniform(input, context.node)
  const target = tensorPlan(context.plan, context.outputName, context.node)
  demandNarrow(target, context)
  const operator = operators.get(context.node.operator)
  if (operator === undefined)
    throw new DyadicError('unsupported', `operator ${quoted(context.node.operator)} is unknown`)
  const reals = Float32Array.from({ length: 256 }, (_, index) => (index - 128 - zeroPoint) * scale)
  const constants = context.node.inputs.slice(1).map((_, index) => {
    if (!context.hasInput(index + 1)) return undefined
    const { values, shape } = context.constant(index + 1)
    return { type: 'float32' as const, shape, data: Float32Array.from(values) }
  })
  const [{ data }] = operator.evaluate({
    node: context.node.name,
    inputs: [{ type: 'float32', shape: [256], data: reals }, ...constants],
    attributes: context.node.attributes,
    outputs: [{ type: 'float32', shape: [256] }],
  })
  return emitTable(context, input, target, (code) => Number(data[code + 128]))
}

/** The same real values in another scale: a table too. */
export function rescale(
  context: LoweringContext,
  input: QuantisedValue,
  target: TensorPlan,
  name = context.outputName,
): QuantisedValue {
  demand8Bit(input, context.node)
  demandNarrow(target, context)
  const { scale, zeroPoint } = uniform(input, context.node)
  return emitTable(context, input, target, (code) => (code - zeroPoint) * scale, name)
}

function emitTable(
  context: LoweringContext,
  input: QuantisedValue,
  target: TensorPlan,
  real: (code: number) => number,
  name = context.outputName,
): QuantisedValue {
  const range = formatRange(target.format)
  const offset = storedOffset(target.format)
  const table = Int8Array.from({ length: 256 }, (_, index) => {
    const code = index - 128
    const reachable = code >= input.tensor.range.low && code <= input.tensor.range.high
    const value = real(code)
    if (Number.isNaN(value)) {
      if (!reachable) return 0
      throw new DyadicError(
        'unsupported',
        `node ${quoted(context.node.name)} (${context.node.operator}) is not a number for values that ${quoted(input.tensor.name)} can take; limit its range in the plan, or add a Clip before it`,
      )
    }
    return clamp(Math.floor(value / target.scale + target.zeroPoint + 0.5), range.low, range.high) - offset
  })
  const reachable = table.subarray(input.tensor.range.low + 128, input.tensor.range.high + 129)
  const codes = interval(Math.min(...reachable), Math.max(...reachable))
  const output = outputTensor(context, target, input.tensor, codes, name)
  context.emit({
    kind: 'table',
    name: name === context.outputName ? context.node.name : name,
    output,
    input: input.tensor,
    table,
  })
  return result(output, target, input.flat)
}
