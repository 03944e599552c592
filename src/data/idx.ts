/**
 * A strict reader of IDX files (the format of MNIST): two zero bytes, a type code, the number of axes, big-endian 32-bit
 * sizes, then the elements. Eight-bit elements are kept as they stand; wider ones are read for labels.
 */
import { z } from 'zod'
import { DyadicError, quoted } from '../error.ts'
import { joinPath, splitPath } from './file-path.ts'
import { sampleKind } from './sample-kind.ts'

/** The array of an IDX file, row-major. */
export interface IdxArray {
  readonly shape: readonly number[]
  /** Uint8 and int8 elements are a view of the file; int16 and int32 a converted copy. */
  readonly data: Uint8Array | Int8Array | Int16Array | Int32Array
}

/** Element bytes by type code; floating-point codes (0x0d, 0x0e) are not read. */
const ELEMENT_BYTES = new Map([
  [0x08, 1],
  [0x09, 1],
  [0x0b, 2],
  [0x0c, 4],
])
const MOST_AXES = 8

/** `{"kind": "idx", "file": "images.idx3"}`: 8-bit elements; pictures n×h×w are samples [1, h, w]. */
export const idxKind = sampleKind({
  kind: 'idx',
  schema: z.strictObject({ kind: z.literal('idx'), file: z.string().min(1) }),
  async open({ file }, { files, folder }) {
    const path = joinPath(folder, file)
    const { shape, data } = readIdx(await files.read(path), path)
    if (!(data instanceof Uint8Array || data instanceof Int8Array))
      throw new DyadicError('refused', `IDX file ${quoted(path)}: samples must be 8-bit elements`)
    const [length, ...axes] = shape as [number, ...number[]]
    const size = axes.reduce((product, axis) => product * axis, 1)
    return {
      length: size === 0 ? 0 : length,
      elementType: data instanceof Int8Array ? 'int8' : 'uint8',
      shape: axes.length === 2 ? [1, ...axes] : axes,
      channelAxis: 0,
      describe: (index) => `${splitPath(path).file}#${index}`,
      read: async (index) => data.slice(index * size, (index + 1) * size),
    }
  },
})

/** Reads an IDX file. Throws `refused` naming `where` when header and bytes disagree or the type is not an integer one. */
export function readIdx(bytes: Uint8Array, where: string): IdxArray {
  const refuse = (what: string) => new DyadicError('refused', `IDX file ${quoted(where)}: ${what}`)
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) throw refuse('it is compressed with gzip; unpack it first')
  if (bytes.length < 4 || bytes[0] !== 0 || bytes[1] !== 0)
    throw refuse('it does not begin with the magic number 00 00')
  const elementBytes = ELEMENT_BYTES.get(bytes[2]!)
  if (elementBytes === undefined)
    throw refuse(`its type code is 0x${bytes[2]!.toString(16).padStart(2, '0')}; 0x08, 0x09, 0x0b and 0x0c are read`)
  const axes = bytes[3]!
  if (axes < 1 || axes > MOST_AXES) throw refuse(`it has ${axes} axes; 1 to ${MOST_AXES} are read`)
  const start = 4 + 4 * axes
  if (bytes.length < start) throw refuse('it is cut off in its header')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const shape = Array.from({ length: axes }, (_, axis) => view.getUint32(4 + 4 * axis))
  const count = shape.reduce((product, size) => product * size, 1)
  if (count * elementBytes !== bytes.length - start)
    throw refuse(
      `shape [${shape}] needs ${count * elementBytes} bytes of elements, the file has ${bytes.length - start}`,
    )
  return { shape, data: elements(bytes[2]!, view, start, count) }
}

function elements(code: number, view: DataView, start: number, count: number): IdxArray['data'] {
  if (code === 0x08) return new Uint8Array(view.buffer, view.byteOffset + start, count)
  if (code === 0x09) return new Int8Array(view.buffer, view.byteOffset + start, count)
  if (code === 0x0b) return Int16Array.from({ length: count }, (_, i) => view.getInt16(start + 2 * i))
  return Int32Array.from({ length: count }, (_, i) => view.getInt32(start + 4 * i))
}
