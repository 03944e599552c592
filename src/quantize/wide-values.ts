/**
 * Which values stay wide: those that no convolution or dense layer can see any more. What follows the last layer is short
 * and cheap (scores, boxes, a softmax), and 8 bits would be the coarsest step on the way to the outputs.
 */
import type { Graph } from '../graph/graph.ts'
import { operators } from '../graph/operators/index.ts'

/** Values from which no weighted layer is reached. */
export function wideValues(graph: Graph): ReadonlySet<string> {
  // Values that some layer reads, directly or through other operators; found from the last node to the first.
  const seen = new Set<string>()
  for (const node of graph.nodes.toReversed()) {
    const meaning = operators.get(node.operator)?.integer
    const accumulates = meaning === 'accumulate' || meaning === 'matrix-product'
    if (accumulates || node.outputs.some((name) => seen.has(name))) for (const name of node.inputs) seen.add(name)
  }
  return new Set(graph.nodes.flatMap((node) => node.outputs.filter((name) => !seen.has(name))))
}
