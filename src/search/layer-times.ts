/**
 * How long each layer takes on this machine: its kernel calls alone, as a program of their own, over the memory they would
 * have. Weights are widened when a program starts, so their bits change no time: choices that differ in weights only share
 * one measurement, and a budget on time cannot be met by narrower weights.
 */
import type { Graph } from '../graph/graph.ts'
import type { ImportInstruction, Instruction, IntegerGraph, IntegerTensor } from '../lower/integer-graph.ts'
import { lower } from '../lower/lower.ts'
import { emitProgram, reads } from '../program/emit.ts'
import type { Plan } from '../quantize/plan.ts'
import { applyChoices, type BitChoice, choicesOf, type Pins } from './bit-choice.ts'
import { instantiateCalls } from './instantiate-plan.ts'
import type { PerChoice } from './plan-layers.ts'
import { weightedNodes } from './sensitivity.ts'

/** Median of this many rounds, each at least so long. */
const ROUNDS = 7
const ROUND_MS = 4

export interface LayerTimes {
  /** Milliseconds by layer and bits. */
  readonly layers: PerChoice
  /** Everything that is no layer with weights: pooling, additions, the rim's copies. */
  readonly others: number
  /** The whole program by the plan: the sum of its layers and of everything else. */
  readonly whole: number
}

/** Times of all choices of all layers. `clock` gives milliseconds. */
export async function measureLayerTimes(
  graph: Graph,
  plan: Plan,
  choices: readonly BitChoice[],
  clock: () => number,
  pins?: Pins,
): Promise<LayerTimes> {
  const base = lower(graph, plan)
  const { run } = await instantiateCalls(emitProgram(base))
  const measured = medianTime(run, clock)
  const layers = new Map<string, Map<number, number>>()
  let planned = 0
  for (const { outputs } of weightedNodes(graph)) {
    const [name] = outputs
    const byActivations = new Map<string | undefined, number>([[undefined, await timeInstruction(base, name, clock)]])
    planned += byActivations.get(undefined) as number
    const times = new Map<number, number>()
    for (const choice of choicesOf(name, choices, pins)) {
      const { bits, activations } = choice
      let time = byActivations.get(activations)
      if (time === undefined) {
        const changed = lower(graph, applyChoices(graph, plan, new Map([[name, choice]])))
        time = await timeInstruction(changed, name, clock)
        byActivations.set(activations, time)
      }
      times.set(bits, time)
    }
    layers.set(name, times)
  }
  const others = Math.max(0, measured - planned)
  return { layers, others, whole: planned + others }
}

/** The calls of the instruction that makes a value, without those that bring its operands in. */
async function timeInstruction(graph: IntegerGraph, name: string, clock: () => number): Promise<number> {
  const instruction = graph.instructions.find(
    (candidate) => candidate.kind !== 'export' && candidate.output.name === name,
  ) as Exclude<Instruction, { kind: 'export' }>
  const operands = [...new Map(reads(instruction).map((tensor) => [tensor.id, imported(tensor)])).values()]
  const before = emitProgram({ ...graph, instructions: operands }).run.length
  const emitted = emitProgram({ ...graph, instructions: [...operands, instruction] })
  const { run } = await instantiateCalls({ ...emitted, run: emitted.run.slice(before) })
  return medianTime(run, clock)
}

/** An import of a tensor as if it were a network input: it gives an operand its place in memory. */
export function imported(output: IntegerTensor): ImportInstruction {
  return {
    kind: 'import',
    name: output.name,
    inputName: output.name,
    format: output.format === 's16' ? 's16' : 's8',
    layout: 'nhwc',
    output,
  }
}

/** Median milliseconds of a call, over rounds that are long enough to be measured. */
export function medianTime(run: () => void, clock: () => number): number {
  let repetitions = 1
  const round = (): number => {
    const start = clock()
    for (let i = 0; i < repetitions; i++) run()
    return clock() - start
  }
  while (round() < ROUND_MS && repetitions < 2 ** 24) repetitions *= 2
  const times = Array.from({ length: ROUNDS }, () => round() / repetitions).sort((a, b) => a - b)
  return times[(ROUNDS - 1) / 2]
}
