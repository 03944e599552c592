/**
 * GPTQ: E. Frantar, S. Ashkboos, T. Hoefler, D. Alistarh, "GPTQ: accurate post-training quantization for generative
 * pre-trained transformers", 2023. Weights of an output channel are rounded one after the other, and those that are still
 * free make up for the error in the least-squares sense. Inputs are the program's own, so the errors of earlier layers are
 * in the Hessian. Rows of a grouped convolution have the Hessian of their group.
 */
import { roundHalfEven } from '../num/dyadic.ts'
import { clamp } from '../num/requantize.ts'
import { foldedWeights, type Layer, layersOf, storedWeights, tapsOf, weightGrid, withCodes } from './layer.ts'
import { hessiansOf } from './layer-hessian.ts'
import { type LayerSamples, walkLayers } from './layer-walk.ts'
import type { MethodContext } from './method.ts'
import { formatRange, type Plan, type WeightPlan } from './plan.ts'
import { dampen, upperFactorOfInverse } from './second-order.ts'

/** Share of the Hessian's mean diagonal that is added to it. */
const DAMPENING = 0.01
/** Columns after which the errors are carried to the rest at once; it changes no result. */
const BLOCK = 128
/** Rows of inputs for each layer: several times the widest layers' columns. */
const MOST_ROWS = 2048
const MOST_SAMPLES = 48

/** Rounding errors below this share of a step are none: the weights lie on their grid already. */
const EXACT = 1e-3

/** A plan with codes for every layer whose weights do not lie on their grid. */
export async function gptq(context: MethodContext): Promise<Plan> {
  const { graph, plan } = context
  if (layersOf(graph, plan).every((layer) => isExact(layer, plan.weights[layer.name]))) return plan
  return walkLayers(
    context,
    { rows: MOST_ROWS, samples: MOST_SAMPLES, seed: 0, targets: false },
    (samples, current) => {
      const entry = current.weights[samples.layer.name]
      return isExact(samples.layer, entry) ? {} : { weights: withCodes(entry, compensatedCodes(samples, entry)) }
    },
  )
}

/** Whether the nearest codes are the weights themselves. */
function isExact(layer: Layer, entry: WeightPlan): boolean {
  if (entry.codes !== undefined) return false
  const stored = storedWeights(layer, entry)
  const { scales } = weightGrid(layer, entry)
  return foldedWeights(layer).every((weight, i) => Math.abs(weight - stored[i]) <= EXACT * scales[i])
}

function compensatedCodes({ layer, rows, inputs }: LayerSamples, entry: WeightPlan): Int16Array {
  const taps = tapsOf(layer)
  const weights = Float64Array.from(foldedWeights(layer))
  const codes = new Int16Array(weights.length)
  const perGroup = layer.outputs / layer.groups
  const range = formatRange(entry.format)
  const { scales, zeroPoints } = weightGrid(layer, entry)
  hessiansOf(inputs, rows, layer.groups, taps).forEach((hessian, group) => {
    // A dead input's weights change nothing, so they take their nearest codes.
    dampen(hessian, taps, DAMPENING)
    const first = group * perGroup * taps
    const block = weights.subarray(first, first + perGroup * taps)
    const found = roundCompensating(block, taps, upperFactorOfInverse(hessian, taps), (index, weight) => {
      const [scale, zeroPoint] = [scales[first + index], zeroPoints[first + index]]
      const code = clamp(roundHalfEven(weight / scale) + zeroPoint, range.low, range.high)
      return { code, value: (code - zeroPoint) * scale }
    })
    codes.set(found.codes, first)
  })
  return codes
}

/** The code nearest to a number in place of the weight at some index, and what it means. */
export type RoundWeight = (index: number, weight: number) => { code: number; value: number }

/**
 * Rounds the columns of `weights` ([row][column], overwritten) from left to right. `factor` is the upper Cholesky factor of
 * the inverse Hessian. `loss` is the sum over all steps of (error / factor diagonal)² / 2: with an undampened Hessian
 * (2 / N) XᵀX, the squared output error / N.
 */
export function roundCompensating(
  weights: Float64Array,
  columns: number,
  factor: Float64Array,
  round: RoundWeight,
  blockSize = BLOCK,
): { codes: Int16Array; loss: number } {
  const rows = weights.length / columns
  const codes = new Int16Array(weights.length)
  let loss = 0
  for (let first = 0; first < columns; first += blockSize) {
    const end = Math.min(columns, first + blockSize)
    for (let row = 0; row < rows; row++) {
      const own = weights.subarray(row * columns, (row + 1) * columns)
      const errors = new Float64Array(end - first)
      for (let i = first; i < end; i++) {
        const { code, value } = round(row * columns + i, own[i])
        codes[row * columns + i] = code
        const error = (own[i] - value) / factor[i * columns + i]
        errors[i - first] = error
        loss += (error * error) / 2
        for (let j = i; j < end; j++) own[j] -= error * factor[i * columns + j]
      }
      for (let i = first; i < end; i++)
        for (let j = end; j < columns; j++) own[j] -= errors[i - first] * factor[i * columns + j]
    }
  }
  return { codes, loss }
}
