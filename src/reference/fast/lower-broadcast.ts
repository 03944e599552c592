/**
 * Lowerings of the operators that combine two tensors under broadcasting: kernels for sums and products of equal shapes and
 * of equal rows, else loops over rows of lanes. Both operands are maps, or both are matrices where one of them is. Computed in double and rounded once at the output, as the operators define.
 */
import type { Node } from '../../graph/graph.ts'
import type { Kernels } from './kernels.ts'
import { extents, type Layout, laneCount, laneStrides, layoutOf, matrixStrides, sameLayout } from './layout.ts'
import { limits } from './lower-weighted.ts'
import { type Lowering, type Machine, type Planner, packLanes, type Stored } from './planner.ts'
import { type Axis, mergedAxes } from './strided.ts'

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
    if (node.inputs.length !== 2) return false
    const layout = planner.layout(node.outputs[0])
    if (!layout || node.inputs.some((name) => planner.view(name)?.matrix))
      return combineMatrices(node, planner, loop, makeCall?.(node))
    const rank = planner.shape(node.outputs[0]).length
    const left = operand(planner, node.inputs[0], rank)
    const right = operand(planner, node.inputs[1], rank)
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

/** The node on matrices of any rank. */
function combineMatrices(node: Node, planner: Planner, loop: RowLoop, call: KernelCall | undefined): boolean {
  const [name] = node.outputs
  const shape = planner.shape(name)
  const layout = planner.matrixLayout(name)
  const [left, right] = node.inputs.map((input) => planner.matrix(input))
  if (!layout || !left || !right) return false
  const equal = node.inputs.map((input) => String(planner.shape(input)) === String(shape))
  const output = equal[0] ? planner.defineOver(name, left) : planner.defineMatrix(name, layout)
  const strides = [
    matrixStrides(shape, layout),
    ...[left, right].map((value, index) => repeatedStrides(planner.shape(node.inputs[index]), value, shape)),
  ]
  const axes = mergedAxes(shape, ...strides)
  const inner = axes.at(-1)?.strides[0] === 4 ? (axes.pop() as Axis) : { size: 1, strides: [4, 4, 4] }
  const [, leftStep, rightStep] = inner.strides.map((stride) => stride / 4)
  const whole = call !== undefined && leftStep === 1 && rightStep === 1 && inner.size > 4 ? call : undefined
  const lanes = (inner.size + 3) & ~3
  // The lanes that a kernel writes beyond a row lie between rows.
  const run: Run = whole
    ? ({ kernels }, o, l, r) => whole(kernels, l, r, o, lanes)
    : ({ floats }, o, l, r) => loop(floats, o / 4, l / 4, leftStep, r / 4, rightStep, inner.size)
  const all = axes.reduceRight<Run>(
    (each, { size, strides: [o, l, r] }) =>
      (machine, output, a, b) => {
        for (let i = 0; i < size; i++) each(machine, output + i * o, a + i * l, b + i * r)
      },
    run,
  )
  planner.emit((machine) => all(machine, output.buffer.address, left.buffer.address, right.buffer.address))
  return true
}

type Run = (machine: Machine, output: number, left: number, right: number) => void

/** Byte strides of a matrix along the axes of a shape that it broadcasts to: 0 along repeated axes. */
function repeatedStrides(own: readonly number[], { layout }: Stored, shape: readonly number[]): number[] {
  const strides = matrixStrides(own, layout)
  const missing = shape.length - own.length
  return shape.map((_, axis) => (axis < missing || own[axis - missing] === 1 ? 0 : strides[axis - missing]))
}

/** An operand of the output's rank; a constant of lower rank gets its missing leading axes. */
function operand(planner: Planner, name: string, rank: number): Stored | undefined {
  const shape = planner.shape(name)
  if (shape.length === rank) return planner.stored(name)
  const values = planner.floats(name)
  const padded = [...new Array<number>(Math.max(0, rank - shape.length)).fill(1), ...shape]
  const layout = values && layoutOf({ type: 'float32', shape: padded })
  return layout && padded.length === rank
    ? { layout, buffer: planner.constant(packLanes(values, layout)), matrix: false }
    : undefined
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

const product = binary(
  LOOPS.multiply,
  () => (kernels, left, right, output, count) => kernels.multiply(left, right, output, count),
)

/** `Mul`. */
export const multiply: Lowering = (node, planner) => scaled(node, planner) || product(node, planner)

/** `Mul` by one constant number that widens nothing. */
function scaled(node: Node, planner: Planner): boolean {
  const side = node.inputs.findIndex((name) => planner.graph.constants.get(name)?.shape.every((size) => size === 1))
  const input = planner.view(node.inputs[1 - side])
  const factor = planner.floats(node.inputs[side])?.[0]
  const [x, y] = [node.inputs[1 - side], node.outputs[0]].map((name) => String(planner.shape(name)))
  if (side < 0 || !input || factor === undefined || x !== y) return false
  const output = planner.defineOver(node.outputs[0], input)
  const count = laneCount(input.layout)
  planner.emit(({ kernels }) => kernels.scale(input.buffer.address, output.buffer.address, count, factor))
  return true
}

/** `Sub`. */
export const subtract = binary(LOOPS.subtract)

/** `Div` of floats. */
export const divide = binary(LOOPS.divide)

/** `PRelu`. */
export const parametricRelu = binary(LOOPS.parametricRelu)
