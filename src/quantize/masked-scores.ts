/**
 * Scores before and behind a mask. A mask adds nothing to what is seen and takes everything else to the lowest code, so both
 * values share one grid: adding nothing then changes nothing, whatever the mask's own numbers are.
 */
import type { Graph, Node } from '../graph/graph.ts'
import { operators } from '../graph/operators/index.ts'
import { readersOf } from '../graph/readers.ts'
import { readNumbers } from '../graph/tensor.ts'
import type { TensorPlan } from './plan.ts'
import { makersOf } from './stored-values.ts'

/** What is added to hidden scores is this or less; real biases of positions are far above. */
const HIDDEN = -1e4

/** Gives what only a mask's addition reads the grid of the sum, where that is the argument of a Softmax. */
export function shareMaskedGrids(graph: Graph, tensors: Map<string, TensorPlan>): void {
  const makerOf = makersOf(graph)
  for (const node of graph.nodes) {
    if (operators.get(node.operator)?.integer !== 'softmax') continue
    const sum = makerOf(node.inputs[0])
    const scores = sum && maskedValue(graph, sum)
    if (sum === undefined || scores === undefined || graph.outputs.includes(scores)) continue
    const grid = tensors.get(sum.outputs[0])
    const own = makerOf(scores)?.outputs[0]
    if (grid !== undefined && own === scores && readersOf(graph, scores).length === 1) tensors.set(scores, grid)
  }
}

/** The computed value that a mask is added to; undefined where a node is no such addition. */
function maskedValue(graph: Graph, { operator, inputs }: Node): string | undefined {
  if (operator !== 'Add') return undefined
  const at = inputs.findIndex((name) => graph.constants.has(name))
  const constant = graph.constants.get(inputs[at] ?? '')
  if (constant === undefined || !readNumbers(constant).every((value) => value === 0 || value <= HIDDEN))
    return undefined
  return inputs[1 - at]
}
