/**
 * Lowering of matrix products on values that lie as matrices: rows of the left operand against panels of 8 columns of the
 * right one. Constant weights are packed when the executor is made, computed operands before each product.
 */
import { broadcastShapes, broadcastStrides } from '../../graph/operators/layout.ts'
import { attributeOr } from './attributes.ts'
import type { Buffer } from './buffers.ts'
import type { Kernels } from './kernels.ts'
import { laneCount } from './layout.ts'
import { PANEL, panelled } from './pack-weights.ts'
import type { Lowering, Planner, Stored } from './planner.ts'

/** Rough size of the rows that stay in a second-level cache beside a panel of weights. */
const BLOCK_BYTES = 1 << 18

/** `MatMul` and `dyadic.MatMul` of operands of rank 2 and more. */
export const matMul: Lowering = (node, planner) => {
  const [a, b] = node.inputs.map((name) => planner.shape(name))
  const layout = planner.matrixLayout(node.outputs[0])
  if (!layout || a.length < 2 || b.length < 2) return false
  const left = planner.matrix(node.inputs[0])
  const weights = planner.floats(node.inputs[1])
  const single = b.slice(0, -2).every((size) => size === 1)
  const right = weights && single ? undefined : planner.matrix(node.inputs[1])
  if (!left || !(right || weights)) return false
  const [depth, columns] = b.slice(-2)
  const output = planner.defineMatrix(node.outputs[0], layout)
  const product = prepare(planner, left, output, depth, columns)
  const factor = attributeOr(node, 'factor', 1)
  const count = laneCount(layout)
  const scale = (kernels: Kernels): void => {
    if (factor !== 1) kernels.scale(output.buffer.address, output.buffer.address, count, factor)
  }
  if (weights && single) {
    const packed = planner.constant(packMatrix(weights, depth, columns))
    planner.emit(({ kernels }) => {
      product(kernels, 0, 0, left.layout.n, packed)
      scale(kernels)
    })
    return true
  }
  const other = right as Stored
  const batches = pairs(a.slice(0, -2), b.slice(0, -2))
  const packed = planner.scratch(depth * panelled(columns))
  const rows = a[a.length - 2]
  planner.emit(({ kernels }) => {
    let current = -1
    batches.forEach(([first, second], index) => {
      if (second !== current) packPanels(kernels, other, second * depth, depth, columns, packed)
      current = second
      product(kernels, first * rows, index * rows, rows, packed)
    })
    scale(kernels)
  })
  return true
}

/** Which matrix of the left and the right operand each matrix of the result is made from. */
function pairs(left: readonly number[], right: readonly number[]): (readonly [number, number])[] {
  const shape = broadcastShapes(left, right) as number[]
  const [a, b] = [broadcastStrides(left, shape), broadcastStrides(right, shape)]
  return shape.reduce<(readonly [number, number])[]>(
    (sofar, size, axis) =>
      sofar.flatMap(([x, y]) => Array.from({ length: size }, (_, i) => [x + i * a[axis], y + i * b[axis]] as const)),
    [[0, 0]],
  )
}

/** Multiplies `rows` rows of the left operand from `from` with packed columns, to the result's rows from `to`. */
type Product = (kernels: Kernels, from: number, to: number, rows: number, packed: Buffer) => void

function prepare(planner: Planner, left: Stored, output: Stored, depth: number, columns: number): Product {
  const stride = left.layout.lanes * 4
  const outputStride = output.layout.lanes * 4
  const offsets = planner.table(`rows ${stride} ${left.layout.n}`, () =>
    Int32Array.from({ length: left.layout.n }, (_, row) => row * stride),
  )
  const segment = planner.table('segment 0', () => new Int32Array(1))
  const bias = planner.constant(new Float32Array(panelled(columns)))
  const block = Math.max(64, Math.floor(BLOCK_BYTES / (depth * 16)) * 4)
  return (kernels, from, to, rows, packed) => {
    for (let first = 0; first < rows; first += block)
      kernels.convolve(
        ...[left.buffer.address + (from + first) * stride, offsets.address, Math.min(block, rows - first)],
        ...[segment.address, 1, depth * 4, packed.address, bias.address],
        ...[output.buffer.address + (to + first) * outputStride, outputStride, output.layout.lanes, 0, 0],
        ...[Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
      )
  }
}

/** (K, N) row-major to [panel][K][8], zeros beyond the columns. */
function packMatrix(weights: Float32Array, depth: number, columns: number): Float32Array {
  const packed = new Float32Array(depth * panelled(columns))
  for (let row = 0; row < depth; row++)
    for (let column = 0; column < columns; column++) {
      const lane = column % PANEL
      packed[(column - lane) * depth + row * PANEL + lane] = weights[row * columns + column]
    }
  return packed
}

/** `depth` rows of a matrix from row `first` to [panel][K][8]; what stands beyond the columns stays as it was. */
function packPanels(
  kernels: Kernels,
  { layout, buffer }: Stored,
  first: number,
  depth: number,
  columns: number,
  packed: Buffer,
): void {
  const row = layout.lanes * 4
  const panel = depth * PANEL * 4
  const whole = Math.floor(columns / PANEL)
  const source = buffer.address + first * row
  const size = [whole, depth, 1, PANEL]
  if (whole > 0) kernels.copyBlock(source, packed.address, ...size, PANEL * 4, row, 0, 4, panel, PANEL * 4, 0, 4)
  const rest = columns - whole * PANEL
  if (rest > 0)
    kernels.copyBlock(
      ...[source + whole * PANEL * 4, packed.address + whole * panel, 1, 1, depth, rest],
      ...[0, 0, row, 4, 0, 0, PANEL * 4, 4],
    )
}
