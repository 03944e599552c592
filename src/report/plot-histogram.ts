/** A histogram beside the grid that its values are rounded to: counts on a logarithmic scale, clipped values marked. */
import type { Histogram } from '../quantize/histogram.ts'
import { axis, drawing, pixel, ticksBelow } from './axis.ts'
import { realText } from './quantities.ts'

const WIDTH = 460
const HEIGHT = 150
const AREA = { left: 8, right: 452, top: 10, bottom: 122 }
/** Bars of a plot. */
const BARS = 111

export interface HistogramPlot {
  /** For those who do not see it. */
  readonly label: string
  /** Real values of the grid's ends; values beyond are clipped. */
  readonly reach?: { readonly low: number; readonly high: number }
}

/** Counts of a histogram in equal bars between two values. */
export function rebin({ counts, width, limit }: Histogram, low: number, high: number, bars: number): Float64Array {
  const result = new Float64Array(bars)
  if (width === 0 || high <= low) return result
  const scale = bars / (high - low)
  for (let bin = 0; bin < counts.length; bin++) {
    if (counts[bin] === 0) continue
    // Narrow bars see each bin at its centre; wide bins are spread over the bars they cover.
    const from = Math.max(0, (bin * width - limit - low) * scale)
    const to = Math.min(bars, ((bin + 1) * width - limit - low) * scale)
    // All elements of a bin that only touches the range lie on its end.
    if (!(to > from)) {
      result[Math.min(bars - 1, Math.floor(from))] += counts[bin]
      continue
    }
    const share = counts[bin] / (to - from)
    for (let bar = Math.min(bars - 1, Math.floor(from)); bar < Math.ceil(to); bar++)
      result[bar] += share * (Math.min(bar + 1, to) - Math.max(bar, from))
  }
  return result
}

/** Inline SVG; colours come from the page's style. */
export function plotHistogram(histogram: Histogram, { label, reach }: HistogramPlot): string {
  const { left, right, top, bottom } = AREA
  const { extremes } = histogram
  let low = Math.min(extremes.low, reach?.low ?? extremes.low)
  let high = Math.max(extremes.high, reach?.high ?? extremes.high)
  if (high <= low) [low, high] = [low - 1, high + 1]
  const margin = (high - low) / 100
  const x = axis(low - margin, high + margin, left, right, 6)
  const counts = rebin(histogram, low, high, BARS)
  // A histogram without width has seen only zeros.
  if (histogram.width === 0) counts[Math.min(BARS - 1, Math.floor(((0 - low) / (high - low)) * BARS))] = histogram.total
  const most = Math.log1p(counts.reduce((a, b) => Math.max(a, b), 1))
  const lines: string[] = []
  if (reach) {
    const [from, to] = [x.at(reach.low), x.at(reach.high)]
    lines.push(
      `<rect class="reach" x="${pixel(from)}" y="${top}" width="${pixel(to - from)}" height="${bottom - top}"/>`,
      ...[from, to].map(
        (end) => `<line class="end" x1="${pixel(end)}" y1="${top}" x2="${pixel(end)}" y2="${bottom}"/>`,
      ),
    )
  }
  const bar = (high - low) / BARS
  for (const [index, count] of counts.entries()) {
    if (count <= 0) continue
    const [start, centre] = [low + index * bar, low + (index + 0.5) * bar]
    const height = Math.max(1, (Math.log1p(count) / most) * (bottom - top - 6))
    const clipped = reach !== undefined && (centre < reach.low || centre > reach.high)
    lines.push(
      `<rect class="${clipped ? 'clipped' : 'bar'}" x="${pixel(x.at(start))}" y="${pixel(bottom - height)}" width="${pixel(Math.max(1, x.at(start + bar) - x.at(start) - 0.4))}" height="${pixel(height)}"/>`,
    )
  }
  lines.push(`<line class="base" x1="${left}" y1="${bottom}" x2="${right}" y2="${bottom}"/>`)
  lines.push(...ticksBelow(x, AREA, realText, false))
  return drawing('histogram', WIDTH, HEIGHT, label, lines)
}
