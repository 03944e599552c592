/**
 * Absorbs the Add of a constant vector along the last axis into the `dyadic.Dense` before it, as its bias, when nothing else
 * reads its result. The host has no bias, residual or bounds yet.
 */
import type { Graph, Node } from '../graph.ts'
import { isFloat } from '../operators/context.ts'
import { addConstant, countUses, indexProducers, rebuild } from '../rewrite.ts'
import { elementCount, makeConstant, readNumbers } from '../tensor.ts'

export function fuseBias(graph: Graph): Graph {
  const uses = countUses(graph)
  const producers = indexProducers(graph)
  const constants = new Map(graph.constants)
  const nodes: (Node | undefined)[] = [...graph.nodes]
  let changed = false
  graph.nodes.forEach((node, index) => {
    if (node.operator !== 'Add') return
    const side = graph.constants.has(node.inputs[0]) ? 0 : 1
    const addend = graph.constants.get(node.inputs[side])
    const product = node.inputs[1 - side]
    const at = producers.get(product) ?? -1
    const host = nodes[at]
    if (addend === undefined || host === undefined || uses.get(product) !== 1 || !canHost(host)) return
    const shape = graph.values.get(product)?.shape ?? []
    const [count, columns] = [elementCount(addend.shape), shape.at(-1) as number]
    const isVector = count === 1 || (count === columns && addend.shape.at(-1) === columns)
    if (!isVector || !isFloat(addend.type) || addend.shape.length > shape.length) return
    let name = node.inputs[side]
    if (addend.shape.length !== 1 || count !== columns) {
      const numbers = readNumbers(addend)
      const vector = Array.from({ length: columns }, (_, i) => numbers[count === 1 ? 0 : i])
      name = addConstant(graph, constants, `${node.outputs[0]}:bias`, makeConstant(addend.type, [columns], vector))
    }
    nodes[at] = { ...host, inputs: [host.inputs[0], host.inputs[1], name], outputs: node.outputs }
    nodes[index] = undefined
    changed = true
  })
  return changed ? rebuild(graph, { nodes: nodes.filter((node) => node !== undefined), constants }) : graph
}

function canHost({ operator, inputs, attributes }: Node): boolean {
  return operator === 'dyadic.Dense' && !inputs[2] && !inputs[3] && !attributes.has('low') && !attributes.has('high')
}
