/** What a search has found, for people: the front as table and as plot, and the bits of every layer. */
import { quoted } from '../error.ts'
import type { CostAxis } from '../search/bit-allocation.ts'
import { describeCost } from '../search/budget.ts'
import { axisLabel, drawFront, type FrontRecord, frontPoints } from '../search/front-record.ts'
import { decibels } from '../search/output-loss.ts'
import type { PerChoice } from '../search/plan-layers.ts'
import { plotText } from '../search/plot-text.ts'
import type { FrontAllocation, VerifiedPlan } from '../search/search-front.ts'
import { integer, table } from './format.ts'

/** One allocation of the front, run. */
export interface ReportPoint extends VerifiedPlan, FrontAllocation {
  readonly chosen: boolean
  /** What the additive model expects of `loss.squaredError`; undefined where no layer was measured. */
  readonly predicted?: number
}

export interface FrontReport {
  /** The axis the front runs along. */
  readonly axis: CostAxis
  /** Names of the layers, in the order of an allocation's bits. */
  readonly layers: readonly string[]
  readonly points: readonly ReportPoint[]
  /** Milliseconds of each layer, where time is a budget. */
  readonly milliseconds?: PerChoice
  /** Labelled samples. */
  readonly total?: number
}

const decibelText = (error: number): string => (error === 0 ? 'equal' : `${decibels(error).toFixed(1)} dB`)

/** `4 × 12, 8 × 8`: how many layers have how many bits. */
export function countBits(bits: readonly number[]): string {
  const counts = new Map<number, number>()
  for (const width of bits) counts.set(width, (counts.get(width) ?? 0) + 1)
  return [...counts]
    .sort(([a], [b]) => a - b)
    .map(([width, count]) => `${width} × ${count}`)
    .join(', ')
}

/** The front: costs, what was predicted and what was measured, cheapest first; `>` marks the chosen one. */
export function frontTable({ axis, layers, points, total }: FrontReport): string {
  const head = ['', 'bytes', 'BOPs', ...(axis === 'milliseconds' ? ['ms'] : []), 'bits × layers', 'predicted', 'SQNR']
  const rows = points.map(({ allocation, chosen, predicted, loss, correct }) => {
    const { bytes = 0, bops = 0, milliseconds = 0 } = allocation.cost
    return [
      chosen ? '>' : '',
      integer(bytes),
      describeCost('bops', bops),
      ...(axis === 'milliseconds' ? [milliseconds.toFixed(3)] : []),
      countBits(allocation.bits.slice(0, layers.length)),
      predicted === undefined ? '–' : decibelText(predicted),
      decibelText(loss.squaredError),
      ...(correct === undefined ? [] : [integer(correct)]),
    ]
  })
  return table([...head, ...(total === undefined ? [] : [`correct of ${integer(total)}`])], rows)
}

/** The one point that the budgets choose. */
export function chosenPoint({ points }: FrontReport): ReportPoint {
  return points.find(({ chosen }) => chosen) as ReportPoint
}

/** The bits of every layer under the chosen allocation, with its time where it was measured. */
export function layerTable(report: FrontReport): string {
  const { layers, milliseconds } = report
  const { bits } = chosenPoint(report).allocation
  const rows = layers.map((name, index) => [
    quoted(name),
    String(bits[index]),
    ...(milliseconds === undefined ? [] : [(milliseconds.get(name)?.get(bits[index]) ?? 0).toFixed(4)]),
  ])
  return table(['layer', 'bits', ...(milliseconds === undefined ? [] : ['ms'])], rows)
}

/** The front as a plan keeps it, to two decimals of a decibel. Answers to --eval are not in it: they decide nothing. */
export function frontRecord({ axis, points }: FrontReport): FrontRecord {
  return {
    axis,
    points: points.map(({ allocation, chosen, loss }) => ({
      chosen,
      cost: allocation.cost[axis] as number,
      sqnrDb: loss.squaredError === 0 ? null : Math.round(decibels(loss.squaredError) * 100) / 100,
    })),
  }
}

/** The front for a terminal; empty when there is nothing to plot. */
export function frontText(report: FrontReport): string {
  const points = frontPoints(frontRecord(report))
  if (points.length < 2) return ''
  return plotText(points, {
    xLabel: axisLabel(report.axis),
    yLabel: 'SQNR of the outputs; X is chosen',
    formatX: (value) => describeCost(report.axis, value),
    formatY: (value) => `${value.toFixed(1)} dB`,
  })
}

/** The front as a picture: SVG, or a page around it. */
export function frontPicture(front: FrontRecord, title: string, page: boolean): string {
  const svg = drawFront(front, title)
  if (!page) return svg
  return `<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>Pareto front</title>\n<body>\n${svg}</body>\n</html>\n`
}
