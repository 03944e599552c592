/**
 * AdaRound: M. Nagel, R. A. Amjad, M. van Baalen, C. Louizos, T. Blankevoort, "Up or down? Adaptive rounding for
 * post-training quantization", 2020. Layer by layer, on the program's own inputs, it learns for each weight whether to
 * round up or down, such that the layer's output, activation and residual included, comes near to the float network's.
 */
import { clamp } from '../num/requantize.ts'
import { learnRounding } from './adaround-learn.ts'
import { biasesOf, codesOf, foldedWeights, tapsOf, weightGrid, withCodes } from './layer.ts'
import { type LayerSamples, walkLayers } from './layer-walk.ts'
import type { MethodContext } from './method.ts'
import { formatRange, type Plan } from './plan.ts'

const MOST_ROWS = 4096
const MOST_SAMPLES = 128
const SEED = 0

/** A plan with codes for every layer. */
export function adaround(context: MethodContext): Promise<Plan> {
  return walkLayers(context, { rows: MOST_ROWS, samples: MOST_SAMPLES, seed: SEED }, (samples, plan) => ({
    weights: withCodes(plan.weights[samples.layer.name], learnedCodes(samples, plan)),
  }))
}

function learnedCodes({ layer, rows, inputs, targets, residuals }: LayerSamples, plan: Plan): Int16Array {
  const { node, outputs, groups } = layer
  const entry = plan.weights[layer.name]
  const { low, high } = formatRange(entry.format)
  const { scales, zeroPoints } = weightGrid(layer, entry)
  const steps = foldedWeights(layer).map((weight, i) => weight / scales[i])
  const floors = steps.map((step, i) => clamp(Math.floor(step) + zeroPoints[i], low, high))
  const nearest = codesOf(layer, { ...entry, codes: undefined })
  const biases = biasesOf(layer, plan)
  const up = learnRounding(
    {
      ...{ rows, groups, taps: tapsOf(layer), outputs, inputs, targets },
      offsets: Float32Array.from(targets, (_, i) => biases[i % outputs] + (residuals?.[i] ?? 0)),
      floors: floors.map((code, i) => (code - zeroPoints[i]) * scales[i]),
      // A weight beyond the largest code, or below the least one, has nothing to choose.
      spans: floors.map((code, i) => (code < high && steps[i] + zeroPoints[i] > low ? scales[i] : 0)),
      shares: steps.map((step) => step - Math.floor(step)),
      nearest: nearest.map((code, i) => code - floors[i]),
      low: (node.attributes.get('low') as number | undefined) ?? Number.NEGATIVE_INFINITY,
      high: (node.attributes.get('high') as number | undefined) ?? Number.POSITIVE_INFINITY,
    },
    { seed: SEED },
  )
  return Int16Array.from(floors, (code, i) => (code < high && steps[i] + zeroPoints[i] > low ? code + up[i] : code))
}
