/** A curve of points as characters, for terminals: `o` a point, `X` the chosen one, values at the four ends. */
import { DyadicError } from '../error.ts'

export interface TextPlotPoint {
  readonly x: number
  readonly y: number
  readonly marked?: boolean
}

export interface TextPlotOptions {
  readonly xLabel: string
  readonly yLabel: string
  readonly formatX?: (value: number) => string
  readonly formatY?: (value: number) => string
  /** Characters between the axes (default 56 × 12). */
  readonly width?: number
  readonly height?: number
}

/** The plot, lines ending in newlines. Throws `refused` for no points and for numbers that are not finite. */
export function plotText(points: readonly TextPlotPoint[], options: TextPlotOptions): string {
  const { xLabel, yLabel, formatX = String, formatY = String, width = 56, height = 12 } = options
  if (points.length === 0 || !points.every(({ x, y }) => Number.isFinite(x) && Number.isFinite(y)))
    throw new DyadicError('refused', 'a plot needs at least one point, and finite numbers')
  const range = (values: readonly number[]): readonly [number, number] => [Math.min(...values), Math.max(...values)]
  const [left, right] = range(points.map(({ x }) => x))
  const [bottom, top] = range(points.map(({ y }) => y))
  const place = (value: number, low: number, high: number, steps: number): number =>
    high > low ? Math.round(((value - low) / (high - low)) * (steps - 1)) : 0
  const cells = Array.from({ length: height }, () => new Array<string>(width).fill(' '))
  // The marked point is drawn last: it hides others, never the other way round.
  for (const { x, y, marked } of points.toSorted((a, b) => Number(a.marked ?? false) - Number(b.marked ?? false)))
    cells[height - 1 - place(y, bottom, top, height)][place(x, left, right, width)] = marked ? 'X' : 'o'
  const labels = [formatY(top), formatY(bottom)]
  const margin = Math.max(...labels.map((label) => label.length))
  const rows = cells.map((row, index) => {
    const label = index === 0 ? labels[0] : index === height - 1 ? labels[1] : ''
    return `${label.padStart(margin)} |${row.join('').trimEnd()}`
  })
  const [from, to] = [formatX(left), formatX(right)]
  const axis = `${' '.repeat(margin)} +${'-'.repeat(width)}`
  const ends = `${' '.repeat(margin + 2)}${from}${to.padStart(Math.max(1, width - from.length))}`
  return [`${' '.repeat(margin + 2)}${yLabel}`, ...rows, axis, ends, `${' '.repeat(margin + 2)}${xLabel}`]
    .map((line) => `${line}\n`)
    .join('')
}
