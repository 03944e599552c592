/**
 * Bias correction for codes that were chosen on the program's own inputs: at every layer in turn each channel's bias moves
 * until the mean of its output, behind the activation, is that of the float network.
 */
import { biasesOf, type Layer, storedWeights, tapsOf } from './layer.ts'
import { type LayerSamples, walkLayers } from './layer-walk.ts'
import type { MethodContext } from './method.ts'
import type { Plan } from './plan.ts'

const MOST_ROWS = 1024
const MOST_SAMPLES = 48
/** Steps of Newton's method on a piecewise linear function. */
const STEPS = 6

/** A plan with `biases` for every layer. */
export function correctCodedBiases(context: MethodContext): Promise<Plan> {
  return walkLayers(context, { rows: MOST_ROWS, samples: MOST_SAMPLES, seed: 1 }, (samples, plan) => ({
    biases: matchMeans(samples, plan),
  }))
}

function matchMeans({ layer, rows, inputs, targets, residuals }: LayerSamples, plan: Plan): number[] {
  const { outputs, node } = layer
  const stored = storedWeights(layer, plan.weights[layer.name])
  const low = (node.attributes.get('low') as number | undefined) ?? Number.NEGATIVE_INFINITY
  const high = (node.attributes.get('high') as number | undefined) ?? Number.POSITIVE_INFINITY
  const biases = biasesOf(layer, plan)
  return Array.from({ length: outputs }, (_, o) => {
    const sums = sumsOf(layer, stored, inputs, rows, o)
    let bias = biases[o]
    for (let step = 0; step < STEPS; step++) {
      let error = 0
      let active = 0
      for (let row = 0; row < rows; row++) {
        const value = sums[row] + bias + (residuals?.[row * outputs + o] ?? 0)
        const clipped = value < low ? low : value > high ? high : value
        if (clipped === value) active++
        error += clipped - targets[row * outputs + o]
      }
      // Hardly any row tells anything about a channel that is clipped nearly everywhere.
      if (active * 64 < rows) return biases[o]
      bias -= error / active
    }
    return bias
  })
}

/** What an output channel's weights give at every row, without bias. */
function sumsOf(layer: Layer, stored: Float64Array, inputs: Float32Array, rows: number, o: number): Float64Array {
  const taps = tapsOf(layer)
  const width = layer.groups * taps
  const first = Math.floor(o / (layer.outputs / layer.groups)) * taps
  const own = stored.subarray(o * taps, (o + 1) * taps)
  const sums = new Float64Array(rows)
  for (let row = 0; row < rows; row++) {
    const start = row * width + first
    let sum = 0
    for (let t = 0; t < taps; t++) sum += own[t] * inputs[start + t]
    sums[row] = sum
  }
  return sums
}
