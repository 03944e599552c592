/**
 * How many bits each layer gets: the integer linear program of HAWQ-V3 (Yao et al. 2021, section 3.4). One option per layer,
 * least sum of sensitivities Ω, sums of costs within budgets, equal bits inside a group (a convolution and the shortcut
 * beside it). Budgets are met exactly: sums in layer order, in doubles, which are exact for bytes and bit operations.
 */
import { DyadicError, quoted } from '../error.ts'
import { type ChoiceSolver, openSolver } from './choice-solver.ts'

export const costAxes = ['bytes', 'bops', 'milliseconds'] as const
export type CostAxis = (typeof costAxes)[number]

export interface BitOption {
  readonly bits: number
  /** What the layer costs with these bits, ≥ 0, on the axes that are known. */
  readonly cost: Readonly<Partial<Record<CostAxis, number>>>
  /** Ω of the layer with these bits, ≥ 0. */
  readonly sensitivity: number
}

export interface AllocationLayer {
  readonly name: string
  /** At least one, no two with the same bits. */
  readonly options: readonly BitOption[]
}

export interface AllocationProblem {
  readonly layers: readonly AllocationLayer[]
  /** Indices of layers that get the same bits. */
  readonly groups?: readonly (readonly number[])[]
  /** Largest sums; an absent axis is free. */
  readonly budgets?: Readonly<Partial<Record<CostAxis, number>>>
}

export interface Allocation {
  /** One per layer. */
  readonly bits: readonly number[]
  /** Sum of Ω. */
  readonly sensitivity: number
  /** Sums on every axis that all layers know. */
  readonly cost: Readonly<Partial<Record<CostAxis, number>>>
}

/** Layers that are decided together; option k gives every member the same bits. */
interface Group {
  readonly members: readonly number[]
  /** options[k][i] is what member i takes. */
  readonly options: readonly (readonly BitOption[])[]
}

type Budget = readonly [axis: CostAxis, most: number]

/** Assignments beyond a budget by less than the solver can see; they are excluded one by one. */
const MOST_EXCLUSIONS = 1000
/** Sums in another order may differ by this share. */
const ROUNDING = 1e-12

/**
 * The allocation with the least Ω. Deterministic. Throws `refused` for a malformed problem, `gate` for budgets that cannot be
 * met, naming the smallest achievable values, and `limit` when the search takes too long.
 */
export async function allocateBits(problem: AllocationProblem, solver?: ChoiceSolver): Promise<Allocation> {
  const groups = groupsOf(problem)
  const budgets = Object.entries(problem.budgets ?? {}) as Budget[]
  const solve = solver ?? (await openSolver())
  const least = ([axis]: Budget, under: readonly Budget[]): number | undefined =>
    search(problem, groups, (option) => amountOf(option, axis), under, solve)?.cost[axis]
  const beyond = budgets.filter((budget) => (least(budget, []) as number) > budget[1])
  if (beyond.length > 0)
    throw new DyadicError(
      'gate',
      `no allocation of bits meets the budget: ${beyond
        .map(
          (budget) =>
            `at most ${amountText(budget[1])} ${budget[0]}, but the smallest achievable is ${amountText(least(budget, []) as number)}`,
        )
        .join('; ')}`,
    )
  const found = search(problem, groups, (option) => option.sensitivity, budgets, solve)
  if (found !== undefined) return found
  const bounds = budgets.map((budget) => {
    const others = budgets.filter((other) => other !== budget)
    const value = least(budget, others)
    return `at most ${amountText(budget[1])} ${budget[0]}: ${value === undefined ? 'the other budgets contradict each other' : `under the others the smallest achievable is ${amountText(value)}`}`
  })
  throw new DyadicError('gate', `no allocation of bits meets all budgets together\n  ${bounds.join('\n  ')}`)
}

/** Ω and costs of given bits. Throws `refused` when a layer has no such option. */
export function evaluateAllocation({ layers }: AllocationProblem, bits: readonly number[]): Allocation {
  if (bits.length !== layers.length)
    throw new DyadicError('refused', `${bits.length} bit widths for ${layers.length} layers`)
  return sumOf(
    layers.map(({ name, options }, i) => {
      const option = options.find((candidate) => candidate.bits === bits[i])
      if (option === undefined)
        throw new DyadicError('refused', `layer ${quoted(name)} has no option with ${bits[i]} bits`)
      return option
    }),
  )
}

/** The allocations with the fewest and with the most bits everywhere, whatever the budgets. Throws `refused` as `allocateBits`. */
export function extremeAllocations(problem: AllocationProblem): {
  readonly fewest: Allocation
  readonly most: Allocation
} {
  const groups = groupsOf(problem)
  const at = (pick: (...bits: number[]) => number): Allocation =>
    spread(problem, groups, ({ options }) => {
      const bits = options.map(([option]) => option.bits)
      return options[bits.indexOf(pick(...bits))]
    })
  return { fewest: at(Math.min), most: at(Math.max) }
}

/** Integers as they are, times with six significant digits. */
const amountText = (amount: number): string => String(Number.isInteger(amount) ? amount : Number(amount.toPrecision(6)))

const amountOf = (option: BitOption, axis: CostAxis): number => option.cost[axis] as number

function sumOf(chosen: readonly BitOption[]): Allocation {
  const cost: Partial<Record<CostAxis, number>> = {}
  for (const axis of costAxes)
    if (chosen.every((option) => option.cost[axis] !== undefined))
      cost[axis] = chosen.reduce((sum, option) => sum + amountOf(option, axis), 0)
  return {
    bits: chosen.map((option) => option.bits),
    sensitivity: chosen.reduce((sum, option) => sum + option.sensitivity, 0),
    cost,
  }
}

/** The allocation that takes one option list per group. */
function spread(
  { layers }: AllocationProblem,
  groups: readonly Group[],
  choose: (group: Group, index: number) => readonly BitOption[],
): Allocation {
  const chosen = new Array<BitOption>(layers.length)
  for (const [index, group] of groups.entries())
    for (const [i, option] of choose(group, index).entries()) chosen[group.members[i]] = option
  return sumOf(chosen)
}

/** The allocation within the budgets whose sum of `objective` is least; undefined when no allocation is. */
function search(
  problem: AllocationProblem,
  groups: readonly Group[],
  objective: (option: BitOption) => number,
  budgets: readonly Budget[],
  solve: ChoiceSolver,
): Allocation | undefined {
  const within = ({ cost }: Allocation): boolean => budgets.every(([axis, most]) => (cost[axis] as number) <= most)
  const measures = [
    objective,
    ...budgets.map(
      ([axis]) =>
        (option: BitOption) =>
          amountOf(option, axis),
    ),
  ]
  const candidates = groups.map(({ options }) => undominated(options, measures))
  const total = (options: readonly BitOption[], measure: (option: BitOption) => number): number =>
    options.reduce((sum, option) => sum + measure(option), 0)
  for (const [axis, most] of budgets) {
    const amounts = candidates.map((options) => options.map((option) => total(option, (one) => amountOf(one, axis))))
    const slack = most - amounts.reduce((sum, options) => sum + Math.min(...options), 0)
    for (const [g, options] of amounts.entries()) {
      const least = Math.min(...options)
      candidates[g] = candidates[g].filter(
        (_, k) => options[k] - least <= slack + ROUNDING * most || options[k] === least,
      )
    }
  }
  if (candidates.every((options) => options.length === 1)) {
    const only = spread(problem, groups, (_, g) => candidates[g][0])
    return within(only) ? only : undefined
  }
  const table = (measure: (option: BitOption) => number): number[][] =>
    candidates.map((options) => options.map((option) => total(option, measure)))
  const excluded: number[][] = []
  while (excluded.length < MOST_EXCLUSIONS) {
    const picks = solve({
      costs: table(objective),
      limits: budgets.map(([axis, most]) => ({ amounts: table((option) => amountOf(option, axis)), most })),
      excluded,
    })
    if (picks === undefined) return undefined
    const allocation = spread(problem, groups, (_, g) => candidates[g][picks[g]])
    if (within(allocation)) return allocation
    excluded.push(picks)
  }
  throw new DyadicError(
    'limit',
    `more than ${MOST_EXCLUSIONS} allocations exceed a budget by less than the solver can see; change the budget a little`,
  )
}

/** Option lists that no other one beats or equals in all measures for every member; of equals the one with more bits stays. */
function undominated(
  options: readonly (readonly BitOption[])[],
  measures: readonly ((option: BitOption) => number)[],
): (readonly BitOption[])[] {
  const covers = (a: readonly BitOption[], b: readonly BitOption[]): boolean =>
    a.every((option, i) => measures.every((measure) => measure(option) <= measure(b[i])))
  return options.filter((own) =>
    options.every(
      (other) => other === own || !covers(other, own) || (covers(own, other) && own[0].bits > other[0].bits),
    ),
  )
}

/** Checks the problem and joins layers that share their bits. */
function groupsOf({ layers, groups = [], budgets = {} }: AllocationProblem): Group[] {
  if (layers.length === 0) throw new DyadicError('refused', 'there are no layers to choose bits for')
  for (const [axis, budget] of Object.entries(budgets))
    if (!costAxes.includes(axis as CostAxis) || !(budget >= 0 && budget < Infinity))
      throw new DyadicError(
        'refused',
        `budget ${quoted(axis)} is ${budget}; budgets are finite numbers ≥ 0 of ${costAxes.join(', ')}`,
      )
  for (const { name, options } of layers) {
    const wrong = (reason: string): never => {
      throw new DyadicError('refused', `layer ${quoted(name)}: ${reason}`)
    }
    if (options.length === 0) wrong('it has no options')
    if (new Set(options.map(({ bits }) => bits)).size < options.length) wrong('two options have the same bits')
    for (const { bits, cost, sensitivity } of options) {
      if (!(sensitivity >= 0 && sensitivity < Infinity)) wrong(`its sensitivity with ${bits} bits is ${sensitivity}`)
      for (const axis of costAxes) {
        const amount = cost[axis]
        if (amount === undefined && axis in budgets)
          wrong(`there is a budget on ${axis}, but no cost with ${bits} bits`)
        if (amount !== undefined && !(amount >= 0 && amount < Infinity))
          wrong(`its ${axis} with ${bits} bits are ${amount}`)
      }
    }
  }
  const leader = layers.map((_, i) => i)
  for (const group of groups) {
    const outside = group.find((index) => layers[index] === undefined)
    if (outside !== undefined)
      throw new DyadicError('refused', `a group names layer ${outside}; there are ${layers.length}, counted from 0`)
    const joined = new Set(group.map((index) => leader[index]))
    const first = Math.min(...joined)
    for (const [i, own] of leader.entries()) if (joined.has(own)) leader[i] = first
  }
  return [...new Set(leader)].map((first) => {
    const members = leader.flatMap((own, i) => (own === first ? [i] : []))
    const options = layers[first].options.flatMap(({ bits }) => {
      const row = members.map((index) => layers[index].options.find((option) => option.bits === bits))
      return row.every((option) => option !== undefined) ? [row] : []
    })
    if (options.length === 0)
      throw new DyadicError(
        'refused',
        `layers ${members.map((index) => quoted(layers[index].name)).join(', ')} must have equal bits, but share no option`,
      )
    return { members, options }
  })
}
