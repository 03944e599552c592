/** A data set of arrays that are in memory already: frames of a signal, states, what a program has computed. */
import { DyadicError, quoted } from '../error.ts'
import type { DataSet } from './data-set.ts'

/** One sample's numbers. All samples of a set have one type. */
export type SampleArray = Uint8Array | Int8Array | Float32Array

/** Samples in memory, and what they mean. */
export interface ArrayDataSetOptions {
  readonly name: string
  /** Shape of one sample, without the batch axis. */
  readonly shape: readonly number[]
  readonly samples: readonly SampleArray[]
  /** Real = scale[c] × (stored − offset[c]), along `channelAxis` of `shape` (default: 1, 0 and axis 0). */
  readonly scale?: readonly number[]
  readonly offset?: readonly number[]
  readonly channelAxis?: number
}

/** The set, without labels. Throws `usage` for a sample of another type or size than the shape says. */
export function arrayDataSet(options: ArrayDataSetOptions): DataSet {
  const { name, shape, samples, scale = [1], offset = [0], channelAxis = 0 } = options
  const size = shape.reduce((product, length) => product * length, 1)
  const typeOf = (sample: SampleArray): DataSet['elementType'] =>
    sample instanceof Uint8Array ? 'uint8' : sample instanceof Int8Array ? 'int8' : 'float32'
  const elementType = samples.length === 0 ? 'float32' : typeOf(samples[0])
  for (const [index, sample] of samples.entries())
    if (sample.length !== size || typeOf(sample) !== elementType)
      throw new DyadicError(
        'usage',
        `sample ${index} of ${quoted(name)} has ${sample.length} numbers of ${typeOf(sample)}; shape [${shape}] wants ${size} of ${elementType}`,
      )
  return {
    ...{ name, length: samples.length, elementType, shape, channelAxis, scale, offset },
    label: () => undefined,
    read: async (index) => samples[index],
    describe: (index) => String(index),
  }
}
