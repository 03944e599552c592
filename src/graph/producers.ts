/** Which node makes a value, found once per graph: graphs never change. */
import type { Graph, Node } from './graph.ts'

const indexes = new WeakMap<Graph, ReadonlyMap<string, Node>>()

/** The node that has `name` among its outputs; undefined for inputs, constants and unknown names. */
export function producerOf(graph: Graph, name: string): Node | undefined {
  let index = indexes.get(graph)
  if (index === undefined) {
    index = indexProducers(graph)
    indexes.set(graph, index)
  }
  return index.get(name)
}

function indexProducers({ nodes }: Graph): ReadonlyMap<string, Node> {
  const index = new Map<string, Node>()
  for (const node of nodes) for (const name of node.outputs) if (name !== '') index.set(name, node)
  return index
}
