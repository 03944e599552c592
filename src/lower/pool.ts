/** Windows and reductions: the largest code (R8) and the average (R6) of a window, or of whole dimensions. */
import { DyadicError, quoted } from '../error.ts'
import { reducedAxes } from '../graph/operators/reduce.ts'
import { resolveWindow } from '../graph/operators/window.ts'
import { type DyadicRatios, dyadicRatios } from '../num/dyadic.ts'
import type { TensorPlan } from '../quantize/plan.ts'
import { proveAverage, proveConvolution } from './bounds.ts'
import { plannedTensor, plannedValue } from './elementwise.ts'
import type { IntegerTensor, Window } from './integer-graph.ts'
import { imageInput, rowsInput } from './place.ts'
import {
  clampInterval,
  type LoweringContext,
  narrowPlan,
  type QuantisedValue,
  reached,
  storedOffset,
  uniform,
} from './quantised-value.ts'
import { assign, imageAssignment, type Storage, type View } from './view.ts'

/** What a pool reads and how it makes its output. */
interface Pool {
  readonly input: QuantisedValue
  readonly window: Window
  readonly storage: Storage
  readonly view: View
}

/** The window of a pooling node, one- or two-dimensional; refused for other ranks. */
function windowPool(context: LoweringContext): Pool {
  const input = imageInput(context, 0)
  const spatial = context.inputShape(0).slice(2)
  const kernel = context.attribute<readonly number[]>('kernel_shape') ?? spatial
  if (kernel.length > 2)
    throw new DyadicError(
      'unsupported',
      `node ${quoted(context.node.name)} (${context.node.operator}) pools over ${kernel.length} axes; dyadic compiles one and two`,
    )
  const { strides, dilations, pads } = resolveWindow(context.node.name, context.node.attributes, spatial, kernel)
  const planar = (sizes: readonly number[], absent: number): [number, number] =>
    sizes.length === 1 ? [absent, sizes[0]] : [sizes[0], sizes[1]]
  const half = pads.length / 2
  const window: Window = {
    kernel: planar(kernel, 1),
    strides: planar(strides, 1),
    dilations: planar(dilations, 1),
    pads: [...planar(pads.slice(0, half), 0), ...planar(pads.slice(half), 0)],
  }
  return { input, window, ...assign(context.outputShape, imageAssignment(context.outputShape)) }
}

/** A window as large as the image. */
function globalPool(context: LoweringContext): Pool {
  const input = imageInput(context, 0)
  return { input, window: whole(input.tensor), ...assign(context.outputShape, imageAssignment(context.outputShape)) }
}

function whole({ height, width }: Storage): Window {
  return { kernel: [height, width], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] }
}

/** A reduction over dimensions: all others become the channels, and the window is everything else. */
function reducePool(context: LoweringContext): Pool {
  const shape = context.inputShape(0)
  const given = context.hasInput(1) ? Array.from(context.constant(1).values, Number) : undefined
  const reduced = reducedAxes(context.node.name, context.node.attributes, shape.length, given)
  const rest = shape.map((_, axis) => axis).filter((axis) => !reduced.includes(axis))
  const input = rowsInput(context, 0, rest)
  const keeps = context.attribute<number>('keepdims') !== 0
  const dimensions = input.view.dimensions.flatMap((axes, axis) =>
    reduced.includes(axis) ? (keeps ? [[]] : []) : [axes],
  )
  return {
    input,
    window: whole(input.tensor),
    storage: { height: 1, width: 1, channels: input.tensor.channels },
    view: { start: 0, dimensions },
  }
}

/** MaxPool: the largest code is the code of the largest value. */
export function lowerMaxPool(context: LoweringContext): QuantisedValue {
  return emitMaxPool(context, windowPool(context))
}

export function lowerGlobalMaxPool(context: LoweringContext): QuantisedValue {
  return emitMaxPool(context, globalPool(context))
}

export function lowerReduceMax(context: LoweringContext): QuantisedValue {
  return emitMaxPool(context, reducePool(context))
}

function emitMaxPool(context: LoweringContext, { input, window, storage, view }: Pool): QuantisedValue {
  const output = context.tensor({ ...input.tensor, name: context.outputName, ...storage })
  context.emit({ kind: 'max-pool', name: context.node.name, output, input: input.tensor, window })
  return { ...input, tensor: output, view }
}

/** AveragePool by rule R6: every window must divide by the same count. */
export function lowerAveragePool(context: LoweringContext): QuantisedValue {
  const pool = windowPool(context)
  const { pads } = pool.window
  const countsPadding = context.attribute<number>('count_include_pad') === 1
  if ((!countsPadding && pads.some((pad) => pad > 0)) || !windowsFit(pool))
    throw new DyadicError(
      'unsupported',
      `node ${quoted(context.node.name)} (${context.node.operator}) averages over windows of different sizes at the border; only count_include_pad = 1 or no padding, and ceil_mode = 0 where a window would be cut, has an integer form`,
    )
  return emitAverage(context, pool)
}

export function lowerGlobalAveragePool(context: LoweringContext): QuantisedValue {
  return emitAverage(context, globalPool(context))
}

export function lowerReduceMean(context: LoweringContext): QuantisedValue {
  return emitAverage(context, reducePool(context))
}

/** Whether every window lies within the tensor and its padding (`ceil_mode` lets the last ones reach beyond). */
function windowsFit({ input, window, storage }: Pool): boolean {
  const sizes = [input.tensor.height, input.tensor.width]
  return [storage.height, storage.width].every((count, axis) => {
    const extent = (window.kernel[axis] - 1) * window.dilations[axis] + 1
    return (count - 1) * window.strides[axis] + extent <= sizes[axis] + window.pads[axis] + window.pads[axis + 2]
  })
}

function emitAverage(context: LoweringContext, pool: Pool): QuantisedValue {
  const { input, window, storage, view } = pool
  const target = narrowPlan(context)
  const { scale, zeroPoint } = uniform(input, context.node)
  const count = window.kernel[0] * window.kernel[1]
  const ratio = dyadicRatios([scale / (target.scale * count)], `average ${quoted(context.outputName)}`)
  if (ratio.left > 0) return emitFineAverage(context, target, pool, ratio)
  const [multiplier] = ratio.multipliers
  const limits = clampInterval(context, target)
  const outputZeroPoint = target.zeroPoint - storedOffset(target.format)
  const bounds = proveAverage(context.outputName, input.tensor.range, zeroPoint, count, multiplier, ratio.shift)
  const output = plannedTensor(context, target, storage, reached(bounds.requantised, outputZeroPoint, limits))
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
  return plannedValue(output, target, view)
}

/**
 * An average whose output scale is finer than half a unit of the sum. Only convolutions shift left (R2), so it becomes one,
 * with weights 1: the same sums and the same rounding.
 */
function emitFineAverage(
  context: LoweringContext,
  target: TensorPlan,
  { input, window, storage, view }: Pool,
  ratio: DyadicRatios,
): QuantisedValue {
  const { channels } = input.tensor
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
  const output: IntegerTensor = plannedTensor(
    context,
    target,
    storage,
    reached(bounds.requantised, outputZeroPoint, limits),
  )
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
  return plannedValue(output, target, view)
}
