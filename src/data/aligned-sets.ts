/**
 * Data for networks of several inputs: a data set for each input, by name. Sample i of the network is sample i of every set.
 */
import { DyadicError, quoted } from '../error.ts'
import type { DataSet } from './data-set.ts'

/** Data sets of one length, one for each input of a network. */
export interface AlignedSets {
  readonly name: string
  readonly length: number
  readonly inputs: ReadonlyMap<string, DataSet>
  /** A short name of a sample for reports. */
  describe(index: number): string
}

/** What a network is fed: one set for a network of one input, or a set for each input. */
export type Samples = DataSet | AlignedSets

/** Sets of one length side by side, by input name. Throws `refused` where lengths differ, `usage` where there are none. */
export function alignSets(inputs: ReadonlyMap<string, DataSet>, name?: string): AlignedSets {
  const [first] = inputs
  if (first === undefined)
    throw new DyadicError('usage', 'no data sets were given; give one for each input of the network')
  const [firstName, { length }] = first
  for (const [input, set] of inputs)
    if (set.length !== length)
      throw new DyadicError(
        'refused',
        `data of input ${quoted(firstName)} have ${length} samples, those of ${quoted(input)} ${set.length}; sample i of one belongs to sample i of all others, so give as many`,
      )
  return {
    name: name ?? [...new Set([...inputs.values()].map((set) => set.name))].join(', '),
    length,
    inputs,
    describe: (index) => first[1].describe(index),
  }
}
