/** One axis of a plot: round ticks over a range, and pixels for values. Coordinates are rounded to hundredths of a pixel. */

export interface Axis {
  readonly ticks: readonly number[]
  /** Pixel of a value; values beyond the ends are moved to them. */
  at(value: number): number
}

/** Shortest text of a coordinate. */
export function pixel(value: number): string {
  return String(Math.round(value * 100) / 100)
}

/** An axis from `low` to `high` over the pixels `from` to `to`, with about `count` ticks at 1, 2 or 5 times a power of ten. */
export function axis(low: number, high: number, from: number, to: number, count = 5): Axis {
  const span = high > low ? high - low : Math.max(Math.abs(low), 1)
  const end = low + span
  const power = 10 ** Math.floor(Math.log10(span / count))
  const step = ([1, 2, 5].find((factor) => span / (factor * power) <= count) ?? 10) * power
  const first = Math.ceil(low / step - 1e-9)
  const last = Math.floor(end / step + 1e-9)
  return {
    // Without the digits that floating point adds.
    ticks: Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12))),
    at: (value) => from + ((Math.min(end, Math.max(low, value)) - low) / span) * (to - from),
  }
}
