import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DyadicError } from '../error.ts'
import { defaultLimits } from './limits.ts'
import { decodeUtf8, WireReader } from './wire.ts'
import { WireWriter } from './write-wire.ts'

function reader(...bytes: number[]): WireReader {
  return new WireReader(Uint8Array.from(bytes), defaultLimits)
}

function written(write: (writer: WireWriter) => void): WireReader {
  const writer = new WireWriter()
  write(writer)
  return new WireReader(writer.finish(), defaultLimits)
}

const TEN = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80]

describe('numbers', () => {
  it('reads back every varint that is written', () => {
    fc.assert(
      fc.property(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), (value) => {
        expect(written((writer) => writer.varint(value)).int64()).toBe(value)
        expect(written((writer) => writer.varint(value)).uint64()).toBe(BigInt.asUintN(64, value))
      }),
    )
    for (let bit = 0n; bit < 64n; bit++)
      for (const value of [2n ** bit - 1n, 2n ** bit, 2n ** bit + 1n]) {
        expect(written((writer) => writer.varint(value)).uint64()).toBe(BigInt.asUintN(64, value))
      }
  })

  it('reads back every 32-bit integer, and refuses wider ones', () => {
    fc.assert(
      fc.property(fc.integer(), (value) => {
        expect(written((writer) => writer.varint(BigInt(value))).int32()).toBe(value)
      }),
    )
    for (const value of [2n ** 31n, -(2n ** 31n) - 1n, 2n ** 32n - 1n, 2n ** 63n])
      expect(() => written((writer) => writer.varint(value)).int32()).toThrow('does not fit 32 bits')
  })

  it('accepts padded varints of at most ten bytes and 64 bits', () => {
    expect(reader(0x81, 0x80, 0x00).int64()).toBe(1n)
    expect(reader(...TEN, 0x01).uint64()).toBe(2n ** 63n)
    expect(() => reader(...TEN, 0x02).uint64()).toThrow('larger than 64 bits')
    expect(() => reader(...TEN, 0x80, 0x00).uint64()).toThrow('larger than 64 bits')
    expect(() => reader(...TEN.slice(2)).uint64()).toThrow('a varint goes beyond the end')
  })

  it('reads fixed numbers at any offset', () => {
    const cursor = written((writer) => {
      writer.varint(7n)
      writer.float(-1.5)
      writer.double(Math.PI)
    })
    expect([cursor.int32(), cursor.float(), cursor.double()]).toEqual([7, -1.5, Math.PI])
    expect(() => cursor.float()).toThrow('4 bytes are needed and 0 are left')
  })
})

describe('tags', () => {
  it.each([
    ['a group', [0x0b], 'wire type 3'],
    ['the end of a group', [0x0c], 'wire type 4'],
    ['wire type 6', [0x0e], 'wire type 6'],
    ['wire type 7', [0x0f], 'wire type 7'],
    ['field 0', [0x02, 0x00], 'field number 0'],
    ['a tag of 33 bits', [0x80, 0x80, 0x80, 0x80, 0x10], 'larger than 32 bits'],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => reader(...bytes).tag()).toThrow(message)
  })

  it('reads the largest field number', () => {
    const cursor = reader(0xff, 0xff, 0xff, 0xff, 0x0f, 0x7f)
    // Wire type 7 with field number 2^29 − 1: the number is right, the wire type is refused.
    expect(() => cursor.tag()).toThrow('field 536870911 has wire type 7')
  })
})

describe('bytes and text', () => {
  it('gives views, and refuses lengths beyond the message', () => {
    const cursor = reader(2, 10, 11, 3, 12)
    const view = cursor.byteView()
    expect([...view]).toEqual([10, 11])
    expect(view.buffer).toBe(cursor.bytes.buffer)
    expect(() => cursor.byteView()).toThrow('a length of 3 bytes goes beyond the end (1 bytes left)')
    expect(() => reader(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f).byteView()).toThrow('goes beyond the end')
  })

  it('reads back any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (text) => {
        const bytes = new TextEncoder().encode(text)
        expect(written((writer) => writer.byteString(bytes)).string()).toBe(
          new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes),
        )
      }),
    )
    expect(written((writer) => writer.byteString(new TextEncoder().encode('\ufeffx'))).string()).toBe('\ufeffx')
  })

  it.each([
    ['a lone continuation byte', [0x80]],
    ['an overlong encoding', [0xc0, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['beyond U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
    ['a cut character', [0x41, 0xe2, 0x82]],
  ])('refuses %s', (_, bytes) => {
    expect(decodeUtf8(Uint8Array.from(bytes))).toBeUndefined()
    expect(() => reader(bytes.length, ...bytes).string()).toThrow('not valid UTF-8')
  })
})

describe('limits', () => {
  const limits = { ...defaultLimits, fields: 3, messages: 2, depth: 1 }

  it('counts fields, messages and depth', () => {
    const cursor = new WireReader(new Uint8Array(9), limits)
    cursor.count(3)
    expect(() => cursor.count(1)).toThrow('more than 3 fields (limit "fields")')
    const outer = cursor.enter(2)
    expect(() => cursor.enter(1)).toThrow('deeper than 1 (limit "depth")')
    const flat = new WireReader(new Uint8Array(9), limits)
    for (let i = 0; i < 2; i++) flat.leave(flat.enter(1))
    expect(() => flat.enter(1)).toThrow('more than 2 messages (limit "messages")')
    expect(outer).toBe(9)
  })

  it('says so with the code "limit"', () => {
    try {
      new WireReader(new Uint8Array(1), limits).count(4)
      expect.unreachable()
    } catch (error) {
      expect((error as DyadicError).code).toBe('limit')
    }
  })
})
