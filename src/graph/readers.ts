/** Which nodes read a value, found once per graph: graphs never change. */
import type { Graph, Node } from './graph.ts'

const indexes = new WeakMap<Graph, ReadonlyMap<string, readonly Node[]>>()

/** The nodes that have `name` among their inputs, in the order of the graph, each once. */
export function readersOf(graph: Graph, name: string): readonly Node[] {
  let index = indexes.get(graph)
  if (index === undefined) {
    index = indexReaders(graph)
    indexes.set(graph, index)
  }
  return index.get(name) ?? []
}

function indexReaders({ nodes }: Graph): ReadonlyMap<string, readonly Node[]> {
  const index = new Map<string, Node[]>()
  for (const node of nodes)
    for (const name of new Set(node.inputs)) {
      const readers = index.get(name)
      if (readers === undefined) index.set(name, [node])
      else readers.push(node)
    }
  return index
}
