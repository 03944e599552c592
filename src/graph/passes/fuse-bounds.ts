/**
 * Absorbs Relu and Clip with constant bounds into the fused node before them, when nothing else reads its result; several
 * in a row compose.
 */
import type { Graph, Node } from '../graph.ts'
import { countUses, indexProducers, rebuild } from '../rewrite.ts'
import { readNumbers } from '../tensor.ts'

interface Bounds {
  readonly low: number
  readonly high: number
}

export function fuseBounds(graph: Graph): Graph {
  const uses = countUses(graph)
  const producers = new Map(indexProducers(graph))
  const nodes: (Node | undefined)[] = [...graph.nodes]
  let changed = false
  graph.nodes.forEach((node, index) => {
    const outer = boundsOf(graph, node)
    const at = producers.get(node.inputs[0]) ?? -1
    const host = nodes[at]
    if (outer === undefined || uses.get(node.inputs[0]) !== 1 || !host?.operator.startsWith('dyadic.')) return
    const low = (host.attributes.get('low') as number | undefined) ?? -Infinity
    const high = (host.attributes.get('high') as number | undefined) ?? Infinity
    const clip = (value: number) => Math.min(outer.high, Math.max(outer.low, value))
    // Clipping both ends composes clips also where the two ranges do not meet.
    const composed: Bounds = { low: clip(low), high: clip(high) }
    const attributes = new Map(host.attributes)
    if (composed.low > -Infinity) attributes.set('low', composed.low)
    if (composed.high < Infinity) attributes.set('high', composed.high)
    nodes[at] = { ...host, outputs: node.outputs, attributes }
    nodes[index] = undefined
    producers.set(node.outputs[0], at)
    changed = true
  })
  return changed ? rebuild(graph, { nodes: nodes.filter((node) => node !== undefined) }) : graph
}

/** What a Relu or a Clip with constant bounds clips to. */
function boundsOf(graph: Graph, node: Node): Bounds | undefined {
  if (node.operator === 'Relu') return { low: 0, high: Infinity }
  if (node.operator !== 'Clip') return undefined
  const [low, high] = [1, 2].map((index) => {
    if (!node.inputs[index]) return index === 1 ? -Infinity : Infinity
    const constant = graph.constants.get(node.inputs[index])
    return constant && readNumbers(constant)[0]
  })
  if (low === undefined || high === undefined || Number.isNaN(low) || Number.isNaN(high)) return undefined
  return { low, high }
}
