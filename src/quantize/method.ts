/** The contract of methods: a method makes a better plan of a plan, without changing what it reads. */
import type { Samples } from '../data/aligned-sets.ts'
import type { Graph } from '../graph/graph.ts'
import type { Plan } from './plan.ts'

/** How good a plan is on samples that no method has seen: larger is better. */
export type Score = (plan: Plan, samples: Samples) => Promise<number>

/** What a method may read. Nothing of it is changed. */
export interface MethodContext {
  /** The fused float graph that the plan is for. */
  readonly graph: Graph
  /** Calibration samples, for each input by name where there are several. */
  readonly samples: Samples
  /** Most samples to use; a method may use fewer. */
  readonly limit: number
  readonly plan: Plan
  readonly signal?: AbortSignal
  /** How `auto` compares plans; by default the simulated nearness to the float network, in decibels. */
  readonly score?: Score
  /** Told what was decided, in one line each. */
  readonly onNote?: (text: string) => void
}

export type Method = (context: MethodContext) => Promise<Plan>
