/**
 * The pieces of a SentencePiece model file. It is a message of protocol buffers: field 1 holds the pieces, each with its text
 * (1), its score (2, float) and its type (3; 1 where it is absent). Everything else is passed over.
 */

const NORMAL = 1
/** How a field is encoded: a varint, 8 bytes, as many bytes as a varint says, 4 bytes. */
const [VARINT, EIGHT, BYTES, FOUR] = [0, 1, 2, 5]

/** Fields of a message as `{ field, value }`; bytes are views. Throws a `RangeError` where the message is cut off. */
function* fieldsOf(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  const varint = () => {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = view.getUint8(at++)
      value += (byte % 128) * scale
      if (byte < 128) return value
    }
  }
  const take = (count) => {
    if (at + count > bytes.length)
      throw new RangeError(`the tokenizer's file ends ${at + count - bytes.length} bytes early`)
    at += count
    return bytes.subarray(at - count, at)
  }
  while (at < bytes.length) {
    const key = varint()
    const encoding = key % 8
    const field = (key - encoding) / 8
    if (encoding === VARINT) yield { field, value: varint() }
    else if (encoding === BYTES) yield { field, value: take(varint()) }
    else if (encoding === FOUR || encoding === EIGHT) yield { field, value: take(encoding === FOUR ? 4 : 8) }
    else throw new RangeError(`the tokenizer's file has a field of encoding ${encoding}; it is no SentencePiece model`)
  }
}

/**
 * `[{ piece, score, type }]`, the index is the token id. Throws a `RangeError` for what is no SentencePiece model.
 * @param {Uint8Array} bytes
 */
export function readPieces(bytes) {
  const decoder = new TextDecoder()
  const pieces = Array.from(fieldsOf(bytes)).filter(({ field, value }) => field === 1 && value instanceof Uint8Array)
  if (pieces.length === 0) throw new RangeError("the tokenizer's file has no pieces; it is no SentencePiece model")
  return pieces.map(({ value }) => {
    const fields = new Map(Array.from(fieldsOf(value), ({ field, value }) => [field, value]))
    const score = fields.get(2)
    return {
      piece: decoder.decode(fields.get(1)),
      score: new DataView(score.buffer, score.byteOffset).getFloat32(0, true),
      type: fields.get(3) ?? NORMAL,
    }
  })
}
