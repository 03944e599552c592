/**
 * Streaming observers: what ranges a value takes over the calibration samples, in constant memory. Both keep exact
 * extremes; the percentile observer also keeps a histogram whose bins double in width when a value falls outside.
 */
import { DyadicError } from '../error.ts'

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

/** How ranges are chosen: `minmax`, or `percentile:P` (two-sided, 50 < P ≤ 100) such as `percentile:99.99`. */
export type RangeMethod = 'minmax' | `percentile:${number}`

/** Smallest and largest value ever seen. */
export function minMaxObserver(): Observer {
  let low = Infinity
  let high = -Infinity
  return {
    observe(values) {
      for (let i = 0; i < values.length; i++) {
        const value = values[i]
        if (value < low) low = value
        if (value > high) high = value
        // NaN compares false with everything, so it is looked for by itself.
        if (Number.isNaN(value)) throw notFinite(value)
      }
      if (low === -Infinity || high === Infinity) throw notFinite(low === -Infinity ? low : high)
    },
    range() {
      if (low > high) throw new DyadicError('refused', 'no calibration sample reached this value; give at least one')
      return { low, high }
    },
  }
}

const BINS = 4096

/**
 * The range that leaves (100 − percentile) / 2 per cent of all elements out on each side. Bins are symmetric about zero and never narrower than 1/2048 of the largest magnitude.
 */
export function percentileObserver(percentile: number): Observer {
  const extremes = minMaxObserver()
  const counts = new Float64Array(BINS)
  let limit = 0
  let total = 0
  const grow = (magnitude: number): void => {
    if (limit === 0) {
      limit = 2 ** Math.ceil(Math.log2(magnitude))
      return
    }
    while (limit < magnitude) {
      // Twice as wide: bins pair up around the centre.
      const merged = new Float64Array(BINS)
      for (let bin = 0; bin < BINS; bin++) merged[BINS / 4 + (bin >> 1)] += counts[bin]
      counts.set(merged)
      limit *= 2
    }
  }
  return {
    observe(values) {
      extremes.observe(values)
      if (values.length === 0) return
      total += values.length
      const { low, high } = extremes.range()
      const magnitude = Math.max(-low, high)
      // While there is only zero there is no width to choose; what was seen so far goes to the bin of zero later.
      if (magnitude === 0) return
      if (limit === 0) counts[BINS / 2] = total - values.length
      if (magnitude > limit) grow(magnitude)
      const scale = BINS / (2 * limit)
      for (let i = 0; i < values.length; i++) {
        const bin = Math.floor((values[i] + limit) * scale)
        counts[bin < BINS ? bin : BINS - 1]++
      }
    },
    range() {
      const { low, high } = extremes.range()
      if (limit === 0) return { low, high }
      const outside = (total * (100 - percentile)) / 200
      const width = (2 * limit) / BINS
      let first = 0
      for (let seen = counts[0]; seen <= outside && first < BINS - 1; seen += counts[++first]);
      let last = BINS - 1
      for (let seen = counts[last]; seen <= outside && last > 0; seen += counts[--last]);
      return {
        low: Math.max(low, first * width - limit),
        high: Math.min(high, (last + 1) * width - limit),
      }
    },
  }
}

/** The observer of a method. Throws `usage` naming the valid forms. */
export function createObserver(method: RangeMethod): Observer {
  if (method === 'minmax') return minMaxObserver()
  const percentile = Number(/^percentile:(\d+(?:\.\d+)?)$/.exec(method)?.[1])
  if (!(percentile > 50 && percentile <= 100))
    throw new DyadicError('usage', `range method "${method}" is not one of minmax, percentile:P with 50 < P ≤ 100`)
  return percentileObserver(percentile)
}

function notFinite(value: number): DyadicError {
  return new DyadicError(
    'refused',
    `calibration met the value ${value}; the network or its input overflows: check the data card's scale and the weights`,
  )
}
