/** From the numbers a data set stores to what a network reads: real values for float executors, integers for programs. */

import type { Samples } from '../data/aligned-sets.ts'
import type { DataSet } from '../data/data-set.ts'
import { DyadicError, quoted } from '../error.ts'
import type { Graph } from '../graph/graph.ts'
import { isAligned } from './sample-parts.ts'

/** One channel's affine map, whichever way scale and offset are given. */
function channelOf(set: DataSet): { count: number; inner: number } {
  const count = Math.max(set.scale.length, set.offset.length)
  const inner = set.shape.slice(set.channelAxis + 1).reduce((product, size) => product * size, 1)
  return { count, inner }
}

/** Refuses samples whose shape is not that of the network's input without its batch axis. */
export function checkSampleShape(inputName: string, shape: readonly number[], set: DataSet): void {
  // A state may be given whole, with what stands in the place of a batch axis.
  const wanted = String(set.shape) === String(shape) ? shape : shape.slice(1)
  const strip = (sizes: readonly number[]): string => sizes.join('×')
  const count = (sizes: readonly number[]): number => sizes.reduce((product, size) => product * size, 1)
  if (
    strip(wanted) !== strip(set.shape) &&
    !(count(wanted) === count(set.shape) && Math.max(set.scale.length, set.offset.length) === 1)
  )
    throw new DyadicError(
      'refused',
      `samples of ${quoted(set.name)} have shape [${set.shape}], the network's input ${quoted(inputName)} wants [${wanted}]; change resize, crop or channels of the data card`,
    )
}

/**
 * The data set of each network input, in the network's order. Throws `refused` where an input has no data or data have no
 * input, `unsupported` for one unnamed set and several inputs.
 */
export function inputSets(graph: Graph, samples: Samples): ReadonlyMap<string, DataSet> {
  const { inputs } = graph
  const listed = (names: readonly string[]): string => names.slice(0, 8).map(quoted).join(', ')
  if (!isAligned(samples)) {
    if (inputs.length !== 1)
      throw new DyadicError(
        'unsupported',
        `the network has ${inputs.length} inputs (${listed(inputs)}), and ${quoted(samples.name)} feeds one; give a data set for each input by its name`,
      )
    return new Map([[inputs[0], samples]])
  }
  const missing = inputs.filter((name) => !samples.inputs.has(name))
  const unknown = [...samples.inputs.keys()].filter((name) => !inputs.includes(name))
  if (missing.length > 0 || unknown.length > 0)
    throw new DyadicError(
      'refused',
      `data ${quoted(samples.name)} ${missing.length > 0 ? `lack input ${listed(missing)}` : `are for input ${listed(unknown)}`}; the network has ${listed(inputs)}`,
    )
  return new Map(inputs.map((name) => [name, samples.inputs.get(name) as DataSet]))
}

/** Real inputs of one sample, by name. */
export async function realInputs(
  graph: Graph,
  samples: Samples,
  index: number,
): Promise<ReadonlyMap<string, Float32Array>> {
  const inputs = new Map<string, Float32Array>()
  for (const [name, set] of inputSets(graph, samples)) inputs.set(name, realInput(set, await set.read(index)))
  return inputs
}

/** Real input of one sample: scale[c] × (stored − offset[c]) in doubles, rounded to float32. */
export function realInput(set: DataSet, stored: Uint8Array | Int8Array | Float32Array): Float32Array {
  const { count, inner } = channelOf(set)
  const real = new Float32Array(stored.length)
  if (count === 1) {
    const [scale] = set.scale
    const [offset] = set.offset
    for (let i = 0; i < stored.length; i++) real[i] = scale * (stored[i] - offset)
    return real
  }
  for (let i = 0; i < stored.length; i++) {
    const channel = Math.floor(i / inner) % count
    real[i] =
      set.scale[set.scale.length > 1 ? channel : 0] * (stored[i] - set.offset[set.offset.length > 1 ? channel : 0])
  }
  return real
}
