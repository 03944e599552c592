/**
 * Weights that were integers once: networks trained or stored with 8-bit weights are often given as floats that still lie
 * on one grid per layer. Any other grid, however fine, moves them; their own represents them exactly.
 */
import type { Graph } from '../graph/graph.ts'
import { operators } from '../graph/operators/index.ts'
import { readNumbers } from '../graph/tensor.ts'
import type { WeightPlan } from './plan.ts'

/** How far from a point of the grid a weight may lie, in steps: far above float32 rounding, far below quantisation noise. */
const TOLERANCE = 1e-3

/**
 * The grids of all layers of a fused graph, by output value; none unless every layer has one. A single layer may look like
 * integers by chance or by history; a whole network that does was quantised as a whole.
 */
export function findWeightGrids(graph: Graph): ReadonlyMap<string, WeightPlan> {
  const grids = new Map<string, WeightPlan>()
  for (const node of graph.nodes) {
    if (operators.get(node.operator)?.integer !== 'accumulate') continue
    const constant = graph.constants.get(node.inputs[1])
    const grid = constant && findWeightGrid(readNumbers(constant))
    if (grid === undefined) return new Map()
    grids.set(node.outputs[0], grid)
  }
  return grids
}

/**
 * The grid that a layer's weights lie on, as `s8` with zero point 0 where all its codes fit, otherwise as `u8`; undefined
 * where there is none of at most 255 steps.
 */
export function findWeightGrid(weights: ArrayLike<number>): WeightPlan | undefined {
  // More than 256 different numbers lie on no 8-bit grid; most networks are recognised within some hundred weights.
  const distinct = new Set<number>([0])
  for (let i = 0; i < weights.length; i++) if (distinct.add(weights[i]).size > 256) return undefined
  if (distinct.size < 2) return undefined
  const levels = Float64Array.from(distinct).sort()
  const low = levels[0]
  const span = levels[levels.length - 1] - low
  let step = span
  for (let i = 1; i < levels.length; i++) step = Math.min(step, levels[i] - levels[i - 1])
  const steps = Math.round(span / step)
  if (!(steps <= 255)) return undefined
  // The smallest difference has the largest rounding error; the whole span has almost none.
  const scale = span / steps
  for (const level of levels) {
    const code = level / scale
    if (Math.abs(code - Math.round(code)) > TOLERANCE) return undefined
  }
  const lowest = Math.round(low / scale)
  if (lowest >= -128 && lowest + steps <= 127) return { format: 's8', scale: [scale], zeroPoint: [0] }
  return { format: 'u8', scale: [scale], zeroPoint: [-lowest] }
}
