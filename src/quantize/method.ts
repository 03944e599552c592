/** The contract of methods: a method makes a better plan of a plan, without changing what it reads. */
import type { DataSet } from '../data/data-set.ts'
import type { Graph } from '../graph/graph.ts'
import type { Plan } from './plan.ts'

/** What a method may read. Nothing of it is changed. */
export interface MethodContext {
  /** The fused float graph that the plan is for; one input. */
  readonly graph: Graph
  /** Calibration samples. */
  readonly samples: DataSet
  /** Most samples to use; a method may use fewer. */
  readonly limit: number
  readonly plan: Plan
  readonly signal?: AbortSignal
}

export type Method = (context: MethodContext) => Promise<Plan>
