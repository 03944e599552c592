/** Extremes of single channels over calibration samples: streaming, two numbers per channel. */
import type { Graph } from '../graph/graph.ts'
import { createFastExecutor } from '../reference/fast.ts'
import { realInputs } from './input.ts'
import type { MethodContext } from './method.ts'

/** Smallest and largest value of each channel; both contain zero. */
export interface ChannelRanges {
  readonly low: Float32Array
  readonly high: Float32Array
}

/** Extremes of the channels (axis 1) of some values of the float network. */
export async function observeChannels(
  { graph, samples, limit, signal }: Pick<MethodContext, 'graph' | 'samples' | 'limit' | 'signal'>,
  names: readonly string[],
): Promise<ReadonlyMap<string, ChannelRanges>> {
  const ranges = new Map(names.map((name) => [name, emptyRanges(graph, name)]))
  const executor = createFastExecutor(graph)
  const count = Math.min(limit, samples.length)
  for (let index = 0; index < count; index++) {
    signal?.throwIfAborted()
    executor.run(await realInputs(graph, samples, index), (name, values) => {
      const found = ranges.get(name)
      if (found) widen(found, values)
    })
  }
  return ranges
}

function emptyRanges(graph: Graph, name: string): ChannelRanges {
  const channels = graph.values.get(name)?.shape[1] ?? 1
  return { low: new Float32Array(channels), high: new Float32Array(channels) }
}

/** Values lie in the executors' order N, H, W, C. */
function widen({ low, high }: ChannelRanges, values: Float32Array): void {
  const channels = low.length
  for (let start = 0; start < values.length; start += channels)
    for (let c = 0; c < channels; c++) {
      const value = values[start + c]
      if (value < low[c]) low[c] = value
      if (value > high[c]) high[c] = value
    }
}
