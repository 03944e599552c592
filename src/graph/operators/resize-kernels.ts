/**
 * Resize by a kernel of more than two samples: cubic, and linear or cubic with antialiasing, where the kernel is as much
 * wider as the axis becomes shorter. Weights are normalised to a sum of 1; samples beyond the edge repeat it, or count
 * nothing with `exclude_outside`. Source: onnx/docs/Operators.md, Resize; Keys, "Cubic convolution interpolation" (1981).
 */
import { elementCount } from '../tensor.ts'

/** One output position: samples of the axis and their weights, which sum up to 1. */
export interface KernelTap {
  readonly indices: readonly number[]
  readonly weights: readonly number[]
  /** Whether the position lies in the input; only `tf_crop_and_resize` leaves it. */
  readonly inside: boolean
}

export interface Kernel {
  /** Weight of a sample at this distance. */
  readonly weight: (distance: number) => number
  /** Distance from which on the weight is 0. */
  readonly reach: number
}

/** The triangle of linear interpolation. */
export const linearKernel: Kernel = { weight: (distance) => Math.max(0, 1 - Math.abs(distance)), reach: 1 }

/** Keys' cubic with parameter a, `cubic_coeff_a`. */
export function cubicKernel(a: number): Kernel {
  return {
    weight: (distance) => {
      const x = Math.abs(distance)
      if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1
      return x < 2 ? ((x - 5) * x + 8) * x * a - 4 * a : 0
    },
    reach: 2,
  }
}

/** The samples around `x`, a coordinate in an axis of `size` elements; `stretch` widens the kernel. */
export function kernelTap(
  kernel: Kernel,
  x: number,
  size: number,
  stretch: number,
  excludeOutside: boolean,
): KernelTap {
  const reach = kernel.reach * stretch
  const indices: number[] = []
  const weights: number[] = []
  for (let at = Math.floor(x - reach) + 1; at < x + reach; at++) {
    const outside = at < 0 || at >= size
    indices.push(Math.min(size - 1, Math.max(0, at)))
    weights.push(outside && excludeOutside ? 0 : kernel.weight((at - x) / stretch))
  }
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return { indices, weights: weights.map((weight) => weight / total), inside: true }
}

/** `values` of `shape` with one axis resampled; sums in double. Positions outside take `fill`. */
export function resample(
  values: ArrayLike<number>,
  shape: readonly number[],
  axis: number,
  taps: readonly KernelTap[],
  fill: number,
): Float64Array {
  const inner = elementCount(shape.slice(axis + 1))
  const outer = elementCount(shape.slice(0, axis))
  const result = new Float64Array(outer * taps.length * inner)
  for (let o = 0; o < outer; o++)
    taps.forEach(({ indices, weights, inside }, position) => {
      for (let i = 0; i < inner; i++) {
        let sum = 0
        indices.forEach((index, k) => {
          sum += weights[k] * values[(o * shape[axis] + index) * inner + i]
        })
        result[(o * taps.length + position) * inner + i] = inside ? sum : fill
      }
    })
  return result
}
