/**
 * Scales for each channel of 16-bit values around a Swish: where one channel is a hundred times larger than another, a grid
 * for all of them leaves the small one a few bits, and a Swish cannot be equalised away. Layer, Swish and reading layers keep
 * the scales (src/lower/gated.ts computes such a Swish), at the cost of two more passes over the value; so only those values
 * get them whose grids, simulated alone, cost most.
 */
import type { Samples } from '../data/aligned-sets.ts'
import { quoted } from '../error.ts'
import type { Graph, Node } from '../graph/graph.ts'
import { readersOf } from '../graph/readers.ts'
import { observeChannels } from './channel-ranges.ts'
import { layersReading, withChannelScales } from './channel-scales.ts'
import { isWeighted } from './format-choice.ts'
import type { MethodContext } from './method.ts'
import { costliest, decibelsOf, measurePartNoise, noiseAt, simulatedTogether } from './part-noise.ts'
import type { Plan } from './plan.ts'

/** Arguments of a sigmoid below −16 make a Swish that is zero on every grid. */
const FLAT = 16
/** Other samples may reach further than those observed: a bit of the sixteen for each channel. */
const HEADROOM = 2
/** Channels further below the largest than this are not worth telling apart. */
const LEAST_FACTOR = 2 ** -10

/** A layer's value, the Swish that alone reads it, and its alpha. */
interface GatedPlace {
  readonly before: string
  readonly after: string
  readonly alpha: number
}

/**
 * The plan in which the costliest Swish values have channel scales, where all grids alone, without weights, leave an output
 * further than `wanted` decibels from the float network on the held samples; else the plan itself. `origin.channelScales`
 * names the values.
 */
export async function separateGated(context: MethodContext, wanted: number, held: Samples): Promise<Plan> {
  const { graph, plan, onNote } = context
  const noiseOf = await measurePartNoise(graph, held)
  const before = noiseOf(plan, [])
  if (before <= noiseAt(wanted)) return plan
  const parts = simulatedTogether(findGatedPlaces(graph, plan)).map((places) => {
    const names = places.flatMap((place) => [place.before, place.after])
    const tensors = Object.fromEntries(names.map((name) => [name, plan.tensors[name]]))
    return { places, noise: noiseOf({ ...plan, tensors }, []) }
  })
  // Some room for the weights.
  const chosen = costliest(parts, noiseAt(wanted) / 2).flatMap(({ places }) => places)
  if (chosen.length === 0) return plan
  const separated = await withGatedScales(context, chosen)
  const after = noiseOf(separated, [])
  if (!(after < before)) return plan
  const names = chosen.flatMap((place) => [place.before, place.after])
  onNote?.(
    `activations: 16 bits alone come to ${decibelsOf(before).toFixed(1)} dB (wanted: ${wanted}); with a scale for each channel ` +
      `of ${names.map(quoted).join(', ')} they come to ${decibelsOf(after).toFixed(1)} dB`,
  )
  return { ...separated, origin: { ...separated.origin, channelScales: names } }
}

/** Places whose two values are s16 and are read by layers alone. */
function findGatedPlaces(graph: Graph, plan: Plan): GatedPlace[] {
  const producers = new Map(graph.nodes.map((node) => [node.outputs[0], node]))
  return graph.nodes.flatMap((node) => {
    const [before, after] = [node.inputs[0], node.outputs[0]]
    const alpha = (node.attributes.get('alpha') as number | undefined) ?? 1
    const usable =
      node.operator === 'Swish' &&
      alpha > 0 &&
      [before, after].every((name) => plan.tensors[name]?.format === 's16' && !graph.outputs.includes(name)) &&
      isPlainLayer(producers.get(before)) &&
      graph.values.get(before)?.shape.length === 4 &&
      readersOf(graph, before).length === 1 &&
      (layersReading(graph, plan, after)?.length ?? 0) > 0
    return usable ? [{ before, after, alpha }] : []
  })
}

/** A convolution without bounds and without a residual, which would have to be in one scale. */
function isPlainLayer(node: Node | undefined): boolean {
  return (
    node !== undefined &&
    isWeighted(node) &&
    !node.inputs[3] &&
    !node.attributes.has('low') &&
    !node.attributes.has('high')
  )
}

async function withGatedScales(context: MethodContext, places: readonly GatedPlace[]): Promise<Plan> {
  const observed = await observeChannels(
    context,
    places.map(({ before }) => before),
  )
  const factors = new Map<string, number[]>()
  const ranges = new Map<string, { low: Float32Array; high: Float32Array }>()
  for (const { before, after, alpha } of places) {
    const { low, high } = observed.get(before) as { low: Float32Array; high: Float32Array }
    const reaches = Array.from(high, (top, c) => Math.max(top, Math.min(-low[c], FLAT / alpha)))
    const largest = Math.max(...reaches)
    if (!(largest > 0)) continue
    // A channel that never has a value takes the common scale.
    const own = reaches.map((reach) =>
      reach === 0 ? 1 : Math.min(1, Math.max(LEAST_FACTOR, (HEADROOM * reach) / largest)),
    )
    const reach = { low: new Float32Array(own.length), high: Float32Array.from(own, (factor) => factor * largest) }
    for (const name of [before, after]) {
      factors.set(name, own)
      ranges.set(name, reach)
    }
  }
  return withChannelScales(context.graph, context.plan, factors, ranges)
}
