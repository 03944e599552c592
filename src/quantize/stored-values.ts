/** Which values of a network are stored with numbers of their own, and which only show the numbers of others. */
import type { Graph, Node } from '../graph/graph.ts'
import { operators } from '../graph/operators/index.ts'
import { indexProducers } from '../graph/rewrite.ts'

/** Whether the integer program stores this node's output with numbers of its own. */
export function ownsScale(node: Node): boolean {
  const meaning = operators.get(node.operator)?.integer
  return meaning !== undefined && !['same-scale', 'boundary', 'none'].includes(meaning)
}

/** The node that makes the numbers of a value, through nodes that only move them; undefined for inputs and constants. */
export type FindMaker = (name: string) => Node | undefined

/** {@link FindMaker} of a graph. */
export function makersOf(graph: Graph): FindMaker {
  const producers = indexProducers(graph)
  return (name) => {
    for (let value = name; ; ) {
      const node = graph.nodes[producers.get(value) ?? -1]
      if (node === undefined || ownsScale(node)) return node
      value = node.inputs[0]
    }
  }
}
