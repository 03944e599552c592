/**
 * Scales of weights by least squared error in place of the largest magnitude: with few bits it pays to cut the largest
 * weights. Errors count by the mean square of the input they multiply, which is what they do to the output when inputs are
 * independent.
 */
import type { Graph } from '../graph/graph.ts'
import { roundHalfEven } from '../num/dyadic.ts'
import { clamp } from '../num/requantize.ts'
import { createFastExecutor } from '../reference/fast.ts'
import { realInputs } from './input.ts'
import {
  biasesOf,
  foldedWeights,
  inputScaleAt,
  inputStep,
  type Layer,
  layersOf,
  observedInput,
  tapsOf,
} from './layer.ts'
import { choosePositions, rowReader } from './layer-rows.ts'
import { channelsLast } from './layer-walk.ts'
import type { MethodContext } from './method.ts'
import { formatRange, type Plan, type WeightPlan } from './plan.ts'
import { leastWeightScale } from './scales.ts'

/** Mean squares need few samples and positions. */
const MOST_SAMPLES = 32
const POSITIONS = 32
/** Shares of the largest magnitude that are tried. */
const LEAST_SHARE = 0.3
const STEPS = 70

/** A plan with new scales for all layers with symmetric weights, wherever they have less error. */
export async function chooseWeightScales(context: MethodContext): Promise<Plan> {
  const { graph, plan } = context
  const layers = layersOf(graph, plan)
  const squares = await meanSquares(context, layers)
  const weights = layers.map((layer, index): [string, WeightPlan] => [
    layer.name,
    withLeastError(graph, layer, plan, squares[index]),
  ])
  return { ...plan, weights: { ...plan.weights, ...Object.fromEntries(weights) } }
}

function withLeastError(graph: Graph, layer: Layer, plan: Plan, squares: Float64Array): WeightPlan {
  const entry = plan.weights[layer.name]
  if (entry.zeroPoint.some((point) => point !== 0) || entry.format === 'u8' || entry.groups) return entry
  const taps = tapsOf(layer)
  const folded = foldedWeights(layer)
  const perGroup = layer.outputs / layer.groups
  const biases = biasesOf(layer, plan)
  const step = inputStep(graph, plan, layer)
  const scale = Array.from({ length: layer.outputs }, (_, o) => {
    const given = entry.scale[entry.scale.length > 1 ? o : 0]
    const own = folded.subarray(o * taps, (o + 1) * taps)
    const first = Math.floor(o / perGroup) * taps
    const importance = squares.subarray(first, first + taps)
    return bestScale(own, importance, given, leastWeightScale(biases[o], step), formatRange(entry.format))
  })
  const { codes: _, ...rest } = entry
  // A layer whose weights all lie on one grid keeps it as one number.
  return scale.every((value) => value === entry.scale[0]) ? { ...rest, scale: [...entry.scale] } : { ...rest, scale }
}

/** The scale with the least weighted squared error; the given one unless another is better. */
export function bestScale(
  weights: Float64Array,
  importance: Float64Array,
  given: number,
  least: number,
  { low, high }: { low: number; high: number },
): number {
  const errorOf = (scale: number): number => {
    let error = 0
    for (let i = 0; i < weights.length; i++) {
      const difference = clamp(roundHalfEven(weights[i] / scale), low, high) * scale - weights[i]
      error += difference * difference * importance[i]
    }
    return error
  }
  const largest = weights.reduce((magnitude, weight) => Math.max(magnitude, Math.abs(weight)), 0) / high
  let best = given
  let error = errorOf(given)
  for (let step = 0; step <= STEPS && error > 0; step++) {
    const scale = largest * (1 - (step * (1 - LEAST_SHARE)) / STEPS)
    if (!(scale >= least && scale > 0)) continue
    const found = errorOf(scale)
    if (found >= error) continue
    error = found
    best = scale
  }
  return best
}

/** Mean square of what each weight of a group multiplies, in folded units: [group][tap] for each layer. */
async function meanSquares(
  { graph, samples, limit, signal }: MethodContext,
  layers: readonly Layer[],
): Promise<Float64Array[]> {
  const readers = layers.map((layer) => rowReader(graph, layer))
  const sums = readers.map(({ width }) => new Float64Array(width))
  const rows = readers.map(({ width }) => new Float32Array(width))
  const readersOf = new Map<string, number[]>()
  layers.forEach((layer, index) => {
    const name = observedInput(graph, layer.node)
    const readers = readersOf.get(name)
    if (readers === undefined) readersOf.set(name, [index])
    else readers.push(index)
  })
  const executor = createFastExecutor(graph)
  const count = Math.min(limit, samples.length, MOST_SAMPLES)
  for (let sample = 0; sample < count; sample++) {
    signal?.throwIfAborted()
    const inputs = await realInputs(graph, samples, sample)
    const visit = (name: string, values: Float32Array): void => {
      for (const index of readersOf.get(name) ?? []) {
        const { positions, read } = readers[index]
        for (const position of choosePositions(positions, POSITIONS, 0, index, sample)) {
          read(values, position, rows[index], 0)
          const sum = sums[index]
          for (let i = 0; i < sum.length; i++) sum[i] += rows[index][i] * rows[index][i]
        }
      }
    }
    for (const [name, values] of inputs) visit(name, channelsLast(graph, name, values))
    executor.run(inputs, visit)
  }
  layers.forEach((layer, index) => {
    const taps = tapsOf(layer)
    const perGroup = layer.outputs / layer.groups
    const sum = sums[index]
    for (let i = 0; i < sum.length; i++) sum[i] /= inputScaleAt(layer, Math.floor(i / taps) * perGroup, i % taps) ** 2
    // Inputs that are always zero here must not make their weights arbitrary.
    const mean = sum.reduce((total, value) => total + value, 0) / sum.length || 1
    for (let i = 0; i < sum.length; i++) sum[i] = sum[i] / mean + 1e-3
  })
  return sums
}
