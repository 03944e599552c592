/**
 * The contract of observers: what range a value takes over the calibration samples, streaming and in constant memory.
 */

export interface Range {
  readonly low: number
  readonly high: number
}

export interface Observer {
  /** Adds all elements of one sample. Throws `refused` on NaN or infinity. */
  observe(values: ArrayLike<number>): void
  /** The range to quantise; low ≤ high. Throws `refused` when nothing was observed. */
  range(): Range
}

/**
 * How ranges are chosen: the extremes (`minmax`), the least squared error (`mse`), the least divergence (`entropy`), or
 * `percentile:P` (two-sided, 50 < P ≤ 100) such as `percentile:99.99`.
 */
export type RangeMethod = 'minmax' | 'mse' | 'entropy' | `percentile:${number}`
