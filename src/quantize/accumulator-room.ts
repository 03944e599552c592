/**
 * Weight scales under which every accumulator is proven: sums of products of 16-bit codes with wide weights can leave int32,
 * and then the scale of an output channel is enlarged until the largest sum that any input could reach, bias included, fits.
 * The bound is that of the proof in src/lower (docs/arithmetic.md, proofs), over all codes that the input's format, or a Relu
 * before it, allows.
 */
import { DyadicError, quoted } from '../error.ts'
import type { Graph } from '../graph/graph.ts'
import { producerOf } from '../graph/producers.ts'
import { roundHalfEven } from '../num/dyadic.ts'
import { INT32, type Interval } from '../num/interval.ts'
import {
  biasesOf,
  codesOf,
  foldedWeights,
  inputStep,
  type Layer,
  layersOf,
  sourceOf,
  tapsOf,
  weightGrid,
  withCodes,
} from './layer.ts'
import { formatRange, type Plan, type WeightPlan } from './plan.ts'

/** Share of int32 that enlarged scales leave to biases and codes that methods choose later. */
const SPARE = 1 / 32

/**
 * The plan with larger weight scales, and the nearest codes, for each output channel whose sums could leave int32; the plan
 * itself where there is none. Throws `limit` for a layer with so many weights per channel that rounding alone could.
 */
export function fitAccumulators(graph: Graph, plan: Plan): Plan {
  const changed = layersOf(graph, plan).flatMap((layer): [string, WeightPlan][] => {
    const entry = fitLayer(graph, plan, layer)
    return entry === undefined ? [] : [[layer.name, entry]]
  })
  return changed.length === 0 ? plan : { ...plan, weights: { ...plan.weights, ...Object.fromEntries(changed) } }
}

/** The layer's entry with larger scales; undefined where it can stay. */
function fitLayer(graph: Graph, plan: Plan, layer: Layer): WeightPlan | undefined {
  const { name, outputs } = layer
  const entry = plan.weights[name]
  const inputs = inputCodes(graph, plan, layer)
  // A layer of constants has no integers to meet; whether it can be lowered is decided there.
  if (inputs === undefined) return undefined
  const taps = tapsOf(layer)
  const { low, high } = formatRange(entry.format)
  const largest = Math.max(-inputs.low, inputs.high)
  // Biases take at most 2^30 (scales.ts); no sum of the rest comes near. Groups are for 4 bits.
  if (taps * (high - low) * largest <= 2 ** 30 || entry.groups) return undefined
  const codes = codesOf(layer, entry)
  const { scales, zeroPoints } = weightGrid(layer, entry)
  const folded = foldedWeights(layer)
  const biases = biasesOf(layer, plan)
  const step = inputStep(graph, plan, layer)
  const widened = new Map<number, number>()
  for (let o = 0; o < outputs; o++) {
    const first = o * taps
    const scale = scales[first]
    const own = Float64Array.from(codes.subarray(first, first + taps), (code) => code - zeroPoints[first])
    const bias = Math.abs(biases[o]) / step
    if (largestSum(own, inputs) + bias / scale + 1 <= INT32.high) continue
    // Rounding moves each weight by at most half a code.
    const room = INT32.high * (1 - SPARE) - (taps * largest) / 2
    if (!(room > 0))
      throw new DyadicError(
        'limit',
        `layer ${quoted(name)}: output channels have ${taps} weights, whose products with inputs of up to ${largest} cannot be proven to stay within int32; give its input 8 bits`,
      )
    widened.set(o, (largestSum(folded.subarray(first, first + taps), inputs) + bias) / room)
  }
  if (widened.size === 0) return undefined
  const changed = {
    ...entry,
    scale: Array.from({ length: outputs }, (_, o) => widened.get(o) ?? scales[o * taps]),
  }
  if (entry.codes === undefined) return changed
  for (const [o, scale] of widened)
    for (let i = o * taps; i < (o + 1) * taps; i++) codes[i] = roundHalfEven(folded[i] / scale) + zeroPoints[i]
  return withCodes(changed, codes)
}

/** Integers that a layer's weights can meet: stored code − zero point; undefined where the plan has no numbers for them. */
function inputCodes(graph: Graph, plan: Plan, layer: Layer): Interval | undefined {
  const source = sourceOf(graph, plan, layer.node.inputs[0])
  if (graph.inputs.includes(source)) {
    const { format, zeroPoint } = plan.inputs[source]
    const { low, high } = formatRange(format)
    // Zero points of network inputs may be fractions; what is left of them becomes part of the bias.
    return { low: Math.min(0, low - Math.max(...zeroPoint) - 1), high: Math.max(0, high - Math.min(...zeroPoint) + 1) }
  }
  if (!Object.hasOwn(plan.tensors, source)) return undefined
  const { format, zeroPoint } = plan.tensors[source]
  const { low, high } = formatRange(format)
  const bound = producerOf(graph, source)?.attributes.get('low')
  return { low: typeof bound === 'number' && bound >= 0 ? 0 : low - zeroPoint, high: high - zeroPoint }
}

/** The largest magnitude of Σ weight · input over all inputs of an interval that contains 0. */
function largestSum(weights: ArrayLike<number>, { low, high }: Interval): number {
  let [most, least] = [0, 0]
  for (let i = 0; i < weights.length; i++) {
    const [a, b] = [weights[i] * low, weights[i] * high]
    most += Math.max(a, b)
    least += Math.min(a, b)
  }
  return Math.max(most, -least)
}
