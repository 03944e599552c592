/** Operators that keep values and only say where they lie: other views where that suffices, moves (R8) where it does not. */
import { DyadicError, quoted } from '../error.ts'
import { resolvePads, resolveSlice } from '../graph/operators/select.ts'
import { hull, interval } from '../num/interval.ts'
import { storedConstant } from './constant-value.ts'
import { rescale } from './elementwise.ts'
import type { MoveSource, StorageFormat } from './integer-graph.ts'
import { moveTo, sourceOf } from './place.ts'
import {
  demandNarrow,
  type LoweringContext,
  narrowPlan,
  type QuantisedValue,
  storageFormat,
  storedOffset,
  storedRange,
  uniform,
} from './quantised-value.ts'
import {
  type Assignment,
  assign,
  assignmentLike,
  broadcastView,
  defaultAssignment,
  reshapeView,
  sliceView,
  transposeView,
  type View,
} from './view.ts'

/** Reshape, Flatten, Squeeze, Unsqueeze: another shape of the same order. */
export function lowerReshape(context: LoweringContext): QuantisedValue {
  return reshaped(context, context.input(0), context.outputShape)
}

function reshaped(context: LoweringContext, value: QuantisedValue, shape: readonly number[]): QuantisedValue {
  const view = reshapeView(value.view, shape)
  if (view !== undefined) return { ...value, view }
  // Compact in one row of channels every shape is a view.
  const rank = value.view.dimensions.length
  const row = moveTo(context, value, { height: [], width: [], channels: Array.from({ length: rank }, (_, i) => i) })
  return { ...row, view: reshapeView(row.view, shape) as View }
}

/** Transpose: dimensions in another order. */
export function lowerTranspose(context: LoweringContext): QuantisedValue {
  const value = context.input(0)
  const permutation =
    context.attribute<readonly number[]>('perm') ?? value.view.dimensions.map((_, i) => i).toReversed()
  return { ...value, view: transposeView(value.view, permutation) }
}

/** DepthToSpace and SpaceToDepth: a reshape, a transpose and a reshape. */
export function lowerDepthToSpace(context: LoweringContext): QuantisedValue {
  const [batch, channels, height, width] = context.inputShape(0)
  const block = context.attribute<number>('blocksize') as number
  const depth = channels / (block * block)
  const columnRow = context.attribute<string>('mode') === 'CRD'
  const split = reshaped(
    context,
    context.input(0),
    columnRow ? [batch, depth, block, block, height, width] : [batch, block, block, depth, height, width],
  )
  const view = transposeView(split.view, columnRow ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2])
  return reshaped(context, { ...split, view }, context.outputShape)
}

export function lowerSpaceToDepth(context: LoweringContext): QuantisedValue {
  const [batch, channels, height, width] = context.inputShape(0)
  const block = context.attribute<number>('blocksize') as number
  const split = reshaped(context, context.input(0), [batch, channels, height / block, block, width / block, block])
  return reshaped(context, { ...split, view: transposeView(split.view, [0, 3, 5, 1, 2, 4]) }, context.outputShape)
}

/** Expand: repetition without copies. */
export function lowerExpand(context: LoweringContext): QuantisedValue {
  const value = context.input(0)
  return { ...value, view: broadcastView(value.view, context.outputShape) }
}

/** Constant integers of an input, or undefined when it is omitted. */
function integers(context: LoweringContext, index: number): number[] | undefined {
  return context.hasInput(index) ? Array.from(context.constant(index).values, Number) : undefined
}

interface Box {
  readonly start: number
  readonly step: number
  readonly count: number
}

/** One box of a value; moved to plain storage first where a cut dimension is no single run. */
function sliced(context: LoweringContext, value: QuantisedValue, boxes: readonly Box[]): QuantisedValue {
  const cut = (from: QuantisedValue): View | undefined =>
    boxes.reduce<View | undefined>((view, box, index) => view && sliceView(view, index, box), from.view)
  const view = cut(value)
  if (view !== undefined) return { ...value, view }
  const moved = moveTo(context, value, defaultAssignment(boxes.map((_, index) => context.inputShape(0)[index])))
  return { ...moved, view: cut(moved) as View }
}

/** Slice with constant arguments. */
export function lowerSlice(context: LoweringContext): QuantisedValue {
  const boxes = resolveSlice(
    context.node.name,
    context.inputShape(0),
    integers(context, 1) ?? [],
    integers(context, 2) ?? [],
    integers(context, 3),
    integers(context, 4),
  )
  return sliced(context, context.input(0), boxes)
}

/** Split: a slice for each output. */
export function lowerSplit(context: LoweringContext): QuantisedValue[] {
  const shape = context.inputShape(0)
  const given = context.attribute<number>('axis') ?? 0
  const axis = given < 0 ? given + shape.length : given
  let start = 0
  return context.outputShapes.map((output) => {
    const boxes = shape.map((count, index) =>
      index === axis ? { start, step: 1, count: output[axis] } : { start: 0, step: 1, count },
    )
    start += output[axis]
    return sliced(context, context.input(0), boxes)
  })
}

/** Gather of constant indices: a slice where they are equally spaced, otherwise a move of as many runs as they have. */
export function lowerGather(context: LoweringContext): QuantisedValue {
  const shape = context.inputShape(0)
  const given = context.attribute<number>('axis') ?? 0
  const axis = given < 0 ? given + shape.length : given
  const { values } = context.constant(1)
  const runs = runsOf(Array.from(values, Number).map((index) => (index < 0 ? index + shape[axis] : index)))
  const boxes = runs.map((run) =>
    shape.map((count, index): Box => (index === axis ? run : { start: 0, step: 1, count })),
  )
  const value = context.input(0)
  if (boxes.length === 1) return reshaped(context, sliced(context, value, boxes[0]), context.outputShape)
  demandNarrow(value, context.node)
  uniform(value, context.node)
  const gathered = shape.with(axis, values.length)
  const parts = boxes.map((box) => sliced(context, value, box))
  const { storage, view } = assign(gathered, joinAssignment(parts, gathered))
  const output = context.tensor({ ...value.tensor, ...storage, name: context.outputName })
  let start = 0
  const sources = parts.map((part, index): MoveSource => {
    const { count } = runs[index]
    const target = sliceView(view, axis, { start, step: 1, count }) as View
    start += count
    return sourceOf(part, target)
  })
  context.emit({ kind: 'move', name: context.node.name, output, sources })
  return reshaped(context, { ...value, tensor: output, view }, context.outputShape)
}

/** Indices as runs of equal steps, each as long as it can be. */
function runsOf(indices: readonly number[]): Box[] {
  const runs: Box[] = []
  for (let at = 0; at < indices.length; ) {
    const step = at + 1 < indices.length ? indices[at + 1] - indices[at] : 1
    let count = 1
    while (at + count < indices.length && indices[at + count] === indices[at] + count * step) count++
    runs.push({ start: indices[at], step, count })
    at += count
  }
  return runs
}

/** Pad with a constant fill that the input's range can express (zero always is). */
export function lowerPad(context: LoweringContext): QuantisedValue {
  const value = context.input(0)
  demandNarrow(value, context.node)
  const mode = context.attribute<string>('mode') ?? 'constant'
  if (mode !== 'constant')
    throw new DyadicError(
      'unsupported',
      `node ${quoted(context.node.name)} (Pad) has mode ${quoted(mode)}, which \`simplify\` turns into Gather; simplify the graph first`,
    )
  const { scale, zeroPoint } = uniform(value, context.node)
  const real = context.hasInput(2) ? Number(context.constant(2).values[0] ?? 0) : 0
  const fill = Math.floor(real / scale + zeroPoint + 0.5)
  const codes = storedRange(value.tensor.format)
  if (!(fill >= codes.low && fill <= codes.high))
    throw new DyadicError(
      'unsupported',
      `node ${quoted(context.node.name)} (Pad) fills with ${real}, outside the range of its input; widen the range of ${quoted(value.tensor.name)} in the plan`,
    )
  const shape = context.inputShape(0)
  const rank = shape.length
  const pads = resolvePads(context.node.name, rank, integers(context, 1) ?? [], integers(context, 3))
  // Negative pads crop, before anything is surrounded.
  const kept = sliced(
    context,
    value,
    shape.map((size, axis) => {
      const [before, after] = [Math.max(0, -pads[axis]), Math.max(0, -pads[axis + rank])]
      return { start: before, step: 1, count: size - before - after }
    }),
  )
  const { storage, view } = assign(context.outputShape, assignmentLike(kept.view))
  const box = pads.slice(0, rank).reduce<View>((inner, pad, axis) => {
    const count = context.outputShape[axis] - Math.max(0, pad) - Math.max(0, pads[axis + rank])
    return sliceView(inner, axis, { start: Math.max(0, pad), step: 1, count }) as View
  }, view)
  const output = context.tensor({
    ...value.tensor,
    ...storage,
    name: context.outputName,
    range: hull(value.tensor.range, interval(fill, fill)),
  })
  context.emit({ kind: 'move', name: context.node.name, output, sources: [sourceOf(kept, box)], fill })
  return { ...value, tensor: output, view }
}

/**
 * Concat: constants become codes of the output's scale, inputs in another scale or width than the output's are rescaled, all at once behind the join where they agree among
 * themselves (as parts of one tensor do), and each by itself otherwise.
 */
export function lowerConcat(context: LoweringContext): QuantisedValue {
  const target = narrowPlan(context)
  const inputs = context.node.inputs.map((_, index) => {
    if (context.isConstant(index)) return storedConstant(context, index, target)
    const input = context.input(index)
    demandNarrow(input, context.node)
    return input
  })
  const offset = storedOffset(target.format)
  const planned = numbersOf(target.scale, target.zeroPoint - offset, storageFormat(target.format))
  const own = inputs.map((input) => {
    const { scale, zeroPoint } = uniform(input, context.node)
    return numbersOf(scale, zeroPoint, input.tensor.format)
  })
  if (own[0] !== planned && own.every((numbers) => numbers === own[0]))
    return rescale(context, { ...inputs[0], ...join(context, inputs, context.fresh()) }, target)
  const alike = inputs.map((input, index) =>
    own[index] === planned ? input : rescale(context, input, target, context.fresh()),
  )
  const { tensor, view } = join(context, alike, context.outputName)
  return { tensor, format: target.format, scale: [target.scale], zeroPoint: [target.zeroPoint], view }
}

/** What must agree so that codes can lie in one tensor, for comparison. */
function numbersOf(scale: number, zeroPoint: number, format: StorageFormat): string {
  return `${scale} ${zeroPoint} ${format}`
}

/** The move that puts the inputs of a Concat into one tensor of the first one's numbers. */
function join(
  context: LoweringContext,
  inputs: readonly QuantisedValue[],
  name: string,
): Pick<QuantisedValue, 'tensor' | 'view'> {
  const shape = context.outputShape
  const given = context.attribute<number>('axis') ?? 0
  const axis = given < 0 ? given + shape.length : given
  const { storage, view } = assign(shape, joinAssignment(inputs, shape))
  const range = inputs.map((input) => input.tensor.range).reduce(hull)
  const tensor = context.tensor({ ...inputs[0].tensor, ...storage, name, range })
  let start = 0
  const sources = inputs.map((input, index): MoveSource => {
    const count = context.inputShape(index)[axis]
    const box = sliceView(view, axis, { start, step: 1, count }) as View
    start += count
    return sourceOf(input, box)
  })
  context.emit({ kind: 'move', name: name === context.outputName ? context.node.name : name, output: tensor, sources })
  return { tensor, view }
}

/** Stored like the first input that has a dimension of channels; images stay images. */
function joinAssignment(inputs: readonly QuantisedValue[], shape: readonly number[]): Assignment {
  const like = inputs.find(({ view }) => view.dimensions.some((axes) => axes.at(-1)?.step === 1))
  return like === undefined ? defaultAssignment(shape) : assignmentLike(like.view)
}
