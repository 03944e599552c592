/**
 * The range whose grid has the least expected squared error on what was observed. The error of a grid is scale² / 12 for
 * every element inside it that is not exactly zero (zero is always a code), and the squared distance to the end of the
 * grid for every element beyond; both ends are those of the grid that is deployed, with its rounded zero point.
 */
import { BINS, type Histogram, streamingHistogram } from './histogram.ts'
import type { Observer, Range } from './observe.ts'
import { formatRange, type TensorPlan } from './plan.ts'

/** Factors tried at each end and in each round; a round is this much finer than the one before. */
const STEPS = 32
const ROUNDS = 3

/** `grid` makes the numbers that are deployed for a range. */
export function mseObserver(grid: (range: Range) => TensorPlan): Observer {
  const histogram = streamingHistogram()
  return {
    observe: histogram.observe,
    range() {
      const found = histogram.read()
      return found.limit === 0 ? found.extremes : leastError(found, expectedError(found, grid))
    },
  }
}

/** Shrinks both ends of the extremes towards zero, which stays inside, coarse steps first. */
function leastError({ extremes: seen }: Histogram, errorOf: (range: Range) => number): Range {
  const extremes = { low: Math.min(0, seen.low), high: Math.max(0, seen.high) }
  let best = extremes
  let least = errorOf(best)
  let factors = { low: 1, high: 1 }
  for (let round = 0, span = 1; round < ROUNDS; round++, span *= 2 / STEPS) {
    const around = (centre: number, moves: boolean): number[] =>
      moves
        ? Array.from({ length: STEPS }, (_, step) => Math.min(1, centre + span / 2) - (span * step) / STEPS).filter(
            (factor) => factor > 0,
          )
        : [1]
    const lows = around(factors.low, extremes.low < 0)
    const highs = around(factors.high, extremes.high > 0)
    for (const low of lows)
      for (const high of highs) {
        const range = { low: extremes.low * low, high: extremes.high * high }
        const error = errorOf(range)
        if (error >= least) continue
        least = error
        best = range
        factors = { low, high }
      }
  }
  return best
}

/** Sums over all elements of the expected squared error, by range; constant time per call. */
function expectedError(
  { counts, width, limit, total, zeros }: Histogram,
  grid: (range: Range) => TensorPlan,
): (range: Range) => number {
  // Moments of all bins before an index: count, sum and sum of squares of the bins' centres.
  const moments = [0, 1, 2].map((power) => {
    const before = new Float64Array(BINS + 1)
    for (let bin = 0; bin < BINS; bin++) {
      const centre = (bin + 0.5) * width - limit
      before[bin + 1] = before[bin] + counts[bin] * (power === 0 ? 1 : power === 1 ? centre : centre * centre)
    }
    return before
  })
  const between = (power: number, first: number, end: number): number => moments[power][end] - moments[power][first]
  /** Elements of some bins and their squared distance to a point. */
  const distance = (first: number, end: number, point: number): number =>
    between(2, first, end) - 2 * point * between(1, first, end) + point * point * between(0, first, end)
  return (range) => {
    const { format, scale, zeroPoint } = grid(range)
    const codes = formatRange(format)
    const ends = { low: (codes.low - zeroPoint) * scale, high: (codes.high - zeroPoint) * scale }
    // The first bin whose centre is not below a value.
    const binOf = (value: number): number => Math.min(BINS, Math.max(0, Math.ceil((value + limit) / width - 0.5)))
    const first = Math.min(BINS / 2, binOf(ends.low))
    const end = Math.max(BINS / 2 + 1, binOf(ends.high))
    const beyond = between(0, 0, first) + between(0, end, BINS)
    return (
      distance(0, first, ends.low) +
      distance(end, BINS, ends.high) +
      (Math.max(0, total - beyond - zeros) * scale * scale) / 12
    )
  }
}
