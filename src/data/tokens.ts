/**
 * Samples that are sequences of token ids: windows of one length, each with the token that follows at every position as the
 * right answer there. Turning text into ids is not done here.
 */
import { z } from 'zod'
import { DyadicError, quoted } from '../error.ts'
import { joinPath, splitPath } from './file-path.ts'
import { sampleKind } from './sample-kind.ts'
import { parseStrictJson } from './strict-json.ts'

/** Ids are exact in float32. */
const GREATEST_ID = 2 ** 24
const BINARY = { uint16: Uint16Array, int32: Int32Array } as const

/**
 * `{"kind": "tokens", "file": "ids.json", "window": 256}`: a JSON list of sequences of ids (or an object whose `sequences` is
 * one), or with `type` one sequence of little-endian integers. A sequence of n ids is cut into windows of `window` ids from its
 * start; the last ids, too few for a window and what follows it, are left out, or filled up with the id `pad` at which no
 * answer counts.
 */
export const tokensKind = sampleKind({
  kind: 'tokens',
  schema: z.strictObject({
    kind: z.literal('tokens'),
    file: z.string().min(1),
    type: z.enum(['json', 'uint16', 'int32']).optional().describe('json if absent'),
    window: z
      .int()
      .min(1)
      .max(2 ** 20)
      .describe('ids of one sample'),
    pad: z.int().min(0).max(GREATEST_ID).optional().describe('id that fills up the last window of a sequence'),
  }),
  async open({ file, type = 'json', window, pad }, { files, folder }) {
    const path = joinPath(folder, file)
    const bytes = await files.read(path)
    const sequences = type === 'json' ? jsonSequences(bytes, path) : [binarySequence(bytes, type, path)]
    const windows = sequences.flatMap((ids, sequence) => {
      const steps = ids.length - 1
      const count = Math.max(0, pad === undefined ? Math.floor(steps / window) : Math.ceil(steps / window))
      return Array.from({ length: count }, (_, index) => ({ ids, sequence, first: index * window }))
    })
    if (windows.length === 0)
      throw new DyadicError(
        'refused',
        `${quoted(path)} has no sequence of ${window + 1} ids, a window of ${window} and the id after it; take a smaller window, or "pad"`,
      )
    return {
      length: windows.length,
      elementType: 'float32',
      shape: [window],
      channelAxis: 0,
      describe: (index) => {
        const { sequence, first } = windows[index]!
        return `${splitPath(path).file}#${sequence}:${first}`
      },
      answers: (index) => {
        const { ids, first } = windows[index]!
        return Int32Array.from({ length: window }, (_, i) => ids[first + i + 1] ?? -1)
      },
      read: async (index) => {
        const { ids, first } = windows[index]!
        // The last id of a sequence is an answer only.
        return Float32Array.from({ length: window }, (_, i) => (first + i + 1 < ids.length ? ids[first + i]! : pad!))
      },
    }
  },
})

function requireIds(ids: readonly unknown[] | Int32Array | Uint16Array, where: string): void {
  const bad = ids.findIndex(
    (id: unknown) => !(Number.isInteger(id) && (id as number) >= 0 && (id as number) <= GREATEST_ID),
  )
  if (bad >= 0)
    throw new DyadicError(
      'refused',
      `${where}: element ${bad} is ${quoted(String(ids[bad]))}; ids are integers from 0 to 2^24`,
    )
}

function jsonSequences(bytes: Uint8Array, path: string): number[][] {
  const json = parseStrictJson(bytes, `token file ${quoted(path)}`)
  const list: unknown = typeof json === 'object' && json !== null && 'sequences' in json ? json.sequences : json
  if (!Array.isArray(list) || !list.every(Array.isArray))
    throw new DyadicError(
      'refused',
      `token file ${quoted(path)} is no list of sequences, such as [[1, 5, 2], [1, 7]], nor has it one as "sequences"`,
    )
  for (const [index, ids] of list.entries()) requireIds(ids as unknown[], `${quoted(path)}, sequence ${index}`)
  return list as number[][]
}

function binarySequence(bytes: Uint8Array, type: keyof typeof BINARY, path: string): Int32Array | Uint16Array {
  const size = BINARY[type].BYTES_PER_ELEMENT
  if (bytes.length % size !== 0)
    throw new DyadicError(
      'refused',
      `${quoted(path)} has ${bytes.length} bytes, not a multiple of the ${size} of ${type}`,
    )
  const ids = new BINARY[type](bytes.slice().buffer)
  requireIds(ids, quoted(path))
  return ids
}
