/**
 * What passes need to turn one graph into another: rebuilding with other nodes or constants, counting uses, renaming
 * values, fresh names. Graphs are immutable, so a pass that changes nothing returns the graph it was given.
 */
import type { Graph, Node, Value } from './graph.ts'
import { inferGraph } from './infer.ts'
import type { Constant, Tensor } from './tensor.ts'

/** The graph with other nodes or constants, shapes inferred anew. */
export function rebuild(
  graph: Graph,
  changes: { nodes?: readonly Node[]; constants?: ReadonlyMap<string, Constant> },
): Graph {
  const inputs = graph.inputs.map((name) => graph.values.get(name) as Value)
  return inferGraph({ ...graph, inputs, ...changes })
}

/** How often each value is read: once per node input, once as a graph output. */
export function countUses(graph: Graph): ReadonlyMap<string, number> {
  const uses = new Map<string, number>()
  const use = (name: string): void => {
    if (name !== '') uses.set(name, (uses.get(name) ?? 0) + 1)
  }
  for (const node of graph.nodes) node.inputs.forEach(use)
  graph.outputs.forEach(use)
  return uses
}

/** Index in `graph.nodes` of the node that computes each value. */
export function indexProducers(graph: Graph): ReadonlyMap<string, number> {
  const producers = new Map<string, number>()
  graph.nodes.forEach((node, index) => {
    for (const output of node.outputs) if (output !== '') producers.set(output, index)
  })
  return producers
}

/** Constants that a pass may add to. */
export type MutableConstants = Map<string, Constant>

/**
 * Adds a constant under `base`, or `base.2`, `base.3` … where that name is taken, and returns its name. Existing constants
 * are never changed: other nodes may share them.
 */
export function addConstant(graph: Graph, constants: MutableConstants, base: string, constant: Constant): string {
  const isTaken = (name: string): boolean => graph.values.has(name) || constants.has(name)
  let name = base
  if (isTaken(base)) {
    const next = nextNumbers.get(constants) ?? new Map<string, number>()
    nextNumbers.set(constants, next)
    let number = next.get(base) ?? 2
    while (isTaken(`${base}.${number}`)) number++
    next.set(base, number + 1)
    name = `${base}.${number}`
  }
  constants.set(name, constant)
  return name
}

/** Where the search for a free number goes on, so that a thousand constants of one base are no million trials. */
const nextNumbers = new WeakMap<MutableConstants, Map<string, number>>()

/** `base`, or `base.2`, `base.3` … where that is taken; the name is then taken. */
export function freeName(base: string, taken: Set<string>): string {
  let name = base
  for (let i = 2; taken.has(name); i++) name = `${base}.${i}`
  taken.add(name)
  return name
}

/** A tensor's bytes as a constant, shared with the tensor. */
export function constantOf({ type, shape, data }: Tensor): Constant {
  return { type, shape, bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) }
}
