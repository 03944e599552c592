/**
 * Views: where the elements of a value lie in the stored tensor that holds it. Transposes, reshapes, slices and repetitions
 * are other views of the same integers; nothing moves until an instruction needs another place.
 */
import { channelStride } from '../kernels/scalar/geometry.ts'

/** A run of elements, `step` stored elements apart; 0 repeats one, a negative step runs backwards. */
export interface Axis {
  readonly count: number
  readonly step: number
}

/**
 * The stored position of the element with ONNX index (i0, i1, …) is `start` plus what each dimension adds; the index of a
 * dimension counts through its axes, the first outermost. Normal form: no axis of one element, none that continues another.
 */
export interface View {
  readonly start: number
  readonly dimensions: readonly (readonly Axis[])[]
}

/** Height, width and channels of a stored tensor. */
export interface Storage {
  readonly height: number
  readonly width: number
  readonly channels: number
}

/** Axes in normal form. */
function normalized(axes: readonly Axis[]): Axis[] {
  const result: Axis[] = []
  for (const axis of axes) {
    if (axis.count === 1) continue
    const outer = result.at(-1)
    if (outer !== undefined && outer.step === axis.step * axis.count)
      result[result.length - 1] = { count: outer.count * axis.count, step: axis.step }
    else result.push(axis)
  }
  return result
}

const sizeOf = (axes: readonly Axis[]): number => axes.reduce((product, axis) => product * axis.count, 1)

/** The ONNX shape of a view. */
export function viewShape(view: View): number[] {
  return view.dimensions.map(sizeOf)
}

/** All axes in ONNX order, outermost first, in normal form: the loops that visit the elements in that order. */
export function viewLoops(view: View): readonly Axis[] {
  return normalized(view.dimensions.flat())
}

/** Which ONNX dimensions make height, width and channels of a tensor, outermost first; each occurs once. */
export interface Assignment {
  readonly height: readonly number[]
  readonly width: readonly number[]
  readonly channels: readonly number[]
}

/** How a shape is stored where nothing asks for more: images by their meaning, everything else with the last dimension as channels. */
export function defaultAssignment(shape: readonly number[]): Assignment {
  if (shape.length === 4 && shape[0] === 1) return { height: [0, 2], width: [3], channels: [1] }
  const last = shape.length - 1
  return {
    height: [],
    width: shape.map((_, index) => index).slice(0, Math.max(0, last)),
    channels: last < 0 ? [] : [last],
  }
}

/** How convolutions and pools read a shape: [N, C, …] with the second dimension as channels. */
export function imageAssignment(shape: readonly number[]): Assignment {
  return shape.length === 3 ? { height: [0], width: [2], channels: [1] } : defaultAssignment(shape)
}

/** The tensor that an assignment makes of a shape, and the view of the shape on it. */
export function assign(shape: readonly number[], assignment: Assignment): { storage: Storage; view: View } {
  const size = (list: readonly number[]): number => list.reduce((product, index) => product * shape[index], 1)
  const storage = {
    height: size(assignment.height),
    width: size(assignment.width),
    channels: size(assignment.channels),
  }
  const stride = channelStride(storage.channels)
  const dimensions: Axis[][] = shape.map(() => [])
  for (const [list, unit] of [
    [assignment.height, storage.width * stride],
    [assignment.width, stride],
    [assignment.channels, 1],
  ] as const) {
    let step = unit
    for (const index of list.toReversed()) {
      dimensions[index] = normalized([{ count: shape[index], step }])
      step *= shape[index]
    }
  }
  return { storage, view: { start: 0, dimensions } }
}

/** The assignment whose tensor is stored like this view, as far as it can be: the dimension with step 1 becomes the channels. */
export function assignmentLike(view: View): Assignment {
  const steps = view.dimensions.map((axes) => axes.at(-1)?.step)
  const channels = steps.indexOf(1)
  const others = view.dimensions.map((_, index) => index).filter((index) => index !== channels)
  // Dimensions of one element may stand anywhere; the rest from the largest step to the smallest.
  const order = others.toSorted((a, b) => (steps[b] ?? Infinity) - (steps[a] ?? Infinity) || a - b)
  const real = order.filter((index) => steps[index] !== undefined)
  const width = real.length > 1 ? real.slice(1) : real
  return {
    height: order.filter((index) => !width.includes(index)),
    width,
    channels: channels < 0 ? [] : [channels],
  }
}

/** Whether both views visit the same stored elements in the same order and shape. */
export function sameView(a: View, b: View): boolean {
  return (
    a.start === b.start &&
    a.dimensions.length === b.dimensions.length &&
    a.dimensions.every(
      (axes, index) =>
        axes.length === b.dimensions[index].length &&
        axes.every(
          (axis, at) => axis.count === b.dimensions[index][at].count && axis.step === b.dimensions[index][at].step,
        ),
    )
  )
}

/** Whether the view shows every element of the tensor exactly once. Repetitions (step 0) never do. */
export function coversTensor(view: View, { height, width, channels }: Storage): boolean {
  const axes = view.dimensions.flat()
  // Views come from whole tensors by selection and regrouping, so positions differ unless something repeats.
  return view.start === 0 && axes.every(({ step }) => step > 0) && sizeOf(axes) === height * width * channels
}

/** Dimensions in another order: result dimension i is dimension `permutation[i]`. */
export function transposeView(view: View, permutation: readonly number[]): View {
  return { start: view.start, dimensions: permutation.map((index) => view.dimensions[index]) }
}

/** The same elements in row-major order under another shape; undefined where a run of elements would have to be cut unevenly. */
export function reshapeView(view: View, shape: readonly number[]): View | undefined {
  const rest = viewLoops(view)
    .toReversed()
    .map((axis) => ({ ...axis }))
  const dimensions: Axis[][] = []
  for (const size of shape.toReversed()) {
    const axes: Axis[] = []
    let needed = size
    while (needed > 1) {
      const axis = rest.shift()
      if (axis === undefined) return undefined
      if (needed % axis.count === 0) {
        axes.unshift(axis)
        needed /= axis.count
      } else if (axis.count % needed === 0) {
        axes.unshift({ count: needed, step: axis.step })
        rest.unshift({ count: axis.count / needed, step: axis.step * needed })
        needed = 1
      } else return undefined
    }
    dimensions.unshift(normalized(axes))
  }
  return rest.length === 0 ? { start: view.start, dimensions } : undefined
}

/** `count` indices of one dimension from `start` on, `step` apart; undefined where the dimension is no single run. */
export function sliceView(
  view: View,
  dimension: number,
  { start, step, count }: { start: number; step: number; count: number },
): View | undefined {
  const axes = view.dimensions[dimension]
  if (start === 0 && step === 1 && count === sizeOf(axes)) return view
  if (axes.length > 1) return undefined
  const [axis = { count: 1, step: 0 }] = axes
  return {
    start: view.start + start * axis.step,
    dimensions: view.dimensions.with(dimension, normalized([{ count, step: step * axis.step }])),
  }
}

/** The view repeated to a larger shape by ONNX's broadcasting rules. */
export function broadcastView(view: View, shape: readonly number[]): View {
  const missing = shape.length - view.dimensions.length
  const dimensions = shape.map((size, index): readonly Axis[] => {
    const own = index < missing ? [] : view.dimensions[index - missing]
    return size > 1 && sizeOf(own) === 1 ? [{ count: size, step: 0 }] : own
  })
  return { start: view.start, dimensions }
}

/** Views of one shape as loops over all of them: each loop is the largest run that is regular in every one. */
export function jointLoops(views: readonly View[]): { count: number; steps: number[] }[] {
  const loops: { count: number; steps: number[] }[] = []
  for (let dimension = 0; dimension < views[0].dimensions.length; dimension++) {
    const rest = views.map((view) => view.dimensions[dimension].map((axis) => ({ ...axis })))
    // Outermost first; where one run ends inside another, that one is split at the same place.
    while (rest.every((axes) => axes.length > 0)) {
      const count = rest.reduce((least, [axis]) => Math.min(least, axis.count), Infinity)
      loops.push({ count, steps: rest.map(([axis]) => axis.step * (axis.count / count)) })
      for (const axes of rest)
        if (axes[0].count === count) axes.shift()
        else axes[0] = { count: axes[0].count / count, step: axes[0].step }
    }
  }
  return loops
}

/** Two views of one shape as loops over both. */
export function pairLoops(from: View, to: View): { count: number; sourceStep: number; targetStep: number }[] {
  return jointLoops([from, to]).map(({ count, steps: [sourceStep, targetStep] }) => ({ count, sourceStep, targetStep }))
}

/** Stored positions of all elements in ONNX order. */
export function viewPositions(view: View): Int32Array {
  const loops = viewLoops(view)
  const positions = new Int32Array(sizeOf(loops))
  positions[0] = view.start
  let filled = 1
  for (const { count, step } of loops.toReversed()) {
    for (let i = 1; i < count; i++) for (let j = 0; j < filled; j++) positions[i * filled + j] = positions[j] + i * step
    filled *= count
  }
  return positions
}
