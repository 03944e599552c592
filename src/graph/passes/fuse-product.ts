/**
 * Brings products of two computed matrices into the fused form `dyadic.MatMul`, whose factor takes up a multiplication by one
 * positive constant number: of the product, where nothing else reads it, and of operands that only the product reads. So the
 * scale of attention costs no rounding of its own.
 */
import type { AttributeValue, Graph, Node } from '../graph.ts'
import { isFloat } from '../operators/context.ts'
import { countUses, indexProducers, rebuild } from '../rewrite.ts'
import { elementCount, readNumbers } from '../tensor.ts'

/** A value times one number. */
interface Scaling {
  readonly value: string
  readonly factor: number
}

export function fuseProduct(graph: Graph): Graph {
  const uses = countUses(graph)
  const producers = indexProducers(graph)
  const nodes: (Node | undefined)[] = [...graph.nodes]
  let changed = false
  graph.nodes.forEach((node, index) => {
    if (node.operator !== 'MatMul' || node.inputs.some((name) => graph.constants.has(name))) return
    if (!isFloat(graph.values.get(node.outputs[0])?.type ?? 'int64')) return
    let factor = 1
    const inputs = node.inputs.map((name) => {
      const at = producers.get(name) ?? -1
      const scaling = scalingOf(graph, nodes[at])
      if (scaling === undefined || uses.get(name) !== 1) return name
      nodes[at] = undefined
      factor *= scaling.factor
      return scaling.value
    })
    nodes[index] = productOf(node, inputs, node.outputs, factor)
    changed = true
  })
  graph.nodes.forEach((node, index) => {
    const scaling = scalingOf(graph, nodes[index] && node)
    const at = scaling === undefined ? -1 : (producers.get(scaling.value) ?? -1)
    const host = nodes[at]
    if (scaling === undefined || host?.operator !== 'dyadic.MatMul' || uses.get(scaling.value) !== 1) return
    const factor = (host.attributes.get('factor') as number) * scaling.factor
    nodes[at] = productOf(host, host.inputs, node.outputs, factor)
    nodes[index] = undefined
  })
  return changed ? rebuild(graph, { nodes: nodes.filter((node) => node !== undefined) }) : graph
}

function productOf(node: Node, inputs: readonly string[], outputs: readonly string[], factor: number): Node {
  const attributes = new Map<string, AttributeValue>([['factor', factor]])
  return { ...node, operator: 'dyadic.MatMul', inputs, outputs, attributes }
}

/** What a Mul by one positive constant does, where it changes no shape. */
function scalingOf(graph: Graph, node: Node | undefined): Scaling | undefined {
  if (node?.operator !== 'Mul') return undefined
  const side = graph.constants.has(node.inputs[0]) ? 0 : 1
  const constant = graph.constants.get(node.inputs[side])
  const value = node.inputs[1 - side]
  if (constant === undefined || elementCount(constant.shape) !== 1) return undefined
  const [from, to] = [value, node.outputs[0]].map((name) => graph.values.get(name)?.shape)
  const [factor] = readNumbers(constant)
  return factor > 0 && Number.isFinite(factor) && String(from) === String(to) ? { value, factor } : undefined
}
