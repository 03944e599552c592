/** How much noise single parts of a plan bring, by simulation: some grids alone, or the weights of some layers alone. */
import type { Samples } from '../data/aligned-sets.ts'
import type { Graph } from '../graph/graph.ts'
import { exponential, logarithm } from '../num/elementary.ts'
import { createFastExecutor } from '../reference/fast.ts'
import { realInputs } from './input.ts'
import type { Layer } from './layer.ts'
import type { Plan } from './plan.ts'
import { simulatedGraph } from './simulate.ts'

/** Noise over signal of the worst output, where only these grids and these layers' weights are not the float network's. */
export type PartNoise = (plan: Plan, layers: readonly Layer[]) => number

/** A measure on all of the samples, whose float outputs it keeps. */
export async function measurePartNoise(graph: Graph, samples: Samples): Promise<PartNoise> {
  const float = createFastExecutor(graph)
  const runs: { input: ReadonlyMap<string, Float32Array>; wanted: Map<string, Float32Array> }[] = []
  for (let index = 0; index < samples.length; index++) {
    const input = await realInputs(graph, samples, index)
    const wanted = new Map([...float.run(input)].map(([name, values]) => [name, values.slice()]))
    runs.push({ input, wanted })
  }
  return (plan, layers) => {
    const executor = createFastExecutor(simulatedGraph(graph, plan, layers))
    const sums = graph.outputs.map(() => ({ signal: 0, noise: 0 }))
    for (const { input, wanted } of runs) {
      const found = executor.run(input)
      graph.outputs.forEach((name, which) => {
        const [a, b] = [wanted.get(name) as Float32Array, found.get(name) as Float32Array]
        for (let i = 0; i < a.length; i++) {
          sums[which].signal += a[i] * a[i]
          sums[which].noise += (a[i] - b[i]) * (a[i] - b[i])
        }
      })
    }
    return sums.reduce((worst, { signal, noise }) => Math.max(worst, noise === 0 ? 0 : noise / signal), 0)
  }
}

/** Simulations of single parts: each runs the whole network, so that one for every part of a long chain would be quadratic. */
const MOST_SIMULATIONS = 256

/** Parts that are simulated together: each alone, or neighbours where there are more than 256. */
export function simulatedTogether<Part>(parts: readonly Part[]): readonly (readonly Part[])[] {
  const size = Math.max(1, Math.ceil(parts.length / MOST_SIMULATIONS))
  return Array.from({ length: Math.ceil(parts.length / size) }, (_, i) => parts.slice(i * size, (i + 1) * size))
}

/** Decibels as noise over signal, and back. */
export const noiseAt = (decibels: number): number => exponential((-decibels * Math.LN10) / 10)
export const decibelsOf = (noise: number): number => (-10 / Math.LN10) * logarithm(noise)

/**
 * The costliest parts: as many as leave the others, whose noises add up, no more than `most`. Ordered by `rank`, largest first;
 * equal ones keep their order.
 */
export function costliest<Part extends { readonly noise: number }>(
  parts: readonly Part[],
  most: number,
  rank: (part: Part) => number = ({ noise }) => noise,
): Part[] {
  let rest = parts.reduce((sum, { noise }) => sum + noise, 0)
  return parts
    .filter(({ noise }) => noise > 0)
    .sort((a, b) => rank(b) - rank(a))
    .filter(({ noise }) => {
      const wanted = rest > most
      rest -= noise
      return wanted
    })
}
