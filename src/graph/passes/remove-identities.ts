/**
 * Removes nodes that change nothing: Identity, Cast to the type that is there, Dropout, Reshape and its kin to the same shape, Transpose in order, Pad by 0,
 * Slice of everything, Concat of one, Clip without bounds, Add of 0, Mul by 1. Where the result is a graph output, the value before it takes
 * that name; a graph input, constant or other output cannot, and the node stays.
 */
import type { Graph, Node, Value } from '../graph.ts'
import { countUses, indexProducers, rebuild } from '../rewrite.ts'
import { readNumbers } from '../tensor.ts'

export function removeIdentities(graph: Graph): Graph {
  const producers = indexProducers(graph)
  const uses = countUses(graph)
  const outputs = new Set(graph.outputs)
  const renamed = new Map<string, string>()
  const current = (name: string): string => {
    while (renamed.has(name)) name = renamed.get(name) as string
    return name
  }
  const kept = graph.nodes.filter((node) => {
    if (node.outputs.slice(1).some((name) => uses.has(name)) || !changesNothing(graph, node)) return true
    const input = current(node.inputs[0])
    const output = node.outputs[0]
    if (!outputs.has(output)) renamed.set(output, input)
    else if (producers.has(input) && !outputs.has(input)) renamed.set(input, output)
    else return true
    return false
  })
  if (kept.length === graph.nodes.length) return graph
  const nodes = kept.map((node) => ({
    ...node,
    inputs: node.inputs.map(current),
    outputs: node.outputs.map(current),
  }))
  return rebuild(graph, { nodes })
}

function changesNothing(graph: Graph, node: Node): boolean {
  const input = graph.values.get(node.inputs[0]) as Value
  const output = graph.values.get(node.outputs[0]) as Value
  if (input.type !== output.type || String(input.shape) !== String(output.shape)) return false
  const constant = (index: number): number[] | undefined => {
    const found = graph.constants.get(node.inputs[index] ?? '')
    return found && readNumbers(found)
  }
  switch (node.operator) {
    case 'Identity':
    case 'Cast':
    case 'Dropout':
    case 'Reshape':
    case 'Flatten':
    case 'Squeeze':
    case 'Unsqueeze':
      return true
    case 'Concat':
      return node.inputs.length === 1
    case 'Transpose': {
      const order = node.attributes.get('perm') as readonly number[] | undefined
      return order === undefined ? input.shape.length < 2 : order.every((axis, index) => axis === index)
    }
    case 'Pad':
      return constant(1)?.every((amount) => amount === 0) ?? false
    case 'Slice':
      // Equal shapes and forward steps leave no element out; a backward step would reverse an axis.
      return !node.inputs[4] || (constant(4)?.every((step) => step > 0) ?? false)
    case 'Add':
      return constant(1)?.every((value) => value === 0) ?? false
    case 'Mul':
      return constant(1)?.every((value) => value === 1) ?? false
    case 'Clip': {
      const absent = (index: number, infinity: number) => !node.inputs[index] || constant(index)?.[0] === infinity
      return absent(1, -Infinity) && absent(2, Infinity)
    }
    default:
      return false
  }
}
