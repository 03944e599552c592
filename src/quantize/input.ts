/** From the numbers a data set stores to what a network reads: real values for float executors, integers for programs. */

import type { DataSet } from '../data/data-set.ts'
import { DyadicError, quoted } from '../error.ts'

/** One channel's affine map, whichever way scale and offset are given. */
function channelOf(set: DataSet): { count: number; inner: number } {
  const count = Math.max(set.scale.length, set.offset.length)
  const inner = set.shape.slice(set.channelAxis + 1).reduce((product, size) => product * size, 1)
  return { count, inner }
}

/** Refuses samples whose shape is not that of the network's input without its batch axis. */
export function checkSampleShape(inputName: string, shape: readonly number[], set: DataSet): void {
  const wanted = shape.slice(1)
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
