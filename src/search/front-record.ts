/**
 * The front of a search as a plan keeps it in its origin: enough to draw it again beside what the plan loses. A plan is a
 * file that people edit, so what is read back is checked, and what does not fit is no front.
 */
import * as z from 'zod'
import type { Plan } from '../quantize/plan.ts'
import { type CostAxis, costAxes } from './bit-allocation.ts'
import { describeCost } from './budget.ts'
import { type PlotPoint, plotFront } from './plot.ts'

const number = z.number().finite()

const schema = z.strictObject({
  /** The cost the front runs along. */
  axis: z.enum(costAxes),
  points: z
    .array(
      z.strictObject({
        chosen: z.boolean(),
        /** In the unit of the axis: bytes, bit operations, milliseconds. */
        cost: number.min(0),
        /** SQNR of the outputs; null where they are equal to the float network's. */
        sqnrDb: number.nullable(),
      }),
    )
    .max(1000),
})

export type FrontRecord = z.infer<typeof schema>

/** The front in a plan's origin; undefined where there is none. */
export function frontOf(plan: Plan): FrontRecord | undefined {
  const { search } = plan.origin
  if (typeof search !== 'object' || search === null || !('front' in search)) return undefined
  return schema.safeParse(search.front).data
}

const LABELS: Readonly<Record<CostAxis, string>> = {
  bytes: 'bytes of weights and biases',
  bops: 'bit operations',
  milliseconds: 'milliseconds',
}

/** What the axis counts, in words. */
export function axisLabel(axis: CostAxis): string {
  return LABELS[axis]
}

/** Points that can be plotted: an equal output has no finite ratio. */
export function frontPoints({ axis, points }: FrontRecord): PlotPoint[] {
  return points.flatMap(({ chosen, cost, sqnrDb }) =>
    sqnrDb === null
      ? []
      : [
          {
            x: cost,
            y: sqnrDb,
            marked: chosen,
            ...(chosen && { label: 'chosen' }),
            detail: `${describeCost(axis, cost)}, ${sqnrDb.toFixed(1)} dB`,
          },
        ],
  )
}

/** The front as an SVG picture. */
export function drawFront(record: FrontRecord, title: string): string {
  return plotFront(frontPoints(record), {
    title,
    xLabel: axisLabel(record.axis),
    yLabel: 'SQNR of the outputs',
    formatX: (value) => describeCost(record.axis, value),
    formatY: (value) => `${value} dB`,
  })
}
