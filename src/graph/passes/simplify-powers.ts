/** Powers with a constant exponent of 2, 1/2 or −1 become products, roots and reciprocals, which say the same in less. */
import type { Graph, Node } from '../graph.ts'
import { rebuild } from '../rewrite.ts'
import { elementCount, readNumbers } from '../tensor.ts'

export function simplifyPowers(graph: Graph): Graph {
  let changed = false
  const nodes = graph.nodes.map((node) => {
    const exponent = node.operator === 'Pow' ? graph.constants.get(node.inputs[1]) : undefined
    if (exponent === undefined || elementCount(exponent.shape) !== 1) return node
    const base = graph.values.get(node.inputs[0])
    const result = graph.values.get(node.outputs[0])
    // An exponent of higher rank, or of another type, may change what comes out.
    if (base?.type !== 'float32' || result?.type !== 'float32' || String(base.shape) !== String(result.shape))
      return node
    const plain = plainForm(node.inputs[0], readNumbers(exponent)[0])
    if (plain === undefined) return node
    changed = true
    return { ...node, ...plain, attributes: new Map() }
  })
  return changed ? rebuild(graph, { nodes }) : graph
}

function plainForm(base: string, exponent: number): Pick<Node, 'operator' | 'inputs'> | undefined {
  if (exponent === 2) return { operator: 'Mul', inputs: [base, base] }
  if (exponent === 0.5) return { operator: 'Sqrt', inputs: [base] }
  return exponent === -1 ? { operator: 'Reciprocal', inputs: [base] } : undefined
}
