/**
 * The simulated network over many samples at once, node by node: every value is computed once, under the plan as it is when
 * somebody asks for it, and kept for all samples until its last reader has run. What a layer-by-layer method would otherwise
 * compute anew for each layer.
 */
import type { Graph, Node } from '../graph/graph.ts'
import { createFastExecutor } from '../reference/fast.ts'
import { layersOf } from './layer.ts'
import type { Plan } from './plan.ts'
import { roundedInput, simulatedGraph } from './simulate.ts'
import { wideValues } from './wide-values.ts'

/** Bytes that kept values may take; decides how many samples flow together. */
const MOST_BYTES = 384 * 2 ** 20

export interface SampleFlow {
  /**
   * One value for every sample, in ONNX order: computed under `plan` where nobody asked for it before. Ask for values in the
   * graph's order: what only other values needed is forgotten.
   */
  values(name: string, plan: Plan): readonly Float32Array[]
}

/** How many samples of a graph can flow together: at least 8. */
export function flowSamples(graph: Graph): number {
  const sizeOf = (name: string): number =>
    graph.constants.has(name) ? 0 : (graph.values.get(name)?.shape ?? []).reduce((product, size) => product * size, 1)
  let most = 1
  for (const node of graph.nodes)
    most = Math.max(
      most,
      [...node.inputs, ...node.outputs].reduce((sum, name) => sum + sizeOf(name), 0),
    )
  return Math.max(8, Math.floor(MOST_BYTES / (4 * most)))
}

/** A flow of real inputs (in ONNX order) of a graph with one input. */
export function createFlow(graph: Graph, inputs: readonly Float32Array[]): SampleFlow {
  const [inputName] = graph.inputs
  const wide = wideValues(graph)
  const kept = new Map<string, readonly Float32Array[]>([[inputName, inputs]])
  let pending: readonly Node[] = graph.nodes

  /** The pending nodes that a value needs, in order. */
  const neededFor = (name: string): Node[] => {
    const wanted = new Set([name])
    const nodes: Node[] = []
    for (const node of pending.toReversed()) {
      if (!node.outputs.some((output) => wanted.has(output))) continue
      nodes.push(node)
      for (const input of node.inputs) if (!kept.has(input)) wanted.add(input)
    }
    return nodes.reverse()
  }

  const readersAmong = (nodes: readonly Node[]): Set<string> => new Set(nodes.flatMap((node) => node.inputs))

  const run = (nodes: readonly Node[], name: string, plan: Plan): void => {
    const made = new Set(nodes.flatMap((node) => node.outputs))
    const rest = pending.filter((node) => !nodes.includes(node))
    const readLater = readersAmong(rest)
    const outputs = [...made].filter((output) => output === name || readLater.has(output))
    const read = [...readersAmong(nodes)].filter((input) => kept.has(input))
    const segment: Graph = { ...graph, inputs: read, outputs, nodes }
    const simulated = simulatedGraph(segment, plan, layersOf(graph, plan, nodes), wide)
    const executor = createFastExecutor(simulated)
    const found = outputs.map((): Float32Array[] => [])
    for (let sample = 0; sample < inputs.length; sample++) {
      const results = executor.run(
        new Map(read.map((input) => [input, (kept.get(input) as readonly Float32Array[])[sample]])),
      )
      outputs.forEach((output, index) => void found[index].push(results.get(output) as Float32Array))
    }
    outputs.forEach((output, index) => void kept.set(output, found[index]))
    pending = rest
    for (const value of kept.keys()) if (value !== name && !readLater.has(value)) kept.delete(value)
  }

  /** The network's input as its codes mean it. */
  const rounded = (plan: Plan): readonly Float32Array[] => {
    const name = roundedInput(inputName)
    const simulated = simulatedGraph({ ...graph, outputs: [], nodes: [] }, plan, [])
    if (!simulated.values.has(name)) return inputs
    const executor = createFastExecutor({ ...simulated, outputs: [name] })
    return inputs.map((input) => executor.run(new Map([[inputName, input]])).get(name) as Float32Array)
  }

  return {
    values(name, plan) {
      if (name === inputName) return rounded(plan)
      if (!kept.has(name)) run(neededFor(name), name, plan)
      return kept.get(name) as readonly Float32Array[]
    },
  }
}
