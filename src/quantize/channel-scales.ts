/**
 * Where a value may have a scale for each channel, and what a plan is with them: the layer that makes the value divides its
 * channels, the layers that read it multiply their weights by the same factors, so the real meaning stays. Only the layer's
 * activation must not mind: bounds at 0 do not, others where every channel's grid ends within them.
 */
import type { Graph, Node } from '../graph/graph.ts'
import { readersOf } from '../graph/readers.ts'
import type { ChannelRanges } from './channel-ranges.ts'
import { isWeighted } from './format-choice.ts'
import {
  biasesOf,
  foldedWeights,
  inputStep,
  type Layer,
  layersOf,
  sourceOf,
  storedWeights,
  weightGrid,
} from './layer.ts'
import { formatRange, type Plan, type TensorPlan } from './plan.ts'
import { activationPlan, type InnerFormat, weightScales } from './scales.ts'
import { groupWeights } from './weight-groups.ts'

/** A value between layers, the layer that makes it and those that read it. */
export interface ChannelPlace {
  readonly name: string
  readonly producer: Layer
  readonly readers: readonly Layer[]
}

/** Channels whose factors would be further below the largest than this are not worth telling apart. */
const LEAST_FACTOR = 2 ** -10
/** Steps that a weight on a grid may lie beside it, by single-precision rounding. */
const EXACT = 1e-3

/**
 * All places of a fused graph. Only pooling by maximum may stand between the layers, and no reader's weights may lie on
 * their grid already.
 */
export function findPlaces(graph: Graph, plan: Plan): ChannelPlace[] {
  const layers = new Map(layersOf(graph, plan).map((layer) => [layer.name, layer]))
  const places: ChannelPlace[] = []
  for (const [name, producer] of layers) {
    const entry = plan.tensors[name]
    const { node } = producer
    const low = node.attributes.get('low') ?? 0
    if (!isNarrow(entry) || node.inputs[3] || low !== 0) continue
    const readers = layersReading(graph, plan, name)
    if (readers === undefined || readers.length === 0) continue
    const found = readers.map((reader) => layers.get(reader.outputs[0]) as Layer)
    if (!found.some((layer) => isExact(layer, plan))) places.push({ name, producer, readers: found })
  }
  return places
}

/** Whether a layer's weights lie on their grid, as those of networks do that were quantised before: factors would end that. */
function isExact(layer: Layer, plan: Plan): boolean {
  const entry = plan.weights[layer.name]
  const { scales } = weightGrid(layer, entry)
  const folded = foldedWeights(layer)
  return storedWeights(layer, entry).every((value, i) => Math.abs(value - folded[i]) <= EXACT * scales[i])
}

function isNarrow(entry: TensorPlan | undefined): boolean {
  return entry !== undefined && entry.format !== 's16' && entry.format !== 's32'
}

/** The layers that read a value; undefined where something else does too. */
export function layersReading(graph: Graph, plan: Plan, name: string): Node[] | undefined {
  const layers: Node[] = []
  const values = [name]
  for (let value = values.pop(); value !== undefined; value = values.pop()) {
    if (graph.outputs.includes(value)) return undefined
    for (const node of readersOf(graph, value))
      if (['MaxPool', 'GlobalMaxPool'].includes(node.operator) && !Object.hasOwn(plan.tensors, node.outputs[0]))
        values.push(node.outputs[0])
      else if (isWeighted(node) && keepsChannels(graph, node) && node.inputs.lastIndexOf(value) === 0) layers.push(node)
      else return undefined
  }
  return layers
}

/** Whether a layer's input channels are those of the value as it is stored: no flattening lies between. */
function keepsChannels(graph: Graph, node: Node): boolean {
  return graph.values.get(node.inputs[0])?.shape.length === (node.operator === 'dyadic.Conv' ? 4 : 2)
}

/** Largest magnitude of the weights on each input channel (of all groups), without factors. */
export function inputMagnitudes(layer: Layer, factorOf: (output: number) => number = () => 1): Float64Array {
  const { groups, channels, area, outputs, weights } = layer
  const magnitudes = new Float64Array(groups * channels)
  const taps = channels * area
  weights.forEach((weight, i) => {
    const o = Math.floor(i / taps)
    const c = Math.floor(o / (outputs / groups)) * channels + Math.floor((i % taps) / area)
    magnitudes[c] = Math.max(magnitudes[c], Math.abs(weight) * factorOf(o))
  })
  return magnitudes
}

/**
 * Factors that can be used at a place: the largest is 1, and every channel's grid ends within the activation's bound.
 * Undefined where there are none, and where all would be 1.
 */
export function usableFactors(
  place: ChannelPlace,
  wanted: ArrayLike<number>,
  ranges: ChannelRanges,
): number[] | undefined {
  let factors = Array.from(wanted, (factor) => (Number.isFinite(factor) && factor > 0 ? factor : 0))
  const largest = Math.max(...factors)
  if (!(largest > 0)) return undefined
  // A channel that never has a value, or no weights, takes the common scale.
  factors = factors.map((factor) => (factor === 0 ? 1 : Math.max(LEAST_FACTOR, factor / largest)))
  const bound = place.producer.node.attributes.get('high') as number | undefined
  if (bound !== undefined)
    for (let round = 0; round < 8; round++) {
      const top = Math.max(...factors.map((factor, c) => ranges.high[c] / factor))
      if (factors.every((factor) => factor * top <= bound)) break
      // Lower factors may raise the top again.
      factors = factors.map((factor) => Math.min(factor, bound / top))
      if (round === 7) return undefined
    }
  return factors.every((factor) => factor === factors[0]) ? undefined : factors
}

/** The plan with factors at some places: grids of these values and weight scales of their readers chosen anew. */
export function withChannelScales(
  graph: Graph,
  plan: Plan,
  factors: ReadonlyMap<string, readonly number[]>,
  ranges: ReadonlyMap<string, ChannelRanges>,
): Plan {
  const tensors = { ...plan.tensors }
  for (const [name, channelScales] of factors)
    tensors[name] = scaledGrid(plan.tensors[name], channelScales, ranges.get(name) as ChannelRanges)
  const scaled = { ...plan, tensors }
  const weights = { ...plan.weights }
  for (const layer of layersOf(graph, scaled)) {
    if (layer.inputScales === undefined || graph.inputs.includes(sourceOf(graph, plan, layer.node.inputs[0]))) continue
    const entry = plan.weights[layer.name]
    const format = entry.format === 'u8' ? 's8' : entry.format
    const step = inputStep(graph, scaled, layer)
    weights[layer.name] = weightScales(foldedWeights(layer), layer.outputs, biasesOf(layer, plan), step, format)
    const target = tensors[layer.name]
    // A wide output is never finer than an accumulator unit.
    const finest = 2 * step * Math.max(...weights[layer.name].scale)
    if (target.format === 's16' && target.scale < finest) tensors[layer.name] = { ...target, scale: finest }
  }
  const size = Object.values(plan.weights).find(({ groups }) => groups)?.groups?.size
  const made = { ...plan, tensors, weights }
  return size === undefined ? made : groupWeights(graph, made, size)
}

/** The grid of a value in its channels' units. Whatever the old grid cut off stays cut off. */
function scaledGrid(old: TensorPlan, channelScales: readonly number[], { low, high }: ChannelRanges): TensorPlan {
  const codes = formatRange(old.format)
  const { channelScales: before, scale, zeroPoint, format } = old
  const range = { low: 0, high: 0 }
  channelScales.forEach((factor, c) => {
    const unit = scale * (before?.[c] ?? 1)
    range.low = Math.min(range.low, Math.max(low[c], (codes.low - zeroPoint) * unit) / factor)
    range.high = Math.max(range.high, Math.min(high[c], (codes.high - zeroPoint) * unit) / factor)
  })
  const symmetric = codes.low < 0 && zeroPoint === 0
  return { ...activationPlan(range, format as InnerFormat, symmetric), channelScales: [...channelScales] }
}
