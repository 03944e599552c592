/**
 * The simulated network over many samples at once, node by node: every value is computed once, under the plan as it is when
 * somebody asks for it, and kept for all samples until its last reader has run. What a layer-by-layer method would otherwise
 * compute anew for each layer.
 */
import type { Graph, Node, Value } from '../graph/graph.ts'
import { producerOf } from '../graph/producers.ts'
import type { Constant } from '../graph/tensor.ts'
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

/** A flow of the real inputs (in ONNX order) of some samples, by name. */
export function createFlow(graph: Graph, inputs: readonly ReadonlyMap<string, Float32Array>[]): SampleFlow {
  const wide = wideValues(graph)
  const order = new Map(graph.nodes.map((node, index) => [node, index]))
  const kept = new Map<string, readonly Float32Array[]>(
    graph.inputs.map((name) => [name, inputs.map((input) => input.get(name) as Float32Array)]),
  )
  const done = new Set<Node>()
  /** How often nodes that are not done read each value. */
  const waiting = new Map<string, number>()
  const read = (name: string, times: number): void => void waiting.set(name, (waiting.get(name) ?? 0) + times)
  for (const node of graph.nodes) for (const name of node.inputs) read(name, 1)
  let asked = ''

  /** The nodes still to be done that a value needs, in the graph's order. */
  const neededFor = (name: string): Node[] => {
    const nodes = new Set<Node>()
    const values = [name]
    for (let value = values.pop(); value !== undefined; value = values.pop()) {
      const node = producerOf(graph, value)
      if (node === undefined || done.has(node) || nodes.has(node)) continue
      nodes.add(node)
      values.push(...node.inputs.filter((input) => !kept.has(input)))
    }
    return [...nodes].sort((a, b) => (order.get(a) as number) - (order.get(b) as number))
  }

  const run = (nodes: readonly Node[], name: string, plan: Plan): void => {
    for (const node of nodes) {
      done.add(node)
      for (const input of node.inputs) read(input, -1)
    }
    const needed = (value: string): boolean => value === name || (waiting.get(value) ?? 0) > 0
    const outputs = nodes.flatMap((node) => node.outputs.filter((output) => output !== '' && needed(output)))
    const given = [...new Set(nodes.flatMap((node) => node.inputs))].filter((input) => kept.has(input))
    const segment = part(graph, nodes, given, outputs)
    const simulated = simulatedGraph(segment, plan, layersOf(graph, plan, nodes), wide)
    const executor = createFastExecutor(simulated)
    const found = outputs.map((): Float32Array[] => [])
    for (let sample = 0; sample < inputs.length; sample++) {
      const results = executor.run(
        new Map(given.map((input) => [input, (kept.get(input) as readonly Float32Array[])[sample]])),
      )
      outputs.forEach((output, index) => void found[index].push(results.get(output) as Float32Array))
    }
    outputs.forEach((output, index) => void kept.set(output, found[index]))
    for (const value of [asked, ...given]) if (!needed(value)) kept.delete(value)
    asked = name
  }

  /** A network input as its codes mean it. */
  const rounded = (inputName: string, plan: Plan): readonly Float32Array[] => {
    const name = roundedInput(inputName)
    const real = inputs.map((input) => input.get(inputName) as Float32Array)
    const simulated = simulatedGraph(part(graph, [], [inputName], []), plan, [])
    if (!simulated.values.has(name)) return real
    const executor = createFastExecutor({ ...simulated, outputs: [name] })
    return real.map((values) => executor.run(new Map([[inputName, values]])).get(name) as Float32Array)
  }

  return {
    values(name, plan) {
      if (graph.inputs.includes(name)) return rounded(name, plan)
      if (!kept.has(name)) run(neededFor(name), name, plan)
      return kept.get(name) as readonly Float32Array[]
    },
  }
}

/** Some nodes of a graph as one of its own, with the constants that they read. */
function part(graph: Graph, nodes: readonly Node[], inputs: readonly string[], outputs: readonly string[]): Graph {
  const constants = new Map<string, Constant>()
  const values = new Map<string, Value>()
  for (const name of new Set([...inputs, ...nodes.flatMap((node) => [...node.inputs, ...node.outputs])])) {
    const value = graph.values.get(name)
    const constant = graph.constants.get(name)
    if (value !== undefined) values.set(name, value)
    if (constant !== undefined) constants.set(name, constant)
  }
  return { ...graph, inputs, outputs, nodes, values, constants }
}
