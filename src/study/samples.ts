/**
 * Labelled samples as one array, which threads can share: read and decoded once, run under many arithmetics.
 */
import type { DataSet } from '../data/data-set.ts'
import { DyadicError, quoted } from '../error.ts'

/** A data set without its functions. */
export interface StoredSamples
  extends Pick<DataSet, 'name' | 'length' | 'elementType' | 'shape' | 'channelAxis' | 'scale' | 'offset'> {
  /** All samples one after another; over shared memory where the host has it. */
  readonly data: Uint8Array | Int8Array | Float32Array
  /** Right answers, {@link answers} of each sample one after another; −1 where none is asked for. */
  readonly labels: Int32Array
  /** 1 for labels; the number of positions for sequences with an answer at each. */
  readonly answers: number
}

/** Most bytes that are held at once. */
export const LARGEST_SAMPLES = 2 ** 30

const ARRAYS = { uint8: Uint8Array, int8: Int8Array, float32: Float32Array } as const

/**
 * Reads samples. Throws `refused` for a set without samples or labels, `limit` for more than {@link LARGEST_SAMPLES} bytes.
 */
export async function storeSamples(
  set: DataSet,
  { limit, onProgress }: { readonly limit?: number; readonly onProgress?: (done: number, total: number) => void } = {},
): Promise<StoredSamples> {
  const length = Math.min(set.length, limit ?? set.length)
  if (length === 0) throw new DyadicError('refused', `data set ${quoted(set.name)} has no samples`)
  const { name, elementType, shape, channelAxis, scale, offset } = set
  const size = shape.reduce((product, one) => product * one, 1)
  const Numbers = ARRAYS[elementType]
  const bytes = length * size * Numbers.BYTES_PER_ELEMENT
  if (bytes > LARGEST_SAMPLES)
    throw new DyadicError(
      'limit',
      `${length} samples of ${quoted(name)} are ${bytes} bytes; a study holds ${LARGEST_SAMPLES}: take fewer with --limit`,
    )
  // A page without cross-origin isolation has no shared memory.
  const memory = typeof SharedArrayBuffer === 'undefined' ? new ArrayBuffer(bytes) : new SharedArrayBuffer(bytes)
  const data = new Numbers(memory as ArrayBuffer)
  const answers = set.answers === undefined ? 1 : size
  const labels = new Int32Array(length * answers)
  for (let index = 0; index < length; index++) {
    const label = set.answers === undefined ? set.label(index) : -1
    if (label === undefined)
      throw new DyadicError(
        'refused',
        `sample ${quoted(set.describe(index))} of ${quoted(name)} has no label; add "labels" to the data card`,
      )
    if (set.answers === undefined) labels[index] = label
    else labels.set(set.answers(index), index * answers)
    data.set(await set.read(index), index * size)
    onProgress?.(index + 1, length)
  }
  return { name, length, elementType, shape, channelAxis, scale, offset, data, labels, answers }
}

/** The samples as a data set again. */
export function setOfSamples({ data, labels, answers, ...rest }: StoredSamples): DataSet & {
  stored(index: number): Uint8Array | Int8Array | Float32Array
} {
  const size = rest.shape.reduce((product, one) => product * one, 1)
  const stored = (index: number): Uint8Array | Int8Array | Float32Array =>
    data.subarray(index * size, (index + 1) * size)
  return {
    ...rest,
    stored,
    label: (index) => (answers === 1 ? labels[index] : undefined),
    read: async (index) => stored(index),
    describe: (index) => String(index),
  }
}
