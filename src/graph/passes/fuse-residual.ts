/**
 * Absorbs the Add of a residual connection into the layer that computes one operand: one rounding instead of two. The host is
 * a `dyadic.Conv` or `dyadic.Dense` whose only reader is the Add, without bounds or residual yet, and whose value `mayHost`;
 * of two such hosts the later one.
 */
import type { Graph, Node, Value } from '../graph.ts'
import { countUses, indexProducers, rebuild } from '../rewrite.ts'

export function fuseResidual(graph: Graph, mayHost: (name: string) => boolean = () => true): Graph {
  const uses = countUses(graph)
  const producers = indexProducers(graph)
  const nodes: (Node | undefined)[] = [...graph.nodes]
  let changed = false
  graph.nodes.forEach((node, index) => {
    if (node.operator !== 'Add') return
    const [left, right] = node.inputs
    if (left === right || [left, right].some((name) => graph.constants.has(name))) return
    const [a, b] = node.inputs.map((name) => graph.values.get(name) as Value)
    if (String(a.shape) !== String(b.shape) || a.type !== b.type) return
    const hosts = node.inputs
      .filter((name) => uses.get(name) === 1 && mayHost(name))
      .map((name) => producers.get(name) ?? -1)
      .filter((at) => nodes[at] !== undefined && canHost(nodes[at]))
    if (hosts.length === 0) return
    const at = Math.max(...hosts)
    const host = nodes[at] as Node
    const residual = host.outputs[0] === left ? right : left
    // Placed where the Add stood: only there is the residual sure to be computed.
    nodes[index] = {
      ...host,
      inputs: [host.inputs[0], host.inputs[1], host.inputs[2] ?? '', residual],
      outputs: node.outputs,
    }
    nodes[at] = undefined
    changed = true
  })
  return changed ? rebuild(graph, { nodes: nodes.filter((node) => node !== undefined) }) : graph
}

function canHost({ operator, inputs, attributes }: Node): boolean {
  const isLayer = operator === 'dyadic.Conv' || operator === 'dyadic.Dense'
  return isLayer && !inputs[3] && !attributes.has('low') && !attributes.has('high')
}
