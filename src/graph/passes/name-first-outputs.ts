/**
 * A name for the first output of nodes that leave it out, as recurrent layers do of which only the last state is read: the
 * first output's name, type and shape are what other passes know a node by.
 */
import type { Graph } from '../graph.ts'
import { freeName, rebuild } from '../rewrite.ts'

export function nameFirstOutputs(graph: Graph): Graph {
  const isNameless = (outputs: readonly string[]): boolean => outputs.length > 1 && outputs[0] === ''
  if (!graph.nodes.some(({ outputs }) => isNameless(outputs))) return graph
  const taken = new Set(graph.values.keys())
  const nodes = graph.nodes.map((node) =>
    isNameless(node.outputs)
      ? { ...node, outputs: [freeName(`${node.name}:first`, taken), ...node.outputs.slice(1)] }
      : node,
  )
  return rebuild(graph, { nodes })
}
