/**
 * Lowerings of the operators that move values, of any rank and between maps and matrices: each is an alias or a strided copy
 * or two. A value of rank 4 is made a map of channels where it was one before or a reader wants one, else a matrix.
 */
import type { Node } from '../../graph/graph.ts'
import { refuseMissing } from '../../graph/operators/arrange.ts'
import { normalizeAxis } from '../../graph/operators/layout.ts'
import { resolvePads, resolveSlice } from '../../graph/operators/select.ts'
import { attributeOr, constantInput } from './attributes.ts'
import { copy } from './kernels.ts'
import {
  extents,
  type Layout,
  laneCount,
  laneStrides,
  matrixStrides,
  rowMajorStrides,
  sameLayout,
  valueCount,
} from './layout.ts'
import { constantWeights } from './lower-weighted.ts'
import type { Lowering, Planner, Stored } from './planner.ts'
import { mergedAxes, type Strides, stridedCopy } from './strided.ts'

/** Operators whose kernels want maps of channels. */
const ON_MAPS: ReadonlySet<string> = new Set([
  ...['AveragePool', 'BatchNormalization', 'Conv', 'DepthToSpace', 'GlobalAveragePool', 'GlobalMaxPool', 'MaxPool'],
  ...['Pad', 'Resize', 'SpaceToDepth', 'dyadic.Conv'],
])

/** Byte strides along the axes of a value in memory. */
export function axisStrides(planner: Planner, name: string, { layout, matrix }: Stored): Strides {
  return matrix ? matrixStrides(planner.shape(name), layout) : laneStrides(layout)
}

/** A new value: a map where `input` is one and `follow` is set, or where a reader wants one; else a matrix. */
function makeOutput(planner: Planner, name: string, input: Stored, follow: boolean): Stored | undefined {
  const map = planner.layout(name)
  const wanted = (planner.consumers.get(name) ?? []).some(({ operator }) => ON_MAPS.has(operator))
  if (map && (wanted || (follow && !input.matrix))) return planner.define(name, map)
  const layout = planner.matrixLayout(name)
  return layout && planner.defineMatrix(name, layout)
}

/** Byte distance of a position from a value's start. */
function offsetOf(strides: Strides, position: readonly number[]): number {
  return position.reduce((sum, index, axis) => sum + index * strides[axis], 0)
}

/** Reshape, Flatten, Squeeze, Unsqueeze, Identity, Dropout: the elements in row-major order under another shape. */
export const renaming: Lowering = (node, planner) => {
  const input = planner.view(node.inputs[0])
  const layout = planner.layout(node.outputs[0])
  if (!input) return false
  if (layout && !input.matrix) return renameMap(node, planner, input, layout)
  const flat = planner.shape(node.inputs[0]).length === 2 ? planner.matrix(node.inputs[0]) : input
  return flat !== undefined && renameMatrix(node, planner, flat)
}

function renameMap(node: Node, planner: Planner, input: Stored, layout: Layout): boolean {
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

/** True where a matrix has no lanes beyond its columns: then any shape is the same memory. */
const dense = ({ lanes, c }: Layout): boolean => lanes === c

function renameMatrix(node: Node, planner: Planner, input: Stored): boolean {
  const [name] = node.outputs
  const layout = planner.matrixLayout(name)
  if (!layout) return false
  if (input.matrix && (input.layout.c === layout.c || (dense(input.layout) && dense(layout)))) {
    planner.alias(name, { layout, buffer: input.buffer, matrix: true })
    return true
  }
  const output = planner.defineMatrix(name, layout)
  const from = input.layout
  const between = input.matrix && dense(from) ? input.buffer : dense(layout) ? output.buffer : undefined
  const flat = between ?? planner.scratch(valueCount(layout))
  planner.emit(({ kernels }) => {
    if (flat !== input.buffer)
      copy(kernels, extents(from), input.buffer.address, laneStrides(from), flat.address, rowMajorStrides(from))
    if (flat !== output.buffer)
      copy(kernels, extents(layout), flat.address, rowMajorStrides(layout), output.buffer.address, laneStrides(layout))
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
  const input = planner.view(node.inputs[0])
  if (!input) return false
  const [name] = node.outputs
  const shape = planner.shape(name)
  const given = node.attributes.get('perm') as readonly number[] | undefined
  const order = given ?? shape.map((_, axis) => shape.length - 1 - axis)
  const own = axisStrides(planner, node.inputs[0], input)
  const strides = order.map((axis) => own[axis])
  const layout = planner.matrixLayout(name)
  if (
    layout &&
    String(mergedAxes(shape, strides).map(axisText)) ===
      String(mergedAxes(shape, matrixStrides(shape, layout)).map(axisText))
  ) {
    planner.alias(name, { layout, buffer: input.buffer, matrix: true })
    return true
  }
  const output = makeOutput(planner, name, input, false)
  if (!output) return false
  const move = stridedCopy(shape, strides, axisStrides(planner, name, output))
  planner.emit(({ kernels }) => move(kernels, input.buffer.address, output.buffer.address))
  return true
}

export const slice: Lowering = (node, planner) => {
  const input = planner.view(node.inputs[0])
  const [starts, ends, axes, steps] = [1, 2, 3, 4].map((index) =>
    constantInput(planner.graph, node, index, 'omitted' as const),
  )
  if (!input || !Array.isArray(starts) || !Array.isArray(ends) || !axes || !steps) return false
  const chosen = resolveSlice(node.name, planner.shape(node.inputs[0]), starts, ends, given(axes), given(steps))
  const own = axisStrides(planner, node.inputs[0], input)
  const skipped = offsetOf(
    own,
    chosen.map((axis) => axis.start),
  )
  const output = makeOutput(planner, node.outputs[0], input, true)
  if (!output) return false
  const move = stridedCopy(
    planner.shape(node.outputs[0]),
    chosen.map(({ step }, axis) => own[axis] * step),
    axisStrides(planner, node.outputs[0], output),
  )
  planner.emit(({ kernels }) => move(kernels, input.buffer.address + skipped, output.buffer.address))
  return true
}

function given<T>(value: T | 'omitted'): T | undefined {
  return value === 'omitted' ? undefined : value
}

/** `Pad` with a constant value; negative pads crop. */
export const pad: Lowering = (node, planner) => {
  const input = planner.view(node.inputs[0])
  const amounts = constantInput(planner.graph, node, 1, undefined)
  const value = constantInput(planner.graph, node, 2, [0])
  const axes = constantInput(planner.graph, node, 3, 'omitted' as const)
  if (!input || !amounts || !value || !axes || node.attributes.get('mode') !== 'constant') return false
  const shape = planner.shape(node.inputs[0])
  const rank = shape.length
  const pads = resolvePads(node.name, rank, amounts, given(axes))
  const output = makeOutput(planner, node.outputs[0], input, true)
  if (!output) return false
  const own = axisStrides(planner, node.inputs[0], input)
  const strides = axisStrides(planner, node.outputs[0], output)
  const kept = shape.map((size, axis) => Math.max(0, size + Math.min(0, pads[axis]) + Math.min(0, pads[axis + rank])))
  const skipped = offsetOf(
    own,
    shape.map((_, axis) => Math.max(0, -pads[axis])),
  )
  const inside = offsetOf(
    strides,
    shape.map((_, axis) => Math.max(0, pads[axis])),
  )
  const count = laneCount(output.layout)
  const fill = value[0] ?? 0
  const move = stridedCopy(kept, own, strides)
  planner.emit(({ kernels }) => {
    kernels.fillRows(output.buffer.address, 1, count, 0, fill)
    move(kernels, input.buffer.address + skipped, output.buffer.address + inside)
  })
  return true
}

export const concat: Lowering = (node, planner) => {
  const inputs = node.inputs.map((name) => planner.view(name))
  const [first] = inputs.filter((input, index) => input && !planner.graph.constants.has(node.inputs[index]))
  if (!first || inputs.some((input) => !input)) return false
  const rank = planner.shape(node.outputs[0]).length
  const axis = normalizeAxis(attributeOr(node, 'axis', 0), rank, node.name)
  const output = makeOutput(planner, node.outputs[0], first, true)
  if (!output) return false
  const strides = axisStrides(planner, node.outputs[0], output)
  let position = 0
  ;(inputs as Stored[]).forEach((input, index) => {
    const start = position * strides[axis]
    const shape = planner.shape(node.inputs[index])
    const move = stridedCopy(shape, axisStrides(planner, node.inputs[index], input), strides)
    planner.emit(({ kernels }) => move(kernels, input.buffer.address, output.buffer.address + start))
    position += shape[axis]
  })
  return true
}

export const split: Lowering = (node, planner) => {
  const input = planner.view(node.inputs[0])
  if (!input || node.outputs.some((name) => name === '' || !planner.matrixLayout(name))) return false
  const axis = normalizeAxis(attributeOr(node, 'axis', 0), planner.shape(node.inputs[0]).length, node.name)
  const strides = axisStrides(planner, node.inputs[0], input)
  let position = 0
  for (const name of node.outputs) {
    const start = position * strides[axis]
    const shape = planner.shape(name)
    const output = makeOutput(planner, name, input, true) as Stored
    const move = stridedCopy(shape, strides, axisStrides(planner, name, output))
    planner.emit(({ kernels }) => move(kernels, input.buffer.address + start, output.buffer.address))
    position += shape[axis]
  }
  return true
}

/** `Expand` and `Tile`: axes of stride 0 in the source. */
export const repetition: Lowering = (node, planner) => {
  const input = planner.view(node.inputs[0])
  const output = input && makeOutput(planner, node.outputs[0], input, true)
  if (!output) return false
  const to = axisStrides(planner, node.outputs[0], output)
  const own = axisStrides(planner, node.inputs[0], input)
  const from = planner.shape(node.inputs[0])
  // Every axis as two: which copy of the input, and where in it.
  const shape = planner.shape(node.outputs[0])
  const axes = shape.map((size, axis) => {
    // Maps have four strides, whatever their rank.
    const before = axis - shape.length + from.length
    const length = from[before] ?? 1
    return { shape: [size / length, length], read: [0, own[before] ?? 0], write: [length * to[axis], to[axis]] }
  })
  const move = stridedCopy(
    axes.flatMap(({ shape }) => shape),
    axes.flatMap(({ read }) => read),
    axes.flatMap(({ write }) => write),
  )
  planner.emit(({ kernels }) => move(kernels, input.buffer.address, output.buffer.address))
  return true
}

/** `Gather` of floats; indices are constant or computed. */
export const gather: Lowering = (node, planner) => {
  const input = planner.matrix(node.inputs[0])
  const shape = planner.shape(node.inputs[0])
  const axis = normalizeAxis(attributeOr(node, 'axis', 0), shape.length, node.name)
  const layout = planner.matrixLayout(node.outputs[0])
  const chosen = planner.shape(node.inputs[1])
  if (!input || !layout || (axis === shape.length - 1 && chosen.length !== 1)) return false
  const constant = constantInput(planner.graph, node, 1, undefined)
  const count = chosen.reduce((product, size) => product * size, 1)
  const output = planner.defineMatrix(node.outputs[0], layout)
  const from = matrixStrides(shape, input.layout)
  const to = axis === shape.length - 1 ? layout.lanes : (count * from[axis]) / 4
  const outer = shape.slice(0, axis).reduce((product, size) => product * size, 1)
  const outerStep = (shape[axis] * from[axis]) / 4
  const block = from[axis] / 4
  planner.emit(({ floats, heap }) => {
    const indices = constant ?? Array.from(heap.get(node.inputs[1])?.data as ArrayLike<number | bigint>, Number)
    if (!constant) refuseMissing(node.name, indices, shape[axis], axis)
    for (let o = 0; o < outer; o++) {
      const start = input.buffer.address / 4 + o * (axis === shape.length - 1 ? input.layout.lanes : outerStep)
      const target = output.buffer.address / 4 + o * to
      for (let i = 0; i < count; i++) {
        const at = start + (indices[i] < 0 ? indices[i] + shape[axis] : indices[i]) * block
        if (block === 1) floats[target + i] = floats[at]
        else floats.copyWithin(target + i * block, at, at + block)
      }
    }
  })
  return true
}

function axisText({ size, strides }: { size: number; strides: Strides }): string {
  return `${size}:${strides}`
}
