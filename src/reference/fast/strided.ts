/**
 * Copies between strided views of any rank, prepared once: axes of length 1 fall away, neighbours that run through in both
 * views become one, and what is left goes to the kernel's four axes, with loops around it where there are more.
 */
import type { Kernels } from './kernels.ts'

/** Byte strides along each axis, in the order of the shape. */
export type Strides = readonly number[]

export interface Axis {
  readonly size: number
  /** One stride per view. */
  readonly strides: readonly number[]
}

/** Merged axes of views that share a shape, outermost first; none for a single element. */
export function mergedAxes(shape: readonly number[], ...views: readonly Strides[]): Axis[] {
  const merged: Axis[] = []
  shape.forEach((size, axis) => {
    if (size === 1) return
    const own: Axis = { size, strides: views.map((strides) => strides[axis]) }
    const outer = merged.at(-1)
    if (outer?.strides.every((stride, view) => stride === own.strides[view] * size))
      merged[merged.length - 1] = { size: outer.size * size, strides: own.strides }
    else merged.push(own)
  })
  return merged
}

/** Copies from one byte address to another. */
export type Copy = (kernels: Kernels, from: number, to: number) => void

/** A copy of all elements of `shape`. Strides may be 0 or negative in the source. */
export function stridedCopy(shape: readonly number[], from: Strides, to: Strides): Copy {
  const axes = mergedAxes(shape, from, to)
  const contiguous = axes.findIndex(({ strides }) => strides[0] === 4 && strides[1] === 4)
  // The kernel's innermost axis is vectorised where both sides are contiguous.
  if (contiguous >= 0) axes.push(...axes.splice(contiguous, 1))
  const inner = axes.slice(-4)
  while (inner.length < 4) inner.unshift({ size: 1, strides: [0, 0] })
  const sizes = inner.map(({ size }) => size)
  const [sources, targets] = [0, 1].map((view) => inner.map(({ strides }) => strides[view]))
  return looped(axes.slice(0, -4), (kernels, source, target) =>
    kernels.copyBlock(source, target, ...sizes, ...sources, ...targets),
  )
}

function looped(axes: readonly Axis[], copy: Copy): Copy {
  return axes.reduceRight<Copy>(
    (inner, { size, strides: [from, to] }) =>
      (kernels, source, target) => {
        for (let i = 0; i < size; i++) inner(kernels, source + i * from, target + i * to)
      },
    copy,
  )
}
