/** The family of non-linear arithmetic of a plan, and the grids that a family's integers need. */
import type { Graph } from '../graph/graph.ts'
import { shareMaskedGrids } from './masked-scores.ts'
import type { NonlinearFamily, Plan, TensorPlan } from './plan.ts'
import { makersOf } from './stored-values.ts'

/**
 * The plan with a family. Of a family other than the default every softmax has a grid on which its results are codes: steps
 * of 2^−15 in 16 bits; in 8 bits of 2^−7 (the shift families, whose 1 is 128) or 2^−8. Scores are coarse enough for what the
 * family computes with.
 */
export function withNonlinear(graph: Graph, plan: Plan, family: NonlinearFamily): Plan {
  if (family === 'default') return plan
  const tensors = new Map(Object.entries(plan.tensors))
  const makerOf = makersOf(graph)
  const coarsen = (input: string, least: number): void => {
    const name = makerOf(input)?.outputs[0] ?? ''
    const grid = tensors.get(name)
    if (grid !== undefined) tensors.set(name, coarser(grid, least))
  }
  for (const { operator, inputs, outputs } of graph.nodes) {
    if (operator !== 'Softmax') continue
    const shares = tensors.get(outputs[0])
    if (shares !== undefined) tensors.set(outputs[0], softmaxGrid(shares, family))
    const terms = graph.values.get(inputs[0])?.shape.at(-1) ?? 1
    coarsen(inputs[0], family === 'poly' ? LEAST_POLY_SCALE : leastScoreScale(terms))
  }
  shareMaskedGrids(graph, tensors)
  return { ...plan, nonlinear: family, tensors: Object.fromEntries(tensors) }
}

function softmaxGrid({ format }: TensorPlan, family: NonlinearFamily): TensorPlan {
  if (format === 's16') return { format, scale: 2 ** -15, zeroPoint: 0 }
  return { format: 'u8', scale: family === 'poly' ? 2 ** -8 : 2 ** -7, zeroPoint: 0 }
}

/** The constant of i-exp is 2.79 / scale², which must stay below 2^32. */
const LEAST_POLY_SCALE = 2 ** -15

/**
 * Shiftmax's reciprocal is 2^16 · scale over the sum of a row in units of its largest term, rounded down: with the fine grid
 * that 16 bits allow it would be 1 or 2. Steps of √n / 256 cost the scores as much as they gain it (docs/accuracy.md).
 */
function leastScoreScale(terms: number): number {
  return Math.sqrt(terms) / 256
}

function coarser(grid: TensorPlan, least: number): TensorPlan {
  return grid.scale >= least ? grid : { ...grid, scale: least }
}
