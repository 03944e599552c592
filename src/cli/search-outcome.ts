/** What `dyadic search` has found, as the object that `--json` prints and as text. */
import type { DataSet } from '../data/data-set.ts'
import { quoted } from '../error.ts'
import type { Accuracy } from '../evaluate/evaluate.ts'
import { hashText } from '../lower/print.ts'
import { type Plan, printPlan } from '../quantize/plan.ts'
import type { CostAxis } from '../search/bit-allocation.ts'
import { type BitChoice, choicesOf, type Pins } from '../search/bit-choice.ts'
import { type Budget, describeCost } from '../search/budget.ts'
import type { LayerTimes } from '../search/layer-times.ts'
import { decibels } from '../search/output-loss.ts'
import type { PerChoice } from '../search/plan-layers.ts'
import type { VerifiedPlan } from '../search/search-front.ts'
import { fields, integer, percent } from './format.ts'
import { chosenPoint, type FrontReport, frontTable, frontText, layerTable } from './search-report.ts'

type Costs = Readonly<Partial<Record<CostAxis, number>>>

export interface SearchOutcome {
  readonly model: string
  readonly out: string
  readonly plot?: string
  readonly plan: Plan
  readonly budgets: readonly Budget[]
  readonly limits: Costs
  readonly choices: readonly BitChoice[]
  readonly pins: Pins
  readonly sensitivities: PerChoice
  /** The file of measurements and the hash of those that decided. */
  readonly kept?: { readonly path: string; readonly hash: string }
  /** The 8-bit plan. */
  readonly base: VerifiedPlan & { readonly cost: Costs }
  readonly times?: LayerTimes
  readonly float?: { readonly set: DataSet; readonly accuracy: Accuracy }
  readonly report: FrontReport
}

export function outcomeObject(outcome: SearchOutcome): Record<string, unknown> {
  const { model, out, plot, plan, pins, budgets, limits, choices, sensitivities, base, times, float, report } = outcome
  const chosen = chosenPoint(report)
  return {
    model,
    out,
    ...(plot !== undefined && { plot }),
    plan: hashText(printPlan(plan)),
    origin: plan.origin,
    solver: 'optimal',
    budgets: budgets.map(({ text, axis }) => ({
      budget: text,
      most: limits[axis],
      cost: chosen.allocation.cost[axis],
      base: base.cost[axis],
    })),
    base: { ...base.cost, ...base.loss, ...(base.correct !== undefined && { correct: base.correct }) },
    ...(float && { evaluation: { data: float.set.name, total: float.accuracy.total, float: float.accuracy.correct } }),
    layers: report.layers.map((name, index) => ({
      name,
      bits: chosen.allocation.bits[index],
      ...(pins.has(name) && { pinned: true }),
      sensitivities: pins.has(name) ? [] : choices.map(({ bits }) => sensitivities.get(name)?.get(bits)),
      ...(times && {
        milliseconds: choicesOf(name, choices, pins).map(({ bits }) => times.layers.get(name)?.get(bits)),
      }),
    })),
    front: report.points.map((point) => ({
      chosen: point.chosen,
      bits: point.allocation.bits.slice(0, report.layers.length),
      ...point.allocation.cost,
      ...(point.predicted !== undefined && { predictedError: point.predicted }),
      ...point.loss,
      ...(point.correct !== undefined && { correct: point.correct }),
    })),
  }
}

export function outcomeText(outcome: SearchOutcome): string {
  const { model, out, plan, pins, budgets, limits, choices, kept, base, times, float, report } = outcome
  const chosen = chosenPoint(report)
  const rows: [string, string][] = [['plan', `${quoted(out)}, SHA-256 ${hashText(printPlan(plan))}`]]
  for (const { text, axis } of budgets) {
    const [cost, most, whole] = [chosen.allocation.cost, limits, base.cost].map((costs) => costs[axis] as number)
    rows.push([
      'budget',
      `${text}: ${describeCost(axis, cost)} of at most ${describeCost(axis, most)}, ${percent(cost / whole)} of the 8-bit plan`,
    ])
  }
  rows.push([
    '8-bit plan',
    `${integer(base.cost.bytes as number)} bytes, ${decibels(base.loss.squaredError).toFixed(1)} dB` +
      (base.correct === undefined ? '' : `, ${integer(base.correct)} correct`),
  ])
  if (float) rows.push(['float', `${integer(float.accuracy.correct)} of ${integer(float.accuracy.total)} correct`])
  if (times)
    rows.push([
      'time',
      `${describeCost('milliseconds', times.whole)} by the 8-bit plan; weights of fewer bits take as long: they are widened at the start`,
    ])
  if (kept) rows.push(['measured', `${quoted(kept.path)}, SHA-256 ${kept.hash}`])
  rows.push([
    'solver',
    `optimal, ${report.layers.length - pins.size} layers, ${choices.length} choices each${pins.size > 0 ? `; ${pins.size} kept` : ''}`,
  ])
  return `${quoted(model)}\n${fields(rows)}\n${frontTable(report)}\n${frontText(report)}\n${layerTable(report)}`
}
