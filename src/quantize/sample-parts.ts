/** Parts of samples, whether these are one data set or one for each input. */
import type { AlignedSets, Samples } from '../data/aligned-sets.ts'
import type { DataSet } from '../data/data-set.ts'

/** Whether samples come by the names of inputs. */
export function isAligned(samples: Samples): samples is AlignedSets {
  return 'inputs' in samples
}

/** Some samples in a row as a set of their own, with the names and labels that they had. */
export function partOf(samples: Samples, first: number, count: number): Samples {
  const indices = Array.from({ length: count }, (_, index) => first + index)
  if (!isAligned(samples)) return chosenFrom(samples, indices)
  return {
    name: samples.name,
    length: count,
    inputs: new Map([...samples.inputs].map(([name, set]) => [name, chosenFrom(set, indices)])),
    describe: (index) => samples.describe(indices[index]),
  }
}

/** The samples `indices` of a set, in that order. */
export function chosenFrom(set: DataSet, indices: readonly number[]): DataSet {
  const { name, elementType, shape, channelAxis, scale, offset } = set
  return {
    ...{ name, elementType, shape, channelAxis, scale, offset, length: indices.length },
    label: (index) => set.label(indices[index]),
    read: (index) => set.read(indices[index]),
    describe: (index) => set.describe(indices[index]),
  }
}
