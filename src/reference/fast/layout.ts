/**
 * How float values lie in the executor's memory: NHWC with the channel count rounded up to `lanes`, a multiple of 4.
 * The lanes beyond the channels hold anything, and no kernel lets them reach a real channel. A value of shape [N, K]
 * is N × 1 × 1 × K. Strides are in bytes and in the logical order N, C, H, W.
 *
 * Beside this a value of any rank can lie as a matrix: all axes but the last are its rows, in row-major order, and the last
 * axis is its columns, again rounded up to lanes. Rank 2 is the same either way.
 */
import type { Value } from '../../graph/graph.ts'
import { elementCount } from '../../graph/tensor.ts'

export interface Layout {
  readonly n: number
  readonly h: number
  readonly w: number
  readonly c: number
  readonly lanes: number
}

/** Four numbers in the order N, C, H, W. */
export type Four = readonly [number, number, number, number]

/** The layout of `n` samples of `h` × `w` pixels with `c` channels. */
export function makeLayout(n: number, h: number, w: number, c: number): Layout {
  return { n, h, w, c, lanes: (c + 3) & ~3 }
}

/** Layout of a float value of rank 2 or 4 without an empty axis; `undefined` for every other value. */
export function layoutOf(value: Pick<Value, 'type' | 'shape'> | undefined): Layout | undefined {
  if (value === undefined || (value.type !== 'float32' && value.type !== 'float64')) return undefined
  if (value.shape.some((size) => size < 1)) return undefined
  const [n, c, h = 1, w = 1] = value.shape
  return value.shape.length === 2 || value.shape.length === 4 ? makeLayout(n, h, w, c) : undefined
}

/** Layout of a float value as a matrix; `undefined` for values of other types and without elements. */
export function matrixLayoutOf(value: Pick<Value, 'type' | 'shape'> | undefined): Layout | undefined {
  if (value === undefined || (value.type !== 'float32' && value.type !== 'float64')) return undefined
  if (value.shape.some((size) => size < 1)) return undefined
  return makeLayout(elementCount(value.shape.slice(0, -1)), 1, 1, value.shape.at(-1) ?? 1)
}

/** Byte strides along the axes of a value of `shape` that lies as a matrix. */
export function matrixStrides(shape: readonly number[], { lanes }: Layout): number[] {
  const strides = new Array<number>(shape.length)
  let stride = 4
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride
    stride = axis === shape.length - 1 ? lanes * 4 : stride * shape[axis]
  }
  return strides
}

export function sameLayout(a: Layout, b: Layout): boolean {
  return a.n === b.n && a.h === b.h && a.w === b.w && a.c === b.c
}

/** Floats of a layout, lanes included. */
export function laneCount(layout: Layout): number {
  return layout.n * layout.h * layout.w * layout.lanes
}

/** Floats of a layout, lanes excluded. */
export function valueCount(layout: Layout): number {
  return layout.n * layout.h * layout.w * layout.c
}

export function extents(layout: Layout): Four {
  return [layout.n, layout.c, layout.h, layout.w]
}

export function laneStrides(layout: Layout): Four {
  const pixel = layout.lanes * 4
  return [layout.h * layout.w * pixel, 4, layout.w * pixel, pixel]
}

/** Strides of the same value as ONNX stores it: row-major N, C, H, W. */
export function rowMajorStrides(layout: Layout): Four {
  const plane = layout.h * layout.w * 4
  return [layout.c * plane, plane, layout.w * 4, 4]
}
