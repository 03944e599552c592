/** How near a plan comes to the float network on some samples, by simulation. */
import type { Samples } from '../data/aligned-sets.ts'
import type { Graph } from '../graph/graph.ts'
import { logarithm } from '../num/elementary.ts'
import { createFastExecutor } from '../reference/fast.ts'
import { realInputs } from './input.ts'
import type { Plan } from './plan.ts'
import { simulatedGraph } from './simulate.ts'

/** Decibels above which two plans are equally good. */
const EXACT = 200

/** Mean of {@link outputNearness} over the outputs. */
export async function simulatedNearness(graph: Graph, plan: Plan, samples: Samples): Promise<number> {
  const decibels = await outputNearness(graph, plan, samples)
  return decibels.reduce((sum, value) => sum + value, 0) / decibels.length
}

/** 10 · log10(Σ float² / Σ (float − simulated)²) of each output over all samples; at most 200 dB. */
export async function outputNearness(graph: Graph, plan: Plan, samples: Samples): Promise<number[]> {
  const float = createFastExecutor(graph)
  const simulated = createFastExecutor(simulatedGraph(graph, plan))
  const signal = new Float64Array(graph.outputs.length)
  const noise = new Float64Array(graph.outputs.length)
  for (let index = 0; index < samples.length; index++) {
    const input = await realInputs(graph, samples, index)
    const found = simulated.run(input)
    const wanted = float.run(input)
    graph.outputs.forEach((name, which) => {
      const [a, b] = [wanted.get(name) as Float32Array, found.get(name) as Float32Array]
      for (let i = 0; i < a.length; i++) {
        signal[which] += a[i] * a[i]
        noise[which] += (a[i] - b[i]) * (a[i] - b[i])
      }
    })
  }
  return Array.from(signal, (sum, i) =>
    noise[i] === 0 ? EXACT : Math.min(EXACT, (10 / Math.LN10) * logarithm(sum / noise[i])),
  )
}
