/**
 * The search itself: the allocation with the least Ω within the budgets, and the front it stands on. Each distinct allocation
 * becomes a plan, and that plan is run: what is reported is measured, not predicted.
 */

import type { DataSet } from '../data/data-set.ts'
import { DyadicError, quoted } from '../error.ts'
import { evaluate } from '../evaluate/evaluate.ts'
import { programPredictor } from '../evaluate/predictors.ts'
import type { Graph } from '../graph/graph.ts'
import type { Plan } from '../quantize/plan.ts'
import { type Allocation, type AllocationProblem, allocateBits, type CostAxis } from './bit-allocation.ts'
import { applyChoices, type BitChoice, choiceName, choicesOf, type Pins } from './bit-choice.ts'
import { openSolver } from './choice-solver.ts'
import { instantiatePlan } from './instantiate-plan.ts'
import type { MeasuredSensitivities } from './measure-sensitivity.ts'
import { measureLoss, type OutputLoss, type ReferenceOutputs } from './output-loss.ts'
import { paretoFront } from './pareto-front.ts'
import { weightedNodes } from './sensitivity.ts'

/** Budgets from the fewest bits to the most, evenly spread. */
const FRONT_LEVELS = 11

export interface FrontAllocation {
  readonly allocation: Allocation
  /** Whether it meets all the budgets. */
  readonly within: boolean
}

/**
 * Distinct optimal allocations along `axis`, cheapest first, with the one within the problem's budgets among them. Throws
 * `gate` for budgets that cannot be met, naming the least that can be.
 */
export async function searchFront(problem: AllocationProblem, axis: CostAxis): Promise<FrontAllocation[]> {
  const solver = await openSolver()
  const best = await allocateWithin(problem)
  const front = await paretoFront(problem, axis, FRONT_LEVELS, solver)
  const distinct = new Map([best, ...front.map(({ allocation }) => allocation)].map((one) => [one.bits.join(), one]))
  const budgets = Object.entries(problem.budgets ?? {}) as [CostAxis, number][]
  return [...distinct.values()]
    .sort((a, b) => (a.cost[axis] as number) - (b.cost[axis] as number) || b.sensitivity - a.sensitivity)
    .map((allocation) => ({
      allocation,
      within: budgets.every(([cost, most]) => (allocation.cost[cost] as number) <= most),
    }))
}

/**
 * Of the points within the budgets the one with the least measured loss, of equal ones the first. Where errors are large a
 * cheaper allocation can turn out better than the one that is best by the sum of Ω.
 */
export function choosePoint<Point extends FrontAllocation & VerifiedPlan>(
  points: readonly Point[],
  measure: keyof OutputLoss,
): Point {
  const within = points.filter((point) => point.within)
  if (within.length === 0) throw new DyadicError('gate', 'no point of the front is within the budgets')
  return within.reduce((best, point) => (point.loss[measure] < best.loss[measure] ? point : best))
}

/** `allocateBits`, with the reason why a budget on time cannot be met. */
export async function allocateWithin(problem: AllocationProblem): Promise<Allocation> {
  try {
    return await allocateBits(problem)
  } catch (cause) {
    if (!(cause instanceof DyadicError) || cause.code !== 'gate' || problem.budgets?.milliseconds === undefined)
      throw cause
    throw new DyadicError(
      'gate',
      `${cause.message}; weights are widened when a program starts, so fewer bits of weights save no time on this target`,
      { cause },
    )
  }
}

/** The plan with the allocation's choices; bits of an allocation are in the order of the layers. */
export function composePlan(
  graph: Graph,
  plan: Plan,
  choices: readonly BitChoice[],
  bits: readonly number[],
  pins?: Pins,
): Plan {
  const chosen = weightedNodes(graph).map(({ outputs: [name] }, index): [string, BitChoice] => {
    const choice = choicesOf(name, choices, pins).find((one) => one.bits === bits[index])
    if (choice === undefined) throw new DyadicError('refused', `${bits[index]} bits are no choice of ${quoted(name)}`)
    return [name, choice]
  })
  return applyChoices(graph, plan, new Map(chosen))
}

export interface VerifiedPlan {
  readonly loss: OutputLoss
  /** Right answers on labelled data, where there is some. */
  readonly correct?: number
}

/** Runs a plan on the held-back samples, and on labelled ones. */
export async function verifyPlan(
  graph: Graph,
  plan: Plan,
  reference: ReferenceOutputs,
  labelled?: { readonly set: DataSet; readonly limit?: number; readonly signal?: AbortSignal },
): Promise<VerifiedPlan> {
  const network = await instantiatePlan(graph, plan)
  const loss = measureLoss(network, reference)
  if (labelled === undefined) return { loss }
  const { set, limit, signal } = labelled
  const { correct } = await evaluate(set, programPredictor(network, set), { limit, signal })
  return { loss, correct }
}

/** The squared error that the additive model expects of an allocation: that of the plan, and what each layer adds to it. */
export function predictedError(
  { baseline, losses }: MeasuredSensitivities,
  layers: readonly string[],
  choices: readonly BitChoice[],
  bits: readonly number[],
  pins?: Pins,
): number {
  const names = new Map(choices.map((choice) => [choice.bits, choiceName(choice)]))
  return layers.reduce((sum, layer, index) => {
    if (pins?.has(layer)) return sum
    const entry = losses.find((one) => one.layer === layer && one.choice === names.get(bits[index]))
    return sum + (entry?.squaredError ?? Number.NaN) - baseline.squaredError
  }, baseline.squaredError)
}
