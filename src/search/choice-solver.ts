/**
 * One option per choice at the least total cost under linear limits: a 0-1 integer linear program, solved by HiGHS compiled
 * to WebAssembly. Every tolerance of the solver is at its smallest and both gaps are 0: limits are met to 1e-10 of their
 * slack, the objective is the least to 1e-13 of its largest term. Deterministic: one thread, a fixed seed, no clock.
 */
import { DyadicError } from '../error.ts'

export interface Limit {
  /** What choice i adds with its option k: finite. */
  readonly amounts: readonly (readonly number[])[]
  /** Most that all choices together may add. */
  readonly most: number
}

export interface ChoiceProblem {
  /** What choice i costs with its option k; at least one option each. */
  readonly costs: readonly (readonly number[])[]
  readonly limits: readonly Limit[]
  /** Combinations that are no solution: one option index per choice. */
  readonly excluded: readonly (readonly number[])[]
}

/** Option indices of a least combination, or undefined when there is none. Throws `limit` when the search is too long. */
export type ChoiceSolver = (problem: ChoiceProblem) => number[] | undefined

/** Where the solver's module comes from, for pages whose bundler does not place it beside the script. */
export interface SolverOptions {
  readonly locateFile?: (file: string) => string
  readonly wasmModule?: WebAssembly.Module
}

/** Largest coefficient of the objective: leaves the solver's absolute tolerances far below any difference. */
const LARGEST_COST = 1000
const TOLERANCE = 1e-10
/** Slack below this share of a limit is rounding. */
const ROUNDING = 1e-12
const SETTINGS = {
  output_flag: false,
  random_seed: 0,
  mip_rel_gap: 0,
  mip_abs_gap: 0,
  mip_feasibility_tolerance: TOLERANCE,
  primal_feasibility_tolerance: TOLERANCE,
  dual_feasibility_tolerance: TOLERANCE,
  // Instead of a time limit: the same problem ends in the same way on every machine.
  mip_max_nodes: 1_000_000,
}

/** What is used of HiGHS: a program as text in, its state and the values of its variables out. */
type LoadHighs = (options?: SolverOptions) => Promise<{
  solve(
    problem: string,
    settings: typeof SETTINGS,
  ): { readonly Status: string; readonly Columns: Readonly<Record<string, { readonly Primal: number }>> }
}>

let shared: Promise<ChoiceSolver> | undefined

/** The solver, loaded once; with options, a new one. */
export function openSolver(options?: SolverOptions): Promise<ChoiceSolver> {
  if (options !== undefined) return load(options)
  shared ??= load()
  return shared
}

async function load(options?: SolverOptions): Promise<ChoiceSolver> {
  const module = await import('highs')
  // Its declarations speak of the CommonJS file, where the default export is one level deeper.
  const loadHighs = module.default as unknown as LoadHighs
  const highs = await loadHighs(options)
  return (problem) => {
    const { Status, Columns } = highs.solve(printProblem(problem), SETTINGS)
    if (Status === 'Infeasible') return undefined
    if (Status !== 'Optimal')
      throw new DyadicError(
        'limit',
        `the integer program with ${problem.costs.length} choices ended as ${JSON.stringify(Status)}; group layers or give fewer options`,
      )
    return problem.costs.map((options, i) => {
      const taken = options.map((_, k) => Columns[variable(i, k)].Primal)
      return taken.indexOf(Math.max(...taken))
    })
  }
}

const variable = (choice: number, option: number): string => `x${choice}_${option}`

/** The program in CPLEX LP format, one term per line. Costs and limits are scaled, which changes no solution. */
function printProblem({ costs, limits, excluded }: ChoiceProblem): string {
  const excess = costs.map((options) => options.map((cost) => cost - Math.min(...options)))
  const scale = LARGEST_COST / (Math.max(...excess.flat()) || 1)
  const sum = (terms: readonly (readonly number[])[]): string =>
    terms
      .flatMap((options, i) =>
        options.flatMap((factor, k) => (factor === 0 ? [] : [` + ${factor} ${variable(i, k)}\n`])),
      )
      .join('')
  const rows = costs.map((options, i) => `one${i}:\n${sum(selection(costs, i, options))} = 1\n`)
  for (const [row, { amounts, most }] of limits.entries()) {
    const least = amounts.map((options) => Math.min(...options))
    const slack = most - least.reduce((total, amount) => total + amount, 0)
    const unit = Math.max(slack, ROUNDING * most) || 1
    const scaled = amounts.map((options, i) => options.map((amount) => (amount - least[i]) / unit))
    const text = sum(scaled)
    if (text !== '') rows.push(`limit${row}:\n${text} <= ${slack / unit}\n`)
  }
  for (const [row, combination] of excluded.entries()) {
    const terms = costs.map((options, i) => options.map((_, k) => (k === combination[i] ? 1 : 0)))
    rows.push(`excluded${row}:\n${sum(terms)} <= ${costs.length - 1}\n`)
  }
  const names = costs.flatMap((options, i) => options.map((_, k) => ` ${variable(i, k)}\n`))
  const objective = sum(excess.map((options) => options.map((cost) => cost * scale))) || ` 0 ${variable(0, 0)}\n`
  return `Minimize\n objective:\n${objective}Subject To\n${rows.join('')}Binary\n${names.join('')}End\n`
}

/** Ones for the options of one choice, nothing elsewhere. */
function selection(costs: readonly (readonly number[])[], choice: number, options: readonly number[]): number[][] {
  return costs.map((_, i) => (i === choice ? options.map(() => 1) : []))
}
