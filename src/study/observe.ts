/**
 * What values the stored tensors of a network take on calibration samples: their ends, and a fixed number of equally spaced
 * values for squared errors. Streaming, deterministic, and small enough to be handed to workers.
 */
import type { DataSet } from '../data/data-set.ts'
import { DyadicError, quoted } from '../error.ts'
import type { Graph } from '../graph/graph.ts'
import { checkSampleShape, realInput } from '../quantize/input.ts'
import { createFastExecutor } from '../reference/fast.ts'
import { storedValues } from './layers.ts'

/** What is known about one value. */
export interface ValueStatistics {
  readonly low: number
  readonly high: number
  /** At most {@link SAMPLE} of the values seen. */
  readonly sample: Float32Array
}

/** By name, for network inputs and stored values. */
export type Statistics = ReadonlyMap<string, ValueStatistics>

/** Values per tensor that errors are computed on. */
export const SAMPLE = 2 ** 15

export interface ObserveOptions {
  /** Most samples (default all). */
  readonly limit?: number
  readonly onProgress?: (done: number, total: number) => void
  readonly signal?: AbortSignal
}

class Collector {
  low = Number.POSITIVE_INFINITY
  high = Number.NEGATIVE_INFINITY
  readonly #sample: Float32Array
  #filled = 0

  constructor(size: number) {
    this.#sample = new Float32Array(size)
  }

  /** Adds the ends of all values and `count` of them, from a start that moves on with each sample. */
  add(values: Float32Array, count: number, index: number): void {
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!
      if (!(Math.abs(value) < Number.POSITIVE_INFINITY))
        throw new DyadicError('refused', `element ${i} is ${value}; a range needs finite values`)
      if (value < this.low) this.low = value
      if (value > this.high) this.high = value
    }
    const taken = Math.min(count, values.length, this.#sample.length - this.#filled)
    const step = values.length / taken
    // The golden ratio spreads the starts over a step.
    const start = (index * 0.6180339887498949) % 1
    for (let i = 0; i < taken; i++) this.#sample[this.#filled++] = values[Math.floor((i + start) * step)]!
  }

  statistics(): ValueStatistics {
    return { low: this.low, high: this.high, sample: this.#sample.slice(0, this.#filled) }
  }
}

/**
 * Runs the float network over samples. Throws `refused` for a set without samples, for samples that do not fit the network's one
 * input, and for values that are not finite, naming sample and value.
 */
export async function observeValues(graph: Graph, set: DataSet, options: ObserveOptions = {}): Promise<Statistics> {
  const total = Math.min(set.length, options.limit ?? set.length)
  if (total === 0)
    throw new DyadicError('refused', `calibration set ${quoted(set.name)} has no samples; give at least one`)
  const [input] = graph.inputs
  if (input === undefined || graph.inputs.length > 1)
    throw new DyadicError('unsupported', `the network has ${graph.inputs.length} inputs; a data set feeds one`)
  checkSampleShape(input, graph.values.get(input)?.shape ?? [], set)
  const perSample = Math.ceil(SAMPLE / total)
  const collectors = new Map([input, ...storedValues(graph)].map((name) => [name, new Collector(SAMPLE)]))
  const executor = createFastExecutor(graph)
  for (let index = 0; index < total; index++) {
    options.signal?.throwIfAborted()
    const real = realInput(set, await set.read(index))
    const observe = (name: string, values: Float32Array): void => {
      try {
        collectors.get(name)?.add(values, perSample, index)
      } catch (cause) {
        throw new DyadicError(
          'refused',
          `calibration sample ${quoted(set.describe(index))}, value ${quoted(name)}: ${cause instanceof Error ? cause.message : cause}`,
          { cause },
        )
      }
    }
    observe(input, real)
    executor.run(new Map([[input, real]]), observe)
    options.onProgress?.(index + 1, total)
  }
  return new Map([...collectors].map(([name, collector]) => [name, collector.statistics()]))
}
