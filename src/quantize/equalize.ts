/**
 * Cross-layer equalisation: M. Nagel, M. van Baalen, T. Blankevoort, M. Welling, "Data-free quantization through weight
 * equalization and bias correction", 2019, section 4.1. Between two layers each channel gets the factor that makes the
 * largest weight on its way in as large as the largest on its way out; done in turn until nothing moves.
 */
import { observeChannels } from './channel-ranges.ts'
import { findPlaces, inputMagnitudes, usableFactors, withChannelScales } from './channel-scales.ts'
import { type Layer, tapsOf } from './layer.ts'
import type { MethodContext } from './method.ts'
import type { Plan } from './plan.ts'

const MOST_ROUNDS = 100
/** Largest change of a factor, as a ratio, that counts as standing still. */
const STILL = 1e-4

/** A plan with channel scales wherever two layers follow each other. */
export async function equalize(context: MethodContext): Promise<Plan> {
  const { graph, plan } = context
  const places = findPlaces(graph, plan)
  const wanted = equalisingFactors(places.map(({ producer, readers }) => ({ producer, readers })))
  const ranges = await observeChannels(
    context,
    places.map(({ name }) => name),
  )
  const factors = new Map<string, number[]>()
  places.forEach((place, index) => {
    const range = ranges.get(place.name)
    const usable = range && usableFactors(place, wanted[index], range)
    if (usable) factors.set(place.name, usable)
  })
  return withChannelScales(graph, plan, factors, ranges)
}

/**
 * One factor per channel and place, by which activations are divided: afterwards the largest weight into a channel equals
 * the largest out of it, under all factors together. Channels without weights on one side have factor 0.
 */
export function equalisingFactors(
  places: readonly { readonly producer: Layer; readonly readers: readonly Layer[] }[],
): Float64Array[] {
  const factors = places.map(({ producer }) => new Float64Array(producer.outputs).fill(1))
  const inputFactors = new Map<string, Float64Array>()
  const outputFactors = new Map<string, Float64Array>()
  places.forEach(({ producer, readers }, index) => {
    outputFactors.set(producer.name, factors[index])
    for (const reader of readers) inputFactors.set(reader.name, factors[index])
  })
  for (let round = 0; round < MOST_ROUNDS; round++) {
    let change = 1
    places.forEach(({ producer, readers }, index) => {
      const own = factors[index]
      const into = magnitudesInto(producer, inputFactors.get(producer.name))
      const outOf = readers.map((reader) =>
        inputMagnitudes(reader, (o) => 1 / (outputFactors.get(reader.name)?.[o] || 1)),
      )
      for (let c = 0; c < own.length; c++) {
        const out = Math.max(...outOf.map((magnitudes) => magnitudes[c]))
        const factor = into[c] > 0 && out > 0 ? Math.sqrt(into[c] / out) : 0
        if (factor > 0 && own[c] > 0) change = Math.max(change, factor / own[c], own[c] / factor)
        own[c] = factor
      }
    })
    if (change < 1 + STILL) break
  }
  return factors
}

/** Largest weight of each output channel under the factors of the layer's inputs. */
function magnitudesInto(layer: Layer, inputs: Float64Array | undefined): Float64Array {
  const { weights, outputs, groups, channels, area } = layer
  const taps = tapsOf(layer)
  const magnitudes = new Float64Array(outputs)
  weights.forEach((weight, i) => {
    const o = Math.floor(i / taps)
    const c = Math.floor(o / (outputs / groups)) * channels + Math.floor((i % taps) / area)
    magnitudes[o] = Math.max(magnitudes[o], Math.abs(weight) * (inputs?.[c] || 1))
  })
  return magnitudes
}
