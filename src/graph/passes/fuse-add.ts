/** Brings additions of two computed tensors of one shape into the fused form `dyadic.Add`, which can take bounds. */
import type { Graph, Value } from '../graph.ts'
import { isFloat } from '../operators/context.ts'
import { rebuild } from '../rewrite.ts'

export function fuseAdd(graph: Graph): Graph {
  let changed = false
  const nodes = graph.nodes.map((node) => {
    if (node.operator !== 'Add' || node.inputs.some((name) => graph.constants.has(name))) return node
    const [a, b] = node.inputs.map((name) => graph.values.get(name) as Value)
    if (!isFloat(a.type) || String(a.shape) !== String(b.shape)) return node
    changed = true
    return { ...node, operator: 'dyadic.Add' }
  })
  return changed ? rebuild(graph, { nodes }) : graph
}
