/** The range that leaves a stated share of all elements outside, half on each side. */
import { BINS, streamingHistogram } from './histogram.ts'
import type { Observer } from './observe.ts'

/**
 * The range that leaves (100 − percentile) / 2 per cent of all elements out on each side, to one bin of the histogram, and
 * never beyond the extremes.
 */
export function percentileObserver(percentile: number): Observer {
  const histogram = streamingHistogram()
  return {
    observe: histogram.observe,
    range() {
      const { counts, limit, width, extremes, total } = histogram.read()
      if (limit === 0) return extremes
      const outside = (total * (100 - percentile)) / 200
      let first = 0
      for (let seen = counts[0]; seen <= outside && first < BINS - 1; seen += counts[++first]);
      let last = BINS - 1
      for (let seen = counts[last]; seen <= outside && last > 0; seen += counts[--last]);
      return {
        low: Math.max(extremes.low, first * width - limit),
        high: Math.min(extremes.high, (last + 1) * width - limit),
      }
    },
  }
}
