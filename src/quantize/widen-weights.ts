/**
 * Weights of 16 bits where 8 cost most: in a network whose activations need 16 bits, 8-bit weights are what is left between
 * it and the float network. Layers are simulated one by one (neighbours together in networks of more than 256), and those
 * with the most noise per byte of weights get 16 bits, as finely as their accumulators allow, until the sum of the others is
 * small enough.
 */
import type { Graph } from '../graph/graph.ts'
import { fitAccumulators } from './accumulator-room.ts'
import { correctBiases } from './bias-correction.ts'
import { biasesOf, foldedWeights, inputStep, type Layer, layersOf } from './layer.ts'
import type { MethodContext } from './method.ts'
import { costliest, measurePartNoise, noiseAt, simulatedTogether } from './part-noise.ts'
import type { Plan } from './plan.ts'
import { weightScales } from './scales.ts'

/**
 * The plan with 16-bit weights for layers with 8-bit ones that `mayWiden` names, so that weights take no more than half of the
 * noise of `wanted` decibels on the held samples; biases are corrected anew, on all samples, where the plan has such. The
 * plan itself where no layer has to change. `origin.weights16` names the layers.
 */
export async function widenWeights(
  context: MethodContext,
  wanted: number,
  held: MethodContext['samples'],
  mayWiden: (name: string) => boolean,
): Promise<Plan> {
  const { graph, plan } = context
  const noiseOf = await measurePartNoise(graph, held)
  const { biases, ...alone } = { ...plan, tensors: withoutGrids(plan) }
  const ofInput = noiseOf(alone, [])
  const open = layersOf(graph, alone).filter(({ name }) => plan.weights[name].format === 's8' && mayWiden(name))
  const parts = simulatedTogether(open).map((layers) => ({
    layers,
    noise: Math.max(0, noiseOf(alone, layers) - ofInput),
    weights: layers.reduce((sum, layer) => sum + layer.weights.length, 0),
  }))
  const chosen = costliest(parts, noiseAt(wanted) / 2, (part) => part.noise / part.weights).flatMap(
    ({ layers }) => layers,
  )
  if (chosen.length === 0) return plan
  const weights = { ...plan.weights }
  for (const layer of chosen) weights[layer.name] = wideWeights(graph, plan, layer)
  const names = chosen.map((layer) => layer.name)
  const origin = { ...plan.origin, weights16: names }
  if (biases === undefined) return fitAccumulators(graph, { ...plan, origin, weights })
  const { biases: _, ...widened } = fitAccumulators(graph, { ...plan, origin, weights })
  return fitAccumulators(graph, await correctBiases({ ...context, plan: widened }))
}

/** Every value without rounding, its channels' units kept. */
function withoutGrids({ tensors }: Plan): Plan['tensors'] {
  return Object.fromEntries(Object.entries(tensors).map(([name, entry]) => [name, { ...entry, format: 's32' }]))
}

function wideWeights(graph: Graph, plan: Plan, layer: Layer): Plan['weights'][string] {
  const step = inputStep(graph, plan, layer)
  return weightScales(foldedWeights(layer), layer.outputs, biasesOf(layer, plan), step, 's16')
}
