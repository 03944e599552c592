/**
 * Bytes in and out: a bounded reader and a growing writer with the number encodings of WebAssembly (specification 3.0,
 * section 5.2). Numbers may be padded as the specification allows (⌈bits / 7⌉ bytes at most), but the unused bits of the
 * last byte must repeat the sign (or be zero for unsigned numbers). The reader throws `refused` with the file offset.
 */
import { DyadicError } from '../../error.ts'

/** Reads forward through `bytes[position, end)`; never beyond. */
export class ByteReader {
  readonly bytes: Uint8Array
  readonly end: number
  position: number

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = bytes
    this.position = start
    this.end = end
  }

  get done(): boolean {
    return this.position >= this.end
  }

  /** Throws `refused`: what was found at which byte of the file. */
  fail(found: string, at = this.position): never {
    throw new DyadicError('refused', `not an acceptable WebAssembly module: ${found} at byte ${at}`)
  }

  byte(): number {
    if (this.position >= this.end) this.fail('unexpected end')
    return this.bytes[this.position++]
  }

  /** The next byte without consuming it. */
  peek(): number {
    if (this.position >= this.end) this.fail('unexpected end')
    return this.bytes[this.position]
  }

  /** A view of the next `count` bytes. */
  take(count: number): Uint8Array {
    if (count > this.end - this.position) this.fail(`${count} bytes announced, ${this.end - this.position} left,`)
    this.position += count
    return this.bytes.subarray(this.position - count, this.position)
  }

  /** Unsigned LEB128, 0 … 2^32 − 1. */
  u32(): number {
    const start = this.position
    let value = 0
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.byte()
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    const last = this.byte()
    if (last > 0x0f) this.fail('an unsigned number beyond 32 bits', start)
    return (value | (last << 28)) >>> 0
  }

  /** Signed LEB128, −2^31 … 2^31 − 1. */
  s32(): number {
    return Number(this.signed(32))
  }

  /** Signed LEB128 of 33 bits: the encoding of block types. */
  s33(): number {
    return Number(this.signed(33))
  }

  /** Signed LEB128, −2^63 … 2^63 − 1. */
  s64(): bigint {
    return this.signed(64)
  }

  /** The next four bytes, little-endian, unsigned. */
  fixed32(): number {
    const [a, b, c, d] = this.take(4)
    return (a | (b << 8) | (c << 16) | (d << 24)) >>> 0
  }

  /** The next eight bytes, little-endian, unsigned. */
  fixed64(): bigint {
    const low = this.fixed32()
    return (BigInt(this.fixed32()) << 32n) | BigInt(low)
  }

  /** A length and that many bytes of well-formed UTF-8. */
  name(): string {
    const start = this.position
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(this.take(this.u32()))
    } catch (cause) {
      if (cause instanceof DyadicError) throw cause
      return this.fail('a name that is not UTF-8', start)
    }
  }

  private signed(bits: number): bigint {
    const start = this.position
    let value = 0n
    for (let shift = 0; shift < bits; shift += 7) {
      const byte = this.byte()
      value |= BigInt(byte & 0x7f) << BigInt(shift)
      if (byte < 0x80) {
        const signed = BigInt.asIntN(shift + 7, value)
        if (BigInt.asIntN(bits, signed) !== signed) this.fail(`a signed number beyond ${bits} bits`, start)
        return signed
      }
    }
    return this.fail(`a signed number beyond ${bits} bits`, start)
  }
}

/** Collects bytes; numbers are written in their shortest form. */
export class ByteWriter {
  private buffer = new Uint8Array(256)
  private length = 0

  byte(value: number): this {
    this.reserve(1)
    this.buffer[this.length++] = value
    return this
  }

  raw(bytes: Uint8Array): this {
    this.reserve(bytes.length)
    this.buffer.set(bytes, this.length)
    this.length += bytes.length
    return this
  }

  /** Unsigned LEB128 of 0 … 2^32 − 1. */
  u32(value: number): this {
    while (value >= 0x80) {
      this.byte((value % 0x80) | 0x80)
      value = Math.floor(value / 0x80)
    }
    return this.byte(value)
  }

  /** Signed LEB128 of −2^31 … 2^31 − 1. */
  s32(value: number): this {
    while (value < -0x40 || value >= 0x40) {
      this.byte((value & 0x7f) | 0x80)
      value >>= 7
    }
    return this.byte(value & 0x7f)
  }

  /** A length and the UTF-8 bytes of `text`. */
  name(text: string): this {
    const bytes = new TextEncoder().encode(text)
    return this.u32(bytes.length).raw(bytes)
  }

  /** A copy of everything written. */
  finish(): Uint8Array {
    return this.buffer.slice(0, this.length)
  }

  private reserve(count: number): void {
    const needed = this.length + count
    if (needed <= this.buffer.length) return
    const grown = new Uint8Array(Math.max(needed, this.buffer.length * 2))
    grown.set(this.buffer.subarray(0, this.length))
    this.buffer = grown
  }
}
