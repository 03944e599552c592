/** The definition of an optimal allocation, by trying every one: for at most 16 layers. */
import { type Allocation, type AllocationProblem, type CostAxis, evaluateAllocation } from './bit-allocation.ts'

/** The allocation with the least Ω within all budgets; undefined when there is none. */
export function allocateExhaustively(problem: AllocationProblem): Allocation | undefined {
  const { layers, groups = [], budgets = {} } = problem
  if (layers.length > 16) throw new Error(`${layers.length} layers are too many to try all allocations`)
  let best: Allocation | undefined
  const visit = (bits: readonly number[]): void => {
    if (bits.length < layers.length) {
      for (const option of layers[bits.length].options) visit([...bits, option.bits])
      return
    }
    if (groups.some((group) => group.some((index) => bits[index] !== bits[group[0]]))) return
    const allocation = evaluateAllocation(problem, bits)
    const within = Object.entries(budgets).every(
      ([axis, most]) => (allocation.cost[axis as CostAxis] as number) <= most,
    )
    if (within && (best === undefined || allocation.sensitivity < best.sensitivity)) best = allocation
  }
  visit([])
  return best
}
