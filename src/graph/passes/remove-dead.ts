/** Removes nodes and constants that no graph output depends on. Graph inputs stay: they are the model's interface. */
import type { Graph } from '../graph.ts'
import { rebuild } from '../rewrite.ts'

export function removeDead(graph: Graph): Graph {
  const live = new Set(graph.outputs)
  const nodes = graph.nodes
    .toReversed()
    .filter((node) => {
      if (!node.outputs.some((name) => live.has(name))) return false
      for (const name of node.inputs) live.add(name)
      return true
    })
    .reverse()
  const constants = new Map([...graph.constants].filter(([name]) => live.has(name)))
  if (nodes.length === graph.nodes.length && constants.size === graph.constants.size) return graph
  return rebuild(graph, { nodes, constants })
}
