/**
 * Text to token ids and back, by a library: the pieces of a SentencePiece model (BPE with bytes for what is no piece) as the
 * tokenizer description that it reads.
 */
import { Tokenizer } from '@huggingface/tokenizers'

/** The space of SentencePiece. */
const SPACE = '▁'
/** Types of pieces in a SentencePiece model. */
const [NORMAL, UNKNOWN, CONTROL] = [1, 2, 3]
/** Begins every sequence. */
export const BEGIN = 1

/**
 * `pieces` as [{piece, score, type}], the index is the token id. A piece is merged from any two others that make it, pieces of
 * higher score first.
 */
export function createTokenizer(pieces) {
  const vocabulary = Object.fromEntries(pieces.map(({ piece }, id) => [piece, id]))
  const whole = pieces.filter(({ piece, type }) => type === NORMAL && [...piece].length > 1)
  const merges = whole
    .toSorted((a, b) => b.score - a.score)
    .flatMap(({ piece }) => {
      const letters = [...piece]
      return letters
        .slice(1)
        .map((_, i) => [letters.slice(0, i + 1).join(''), letters.slice(i + 1).join('')])
        .filter((parts) => parts.every((part) => Object.hasOwn(vocabulary, part)))
        .toSorted((a, b) => vocabulary[a[0]] - vocabulary[b[0]] || vocabulary[a[1]] - vocabulary[b[1]])
    })
  const special = { special: true, single_word: false, lstrip: false, rstrip: false, normalized: false }
  const tokenizer = new Tokenizer(
    {
      version: '1.0',
      added_tokens: pieces.flatMap(({ piece, type }, id) =>
        type === UNKNOWN || type === CONTROL ? [{ id, content: piece, ...special }] : [],
      ),
      normalizer: {
        type: 'Sequence',
        normalizers: [
          { type: 'Prepend', prepend: SPACE },
          { type: 'Replace', pattern: { String: ' ' }, content: SPACE },
        ],
      },
      pre_tokenizer: null,
      post_processor: null,
      decoder: {
        type: 'Sequence',
        decoders: [
          { type: 'Replace', pattern: { String: SPACE }, content: ' ' },
          { type: 'ByteFallback' },
          { type: 'Fuse' },
          { type: 'Strip', content: ' ', start: 1, stop: 0 },
        ],
      },
      model: { type: 'BPE', vocab: vocabulary, merges, byte_fallback: true, unk_token: '<unk>', fuse_unk: true },
    },
    {},
  )
  return {
    /** Token ids of a text, the beginning first. */
    encode: (text) => [BEGIN, ...(text === '' ? [] : tokenizer.encode(text).ids)],
    /** The text of token ids, without the beginning. */
    decode: (ids) => {
      const pieces = ids.filter((id) => id !== BEGIN)
      return pieces.length === 0 ? '' : tokenizer.decode(pieces)
    },
  }
}
