/** Random strided copies for test graphs: selections, tensors side by side, and loops split, turned, repeated and permuted. */
import { channelStride } from '../kernels/scalar/geometry.ts'
import type { ExportLoop, IntegerTensor, Loop, MoveSource } from '../lower/integer-graph.ts'
import type { Random } from './program.fixture.ts'

interface Shape {
  readonly height: number
  readonly width: number
  readonly channels: number
}

/** Stored elements between neighbours along height, width and channels. */
function stepsOf({ width, channels }: Shape): [number, number, number] {
  const stride = channelStride(channels)
  return [width * stride, stride, 1]
}

/** Every second element and so on of each axis, put somewhere into a larger tensor. */
export function randomSelection(input: IntegerTensor, random: Random): { shape: Shape; source: MoveSource } {
  const drawn = [input.height, input.width, input.channels].map((size) => {
    const step = random.between(1, 3)
    const start = random.chance(0.5) ? 0 : random.between(0, size - 1)
    const most = Math.floor((size - 1 - start) / step) + 1
    const count = random.chance(0.6) ? most : random.between(1, most)
    const offset = random.between(0, 3)
    return { start, step, count, offset, size: offset + count + random.between(0, 3) }
  })
  const [height, width, channels] = drawn.map(({ size }) => size)
  const shape = { height, width, channels }
  const [from, to] = [stepsOf(input), stepsOf(shape)]
  const loops = drawn.map(({ count, step }, axis) => ({
    count,
    sourceStep: step * from[axis],
    targetStep: to[axis],
  }))
  const sum = (field: 'start' | 'offset', steps: readonly number[]): number =>
    drawn.reduce((total, choice, axis) => total + choice[field] * steps[axis], 0)
  return { shape, source: { input, sourceStart: sum('start', from), targetStart: sum('offset', to), loops } }
}

/** Tensors side by side along an axis. */
export function sideBySide(
  inputs: readonly IntegerTensor[],
  axis: 'height' | 'width' | 'channels',
): { shape: Shape; sources: MoveSource[] } {
  const [first] = inputs
  const shape = { height: first.height, width: first.width, channels: first.channels }
  shape[axis] = inputs.reduce((total, input) => total + input[axis], 0)
  const to = stepsOf(shape)
  let position = 0
  const sources = inputs.map((input): MoveSource => {
    const from = stepsOf(input)
    const targetStart = position * to[['height', 'width', 'channels'].indexOf(axis)]
    position += input[axis]
    const loops = [input.height, input.width, input.channels].map((count, index) => ({
      count,
      sourceStep: from[index],
      targetStep: to[index],
    }))
    return { input, sourceStart: 0, targetStart, loops }
  })
  return { shape, sources }
}

function shuffled<Item>(items: readonly Item[], random: Random): Item[] {
  const list = [...items]
  for (let i = list.length - 1; i > 0; i--) {
    const j = random.between(0, i)
    ;[list[i], list[j]] = [list[j] as Item, list[i] as Item]
  }
  return list
}

/** The axes of a stored tensor as loops over it: some split in two, some turned round. */
function randomAxes(input: IntegerTensor, random: Random): { start: number; axes: ExportLoop[] } {
  const steps = stepsOf(input)
  let start = 0
  const axes = [input.height, input.width, input.channels].flatMap((count, axis): ExportLoop[] => {
    let step = steps[axis]
    if (random.chance(0.15)) {
      start += (count - 1) * step
      step = -step
    }
    const divisors = Array.from({ length: count }, (_, i) => i + 1).filter((size) => count % size === 0)
    if (random.chance(0.5)) return [{ count, step }]
    const inner = random.pick(divisors)
    return [
      { count: count / inner, step: step * inner },
      { count: inner, step },
    ]
  })
  return { start, axes }
}

/** Loops of an export in any order. */
export function randomReading(input: IntegerTensor, random: Random): { start: number; loops: ExportLoop[] } {
  const { start, axes } = randomAxes(input, random)
  return { start, loops: shuffled(axes, random) }
}

/** The tensor with its axes split, turned round and permuted, sometimes repeated; loops in any order. */
export function randomPermutation(input: IntegerTensor, random: Random): { shape: Shape; source: MoveSource } {
  const { start, axes } = randomAxes(input, random)
  if (random.chance(0.2)) axes.push({ count: random.between(2, 3), step: 0 })
  const order = shuffled(axes, random)
  const cuts = [random.between(0, order.length), random.between(0, order.length)].sort((a, b) => a - b)
  const parts = [order.slice(0, cuts[0]), order.slice(cuts[0], cuts[1]), order.slice(cuts[1])]
  const [height, width, channels] = parts.map((part) => part.reduce((product, { count }) => product * count, 1))
  const shape = { height, width, channels }
  const to = stepsOf(shape)
  const loops = parts.flatMap((part, axis) =>
    part.map(
      ({ count, step }, index): Loop => ({
        count,
        sourceStep: step,
        targetStep: part.slice(index + 1).reduce((product, inner) => product * inner.count, to[axis]),
      }),
    ),
  )
  return {
    shape,
    source: { input, sourceStart: start, targetStart: 0, loops: random.chance(0.5) ? loops : shuffled(loops, random) },
  }
}
