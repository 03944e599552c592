/** The least Ω at a ladder of budgets on one axis: what accuracy costs. */
import { DyadicError } from '../error.ts'
import {
  type Allocation,
  type AllocationProblem,
  allocateBits,
  type CostAxis,
  extremeAllocations,
} from './bit-allocation.ts'
import { type ChoiceSolver, openSolver } from './choice-solver.ts'

export interface ParetoPoint {
  /** 0 is the budget of the fewest bits everywhere, 1 that of the most. */
  readonly level: number
  readonly budget: number
  readonly allocation: Allocation
}

/**
 * Optimal allocations at budgets `fewest + level × (most − fewest)` on `axis`, in the order of rising levels; the problem's
 * other budgets stay. `levels` is their number, evenly spread from 0 to 1, or a list. Ω never rises with the level. Throws as
 * `allocateBits`; `refused` for an axis without costs and for levels outside 0..1.
 */
export async function paretoFront(
  problem: AllocationProblem,
  axis: CostAxis,
  levels: number | readonly number[],
  solver?: ChoiceSolver,
): Promise<ParetoPoint[]> {
  const list =
    typeof levels === 'number' ? Array.from({ length: levels }, (_, i) => i / Math.max(1, levels - 1)) : [...levels]
  if (list.length === 0 || !list.every((level) => level >= 0 && level <= 1))
    throw new DyadicError('refused', `levels of a Pareto front are one or more numbers from 0 to 1, not [${list}]`)
  const solve = solver ?? (await openSolver())
  const { fewest, most } = extremeAllocations(problem)
  const [low, high] = [fewest.cost[axis], most.cost[axis]]
  if (low === undefined || high === undefined)
    throw new DyadicError('refused', `a Pareto front over ${axis} needs the ${axis} of every option`)
  const points: ParetoPoint[] = []
  for (const level of list.sort((a, b) => a - b)) {
    // At 1 the sum is exact, so that the most bits everywhere are within the budget.
    const budget = level === 1 ? high : low + level * (high - low)
    const allocation = await allocateBits({ ...problem, budgets: { ...problem.budgets, [axis]: budget } }, solve)
    const previous = points.at(-1)
    // Sums that differ by a rounding only.
    const kept = previous && budget >= previous.budget && previous.allocation.sensitivity <= allocation.sensitivity
    points.push({ level, budget, allocation: kept ? previous.allocation : allocation })
  }
  return points
}
