/**
 * A strict reader of NumPy `.npy` files, versions 1 to 3, little-endian, C order. The header is the literal of a Python
 * dictionary; only that form with exactly the keys `descr`, `fortran_order` and `shape` is read, nothing is evaluated.
 */
import { DyadicError, quoted } from '../error.ts'

/** Elements of the types that are read. */
export type NpyData =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Float32Array
  | Float64Array

/** The array of a .npy file. */
export interface NpyArray {
  readonly shape: readonly number[]
  /** An aligned copy of the elements, row-major. */
  readonly data: NpyData
}

const ARRAYS = new Map<string, { readonly BYTES_PER_ELEMENT: number; new (buffer: ArrayBuffer): NpyData }>([
  ['|u1', Uint8Array],
  ['|i1', Int8Array],
  ['<u2', Uint16Array],
  ['<i2', Int16Array],
  ['<i4', Int32Array],
  ['<i8', BigInt64Array],
  ['<f4', Float32Array],
  ['<f8', Float64Array],
])
const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]
/** NumPy itself refuses longer headers unless asked. */
const LONGEST_HEADER = 10000
const MOST_AXES = 32

/**
 * Reads an array. Throws `refused` naming `where` when the header is malformed, the type is not one of u1, i1, u2, i2,
 * i4, i8, f4, f8 in little-endian order, the order is Fortran's, or the bytes do not fit the shape.
 */
export function readNpy(bytes: Uint8Array, where: string): NpyArray {
  const refuse = (what: string) => new DyadicError('refused', `NumPy file ${quoted(where)}: ${what}`)
  if (bytes.length < 10 || MAGIC.some((byte, i) => bytes[i] !== byte))
    throw refuse('it does not begin with the magic \\x93NUMPY')
  const [major, minor] = [bytes[6]!, bytes[7]!]
  if (major < 1 || major > 3 || minor !== 0)
    throw refuse(`its format version is ${major}.${minor}; 1.0, 2.0 and 3.0 are read`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (major > 1 && bytes.length < 12) throw refuse('it is cut off in its header')
  const headerStart = major === 1 ? 10 : 12
  const headerLength = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true)
  if (headerLength > LONGEST_HEADER) throw refuse(`its header has ${headerLength} bytes; ${LONGEST_HEADER} are allowed`)
  const start = headerStart + headerLength
  if (start > bytes.length) throw refuse('it is cut off in its header')
  let header: string
  try {
    header = new TextDecoder(major === 3 ? 'utf-8' : 'latin1', { fatal: true }).decode(
      bytes.subarray(headerStart, start),
    )
  } catch {
    throw refuse('its header is not UTF-8')
  }
  const { descr, fortran, shape } = parseHeader(header, refuse)
  const array = ARRAYS.get(descr)
  if (array === undefined) throw refuse(`its type is ${quoted(descr)}; ${[...ARRAYS.keys()].join(', ')} are read`)
  if (fortran) throw refuse('it is in Fortran order; save numpy.ascontiguousarray(x)')
  const count = shape.reduce((product, size) => product * size, 1)
  if (count * array.BYTES_PER_ELEMENT !== bytes.length - start)
    throw refuse(
      `shape [${shape}] of ${descr} needs ${count * array.BYTES_PER_ELEMENT} bytes, the file has ${bytes.length - start}`,
    )
  return { shape, data: new array(new Uint8Array(bytes.subarray(start)).buffer) }
}

interface Header {
  descr: string
  fortran: boolean
  shape: number[]
}

/** `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }` with its keys in any order. */
function parseHeader(text: string, refuse: (what: string) => DyadicError): Header {
  const body = /^\{(.*)\} *\n?$/.exec(text)
  if (body === null) throw refuse('its header is not a dictionary')
  let rest = body[1]!.trim()
  const values = new Map<string, string>()
  while (rest !== '') {
    const entry = /^(['"])(\w+)\1 *: *((['"])[^'"\\]*\4|True|False|\([^()]*\)) *(?:, *|$)/.exec(rest)
    if (entry === null) throw refuse(`its header is malformed at ${quoted(rest)}`)
    if (values.has(entry[2]!)) throw refuse(`its header has ${quoted(entry[2]!)} twice`)
    values.set(entry[2]!, entry[3]!)
    rest = rest.slice(entry[0].length)
  }
  const [descr, order, shape] = [values.get('descr'), values.get('fortran_order'), values.get('shape')]
  if (values.size !== 3 || descr === undefined || order === undefined || shape === undefined)
    throw refuse('its header must have exactly the keys descr, fortran_order and shape')
  if (!/^['"]/.test(descr) || !/^(True|False)$/.test(order)) throw refuse('its header has a value of the wrong kind')
  return { descr: descr.slice(1, -1), fortran: order === 'True', shape: parseShape(shape, refuse) }
}

function parseShape(text: string, refuse: (what: string) => DyadicError): number[] {
  if (!/^\( *(\d{1,15} *, *)*(\d{1,15})? *\)$/.test(text) || /^\( *\d+ *\)$/.test(text))
    throw refuse(`its shape ${quoted(text)} is not a tuple of sizes`)
  const shape = (text.match(/\d+/g) ?? []).map(Number)
  if (shape.length > MOST_AXES) throw refuse(`it has ${shape.length} axes; ${MOST_AXES} are allowed`)
  return shape
}
