/**
 * The range whose 8-bit distribution is nearest to what was observed, by Kullback-Leibler divergence: S. Migacz, "8-bit
 * inference with TensorRT", GTC 2017. One threshold on the magnitude cuts both ends. Exact zeros are left out, because
 * every grid has a code for them; a one-sided value has 256 levels on its side, a two-sided one 128.
 */
import { logarithm } from '../num/elementary.ts'
import { BINS, streamingHistogram } from './histogram.ts'
import type { Observer } from './observe.ts'

/** See the head of the file. The range is never beyond the extremes. */
export function entropyObserver(): Observer {
  const histogram = streamingHistogram()
  return {
    observe: histogram.observe,
    range() {
      const { counts, limit, width, extremes, zeros } = histogram.read()
      if (limit === 0) return extremes
      const magnitudes = new Float64Array(BINS / 2)
      for (let bin = 0; bin < BINS / 2; bin++) magnitudes[bin] = counts[BINS / 2 + bin] + counts[BINS / 2 - 1 - bin]
      magnitudes[0] -= zeros
      const levels = extremes.low < 0 && extremes.high > 0 ? 128 : 256
      const threshold = leastDivergence(magnitudes, levels) * width
      return { low: Math.max(extremes.low, -threshold), high: Math.min(extremes.high, threshold) }
    },
  }
}

/** The number of leading bins to keep: at least `levels`, at most all that hold something. */
function leastDivergence(counts: Float64Array, levels: number): number {
  let used = counts.length
  while (used > 0 && counts[used - 1] === 0) used--
  const beyond = new Float64Array(used + 1)
  for (let bin = used - 1; bin >= 0; bin--) beyond[bin] = beyond[bin + 1] + counts[bin]
  let kept = used
  let least = Infinity
  for (let bins = levels; bins <= used; bins++) {
    const divergence = divergenceOf(counts, bins, beyond[bins], levels)
    if (divergence >= least) continue
    least = divergence
    kept = bins
  }
  return kept
}

/**
 * Divergence of the first `bins` bins, with what lies beyond put into the last of them, from their distribution at `levels`
 * levels, each spread evenly over those of its bins that are not empty. A level that holds nothing but what lies beyond
 * counts as one element: no probability at all would forbid to cut isolated values.
 */
function divergenceOf(counts: Float64Array, bins: number, beyond: number, levels: number): number {
  let inside = 0
  for (let bin = 0; bin < bins; bin++) inside += counts[bin]
  if (inside === 0) return Infinity
  const all = inside + beyond
  let divergence = 0
  for (let level = 0; level < levels; level++) {
    const first = Math.floor((level * bins) / levels)
    const end = Math.floor(((level + 1) * bins) / levels)
    let sum = 0
    let filled = 0
    for (let bin = first; bin < end; bin++) {
      sum += counts[bin]
      if (counts[bin] > 0 || (bin === bins - 1 && beyond > 0)) filled++
    }
    for (let bin = first; bin < end; bin++) {
      const count = counts[bin] + (bin === bins - 1 ? beyond : 0)
      if (count === 0) continue
      divergence += (count / all) * logarithm((count * filled * inside) / (all * Math.max(1, sum)))
    }
  }
  return divergence
}
