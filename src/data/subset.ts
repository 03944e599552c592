/** Some samples of a data set as a data set of their own. */
import { DyadicError } from '../error.ts'
import type { DataSet } from './data-set.ts'

/**
 * The samples `indices` of a set, in that order; names, labels and descriptions stay those of the whole set. Throws
 * `usage` for an index that is no sample of the set or comes twice.
 */
export function subset(dataSet: DataSet, indices: readonly number[]): DataSet {
  const seen = new Set<number>()
  for (const index of indices) {
    if (!Number.isInteger(index) || index < 0 || index >= dataSet.length || seen.has(index))
      throw new DyadicError(
        'usage',
        seen.has(index)
          ? `sample ${index} was chosen twice`
          : `sample ${index} was chosen; the set has 0..${dataSet.length - 1}`,
      )
    seen.add(index)
  }
  const chosen = Uint32Array.from(indices)
  const indexOf = (index: number): number => {
    const at = chosen[index]
    if (at === undefined) throw new DyadicError('usage', `sample ${index} was asked for; the set has ${chosen.length}`)
    return at
  }
  return {
    name: dataSet.name,
    length: chosen.length,
    elementType: dataSet.elementType,
    shape: dataSet.shape,
    channelAxis: dataSet.channelAxis,
    scale: dataSet.scale,
    offset: dataSet.offset,
    label: (index) => dataSet.label(indexOf(index)),
    ...(dataSet.answers && { answers: (index: number) => dataSet.answers!(indexOf(index)) }),
    read: async (index) => dataSet.read(indexOf(index)),
    describe: (index) => dataSet.describe(indexOf(index)),
  }
}
