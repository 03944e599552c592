/**
 * ONNX messages to bytes, driven by the schema that the decoder uses. Fields are written in the order of their numbers,
 * numbers packed as proto3 packs them, so equal messages give equal bytes. Nothing is validated: what is written is
 * what was given, which is also how the tests make damaged files.
 */
import { type FieldSchema, type MessageInput, type MessageName, SCHEMA, type ScalarKind } from './schema.ts'
import { WIRE_BYTES, WIRE_FIXED32, WIRE_FIXED64, WIRE_VARINT } from './wire.ts'

const UTF8 = new TextEncoder()

/** A whole ONNX file. */
export function encodeModel(model: MessageInput<'ModelProto'>): Uint8Array {
  return encodeMessage('ModelProto', model)
}

/** One message, without a tag or length around it. */
export function encodeMessage<M extends MessageName>(name: M, message: MessageInput<M>): Uint8Array {
  const writer = new WireWriter()
  writeMessage(writer, name, message as Readonly<Record<string, unknown>>)
  return writer.finish()
}

function writeMessage(writer: WireWriter, name: MessageName, message: Readonly<Record<string, unknown>>): void {
  for (const [number, field] of Object.entries(SCHEMA[name]) as [string, FieldSchema][]) {
    const value = message[field.name]
    if (value === undefined) continue
    if (field.repeated) writeRepeated(writer, Number(number), field.kind, value as Iterable<unknown>)
    else writeField(writer, Number(number), field.kind, value)
  }
}

function writeRepeated(writer: WireWriter, number: number, kind: string, values: Iterable<unknown>): void {
  if (isMessage(kind) || kind === 'string' || kind === 'bytes') {
    for (const value of values) writeField(writer, number, kind, value)
    return
  }
  const packed = new WireWriter()
  for (const value of values) writeScalar(packed, kind as ScalarKind, value)
  const bytes = packed.finish()
  if (bytes.length > 0) writeField(writer, number, 'bytes', bytes)
}

function writeField(writer: WireWriter, number: number, kind: string, value: unknown): void {
  if (isMessage(kind)) {
    writer.tag(number, WIRE_BYTES)
    writer.byteString(encodeMessage(kind, value as MessageInput<MessageName>))
  } else {
    writer.tag(number, WIRE_TYPES[kind as ScalarKind])
    writeScalar(writer, kind as ScalarKind, value)
  }
}

function isMessage(kind: string): kind is MessageName {
  return Object.hasOwn(SCHEMA, kind)
}

const WIRE_TYPES: Readonly<Record<ScalarKind, number>> = {
  int32: WIRE_VARINT,
  int64: WIRE_VARINT,
  uint64: WIRE_VARINT,
  float: WIRE_FIXED32,
  double: WIRE_FIXED64,
  string: WIRE_BYTES,
  bytes: WIRE_BYTES,
}

function writeScalar(writer: WireWriter, kind: ScalarKind, value: unknown): void {
  if (kind === 'float') writer.float(value as number)
  else if (kind === 'double') writer.double(value as number)
  else if (kind === 'string') writer.byteString(UTF8.encode(value as string))
  else if (kind === 'bytes') writer.byteString(value as Uint8Array)
  else writer.varint(BigInt(value as number | bigint))
}

/** A growing byte buffer with protobuf's scalar encodings. */
export class WireWriter {
  #bytes = new Uint8Array(256)
  #length = 0

  tag(fieldNumber: number, wireType: number): void {
    this.varint((BigInt(fieldNumber) << 3n) | BigInt(wireType))
  }

  /** Negative integers are sign-extended to 64 bits. */
  varint(value: bigint): void {
    this.#reserve(10)
    let rest = BigInt.asUintN(64, value)
    while (rest >= 0x80n) {
      this.#bytes[this.#length++] = Number(rest & 0x7fn) | 0x80
      rest >>= 7n
    }
    this.#bytes[this.#length++] = Number(rest)
  }

  float(value: number): void {
    this.#reserve(4)
    new DataView(this.#bytes.buffer).setFloat32(this.#length, value, true)
    this.#length += 4
  }

  double(value: number): void {
    this.#reserve(8)
    new DataView(this.#bytes.buffer).setFloat64(this.#length, value, true)
    this.#length += 8
  }

  /** A length and the bytes. */
  byteString(bytes: Uint8Array): void {
    this.varint(BigInt(bytes.length))
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(this.#length + count, 2 * this.#bytes.length))
    larger.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = larger
  }
}
