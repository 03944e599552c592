/** Windows of token ids and their answers, by hand; what is refused. */
import { describe, expect, it } from 'vitest'
import { parseDataCard } from './card.ts'
import type { DataSet } from './data-set.ts'
import { checkAnswers } from './labels.ts'
import { memoryFiles } from './memory-files.ts'
import { openDataSet } from './open.ts'

const text = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))

function open(bytes: Uint8Array, samples: object, rest: object = {}): Promise<DataSet> {
  const card = parseDataCard({ schema: 1, samples: { kind: 'tokens', file: 'ids', ...samples }, ...rest }, 'the card')
  return openDataSet(card, { files: memoryFiles(new Map([['ids', bytes]])), folder: '' })
}

async function windows(set: DataSet): Promise<[number[], number[]][]> {
  const indices = Array.from({ length: set.length }, (_, index) => index)
  return Promise.all(indices.map(async (index) => [[...(await set.read(index))], [...set.answers!(index)]]))
}

describe('windows of tokens', () => {
  const sequences = [[1, 5, 6, 7, 8, 9], [2], [], [1, 3]]

  it('have the tokens that follow as answers; what is left of a sequence is left out', async () => {
    const set = await open(text(sequences), { window: 2 })
    expect(await windows(set)).toEqual([
      [
        [1, 5],
        [5, 6],
      ],
      [
        [6, 7],
        [7, 8],
      ],
    ])
    expect([set.shape, set.elementType, set.label(0), set.describe(1)]).toEqual([[2], 'float32', undefined, 'ids#0:2'])
    const one = await open(text(sequences), { window: 1 })
    expect(one.length).toBe(6)
  })

  it('or is filled up, without answers there', async () => {
    const set = await open(text({ note: 'anything', sequences }), { window: 3, pad: 0 })
    expect(await windows(set)).toEqual([
      [
        [1, 5, 6],
        [5, 6, 7],
      ],
      [
        [7, 8, 0],
        [8, 9, -1],
      ],
      [
        [1, 0, 0],
        [3, -1, -1],
      ],
    ])
  })

  it('come from integers in binary too, and through a split', async () => {
    const bytes = new Uint8Array(Uint16Array.of(1, 500, 6, 65535, 8).buffer)
    const set = await open(bytes, { type: 'uint16', window: 2 }, { split: { indices: [1] } })
    expect(await windows(set)).toEqual([
      [
        [6, 65535],
        [65535, 8],
      ],
    ])
    const wide = await open(new Uint8Array(Int32Array.of(7, 70000).buffer), { type: 'int32', window: 1 })
    expect(await windows(wide)).toEqual([[[7], [70000]]])
  })

  it('are refused where there is none, and where ids are no ids', async () => {
    await expect(open(text(sequences), { window: 6 })).rejects.toThrow(/no sequence of 7 ids/)
    await expect(open(text([[]]), { window: 6, pad: 0 })).rejects.toThrow(/no sequence/)
    await expect(open(text([[1, 2.5]]), { window: 1 })).rejects.toThrow(/sequence 0: element 1 is "2.5"/)
    await expect(open(text([[1, -1]]), { window: 1 })).rejects.toThrow(/ids are integers from 0/)
    await expect(open(text([1, 2]), { window: 1 })).rejects.toThrow(/no list of sequences/)
    await expect(open(text(null), { window: 1 })).rejects.toThrow(/no list of sequences/)
    await expect(open(Uint8Array.of(1, 2, 3), { type: 'uint16', window: 1 })).rejects.toThrow(/3 bytes/)
    await expect(open(new Uint8Array(Int32Array.of(1, -7).buffer), { type: 'int32', window: 1 })).rejects.toThrow(
      /element 1 is "-7"/,
    )
    expect(() => open(text(sequences), { window: 2 }, { labels: { kind: 'inline' } })).toThrow(/\$.labels: the answers/)
    expect(() => open(text(sequences), { window: 0 })).toThrow(/\$.samples.window/)
  })

  it('are checked against the outputs that a network has', async () => {
    const set = await open(text(sequences), { window: 3, pad: 0 })
    expect(() => checkAnswers(set, 10)).not.toThrow()
    expect(() => checkAnswers(set, 9)).toThrow(/"ids#0:3" has the answer 9, the network has 9 outputs/)
  })
})
