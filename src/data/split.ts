/** Which samples of a stored set a card chooses, by index, so that calibration and evaluation can be disjoint lists. */
import { z } from 'zod'
import { DyadicError } from '../error.ts'

const simpleSplit = z.union([
  z
    .strictObject({
      every: z.int().min(1).describe('one sample of so many'),
      phase: z.int().min(0).describe('the first one chosen'),
    })
    .refine(({ every, phase }) => phase < every, { message: '"phase" must be below "every"' }),
  z
    .strictObject({ from: z.int().min(0), to: z.int().min(1).describe('the first index not chosen') })
    .refine(({ from, to }) => from < to, { message: '"from" must be below "to"' }),
  z.strictObject({ first: z.int().min(1) }),
  z
    .strictObject({ indices: z.array(z.int().min(0)).min(1).describe('the chosen ones, in any order, each once') })
    .refine(({ indices }) => new Set(indices).size === indices.length, { message: '"indices" names a sample twice' }),
])

/** The card's `split` part; `except` chooses the samples that the inner split does not. */
export const splitSchema = z.union([...simpleSplit.options, z.strictObject({ except: simpleSplit })])

type Split = z.output<typeof splitSchema>

/**
 * Indices of the chosen samples among `length` stored ones, ascending; all where there is no split. Throws `refused`
 * when the split reaches past the stored samples or chooses none.
 */
export function splitIndices(split: Split | undefined, length: number): number[] {
  const all = Array.from({ length }, (_, index) => index)
  if (split === undefined) return all
  const inner = 'except' in split ? split.except : split
  const inverted = inner !== split
  const end = endOf(inner)
  if (end > length)
    throw new DyadicError('refused', `the split asks for samples up to index ${end - 1}, the set has 0..${length - 1}`)
  const chosen = choiceOf(inner)
  const indices = all.filter((index) => chosen(index) !== inverted)
  if (indices.length === 0) throw new DyadicError('refused', `the split chooses none of the ${length} samples`)
  return indices
}

type SimpleSplit = z.output<typeof simpleSplit>

/** The index behind the greatest one that a split names; 0 where it names none. */
function endOf(split: SimpleSplit): number {
  if ('to' in split) return split.to
  if ('first' in split) return split.first
  return 'indices' in split ? split.indices.reduce((end, index) => Math.max(end, index + 1), 0) : 0
}

function choiceOf(split: SimpleSplit): (index: number) => boolean {
  if ('every' in split) return (index) => index % split.every === split.phase
  if ('first' in split) return (index) => index < split.first
  if ('to' in split) return (index) => index >= split.from && index < split.to
  const listed = new Set(split.indices)
  return (index) => listed.has(index)
}
