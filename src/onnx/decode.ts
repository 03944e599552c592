/**
 * Bytes to ONNX messages, driven by the schema. Protobuf's rules hold where they are harmless: fields in any order,
 * the last of repeated singular scalars wins, packed and unpacked lists mix, unknown fields are passed over (and
 * counted). They do not hold where they hide damage: a singular message given twice is refused instead of merged (this
 * is what two concatenated files look like), and so is a known field in a foreign encoding.
 */
import type { Limits } from './limits.ts'
import { type FieldSchema, type Message, type MessageName, SCHEMA, type ScalarKind } from './schema.ts'
import { WIRE_BYTES, WIRE_FIXED32, WIRE_FIXED64, WIRE_VARINT, WireReader, wireTypeName } from './wire.ts'

/**
 * Decodes a whole file; byte fields are views into it. Throws `refused` on malformed bytes, with the byte offset, and
 * `limit` beyond `limits`.
 */
export function decodeModel(bytes: Uint8Array, limits: Limits): Message<'ModelProto'> {
  const reader = new WireReader(bytes, limits)
  reader.enter(bytes.byteLength)
  return decodeMessage(reader, LAYOUTS.get('ModelProto') as Layout) as unknown as Message<'ModelProto'>
}

type NumericKind = Exclude<ScalarKind, 'string' | 'bytes'>

interface FieldLayout {
  readonly name: string
  readonly location: string
  readonly wireType: number
  readonly repeated: boolean
  /** Set for scalars. */
  readonly scalar: ScalarKind | undefined
  /** Set for messages. */
  readonly message: string
}

interface Layout {
  readonly message: string
  /** By field number. */
  readonly fields: readonly (FieldLayout | undefined)[]
  /** A message without any field, copied for every one that has some. */
  readonly empty: Readonly<Record<string, unknown>>
}

const SCALARS: Readonly<Record<ScalarKind, { wireType: number; emptyList: unknown }>> = {
  int32: { wireType: WIRE_VARINT, emptyList: new Int32Array(0) },
  int64: { wireType: WIRE_VARINT, emptyList: new BigInt64Array(0) },
  uint64: { wireType: WIRE_VARINT, emptyList: new BigUint64Array(0) },
  float: { wireType: WIRE_FIXED32, emptyList: new Float32Array(0) },
  double: { wireType: WIRE_FIXED64, emptyList: new Float64Array(0) },
  string: { wireType: WIRE_BYTES, emptyList: Object.freeze([]) },
  bytes: { wireType: WIRE_BYTES, emptyList: Object.freeze([]) },
}

const EMPTY_LIST = Object.freeze([])

const LAYOUTS: ReadonlyMap<string, Layout> = new Map(
  Object.entries(SCHEMA).map(([message, schema]): [string, Layout] => {
    const fields: (FieldLayout | undefined)[] = []
    const empty: Record<string, unknown> = {}
    for (const [number, field] of Object.entries(schema) as [string, FieldSchema][]) {
      const scalar = Object.hasOwn(SCALARS, field.kind) ? (field.kind as ScalarKind) : undefined
      const repeated = field.repeated === true
      fields[Number(number)] = {
        name: field.name,
        location: `${message}.${field.name}`,
        wireType: scalar === undefined ? WIRE_BYTES : SCALARS[scalar].wireType,
        repeated,
        scalar,
        message: field.kind,
      }
      empty[field.name] = repeated ? (scalar === undefined ? EMPTY_LIST : SCALARS[scalar].emptyList) : undefined
    }
    return [message, { message, fields, empty: Object.freeze(empty) }]
  }),
)

/** The wire type that a field of a message must have, or `undefined` for a field that the schema does not list. */
export function expectedWireType(message: MessageName, fieldNumber: number): number | undefined {
  return LAYOUTS.get(message)?.fields[fieldNumber]?.wireType
}

function decodeMessage(reader: WireReader, layout: Layout): Record<string, unknown> {
  const message: Record<string, unknown> = { ...layout.empty }
  let lists: Map<string, NumberList> | undefined
  while (reader.position < reader.end) {
    reader.location = layout.message
    const start = reader.position
    reader.tag()
    const field = layout.fields[reader.fieldNumber]
    if (field === undefined) {
      reader.skip()
      continue
    }
    reader.location = field.location
    const { name, scalar } = field
    const packed =
      field.repeated && reader.wireType === WIRE_BYTES && field.wireType !== WIRE_BYTES && scalar !== undefined
    if (reader.wireType !== field.wireType && !packed)
      reader.refuse(
        `the field is encoded as ${wireTypeName(reader.wireType)}, not ${wireTypeName(field.wireType)}`,
        start,
      )
    if (scalar === undefined) {
      if (!field.repeated && message[name] !== undefined)
        reader.refuse('the field is given twice; are several files concatenated?', start)
      const length = reader.length()
      const inner = LAYOUTS.get(field.message) as Layout
      const outer = reader.enter(length, field.message === 'NodeProto')
      // Empty messages share one object: a file of two bytes for each must not become a hundred times as large.
      const value = length === 0 ? inner.empty : decodeMessage(reader, inner)
      reader.leave(outer)
      if (field.repeated) append(message, name, value)
      else message[name] = value
    } else if (!field.repeated) message[name] = readScalar(reader, scalar)
    else if (scalar === 'string' || scalar === 'bytes') append(message, name, readScalar(reader, scalar))
    else {
      lists ??= new Map()
      let list = lists.get(name)
      if (list === undefined) {
        list = new NumberList(scalar)
        lists.set(name, list)
      }
      if (packed) list.readPacked(reader)
      else list.read(reader)
    }
  }
  if (lists !== undefined) for (const [name, list] of lists) message[name] = list.finish()
  return message
}

function append(message: Record<string, unknown>, name: string, value: unknown): void {
  const list = message[name] as unknown[]
  if (list.length === 0) message[name] = [value]
  else list.push(value)
}

function readScalar(reader: WireReader, kind: ScalarKind): unknown {
  switch (kind) {
    case 'int32':
      return reader.int32()
    case 'int64':
      return reader.int64()
    case 'uint64':
      return reader.uint64()
    case 'float':
      return reader.float()
    case 'double':
      return reader.double()
    case 'string':
      return reader.string()
    case 'bytes':
      return reader.byteView()
  }
}

type NumberArray = Int32Array | BigInt64Array | BigUint64Array | Float32Array | Float64Array

const ARRAYS = {
  int32: Int32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  float: Float32Array,
  double: Float64Array,
} as const

/** A repeated number field while it is read: a typed array that grows by doubling. */
class NumberList {
  readonly #kind: NumericKind
  #array: NumberArray
  #length = 0

  constructor(kind: NumericKind) {
    this.#kind = kind
    this.#array = new ARRAYS[kind](4)
  }

  read(reader: WireReader): void {
    this.#reserve(1)
    this.#array[this.#length++] = readScalar(reader, this.#kind) as never
  }

  readPacked(reader: WireReader): void {
    const length = reader.length()
    const end = reader.position + length
    if (this.#kind === 'float' || this.#kind === 'double') {
      const size = this.#array.BYTES_PER_ELEMENT
      if (length % size !== 0) reader.refuse(`${length} packed bytes are no multiple of ${size}`)
      const count = length / size
      reader.count(count)
      this.#reserve(count)
      new Uint8Array(this.#array.buffer).set(reader.bytes.subarray(reader.position, end), this.#length * size)
      this.#length += count
      reader.position = end
      return
    }
    let count = 0
    for (let i = reader.position; i < end; i++) if (reader.bytes[i] < 0x80) count++
    reader.count(count)
    this.#reserve(count)
    const outer = reader.end
    reader.end = end
    while (reader.position < end) this.#array[this.#length++] = readScalar(reader, this.#kind) as never
    reader.end = outer
  }

  finish(): NumberArray {
    return this.#length === this.#array.length ? this.#array : this.#array.slice(0, this.#length)
  }

  #reserve(count: number): void {
    const needed = this.#length + count
    if (needed <= this.#array.length) return
    const larger = new ARRAYS[this.#kind](Math.max(needed, 2 * this.#length))
    larger.set(this.#array.subarray(0, this.#length) as never)
    this.#array = larger
  }
}
