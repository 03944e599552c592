/**
 * Weights in groups: consecutive weights of an output channel, in stored order, share an integer factor beside the channel's
 * scale, so that small weights keep their bits next to large ones.
 */

import type { Graph } from '../graph/graph.ts'
import { roundHalfEven } from '../num/dyadic.ts'
import { clamp } from '../num/requantize.ts'
import { encodeCodes } from './base64-codes.ts'
import { biasesOf, foldedWeights, inputStep, type Layer, layersOf, tapsOf } from './layer.ts'
import { formatRange, type Plan, type WeightPlan } from './plan.ts'
import { leastWeightScale } from './scales.ts'

/** Sizes of groups. */
export const groupSizes = [32, 64, 128] as const
export type GroupSize = (typeof groupSizes)[number]

/** With 4-bit codes, code × factor then fills a byte: sums stay as large as those of 8-bit weights. */
const LARGEST_FACTOR = 16

/** A plan in which all symmetric 4-bit weights of layers with more than one group have factors; their codes are dropped. */
export function groupWeights(graph: Graph, plan: Plan, size: number): Plan {
  const weights = { ...plan.weights }
  for (const layer of layersOf(graph, plan)) {
    const entry = plan.weights[layer.name]
    if (entry.format !== 's4' || tapsOf(layer) <= size) continue
    weights[layer.name] = groupedPlan(layer, entry, size, inputStep(graph, plan, layer), biasesOf(layer, plan))
  }
  return { ...plan, weights }
}

function groupedPlan(
  layer: Layer,
  { format }: WeightPlan,
  size: number,
  step: number,
  biases: ArrayLike<number>,
): WeightPlan {
  const { outputs, channels, area } = layer
  const taps = tapsOf(layer)
  const perChannel = Math.ceil(taps / size)
  const { high } = formatRange(format)
  const folded = foldedWeights(layer)
  const factors = new Uint8Array(outputs * perChannel)
  const scale = Array.from({ length: outputs }, (_, o) => {
    const own = new Float64Array(taps)
    for (let t = 0; t < taps; t++) own[(t % area) * channels + Math.floor(t / area)] = folded[o * taps + t]
    const largest = own.reduce((magnitude, weight) => Math.max(magnitude, Math.abs(weight)), 0)
    const unit = Math.max(largest / high / LARGEST_FACTOR, leastWeightScale(biases[o], step)) || 1
    for (let group = 0; group < perChannel; group++)
      factors[o * perChannel + group] = bestFactor(own.subarray(group * size, (group + 1) * size), unit, format)
    return unit
  })
  return { format, scale, zeroPoint: [0], groups: { size, factors: encodeCodes(factors) } }
}

/** The factor with the least squared error. */
function bestFactor(weights: Float64Array, unit: number, format: WeightPlan['format']): number {
  const { low, high } = formatRange(format)
  let best = 1
  let least = Number.POSITIVE_INFINITY
  for (let factor = 1; factor <= LARGEST_FACTOR; factor++) {
    const scale = unit * factor
    let error = 0
    for (const weight of weights) error += (clamp(roundHalfEven(weight / scale), low, high) * scale - weight) ** 2
    if (error >= least) continue
    least = error
    best = factor
  }
  return best
}
