/**
 * Bringing a value to where an instruction needs it: as a whole image, as rows of channels, in the storage of another value.
 * Where its view already fits, nothing is emitted; otherwise one move (R8).
 */
import { DyadicError, quoted } from '../error.ts'
import { channelStride } from '../kernels/scalar/geometry.ts'
import type { MoveSource } from './integer-graph.ts'
import { demandNarrow, type LoweringContext, type QuantisedValue, uniform } from './quantised-value.ts'
import {
  type Assignment,
  assign,
  assignmentLike,
  coversTensor,
  imageAssignment,
  pairLoops,
  sameView,
  type View,
  viewShape,
} from './view.ts'

/** The value on a tensor of its own, stored by the assignment. */
export function moveTo(context: LoweringContext, value: QuantisedValue, assignment: Assignment): QuantisedValue {
  // Positions of channels change: only one scale for all survives.
  uniform(value, context.node)
  const { storage, view } = assign(viewShape(value.view), assignment)
  const name = context.fresh()
  const output = context.tensor({ ...value.tensor, ...storage, name })
  context.emit({
    kind: 'move',
    name,
    output,
    sources: [sourceOf(value, view)],
  })
  return { ...value, tensor: output, view }
}

/** An input as [1, C, H, W] (or [1, C, L]) over the whole of its tensor. */
export function imageInput(context: LoweringContext, index: number): QuantisedValue {
  const value = context.input(index)
  demandNarrow(value, context.node)
  const shape = context.inputShape(index)
  if (shape[0] !== 1)
    throw new DyadicError(
      'unsupported',
      `node ${quoted(context.node.name)} (${context.node.operator}) reads a batch of ${shape[0]} images, [${shape}]; dyadic compiles one image at a time`,
    )
  const assignment = imageAssignment(shape)
  const image = assign(shape, assignment)
  const { height, width, channels } = value.tensor
  const same = height === image.storage.height && width === image.storage.width && channels === image.storage.channels
  return same && sameView(value.view, image.view) ? value : moveTo(context, value, assignment)
}

/** An input that shows the whole of its tensor, in whatever order. */
export function wholeInput(context: LoweringContext, index: number): QuantisedValue {
  const value = context.input(index)
  demandNarrow(value, context.node)
  if (coversTensor(value.view, value.tensor)) return value
  return moveTo(context, value, assignmentLike(value.view))
}

/** An input whose channels are exactly the given ONNX dimensions, and nothing else lies in its tensor. */
export function rowsInput(context: LoweringContext, index: number, channels: readonly number[]): QuantisedValue {
  const value = context.input(index)
  demandNarrow(value, context.node)
  const { tensor, view } = value
  const inner = view.dimensions.filter((_, dimension) => channels.includes(dimension)).flat()
  const outer = view.dimensions.filter((_, dimension) => !channels.includes(dimension)).flat()
  const count = inner.reduce((product, axis) => product * axis.count, 1)
  const stride = channelStride(tensor.channels)
  const fits =
    coversTensor(view, tensor) &&
    count === tensor.channels &&
    inner.every(({ step }) => step < stride) &&
    outer.every(({ step }) => step >= stride)
  if (fits) return value
  const rest = view.dimensions.map((_, dimension) => dimension).filter((dimension) => !channels.includes(dimension))
  return moveTo(context, value, { height: [], width: rest, channels })
}

/** The value in the storage of another, element for element: a move that both shapes fit. */
export function moveLike(context: LoweringContext, value: QuantisedValue, like: QuantisedValue): QuantisedValue {
  uniform(value, context.node)
  const { height, width, channels } = like.tensor
  const name = context.fresh()
  const output = context.tensor({ ...value.tensor, height, width, channels, name })
  context.emit({ kind: 'move', name, output, sources: [sourceOf(value, like.view)] })
  return { ...value, tensor: output, view: like.view }
}

/** The source of a move that writes a value into a box of another tensor: `view` is the box, in the value's shape. */
export function sourceOf(value: QuantisedValue, view: View): MoveSource {
  return {
    input: value.tensor,
    sourceStart: value.view.start,
    targetStart: view.start,
    loops: pairLoops(value.view, view),
  }
}
