/** Operators that keep values: pooling by maximum, selection, padding, and changes of shape that move nothing. */
import { DyadicError, quoted } from '../error.ts'
import { resolvePads, resolveSlice } from '../graph/operators/select.ts'
import { resolveWindow } from '../graph/operators/window.ts'
import { hull, interval } from '../num/interval.ts'
import { rescale } from './combine.ts'
import type { SelectAxis, Window } from './integer-graph.ts'
import {
  demand8Bit,
  demandImage,
  type LoweringContext,
  type QuantisedValue,
  storedOffset,
  tensorPlan,
  uniform,
} from './quantised-value.ts'

/** The two-dimensional window of a pooling node; refused for other ranks. */
export function poolWindow(context: LoweringContext): Window {
  const { height, width } = context.input(0).tensor
  const kernel = context.attribute<readonly number[]>('kernel_shape') ?? [height, width]
  if (kernel.length !== 2)
    throw new DyadicError(
      'unsupported',
      `node ${quoted(context.node.name)} (${context.node.operator}) pools over ${kernel.length} axes; dyadic compiles two-dimensional pooling`,
    )
  const window = resolveWindow(context.node.name, context.node.attributes, [height, width], kernel)
  const pair = (list: readonly number[]): [number, number] => [list[0], list[1]]
  return {
    kernel: pair(kernel),
    strides: pair(window.strides),
    dilations: pair(window.dilations),
    pads: [window.pads[0], window.pads[1], window.pads[2], window.pads[3]],
  }
}

/** MaxPool and GlobalMaxPool: the largest code is the code of the largest value. */
export function lowerMaxPool(context: LoweringContext, window: Window): QuantisedValue {
  const input = context.input(0)
  demand8Bit(input, context.node)
  demandImage(input, context.node)
  const [, channels, height, width] = context.outputShape
  const output = context.tensor({ ...input.tensor, name: context.outputName, height, width, channels })
  context.emit({ kind: 'max-pool', name: context.node.name, output, input: input.tensor, window })
  return { ...input, tensor: output }
}

/** Flatten, Reshape, Squeeze and Unsqueeze: only the forms that keep NCHW order, so that nothing moves. */
export function lowerReshape(context: LoweringContext): QuantisedValue {
  const input = context.input(0)
  const { height, width, channels } = input.tensor
  const from = context.inputShape(0)
  const shape = context.outputShape
  if (String(from) === String(shape)) return input
  const pixels = height * width
  const trailing = shape.slice(2)
  const keepsImage = shape.length === 4 && shape[1] === channels && shape[2] === height && shape[3] === width
  const vector = shape.length >= 2 && shape[1] === pixels * channels && trailing.every((size) => size === 1)
  // Several rows of vectors are stored row by row, which is not the order of an image's planes.
  if (from[0] !== 1 || shape[0] !== 1 || !(keepsImage || vector))
    throw new DyadicError(
      'unsupported',
      `node ${quoted(context.node.name)} (${context.node.operator}) reshapes [${from}] to [${shape}]; dyadic compiles flattening of [1, C, H, W] to [1, C·H·W] and back`,
    )
  return { ...input, flat: !keepsImage && pixels > 1 }
}

const WHOLE = (size: number): SelectAxis => ({ start: 0, step: 1, offset: 0, count: size })

/** Constant integers of an input, or undefined when it is omitted. */
function integers(context: LoweringContext, index: number): number[] | undefined {
  return context.hasInput(index) ? Array.from(context.constant(index).values, Number) : undefined
}

/** NCHW axes as the instruction's height, width, channel order. */
function toStored(axes: readonly SelectAxis[], context: LoweringContext): [SelectAxis, SelectAxis, SelectAxis] {
  if (axes.length !== 4 || axes[0].count !== 1 || axes[0].offset !== 0 || axes.some((axis) => axis.step < 1))
    throw new DyadicError(
      'unsupported',
      `node ${quoted(context.node.name)} (${context.node.operator}): dyadic compiles selections of 4-D tensors along channels, height and width with positive steps`,
    )
  return [axes[2], axes[3], axes[1]]
}

function emitSelect(
  context: LoweringContext,
  input: QuantisedValue,
  axes: readonly SelectAxis[],
  fill: number,
): QuantisedValue {
  const [, channels, height, width] = context.outputShape
  const output = context.tensor({
    ...input.tensor,
    name: context.outputName,
    height,
    width,
    channels,
    range: hull(input.tensor.range, interval(fill, fill)),
  })
  context.emit({
    kind: 'select',
    name: context.node.name,
    output,
    input: input.tensor,
    axes: toStored(axes, context),
    fill,
  })
  return { ...input, tensor: output }
}

/** ONNX Slice with constant arguments. */
export function lowerSlice(context: LoweringContext): QuantisedValue {
  const input = context.input(0)
  demand8Bit(input, context.node)
  demandImage(input, context.node)
  const { height, width, channels } = input.tensor
  const chosen = resolveSlice(
    context.node.name,
    [1, channels, height, width],
    integers(context, 1) ?? [],
    integers(context, 2) ?? [],
    integers(context, 3),
    integers(context, 4),
  )
  return emitSelect(
    context,
    input,
    chosen.map((axis) => ({ ...axis, offset: 0 })),
    uniform(input, context.node).zeroPoint,
  )
}

/** ONNX Pad with a constant fill that the input's scale can express exactly (zero is). */
export function lowerPad(context: LoweringContext): QuantisedValue {
  const input = context.input(0)
  demand8Bit(input, context.node)
  demandImage(input, context.node)
  const { scale, zeroPoint } = uniform(input, context.node)
  const value = context.hasInput(2) ? Number(context.constant(2).values[0] ?? 0) : 0
  const fill = Math.floor(value / scale + zeroPoint + 0.5)
  if (fill < -128 || fill > 127)
    throw new DyadicError(
      'unsupported',
      `node ${quoted(context.node.name)} (Pad) fills with ${value}, outside the range of its input; widen the range of ${quoted(input.tensor.name)} in the plan`,
    )
  const { height, width, channels } = input.tensor
  const sizes = [1, channels, height, width]
  const pads = resolvePads(context.node.name, 4, integers(context, 1) ?? [], integers(context, 3))
  const axes = sizes.map((size, axis): SelectAxis => {
    const before = pads[axis]
    const after = pads[axis + 4]
    if (before === 0 && after === 0) return WHOLE(size)
    const cropped = Math.max(0, -before)
    return {
      start: cropped,
      step: 1,
      offset: Math.max(0, before),
      count: size - cropped - Math.max(0, -after),
    }
  })
  return emitSelect(context, input, axes, fill)
}

/** ONNX Concat of images: inputs in another scale than the output's pass through a table first. */
export function lowerConcat(context: LoweringContext): QuantisedValue {
  const target = tensorPlan(context.plan, context.outputName, context.node)
  const rank = context.outputShape.length
  const given = context.attribute<number>('axis') ?? 1
  const axis = (['batch', 'channels', 'height', 'width'] as const)[given < 0 ? given + rank : given]
  if (rank !== 4 || axis === 'batch')
    throw new DyadicError(
      'unsupported',
      `node ${quoted(context.node.name)} (Concat) joins tensors of rank ${rank} along axis ${given}; dyadic compiles 4-D tensors along channels, height and width`,
    )
  const zeroPoint = target.zeroPoint - storedOffset(target.format)
  const inputs = context.node.inputs.map((_, index) => {
    const input = context.input(index)
    demand8Bit(input, context.node)
    demandImage(input, context.node)
    const own = uniform(input, context.node)
    if (own.scale === target.scale && own.zeroPoint === zeroPoint) return input.tensor
    return rescale(context, input, target, `${context.outputName}:${index}`).tensor
  })
  const [, channels, height, width] = context.outputShape
  const range = inputs.map((input) => input.range).reduce(hull)
  const output = context.tensor({ ...inputs[0], name: context.outputName, height, width, channels, range })
  context.emit({ kind: 'concat', name: context.node.name, output, inputs, axis })
  return { tensor: output, format: target.format, scale: [target.scale], zeroPoint: [target.zeroPoint], flat: false }
}
