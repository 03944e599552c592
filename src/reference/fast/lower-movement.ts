/**
 * Lowerings of the operators that move values: each is an alias or one or two strided copies. Rank-2 values are
 * N × C × 1 × 1, so every axis number is also an axis of the order N, C, H, W.
 */
import type { Node } from '../../graph/graph.ts'
import { resolvePads, resolveSlice } from '../../graph/operators/select.ts'
import { attributeOr, constantInput } from './attributes.ts'
import { copy } from './kernels.ts'
import {
  extents,
  type Four,
  type Layout,
  laneCount,
  laneStrides,
  rowMajorStrides,
  sameLayout,
  valueCount,
} from './layout.ts'
import { constantWeights } from './lower-weighted.ts'
import type { Lowering, Planner, Stored } from './planner.ts'

/** Byte distance of a position from a value's start. */
function offsetOf(strides: Four, position: readonly number[]): number {
  return position.reduce((sum, index, axis) => sum + index * strides[axis], 0)
}

/** Reshape, Flatten, Squeeze, Unsqueeze, Identity, Dropout: the elements in row-major order under another shape. */
export const renaming: Lowering = (node, planner) => {
  const input = planner.stored(node.inputs[0])
  const layout = planner.layout(node.outputs[0])
  if (!input || !layout) return false
  if (sameLayout(input.layout, layout) || feedsDenseOnly(node, planner, input.layout, layout)) {
    planner.alias(node.outputs[0], input)
    return true
  }
  const output = planner.define(node.outputs[0], layout)
  const between = planner.scratch(valueCount(layout))
  const { layout: from } = input
  planner.emit(({ kernels }) => {
    const scratch = between.address
    copy(kernels, extents(from), input.buffer.address, laneStrides(from), scratch, rowMajorStrides(from))
    copy(kernels, extents(layout), scratch, rowMajorStrides(layout), output.buffer.address, laneStrides(layout))
  })
  return true
}

/** A flattened map that only dense layers read stays a map: they take weights in the map's order. */
function feedsDenseOnly(node: Node, planner: Planner, from: Layout, to: Layout): boolean {
  const name = node.outputs[0]
  if (planner.shape(name).length !== 2 || from.n !== to.n || planner.graph.outputs.includes(name)) return false
  return (planner.consumers.get(name) ?? []).every(
    (consumer) =>
      consumer.operator === 'dyadic.Dense' && consumer.inputs[0] === name && constantWeights(planner, consumer),
  )
}

export const transpose: Lowering = (node, planner) => {
  const input = planner.stored(node.inputs[0])
  const layout = planner.layout(node.outputs[0])
  if (!input || !layout) return false
  const rank = planner.shape(node.inputs[0]).length
  const given = node.attributes.get('perm') as readonly number[] | undefined
  const order = given ?? Array.from({ length: rank }, (_, axis) => rank - 1 - axis)
  const own = laneStrides(input.layout)
  const strides = [0, 1, 2, 3].map((axis) => own[order[axis] ?? axis]) as unknown as Four
  const output = planner.define(node.outputs[0], layout)
  planner.emit(({ kernels }) =>
    copy(kernels, extents(layout), input.buffer.address, strides, output.buffer.address, laneStrides(layout)),
  )
  return true
}

export const slice: Lowering = (node, planner) => {
  const input = planner.stored(node.inputs[0])
  const layout = planner.layout(node.outputs[0])
  const [starts, ends, axes, steps] = [1, 2, 3, 4].map((index) =>
    constantInput(planner.graph, node, index, 'omitted' as const),
  )
  if (!input || !layout || !Array.isArray(starts) || !Array.isArray(ends) || !axes || !steps) return false
  const chosen = resolveSlice(node.name, planner.shape(node.inputs[0]), starts, ends, given(axes), given(steps))
  const own = laneStrides(input.layout)
  const strides = own.map((stride, axis) => stride * (chosen[axis]?.step ?? 1)) as unknown as Four
  const skipped = offsetOf(
    own,
    chosen.map((axis) => axis.start),
  )
  const output = planner.define(node.outputs[0], layout)
  planner.emit(({ kernels }) =>
    copy(kernels, extents(layout), input.buffer.address + skipped, strides, output.buffer.address, laneStrides(layout)),
  )
  return true
}

function given<T>(value: T | 'omitted'): T | undefined {
  return value === 'omitted' ? undefined : value
}

/** `Pad` with a constant value; negative pads crop. */
export const pad: Lowering = (node, planner) => {
  const input = planner.stored(node.inputs[0])
  const layout = planner.layout(node.outputs[0])
  const amounts = constantInput(planner.graph, node, 1, undefined)
  const value = constantInput(planner.graph, node, 2, [0])
  const axes = constantInput(planner.graph, node, 3, 'omitted' as const)
  if (!input || !layout || !amounts || !value || !axes) return false
  const rank = planner.shape(node.inputs[0]).length
  const pads = resolvePads(node.name, rank, amounts, given(axes))
  const at = (axis: number) => (axis < rank ? pads[axis] : 0)
  const end = (axis: number) => (axis < rank ? pads[axis + rank] : 0)
  const own = laneStrides(input.layout)
  const strides = laneStrides(layout)
  const size = extents(input.layout).map((extent, axis) =>
    Math.max(0, extent + Math.min(0, at(axis)) + Math.min(0, end(axis))),
  ) as unknown as Four
  const skipped = offsetOf(
    own,
    own.map((_, axis) => Math.max(0, -at(axis))),
  )
  const inside = offsetOf(
    strides,
    strides.map((_, axis) => Math.max(0, at(axis))),
  )
  const output = planner.define(node.outputs[0], layout)
  const count = laneCount(layout)
  const fill = value[0] ?? 0
  planner.emit(({ kernels }) => {
    kernels.fillRows(output.buffer.address, 1, count, 0, fill)
    copy(kernels, size, input.buffer.address + skipped, own, output.buffer.address + inside, strides)
  })
  return true
}

export const concat: Lowering = (node, planner) => {
  const inputs = node.inputs.map((name) => planner.stored(name))
  const layout = planner.layout(node.outputs[0])
  if (!layout || inputs.some((input) => !input)) return false
  const rank = planner.shape(node.outputs[0]).length
  const axis = (attributeOr(node, 'axis', 0) + rank) % rank
  const strides = laneStrides(layout)
  const output = planner.define(node.outputs[0], layout)
  let position = 0
  for (const input of inputs as Stored[]) {
    const start = position * strides[axis]
    const size = extents(input.layout)
    planner.emit(({ kernels }) =>
      copy(kernels, size, input.buffer.address, laneStrides(input.layout), output.buffer.address + start, strides),
    )
    position += size[axis]
  }
  return true
}
