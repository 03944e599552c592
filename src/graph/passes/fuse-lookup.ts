/** Brings embeddings, which are Gathers of rows of a constant matrix by computed indices, into the form `dyadic.Lookup`. */
import type { Graph } from '../graph.ts'
import { rebuild } from '../rewrite.ts'

export function fuseLookup(graph: Graph): Graph {
  let changed = false
  const nodes = graph.nodes.map((node) => {
    if (node.operator !== 'Gather' || graph.constants.has(node.inputs[1])) return node
    const table = graph.constants.get(node.inputs[0])
    const axis = (node.attributes.get('axis') as number | undefined) ?? 0
    if (table?.shape.length !== 2 || (axis !== 0 && axis !== -2)) return node
    changed = true
    return { ...node, operator: 'dyadic.Lookup', attributes: new Map() }
  })
  return changed ? rebuild(graph, { nodes }) : graph
}
