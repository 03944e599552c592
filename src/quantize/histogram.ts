/**
 * A streaming histogram in constant memory, with exact extremes. Its bins are symmetric about zero, and double in width
 * when a value falls outside: they are never wider than 1/1024 of the largest magnitude.
 */
import { powerOfTwoFrom } from '../num/elementary.ts'
import type { Range } from './observe.ts'
import { minMaxObserver } from './observe-minmax.ts'

/** Bins of every histogram; bin `BINS / 2` begins at zero. */
export const BINS = 4096

/** What was counted: bin b covers [b × width − limit, (b + 1) × width − limit), the last one also its end. */
export interface Histogram {
  readonly counts: Float64Array
  /** All bins together cover [−limit, limit]; 0 when nothing but zeros was observed. */
  readonly limit: number
  readonly width: number
  readonly extremes: Range
  /** Elements observed, and how many of them are exactly zero; zeros are also counted in their bin. */
  readonly total: number
  readonly zeros: number
}

export interface StreamingHistogram {
  /** Adds all elements of one sample. Throws `refused` on NaN or infinity. */
  observe(values: ArrayLike<number>): void
  /** Everything so far; valid until the next `observe`. Throws `refused` when nothing was observed. */
  read(): Histogram
}

/** An empty histogram. */
export function streamingHistogram(): StreamingHistogram {
  const extremes = minMaxObserver()
  const counts = new Float64Array(BINS)
  let limit = 0
  let total = 0
  let zeros = 0
  const grow = (magnitude: number): void => {
    if (limit === 0) {
      limit = powerOfTwoFrom(magnitude)
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
      if (magnitude === 0) {
        zeros = total
        return
      }
      if (limit === 0) counts[BINS / 2] = total - values.length
      if (magnitude > limit) grow(magnitude)
      const scale = BINS / (2 * limit)
      for (let i = 0; i < values.length; i++) {
        const value = values[i]
        if (value === 0) zeros++
        const bin = Math.floor((value + limit) * scale)
        counts[bin < BINS ? bin : BINS - 1]++
      }
    },
    read: () => ({ counts, limit, width: (2 * limit) / BINS, extremes: extremes.range(), total, zeros }),
  }
}
