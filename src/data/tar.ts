/**
 * A strict reader of tar archives held in memory: POSIX ustar, GNU (long names, base-256 sizes) and pax headers. It gives
 * the regular files as views by name; directories are passed over; links, devices and sparse files are refused. Names
 * are only Map keys, never paths, so `..` in them means nothing. Every header's checksum is verified, every size is
 * checked against the bytes, two zero blocks (or one at the very end) must close the archive and only zeros may follow.
 */
import { DyadicError, quoted } from '../error.ts'

const BLOCK = 512
/** Bytes of a GNU long name or pax header: far beyond any real path, far below memory. */
const LONGEST_EXTENSION = 1 << 20
/** Entries that describe the next one: GNU long name, pax header, pax global header. */
const EXTENSIONS = new Set(['L', 'x', 'g'])

/**
 * The regular files of an archive, in archive order, as views into `bytes`; a leading `./` of a name is dropped. Throws
 * `refused` naming `where` for anything that is not exactly such an archive, and for two files of one name.
 */
export function readTar(bytes: Uint8Array, where: string): Map<string, Uint8Array> {
  const refuse = (at: number, what: string) =>
    new DyadicError('refused', `tar archive ${quoted(where)}: ${what} (at byte ${at}); make the archive again`)
  const files = new Map<string, Uint8Array>()
  let longName: string | undefined
  let pax: ReadonlyMap<string, string> = new Map()
  for (let at = 0; ; ) {
    if (at + BLOCK > bytes.length) throw refuse(at, 'it is cut off: the closing block of zeros is missing')
    const header = bytes.subarray(at, at + BLOCK)
    if (isZero(header)) {
      if (longName !== undefined || pax.size > 0) throw refuse(at, 'an extended header belongs to no file')
      if (!isZero(bytes.subarray(at))) throw refuse(at, 'there are bytes after its end')
      return files
    }
    checkHeader(header, (what) => refuse(at, what))
    const type = String.fromCharCode(header[156]!)
    const paxSize = pax.get('size')
    const size = paxSize === undefined ? number(header, 124, 12) : decimal(paxSize)
    if (size === undefined) throw refuse(at, 'a size is not a number')
    const start = at + BLOCK
    const end = start + size
    if (end > bytes.length)
      throw refuse(at, `an entry of ${size} bytes reaches past the ${bytes.length} bytes of the file`)
    const content = bytes.subarray(start, end)
    const name = () => decodeName(header, longName, pax, () => refuse(at, 'a name is not UTF-8'))
    if (EXTENSIONS.has(type)) {
      if (size > LONGEST_EXTENSION) throw refuse(at, `an extended header of ${size} bytes`)
      if (pax.size > 0 || (longName !== undefined && type === 'L'))
        throw refuse(at, 'an extended header belongs to no file')
      if (type === 'L') longName = utf8(untilZero(content), () => refuse(at, 'a name is not UTF-8'))
      else {
        const records = readPax(content, () => refuse(at, 'a pax header is malformed'))
        if (type === 'x') pax = records
        else if (records.has('path') || records.has('size')) throw refuse(at, 'a global header sets a path or a size')
      }
    } else if (type === '0' || type === '\0' || type === '5') {
      const stored = name()
      const key = stored.replace(/^(\.\/)+/, '')
      if ([...pax.keys()].some((record) => record.startsWith('GNU.sparse')))
        throw refuse(at, `${quoted(stored)} is a sparse file, which is not read`)
      longName = undefined
      pax = new Map()
      if (type === '5' || key.endsWith('/')) {
        if (size !== 0) throw refuse(at, `the folder ${quoted(stored)} has content`)
      } else {
        if (key === '' || key.includes('\0')) throw refuse(at, `${quoted(stored)} is not a file name`)
        if (files.has(key)) throw refuse(at, `it holds ${quoted(key)} twice`)
        files.set(key, content)
      }
    } else
      throw refuse(
        at,
        `${quoted(name())} is not a regular file (entry type ${quoted(type)}); links and devices are refused`,
      )
    at = start + Math.ceil(size / BLOCK) * BLOCK
  }
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0)
}

function checkHeader(header: Uint8Array, refuse: (what: string) => DyadicError): void {
  const magic = String.fromCharCode(...header.subarray(257, 265))
  if (magic !== 'ustar\x0000' && magic !== 'ustar  \0') throw refuse('this is not a ustar, GNU or pax header')
  let sum = 8 * 0x20
  for (let i = 0; i < BLOCK; i++) if (i < 148 || i >= 156) sum += header[i]!
  if (number(header, 148, 8) !== sum) throw refuse(`a header's checksum is wrong, the sum of its bytes is ${sum}`)
}

/** A number field: octal digits ended by space or NUL, or base 256 when the top bit is set. */
function number(header: Uint8Array, at: number, length: number): number | undefined {
  const field = header.subarray(at, at + length)
  if (field[0]! >= 0x80) {
    let value = field[0]! & 0x7f
    for (const byte of field.subarray(1)) value = value * 256 + byte
    return Number.isSafeInteger(value) ? value : undefined
  }
  const match = /^ *([0-7]+)[ \0]*$/.exec(String.fromCharCode(...field))
  return match === null ? undefined : Number.parseInt(match[1]!, 8)
}

function decimal(text: string): number | undefined {
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

/** A pax path, else a GNU long name, else the header's; ustar keeps the front of a long path in the prefix field. */
function decodeName(
  header: Uint8Array,
  longName: string | undefined,
  pax: ReadonlyMap<string, string>,
  refuse: () => DyadicError,
): string {
  const extended = pax.get('path') ?? longName
  if (extended !== undefined) return extended
  const name = utf8(untilZero(header.subarray(0, 100)), refuse)
  const prefix = header[262] === 0 ? utf8(untilZero(header.subarray(345, 500)), refuse) : ''
  return prefix === '' ? name : `${prefix}/${name}`
}

function untilZero(bytes: Uint8Array): Uint8Array {
  const end = bytes.indexOf(0)
  return end < 0 ? bytes : bytes.subarray(0, end)
}

function utf8(bytes: Uint8Array, refuse: () => DyadicError): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw refuse()
  }
}

/** Records `<length> <key>=<value>\n`, where the length counts the bytes of the whole record. */
function readPax(bytes: Uint8Array, refuse: () => DyadicError): Map<string, string> {
  const records = new Map<string, string>()
  for (let at = 0; at < bytes.length; ) {
    const match = /^(\d{1,7}) /.exec(String.fromCharCode(...bytes.subarray(at, at + 8)))
    const end = at + Number(match?.[1] ?? 0)
    if (match === null || end > bytes.length || bytes[end - 1] !== 0x0a) throw refuse()
    const record = utf8(bytes.subarray(at + match[0].length, end - 1), refuse)
    const equals = record.indexOf('=')
    if (equals < 1) throw refuse()
    records.set(record.slice(0, equals), record.slice(equals + 1))
    at = end
  }
  return records
}
