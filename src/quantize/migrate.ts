/**
 * Migration of difficulty from activations to weights: G. Xiao et al., "SmoothQuant: accurate and efficient post-training
 * quantization for large language models", 2023. Each channel between two layers is divided by (largest activation)^α /
 * (largest weight that reads it)^(1 − α): with α = 1 every channel has its own full range, with α = 0 only weights count.
 */
import { power } from '../num/elementary.ts'
import { type ChannelRanges, observeChannels } from './channel-ranges.ts'
import { findPlaces, inputMagnitudes, usableFactors, withChannelScales } from './channel-scales.ts'
import type { MethodContext } from './method.ts'
import type { Plan } from './plan.ts'

/** A plan with channel scales wherever two layers follow each other; `strength` is α. */
export async function migrate(context: MethodContext, strength = 0.5): Promise<Plan> {
  const { graph, plan } = context
  const places = findPlaces(graph, plan)
  const ranges = await observeChannels(
    context,
    places.map(({ name }) => name),
  )
  const factors = new Map<string, number[]>()
  for (const place of places) {
    const range = ranges.get(place.name) as ChannelRanges
    const weights = place.readers.map((reader) => inputMagnitudes(reader))
    const wanted = Array.from(range.high, (high, c) => {
      const weight = Math.max(...weights.map((magnitudes) => magnitudes[c]))
      return weight > 0 ? power(Math.max(high, -range.low[c]), strength) / power(weight, 1 - strength) : 0
    })
    const usable = usableFactors(place, wanted, range)
    if (usable) factors.set(place.name, usable)
  }
  return withChannelScales(graph, plan, factors, ranges)
}

/** A plan in which every channel between two layers has its own range. */
export function separateChannels(context: MethodContext): Promise<Plan> {
  return migrate(context, 1)
}
