/**
 * How far a program's outputs are from those of the float network, over some samples: the relative squared error, and the
 * Kullback-Leibler divergence of the scores' softmax. Both add up over independent small errors, which is what the integer
 * program of `bit-allocation.ts` assumes of them.
 */
import type { DataSet } from '../data/data-set.ts'
import { DyadicError, quoted } from '../error.ts'
import { takesStored } from '../evaluate/predictors.ts'
import type { Graph } from '../graph/graph.ts'
import type { ProgramPort } from '../program/manifest.ts'
import { checkSampleShape, realInput } from '../quantize/input.ts'
import { createFastExecutor } from '../reference/fast.ts'
import type { Network } from '../runtime/network.ts'

export interface OutputLoss {
  /** Σ (program − float)² / Σ float², per output over all samples, averaged over the outputs. */
  readonly squaredError: number
  /** Mean over samples and outputs of KL(softmax(float) ‖ softmax(program)), in nats. */
  readonly divergence: number
}

/** Samples with what the float network makes of them. */
export interface ReferenceOutputs {
  readonly samples: DataSet
  readonly stored: readonly (Uint8Array | Int8Array | Float32Array)[]
  /** Per output its values, sample by sample. */
  readonly outputs: ReadonlyMap<string, readonly Float32Array[]>
}

/** Runs the float network with its one input over all samples. Throws `refused` for none, and for samples that do not fit. */
export async function referenceOutputs(
  graph: Graph,
  samples: DataSet,
  signal?: AbortSignal,
): Promise<ReferenceOutputs> {
  if (samples.length === 0) throw new DyadicError('refused', `${quoted(samples.name)} has no samples to measure on`)
  const [input] = graph.inputs
  checkSampleShape(input, graph.values.get(input)?.shape ?? [], samples)
  const executor = createFastExecutor(graph)
  const stored: (Uint8Array | Int8Array | Float32Array)[] = []
  const outputs = new Map<string, Float32Array[]>(graph.outputs.map((name) => [name, []]))
  for (let index = 0; index < samples.length; index++) {
    signal?.throwIfAborted()
    const values = await samples.read(index)
    stored.push(values)
    for (const [name, result] of executor.run(new Map([[input, realInput(samples, values)]])))
      outputs.get(name)?.push(result)
  }
  return { samples, stored, outputs }
}

/** The loss of a program, made by `quantize` or changed from that, so that its input is in ONNX order. */
export function measureLoss(network: Network, { samples, stored, outputs }: ReferenceOutputs): OutputLoss {
  const [port] = network.inputs as readonly ProgramPort[]
  const direct = takesStored(port, samples)
  const sums = new Map([...outputs.keys()].map((name) => [name, { error: 0, energy: 0 }]))
  let divergence = 0
  for (const [index, values] of stored.entries()) {
    const results = network.run({ [port.name]: direct ? values : realInput(samples, values) })
    for (const [name, references] of outputs) {
      const [reference, result] = [references[index], results[name]]
      const sum = sums.get(name) as { error: number; energy: number }
      for (let i = 0; i < reference.length; i++) {
        sum.error += (result[i] - reference[i]) ** 2
        sum.energy += reference[i] ** 2
      }
      divergence += divergenceOf(reference, result)
    }
  }
  const errors = [...sums.values()].map(({ error, energy }) => error / (energy || 1))
  return {
    squaredError: errors.reduce((sum, error) => sum + error, 0) / errors.length,
    divergence: divergence / (stored.length * outputs.size),
  }
}

/** Signal-to-quantisation-noise ratio in dB; Infinity when there is no error. */
export function decibels(squaredError: number): number {
  return squaredError === 0 ? Infinity : -10 * Math.log10(squaredError)
}

/** KL(softmax(p) ‖ softmax(q)) of scores; never below 0, which rounding alone could do. */
function divergenceOf(p: Float32Array, q: Float32Array): number {
  const [a, b] = [logSoftmax(p), logSoftmax(q)]
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += Math.exp(a[i]) * (a[i] - b[i])
  return Math.max(0, sum)
}

function logSoftmax(scores: Float32Array): Float64Array {
  let most = -Infinity
  for (const score of scores) most = Math.max(most, score)
  let sum = 0
  for (const score of scores) sum += Math.exp(score - most)
  return Float64Array.from(scores, (score) => score - most - Math.log(sum))
}
