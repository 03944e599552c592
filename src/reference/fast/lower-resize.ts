/** Lowering of `Resize` of height and width: whole pixels, or four blended. */
import { blendsPairs, resolveResize, type Tap, tapsOf } from '../../graph/operators/resize.ts'
import { constantInput } from './attributes.ts'
import type { Lowering, Stored } from './planner.ts'

export const resize: Lowering = (node, planner) => {
  const input = planner.stored(node.inputs[0])
  const layout = planner.layout(node.outputs[0])
  const shape = planner.shape(node.inputs[0])
  const scales = planner.floats(node.inputs[2])
  const sizes = constantInput(planner.graph, node, 3, 'omitted' as const)
  if (!input || !layout || !sizes || shape.length !== 4 || (node.inputs[2] && !scales)) return false
  if (node.attributes.get('coordinate_transformation_mode') === 'tf_crop_and_resize') return false
  if (!blendsPairs(node.attributes)) return false
  const given = {
    // Exporters leave a list empty where the other one counts.
    scales: scales && scales.length > 0 ? [...scales] : undefined,
    sizes: sizes === 'omitted' || sizes.length === 0 ? undefined : sizes,
  }
  const axes = resolveResize(node.name, node.attributes, shape, undefined, given.scales, given.sizes)
  const [samples, channels, rows, columns] = axes.map((axis) => tapsOf(node.name, node.attributes, axis))
  const keeps = (taps: readonly Tap[], size: number) =>
    taps.length === size && taps.every(({ first, weight }, i) => first === i && weight === 0)
  if (!keeps(samples, input.layout.n) || !keeps(channels, input.layout.c)) return false
  const output = planner.define(node.outputs[0], layout)
  const blends = [...rows, ...columns].some(({ weight }) => weight !== 0)
  planner.emit(({ floats }) => (blends ? blend : select)(floats, input, output, rows, columns))
  return true
}

function select(
  floats: Float32Array,
  input: Stored,
  output: Stored,
  rows: readonly Tap[],
  columns: readonly Tap[],
): void {
  const { n, h, w, lanes } = input.layout
  let target = output.buffer.address / 4
  for (let sample = 0; sample < n; sample++)
    for (const row of rows) {
      const start = input.buffer.address / 4 + (sample * h + row.first) * w * lanes
      for (const { first } of columns) {
        floats.copyWithin(target, start + first * lanes, start + (first + 1) * lanes)
        target += lanes
      }
    }
}

function blend(
  floats: Float32Array,
  input: Stored,
  output: Stored,
  rows: readonly Tap[],
  columns: readonly Tap[],
): void {
  const { n, h, w, lanes } = input.layout
  let target = output.buffer.address / 4
  for (let sample = 0; sample < n; sample++)
    for (const row of rows) {
      const start = input.buffer.address / 4 + sample * h * w * lanes
      const upper = start + row.first * w * lanes
      // A tap of weight 0 has no second pixel to read.
      const lower = start + (row.weight === 0 ? row.first : row.second) * w * lanes
      for (const column of columns) {
        const left = column.first * lanes
        const right = (column.weight === 0 ? column.first : column.second) * lanes
        for (let c = 0; c < lanes; c++) {
          const above = (1 - column.weight) * floats[upper + left + c] + column.weight * floats[upper + right + c]
          const below = (1 - column.weight) * floats[lower + left + c] + column.weight * floats[lower + right + c]
          floats[target + c] = (1 - row.weight) * above + row.weight * below
        }
        target += lanes
      }
    }
}
