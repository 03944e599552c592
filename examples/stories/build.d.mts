import type { CompiledProgram, Graph, Plan, QuantizeOptions } from '../../src/index.ts'
import type { Checkpoint } from './llama.mjs'

export interface Stories {
  readonly checkpoint: Checkpoint
  readonly full: Graph
  readonly step: Graph
  readonly plan: Plan
  readonly stepPlan: Plan
}

export function buildStories(
  weights: Uint8Array,
  options: { readonly length: number; readonly seed?: number; readonly texts?: number } & QuantizeOptions,
): Promise<Stories>

export function compileStep(stories: Stories): CompiledProgram
