/**
 * Bytes of a WebAssembly module → its sections as records (specification 3.0, section 5.5). Strict: every section at most
 * once and in order, every length met exactly, indices that this project follows in range; anything unknown is refused.
 * Work and memory are linear in the file. Instructions stay bytes (see instructions.ts); elements of tables are counted,
 * not decoded, because nothing here accepts a module that has them.
 */
import { quoted } from '../../error.ts'
import { type Instruction, readInstruction, type ValueType, valueType } from './instructions.ts'
import { ByteReader } from './leb128.ts'

export interface FunctionType {
  readonly parameters: readonly ValueType[]
  readonly results: readonly ValueType[]
}

/** Pages of a memory or elements of a table. */
export interface Limits {
  readonly minimum: number
  readonly maximum: number | undefined
}

export type ExternalKind = 'function' | 'table' | 'memory' | 'global'

export interface Import {
  readonly module: string
  readonly name: string
  readonly kind: ExternalKind
  /** Of an imported memory or table. */
  readonly limits: Limits | undefined
}

export interface Global {
  readonly type: ValueType
  readonly mutable: boolean
  /** The one instruction of its initial value. */
  readonly initial: Instruction
}

export interface Export {
  readonly name: string
  readonly kind: ExternalKind
  readonly index: number
}

export interface FunctionBody {
  /** Type index. */
  readonly type: number
  /** First byte of the local declarations. */
  readonly start: number
  /** First byte of the instructions. */
  readonly expression: number
  readonly end: number
  readonly locals: readonly { readonly count: number; readonly type: ValueType }[]
}

export interface DecodedSegment {
  /** Address in memory, or undefined for a passive segment or one whose address is no constant. */
  readonly offset: number | undefined
  readonly bytes: Uint8Array
}

export interface Section {
  readonly id: number
  /** Kind of the section; a custom section's own name. */
  readonly name: string
  /** First byte of the header, first byte of the content (behind a custom section's name), byte after the last. */
  readonly start: number
  readonly content: number
  readonly end: number
}

export interface DecodedModule {
  readonly bytes: Uint8Array
  readonly sections: readonly Section[]
  readonly types: readonly FunctionType[]
  readonly imports: readonly Import[]
  readonly tables: readonly Limits[]
  readonly memories: readonly Limits[]
  readonly globals: readonly Global[]
  readonly exports: readonly Export[]
  readonly start: number | undefined
  readonly elementSegments: number
  /** Functions the module defines; function index = number of imported functions + position. */
  readonly bodies: readonly FunctionBody[]
  readonly data: readonly DecodedSegment[]
}

/** Kinds of sections by id, and their order in a file. */
const SECTIONS: readonly string[] =
  'custom type import function table memory global export start element code data data-count'.split(' ')
const ORDER: readonly number[] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11]
const KINDS: readonly ExternalKind[] = ['function', 'table', 'memory', 'global']
/** "\0asm" and version 1. */
export const HEADER: readonly number[] = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]
const MAXIMUM_PAGES = 65536

function vector<Item>(reader: ByteReader, read: (reader: ByteReader) => Item): Item[] {
  const items: Item[] = []
  for (let count = reader.u32(); count > 0; count--) items.push(read(reader))
  return items
}

function readValueType(reader: ByteReader): ValueType {
  const byte = reader.byte()
  return valueType(byte) ?? reader.fail(`value type 0x${byte.toString(16)}`, reader.position - 1)
}

function readType(reader: ByteReader): FunctionType {
  if (reader.byte() !== 0x60) reader.fail('a type that is not a function type', reader.position - 1)
  return { parameters: vector(reader, readValueType), results: vector(reader, readValueType) }
}

function readLimits(reader: ByteReader): Limits {
  const flags = reader.byte()
  if (flags > 1) reader.fail(`limits of kind ${flags} (shared or 64-bit)`, reader.position - 1)
  return { minimum: reader.u32(), maximum: flags === 1 ? reader.u32() : undefined }
}

function readMemory(reader: ByteReader): Limits {
  const start = reader.position
  const limits = readLimits(reader)
  const { minimum, maximum = MAXIMUM_PAGES } = limits
  if (minimum > maximum || maximum > MAXIMUM_PAGES) reader.fail(`a memory of ${minimum} to ${maximum} pages`, start)
  return limits
}

function readTable(reader: ByteReader): Limits {
  const type = reader.byte()
  if (type !== 0x70 && type !== 0x6f) reader.fail(`element type 0x${type.toString(16)}`, reader.position - 1)
  return readLimits(reader)
}

function readGlobalType(reader: ByteReader): { type: ValueType; mutable: boolean } {
  const type = readValueType(reader)
  const mutable = reader.byte()
  if (mutable > 1) reader.fail(`mutability ${mutable}`, reader.position - 1)
  return { type, mutable: mutable === 1 }
}

function readKind(reader: ByteReader): ExternalKind {
  const byte = reader.byte()
  return KINDS[byte] ?? reader.fail(`external kind ${byte}`, reader.position - 1)
}

/** One constant instruction and its `end`. */
function readConstant(reader: ByteReader): Instruction {
  const instruction = readInstruction(reader)
  if (!/\.const$|^global\.get$/.test(instruction.opcode.name))
    reader.fail(`${instruction.opcode.name} in a constant expression`, instruction.start)
  if (reader.byte() !== 0x0b) reader.fail('a constant expression of several instructions', reader.position - 1)
  return instruction
}

function readSegment(reader: ByteReader): DecodedSegment {
  const kind = reader.u32()
  if (kind > 2) reader.fail(`data segment of kind ${kind}`, reader.position - 1)
  if (kind === 2 && reader.u32() !== 0) reader.fail('data for a second memory', reader.position - 1)
  const address = kind === 1 ? undefined : readConstant(reader)
  const offset = address?.opcode.name === 'i32.const' ? (address.operands[0] as number) >>> 0 : undefined
  return { offset, bytes: reader.take(reader.u32()) }
}

function readBody(reader: ByteReader, type: number): FunctionBody {
  const size = reader.u32()
  const start = reader.position
  reader.take(size)
  const inner = new ByteReader(reader.bytes, start, reader.position)
  const locals = vector(inner, () => ({ count: inner.u32(), type: readValueType(inner) }))
  // The specification's bound on the number of locals of one function.
  if (locals.reduce((sum, { count }) => sum + count, 0) >= 2 ** 32) inner.fail('2^32 locals', start)
  return { type, start, expression: inner.position, end: inner.end, locals }
}

/** Reads section headers, checks their order and calls `content` for each with a reader bounded to it. */
function readSections(bytes: Uint8Array, content: (section: Section, reader: ByteReader) => void): Section[] {
  const file = new ByteReader(bytes)
  for (const [index, byte] of HEADER.entries())
    if (file.done || file.byte() !== byte) file.fail('not the WebAssembly header', index)
  const sections: Section[] = []
  let last = -1
  while (!file.done) {
    const start = file.position
    const id = file.byte()
    const kind = SECTIONS[id] ?? file.fail(`section id ${id}`, start)
    if (id !== 0) {
      const place = ORDER.indexOf(id)
      if (place <= last) file.fail(`a ${kind} section out of order or twice`, start)
      last = place
    }
    const size = file.u32()
    const begin = file.position
    file.take(size)
    const reader = new ByteReader(bytes, begin, file.position)
    const name = id === 0 ? reader.name() : kind
    const section: Section = { id, name, start, content: reader.position, end: file.position }
    if (id !== 0) {
      content(section, reader)
      if (!reader.done) reader.fail(`bytes after the end of the ${kind} section`)
    }
    sections.push(section)
  }
  return sections
}

/** Decodes a module. Throws `refused` with the byte offset when it is malformed or uses what dyadic does not know. */
export function decodeModule(bytes: Uint8Array): DecodedModule {
  let types: FunctionType[] = []
  let imports: Import[] = []
  let declared: number[] = []
  let tables: Limits[] = []
  let memories: Limits[] = []
  let globals: Global[] = []
  let exports: Export[] = []
  let start: number | undefined
  let elementSegments = 0
  let bodies: FunctionBody[] = []
  let data: DecodedSegment[] = []
  let dataCount: number | undefined
  const imported = (kind: ExternalKind) => imports.filter((item) => item.kind === kind).length
  const readTypeIndex = (reader: ByteReader) => {
    const index = reader.u32()
    return index < types.length ? index : reader.fail(`type index ${index} of ${types.length}`)
  }
  const readImport = (reader: ByteReader): Import => {
    const module = reader.name()
    const name = reader.name()
    const kind = readKind(reader)
    let limits: Limits | undefined
    if (kind === 'function') readTypeIndex(reader)
    else if (kind === 'global') readGlobalType(reader)
    else limits = kind === 'memory' ? readMemory(reader) : readTable(reader)
    return { module, name, kind, limits }
  }
  const sizes = (): Record<ExternalKind, number> => ({
    function: imported('function') + declared.length,
    table: imported('table') + tables.length,
    memory: imported('memory') + memories.length,
    global: imported('global') + globals.length,
  })

  const sections = readSections(bytes, ({ name, end }, reader) => {
    if (name === 'type') types = vector(reader, readType)
    else if (name === 'import') imports = vector(reader, readImport)
    else if (name === 'function') declared = vector(reader, readTypeIndex)
    else if (name === 'table') tables = vector(reader, readTable)
    else if (name === 'memory') memories = vector(reader, readMemory)
    else if (name === 'global')
      globals = vector(reader, () => ({ ...readGlobalType(reader), initial: readConstant(reader) }))
    else if (name === 'export') {
      const available = sizes()
      const names = new Set<string>()
      exports = vector(reader, () => {
        const item = { name: reader.name(), kind: readKind(reader), index: reader.u32() }
        if (names.has(item.name)) reader.fail(`a second export ${quoted(item.name)}`)
        if (item.index >= available[item.kind]) reader.fail(`export ${quoted(item.name)} of a missing ${item.kind}`)
        names.add(item.name)
        return item
      })
    } else if (name === 'start') {
      start = reader.u32()
      if (start >= sizes().function) reader.fail(`start function ${start} of ${sizes().function}`)
    } else if (name === 'element') {
      elementSegments = reader.u32()
      reader.take(end - reader.position)
    } else if (name === 'data-count') dataCount = reader.u32()
    else if (name === 'code') {
      let position = 0
      const count = new ByteReader(bytes, reader.position, end).u32()
      if (count !== declared.length) reader.fail(`${count} bodies for ${declared.length} functions`)
      bodies = vector(reader, () => readBody(reader, declared[position++]))
    } else data = vector(reader, readSegment)
  })

  const file = new ByteReader(bytes, bytes.length)
  if (bodies.length !== declared.length) file.fail(`${bodies.length} bodies for ${declared.length} functions`)
  if (dataCount !== undefined && dataCount !== data.length)
    file.fail(`${data.length} data segments where ${dataCount} were announced`)
  return { bytes, sections, types, imports, tables, memories, globals, exports, start, elementSegments, bodies, data }
}
