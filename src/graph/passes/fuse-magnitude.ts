/**
 * Brings √(a·a + b·b) into the form `dyadic.Magnitude`. Squares of 16 bits have 32, which no stored value between the
 * operators could hold.
 */
import type { Graph, Node } from '../graph.ts'
import { countUses, indexProducers, rebuild } from '../rewrite.ts'
import { elementCount, readNumbers } from '../tensor.ts'

export function fuseMagnitude(graph: Graph): Graph {
  const uses = countUses(graph)
  const producers = indexProducers(graph)
  const only = (name: string): Node | undefined =>
    uses.get(name) === 1 ? graph.nodes[producers.get(name) ?? -1] : undefined
  /** x where the named value is x · x and nothing else reads it. */
  const squared = (name: string): string | undefined => {
    const node = only(name)
    if (node?.operator === 'Mul' && node.inputs[0] === node.inputs[1]) return node.inputs[0]
    const exponent = node?.operator === 'Pow' ? graph.constants.get(node.inputs[1]) : undefined
    return node !== undefined &&
      exponent !== undefined &&
      elementCount(exponent.shape) === 1 &&
      readNumbers(exponent)[0] === 2
      ? node.inputs[0]
      : undefined
  }
  let changed = false
  const nodes = graph.nodes.map((node) => {
    const sum = node.operator === 'Sqrt' ? only(node.inputs[0]) : undefined
    if (sum === undefined || (sum.operator !== 'Add' && sum.operator !== 'dyadic.Add') || sum.attributes.size > 0)
      return node
    const [a, b] = sum.inputs.map(squared)
    if (a === undefined || b === undefined) return node
    if (String(graph.values.get(a)?.shape) !== String(graph.values.get(b)?.shape)) return node
    changed = true
    return { ...node, operator: 'dyadic.Magnitude', inputs: [a, b], attributes: new Map() }
  })
  return changed ? rebuild(graph, { nodes }) : graph
}
