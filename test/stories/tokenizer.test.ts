/** The tokenizer of examples/stories against ids that the model's own tokenizer gave, and text as it comes. */
import { beforeAll, describe, expect, it } from 'vitest'
import { readPieces } from '../../examples/stories/pieces.mjs'
import { createTextStream } from '../../examples/stories/text-stream.mjs'
import { BEGIN, createTokenizer, type StoryTokenizer } from '../../examples/stories/tokenizer.mjs'
import { readGreedyIds, readListedPieces, readSample, readTokenizer, withoutModel } from './model-files.ts'

/** Ids that the sample holds of each story at the most. */
const CUT = 512

describe.skipIf(withoutModel)('the tokenizer of the stories', () => {
  let tokenizer: StoryTokenizer
  beforeAll(() => {
    tokenizer = createTokenizer(readPieces(readTokenizer()))
  })

  it('reads the pieces of a SentencePiece model', () => {
    expect(readPieces(readTokenizer())).toEqual(readListedPieces())
    expect(() => readPieces(readTokenizer().subarray(0, 1000))).toThrow(RangeError)
    expect(() => readPieces(Uint8Array.of(7))).toThrow(/encoding 7; it is no SentencePiece model/)
    expect(() => readPieces(new Uint8Array())).toThrow('has no pieces')
  })

  it('gives the ids of the sample, and its text again', () => {
    const { texts, ids } = readSample()
    expect(texts.length).toBe(ids.length)
    for (const [i, text] of texts.entries()) {
      const found = tokenizer.encode(text)
      expect(found.slice(0, CUT)).toEqual(ids[i])
      expect(tokenizer.decode(found)).toBe(text)
    }
  })

  it('begins every sequence, and writes what is no piece as bytes', () => {
    expect(tokenizer.encode('')).toEqual([BEGIN])
    expect(tokenizer.decode([BEGIN])).toBe('')
    const ids = tokenizer.encode('a 狗')
    // The ids of bytes begin behind three special ones.
    expect(ids.slice(-3)).toEqual([...new TextEncoder().encode('狗')].map((byte) => byte + 3))
    expect(tokenizer.decode(ids)).toBe('a 狗')
  })

  it('streams whole letters, which together are the text', () => {
    const texts = [readGreedyIds(), tokenizer.encode('a 狗 and ü')]
    for (const ids of texts) {
      const added = createTextStream(tokenizer)
      const parts = ids.map((id) => added(id))
      expect(parts.join('')).toBe(tokenizer.decode(ids))
      expect(parts.some((part) => part.includes('\ufffd'))).toBe(false)
    }
  })
})
