/**
 * The protobuf wire format, read strictly from untrusted bytes: every length is compared with the bytes that are there,
 * every varint has at most ten bytes and is in its type's range, groups and field number 0 are refused, text is valid
 * UTF-8. Fields and messages are counted against limits, so time and memory are bounded by them. Byte strings are views.
 * Source: protobuf.dev/programming-guides/encoding.
 */
import { DyadicError } from '../error.ts'
import type { Limits } from './limits.ts'

export const WIRE_VARINT = 0
export const WIRE_FIXED64 = 1
export const WIRE_BYTES = 2
export const WIRE_FIXED32 = 5

const WIRE_TYPE_NAMES = ['varint', 'fixed64', 'length-delimited', 'group', 'end of group', 'fixed32']

/** `varint`, `fixed32` …, for messages. */
export function wireTypeName(wireType: number): string {
  return WIRE_TYPE_NAMES[wireType] ?? `wire type ${wireType}`
}

// A byte order mark is part of a name, not a signature: ignoreBOM keeps it.
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Up to this length, ASCII text is made from its codes faster than by TextDecoder. */
const SHORT_TEXT = 48
/** Room for the codes of a text, by its length: one call then makes a flat string, which takes the least memory. */
const ASCII = Array.from({ length: SHORT_TEXT + 1 }, (_, length) => new Array<number>(length).fill(0))

/** Strict UTF-8; `undefined` when the bytes are not. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return UTF8.decode(bytes)
  } catch {
    return undefined
  }
}

/**
 * A cursor over the bytes of one file. {@link enter} narrows it to a nested message and {@link leave} widens it again;
 * `location` names the message and field being read, for messages. Every method throws `refused` on malformed bytes and
 * `limit` when a count is exhausted.
 */
export class WireReader {
  readonly bytes: Uint8Array
  readonly #view: DataView
  readonly #limits: Limits
  #messages = 0
  #nodes = 0
  #textBytes = 0
  #fields = 0
  #depth = 0
  /** The next byte to read. */
  position = 0
  /** End of the message being read; never beyond the file. */
  end: number
  /** Set by {@link tag}. */
  fieldNumber = 0
  /** Set by {@link tag}. */
  wireType = 0
  /** Where in the schema the cursor is, such as `NodeProto.input`. */
  location = 'ModelProto'
  // The two halves of the last varint, unsigned.
  #low = 0
  #high = 0

  constructor(bytes: Uint8Array, limits: Limits) {
    // A Buffer's slice() is a view where a Uint8Array's is a copy: views given out must be plain.
    this.bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#limits = limits
    this.end = bytes.byteLength
  }

  refuse(problem: string, position = this.position): never {
    throw new DyadicError('refused', `malformed ONNX file at byte ${position}, in ${this.location}: ${problem}`)
  }

  /** Counts `amount` fields or elements. */
  count(amount: number): void {
    this.#fields += amount
    if (this.#fields > this.#limits.fields)
      throw new DyadicError(
        'limit',
        `the ONNX file has more than ${this.#limits.fields} fields (limit "fields"), reached at byte ${this.position} in ${this.location}`,
      )
  }

  /** Narrows the cursor to `length` bytes and returns the end to give back to {@link leave}. Nodes are counted apart. */
  enter(length: number, isNode = false): number {
    if (isNode) this.#countNode()
    else if (++this.#messages > this.#limits.messages)
      throw new DyadicError(
        'limit',
        `the ONNX file has more than ${this.#limits.messages} messages (limit "messages"), reached at byte ${this.position} in ${this.location}`,
      )
    if (++this.#depth > this.#limits.depth)
      throw new DyadicError(
        'limit',
        `messages in the ONNX file are nested deeper than ${this.#limits.depth} (limit "depth"), at byte ${this.position} in ${this.location}`,
      )
    const outer = this.end
    this.end = this.position + length
    return outer
  }

  leave(outer: number): void {
    this.#depth--
    this.end = outer
  }

  /** Reads a field's tag into `fieldNumber` and `wireType`, and counts it. */
  tag(): void {
    this.count(1)
    const start = this.position
    this.#varint()
    if (this.#high !== 0) this.refuse('a field tag is larger than 32 bits', start)
    this.fieldNumber = this.#low >>> 3
    this.wireType = this.#low & 7
    if (this.fieldNumber === 0) this.refuse('field number 0 does not exist', start)
    if (this.wireType === 3 || this.wireType === 4 || this.wireType > 5)
      this.refuse(`field ${this.fieldNumber} has wire type ${this.wireType}, which ONNX never uses`, start)
  }

  /** A varint of a 32-bit signed field; negative ones are written sign-extended to 64 bits. */
  int32(): number {
    const start = this.position
    this.#varint()
    const value = this.#low | 0
    if (this.#high !== (value < 0 ? 0xffffffff : 0)) this.refuse('an integer does not fit 32 bits', start)
    return value
  }

  int64(): bigint {
    this.#varint()
    if (this.#high === 0) return BigInt(this.#low)
    return BigInt.asIntN(64, (BigInt(this.#high) << 32n) | BigInt(this.#low))
  }

  uint64(): bigint {
    this.#varint()
    return (BigInt(this.#high) << 32n) | BigInt(this.#low)
  }

  float(): number {
    this.#need(4)
    this.position += 4
    return this.#view.getFloat32(this.position - 4, true)
  }

  double(): number {
    this.#need(8)
    this.position += 8
    return this.#view.getFloat64(this.position - 8, true)
  }

  /** A length that fits into the message being read. */
  length(): number {
    const start = this.position
    this.#varint()
    const length = this.#high * 2 ** 32 + this.#low
    const left = this.end - this.position
    if (length > left)
      this.refuse(`a length of ${length} bytes goes beyond the end (${left} bytes left); is the file truncated?`, start)
    return length
  }

  /** A length-delimited field as a view into the file. */
  byteView(): Uint8Array {
    const length = this.length()
    this.position += length
    return this.bytes.subarray(this.position - length, this.position)
  }

  string(): string {
    const length = this.length()
    const start = this.position
    this.#textBytes += length
    if (this.#textBytes > this.#limits.textBytes)
      throw new DyadicError(
        'limit',
        `the ONNX file has more than ${this.#limits.textBytes} bytes of text (limit "textBytes"), reached at byte ${start} in ${this.location}`,
      )
    this.position += length
    if (length <= SHORT_TEXT) {
      const codes = ASCII[length]
      let all = 0
      for (let i = 0; i < length; i++) all |= codes[i] = this.bytes[start + i]
      if (all < 0x80) return String.fromCharCode.apply(null, codes)
    }
    const text = decodeUtf8(this.bytes.subarray(start, this.position))
    if (text === undefined) this.refuse('text is not valid UTF-8', start)
    return text
  }

  /** Passes over the value of an unknown field. */
  skip(): void {
    if (this.wireType === WIRE_VARINT) this.#varint()
    else if (this.wireType === WIRE_BYTES) this.byteView()
    else {
      const size = this.wireType === WIRE_FIXED32 ? 4 : 8
      this.#need(size)
      this.position += size
    }
  }

  #countNode(): void {
    if (++this.#nodes > this.#limits.nodes)
      throw new DyadicError(
        'limit',
        `the ONNX file has more than ${this.#limits.nodes} nodes (limit "nodes"), reached at byte ${this.position}`,
      )
  }

  #need(size: number): void {
    const left = this.end - this.position
    if (size > left) this.refuse(`${size} bytes are needed and ${left} are left; is the file truncated?`)
  }

  #varint(): void {
    const { bytes, end } = this
    const start = this.position
    let position = start
    let low = 0
    let high = 0
    for (let shift = 0; ; shift += 7) {
      if (position >= end) this.refuse('a varint goes beyond the end; is the file truncated?', start)
      const byte = bytes[position++]
      if (shift < 28) low |= (byte & 0x7f) << shift
      else if (shift === 28) {
        low |= (byte & 0x7f) << 28
        high = (byte & 0x7f) >>> 4
      } else if (shift < 63) high |= (byte & 0x7f) << (shift - 32)
      else {
        if (byte > 1) this.refuse('a varint is larger than 64 bits', start)
        high |= byte << 31
      }
      if (byte < 0x80) break
    }
    this.position = position
    this.#low = low >>> 0
    this.#high = high >>> 0
  }
}
