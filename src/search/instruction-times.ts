/**
 * How long each instruction of an integer graph takes on this machine: its kernel calls alone, as a program of their own, over
 * memory laid out as for them. What passes between instructions through caches is in the whole program's time only.
 */
import type { Instruction, IntegerGraph } from '../lower/integer-graph.ts'
import { emitProgram, reads } from '../program/emit.ts'
import { instantiateCalls } from './instantiate-plan.ts'
import { imported, medianTime } from './layer-times.ts'

export interface InstructionTime {
  /** The value that is made; of an export the network output. */
  readonly name: string
  readonly kind: Instruction['kind']
  /** Kernels that are called, each once, in order. */
  readonly kernels: readonly string[]
  readonly milliseconds: number
}

export interface ProgramTimes {
  readonly instructions: readonly InstructionTime[]
  /** One inference of the whole program, without the caller's conversion of reals. */
  readonly whole: number
}

/** Times of a program and of its instructions. `clock` gives milliseconds; `onTimed` is told after each instruction. */
export async function timeProgram(
  graph: IntegerGraph,
  clock: () => number,
  onTimed?: (done: number, total: number) => void,
): Promise<ProgramTimes> {
  const { run } = await instantiateCalls(emitProgram(graph))
  const whole = medianTime(run, clock)
  const instructions: InstructionTime[] = []
  for (const instruction of graph.instructions) {
    instructions.push(await timeAlone(graph, instruction, clock))
    onTimed?.(instructions.length, graph.instructions.length)
  }
  return { instructions, whole }
}

async function timeAlone(graph: IntegerGraph, instruction: Instruction, clock: () => number): Promise<InstructionTime> {
  const operands = [...new Map(reads(instruction).map((tensor) => [tensor.id, imported(tensor)])).values()]
  const before = emitProgram({ ...graph, instructions: operands }).run.length
  const emitted = emitProgram({ ...graph, instructions: [...operands, instruction] })
  const calls = emitted.run.slice(before)
  const kernels = [...new Set(calls.map(({ kernel }) => kernel))]
  const name = instruction.kind === 'export' ? instruction.name : instruction.output.name
  const { kind } = instruction
  if (calls.length === 0) return { name, kind, kernels, milliseconds: 0 }
  const { run } = await instantiateCalls({ ...emitted, run: calls })
  return { name, kind, kernels, milliseconds: medianTime(run, clock) }
}
