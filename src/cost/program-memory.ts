/**
 * What a compiled network occupies: the memory plan of the program that the compiler would write, without writing it. Where
 * nobody has chosen numbers yet, a nominal plan stands in: buffers depend on shapes and formats, not on scales.
 */
import type { DataSet } from '../data/data-set.ts'
import type { Graph } from '../graph/graph.ts'
import { elementCount } from '../graph/tensor.ts'
import { lower } from '../lower/lower.ts'
import { emitProgram } from '../program/emit.ts'
import { PAGE_BYTES } from '../program/module.ts'
import { calibrate } from '../quantize/calibrate.ts'
import type { Plan } from '../quantize/plan.ts'

/** Bytes of a program's fixed memory. */
export interface ProgramMemory {
  /** All values and scratch buffers, with buffers reused. */
  readonly arenaBytes: number
  /** Weights as they lie in memory while the program runs, biases, multipliers, tables. */
  readonly constantBytes: number
  /** Weights as they lie in the module. */
  readonly weightBytes: number
  /** Whole WebAssembly pages. */
  readonly memoryBytes: number
}

/** The memory of the program for a fused graph and a plan. Throws as `lower` and `emitProgram`. */
export function programMemory(graph: Graph, plan: Plan): ProgramMemory {
  const { memory, pages } = emitProgram(lower(graph, plan))
  const { arenaBytes, constantBytes, weightBytes } = memory
  return { arenaBytes, constantBytes, weightBytes, memoryBytes: pages * PAGE_BYTES }
}

/** A plan with the formats of the default command, calibrated on two made-up samples: good for sizes only. */
export async function nominalPlan(graph: Graph): Promise<Plan> {
  const shape = graph.values.get(graph.inputs[0] ?? '')?.shape.slice(1) ?? []
  const samples: DataSet = {
    name: 'nominal',
    length: 2,
    elementType: 'uint8',
    shape,
    channelAxis: 0,
    scale: [1 / 128],
    offset: [128],
    label: () => undefined,
    // 197 is odd: every byte occurs, and neighbours differ.
    read: async (sample) => Uint8Array.from({ length: elementCount(shape) }, (_, i) => (i + sample) * 197),
    describe: (sample) => `nominal sample ${sample}`,
  }
  return calibrate(graph, samples, { activations: 'u8' })
}
