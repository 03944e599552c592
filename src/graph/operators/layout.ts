/**
 * Row-major layouts: strides, broadcasting as numpy defines it, axes counted from the end, and the one strided copy from
 * which every data-moving operator is made.
 */
import type { TypedArray } from '../tensor.ts'
import { refuse } from './context.ts'

/** Elements between neighbours along each axis. */
export function rowMajorStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length)
  let stride = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride
    stride *= shape[axis]
  }
  return strides
}

/** The common shape of two operands, or `undefined` when numpy's rules give none. */
export function broadcastShapes(a: readonly number[], b: readonly number[]): number[] | undefined {
  const rank = Math.max(a.length, b.length)
  const shape = new Array<number>(rank)
  for (let axis = 0; axis < rank; axis++) {
    const left = a[axis - rank + a.length] ?? 1
    const right = b[axis - rank + b.length] ?? 1
    if (left !== right && left !== 1 && right !== 1) return undefined
    shape[axis] = left === 1 ? right : left
  }
  return shape
}

/** Strides that read a tensor of `shape` as if it had `target`'s shape: 0 along repeated axes. */
export function broadcastStrides(shape: readonly number[], target: readonly number[]): number[] {
  const own = rowMajorStrides(shape)
  const missing = target.length - shape.length
  return target.map((_, axis) => (axis < missing || shape[axis - missing] === 1 ? 0 : own[axis - missing]))
}

/** An axis in 0..rank−1 from one in −rank..rank−1. Throws `refused` outside that range. */
export function normalizeAxis(axis: number, rank: number, node: string): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank)
    refuse(node, `axis ${axis} does not exist in a tensor of rank ${rank}`)
  return axis < 0 ? axis + rank : axis
}

/** Distinct axes in 0..rank−1. Throws `refused` for repeated ones. */
export function normalizeAxes(axes: readonly number[], rank: number, node: string): number[] {
  const result = axes.map((axis) => normalizeAxis(axis, rank, node))
  if (new Set(result).size !== result.length) refuse(node, `axes [${axes}] name an axis twice`)
  return result
}

/** Elements of `data` at offset + Σ index·stride. */
export interface StridedView {
  readonly data: TypedArray
  readonly offset: number
  readonly strides: readonly number[]
}

/** Copies every element of an index space of `shape` between two views of arrays of one type. */
export function copyStrided(shape: readonly number[], from: StridedView, to: StridedView): void {
  const source = from.data as Float32Array
  const target = to.data as Float32Array
  const copy = (axis: number, read: number, write: number): void => {
    if (axis === shape.length) {
      target[write] = source[read]
      return
    }
    for (let i = 0; i < shape[axis]; i++) copy(axis + 1, read + i * from.strides[axis], write + i * to.strides[axis])
  }
  copy(0, from.offset, to.offset)
}
