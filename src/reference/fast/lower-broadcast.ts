/**
 * Lowerings of the operators that combine two tensors under broadcasting: kernels for sums and products of equal shapes,
 * else loops over rows of lanes. Computed in double and rounded once at the output, as the operators define.
 */
import type { Node } from '../../graph/graph.ts'
import type { Kernels } from './kernels.ts'
import { extents, type Layout, laneCount, laneStrides, layoutOf, sameLayout } from './layout.ts'
import { limits } from './lower-weighted.ts'
import { type Lowering, type Planner, packLanes, type Stored } from './planner.ts'

/** target[t + i] = left[l + i · dl] ∘ right[r + i · dr] for i < count; all indices of `floats`. */
type RowLoop = (
  floats: Float32Array,
  target: number,
  left: number,
  leftStep: number,
  right: number,
  rightStep: number,
  count: number,
) => void

type KernelCall = (kernels: Kernels, left: number, right: number, output: number, count: number) => void

/** One loop per operator, so that each is compiled for itself. */
const LOOPS = {
  add: (floats, t, l, dl, r, dr, count) => {
    for (let i = 0; i < count; i++, l += dl, r += dr) floats[t + i] = floats[l] + floats[r]
  },
  subtract: (floats, t, l, dl, r, dr, count) => {
    for (let i = 0; i < count; i++, l += dl, r += dr) floats[t + i] = floats[l] - floats[r]
  },
  multiply: (floats, t, l, dl, r, dr, count) => {
    for (let i = 0; i < count; i++, l += dl, r += dr) floats[t + i] = floats[l] * floats[r]
  },
  divide: (floats, t, l, dl, r, dr, count) => {
    for (let i = 0; i < count; i++, l += dl, r += dr) floats[t + i] = floats[l] / floats[r]
  },
  parametricRelu: (floats, t, l, dl, r, dr, count) => {
    for (let i = 0; i < count; i++, l += dl, r += dr) {
      const x = floats[l]
      const size = Math.abs(x)
      // Halves of 2x and 0, exact for every finite x, and without a branch: signs are as good as random.
      floats[t + i] = 0.5 * (x + size) + floats[r] * (0.5 * (x - size))
    }
  },
} satisfies Record<string, RowLoop>

function binary(loop: RowLoop, makeCall?: (node: Node) => KernelCall): Lowering {
  return (node, planner) => {
    const layout = planner.layout(node.outputs[0])
    const rank = planner.shape(node.outputs[0]).length
    const left = layout && operand(planner, node.inputs[0], rank)
    const right = layout && operand(planner, node.inputs[1], rank)
    if (!left || !right) return false
    const whole = [left, right].every((value) => sameLayout(value.layout, layout))
    if (!whole && node.operator.startsWith('dyadic.')) return false
    const output = sameLayout(left.layout, layout)
      ? planner.defineOver(node.outputs[0], left)
      : planner.define(node.outputs[0], layout)
    const count = laneCount(layout)
    const call = whole ? makeCall?.(node) : undefined
    if (call)
      planner.emit(({ kernels }) =>
        call(kernels, left.buffer.address, right.buffer.address, output.buffer.address, count),
      )
    else if (whole)
      planner.emit(({ floats }) =>
        loop(floats, output.buffer.address / 4, left.buffer.address / 4, 1, right.buffer.address / 4, 1, count),
      )
    else planner.emit(({ floats }) => eachPixel(floats, loop, left, right, output))
    return true
  }
}

/** An operand of the output's rank; a constant of lower rank gets its missing leading axes. */
function operand(planner: Planner, name: string, rank: number): Stored | undefined {
  const shape = planner.shape(name)
  if (shape.length === rank) return planner.stored(name)
  const values = planner.floats(name)
  const padded = [...new Array<number>(Math.max(0, rank - shape.length)).fill(1), ...shape]
  const layout = values && layoutOf({ type: 'float32', shape: padded })
  return layout && padded.length === rank ? { layout, buffer: planner.constant(packLanes(values, layout)) } : undefined
}

/** Strides in floats by N, C, H, W, 0 along repeated axes. */
function stridesIn(own: Layout, output: Layout): number[] {
  const wanted = extents(output)
  const strides = laneStrides(own)
  return extents(own).map((size, axis) => (size === 1 && wanted[axis] !== 1 ? 0 : strides[axis] / 4))
}

function eachPixel(floats: Float32Array, loop: RowLoop, left: Stored, right: Stored, output: Stored): void {
  const { n, h, w, c, lanes } = output.layout
  const [ln, lc, lh, lw] = stridesIn(left.layout, output.layout)
  const [rn, rc, rh, rw] = stridesIn(right.layout, output.layout)
  let target = output.buffer.address / 4
  for (let sample = 0; sample < n; sample++)
    for (let row = 0; row < h; row++)
      for (let column = 0; column < w; column++, target += lanes) {
        const l = left.buffer.address / 4 + sample * ln + row * lh + column * lw
        const r = right.buffer.address / 4 + sample * rn + row * rh + column * rw
        loop(floats, target, l, lc, r, rc, c)
      }
}

/** `Add` and `dyadic.Add`. */
export const add = binary(LOOPS.add, (node) => {
  const { low, high } = limits(node)
  return (kernels, left, right, output, count) => kernels.add(left, right, output, count, low, high)
})

/** `Mul`. */
export const multiply = binary(
  LOOPS.multiply,
  () => (kernels, left, right, output, count) => kernels.multiply(left, right, output, count),
)

/** `Sub`. */
export const subtract = binary(LOOPS.subtract)

/** `Div` of floats. */
export const divide = binary(LOOPS.divide)

/** `PRelu`. */
export const parametricRelu = binary(LOOPS.parametricRelu)
