/**
 * Numbers of states: an output whose integers are an input at the next step has that input's numbers, 16 bits over what both
 * were seen to hold.
 */
import type { Graph } from '../graph/graph.ts'
import type { Range } from './observe.ts'
import type { InputPlan, StatePair, TensorPlan } from './plan.ts'
import { wideOutputPlan } from './scales.ts'
import { makersOf } from './stored-values.ts'

export interface StatePlans {
  /** By the state input. */
  readonly inputs: ReadonlyMap<string, InputPlan>
  /** By the value that makes the output's numbers. */
  readonly tensors: ReadonlyMap<string, TensorPlan>
  /** State inputs whose output only moves the numbers of another input, which they have then: that input. */
  readonly moved: ReadonlyMap<string, string>
}

/** The plans of all states, from the ranges of inputs and values. */
export function statePlans(graph: Graph, states: readonly StatePair[], ranges: ReadonlyMap<string, Range>): StatePlans {
  const findMaker = makersOf(graph)
  const inputs = new Map<string, InputPlan>()
  const tensors = new Map<string, TensorPlan>()
  const moved = new Map<string, string>()
  const makers = states.map(({ output }) => findMaker(output)?.outputs[0])
  states.forEach(({ input, output }, index) => {
    const maker = makers[index]
    if (maker === undefined) {
      const source = sourceInput(graph, output)
      if (source !== input) moved.set(input, source)
      return
    }
    const sharing = states.filter((_, other) => makers[other] === maker).map((pair) => pair.input)
    const seen = [maker, ...sharing].map((name) => ranges.get(name) ?? { low: 0, high: 0 })
    const range = {
      low: Math.min(...seen.map(({ low }) => low)),
      high: Math.max(...seen.map(({ high }) => high)),
    }
    const plan = wideOutputPlan(range, [])
    tensors.set(maker, plan)
    inputs.set(input, { format: 's16', scale: [plan.scale], zeroPoint: [plan.zeroPoint], layout: 'nchw' })
  })
  return { inputs, tensors, moved }
}

/** The input whose numbers a value moves. */
function sourceInput(graph: Graph, name: string): string {
  const producer = graph.nodes.find((node) => node.outputs.includes(name))
  return producer === undefined ? name : sourceInput(graph, producer.inputs[0])
}
