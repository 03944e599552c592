import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ByteReader, ByteWriter } from './leb128.ts'

const reader = (...bytes: number[]) => new ByteReader(Uint8Array.from(bytes))

describe('LEB128', () => {
  it('round-trips 32-bit numbers in their shortest form', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.integer(), (unsigned, signed) => {
        const bytes = new ByteWriter().u32(unsigned).s32(signed).finish()
        const back = new ByteReader(bytes)
        expect([back.u32(), back.s32(), back.done]).toEqual([unsigned, signed, true])
      }),
    )
    const lengths = [63, 64, -64, -65, 8191, 8192, -8192, -8193].map(
      (value) => new ByteWriter().s32(value).finish().length,
    )
    expect(lengths).toEqual([1, 2, 1, 2, 2, 3, 2, 3])
  })

  it('accepts padding up to the last allowed byte', () => {
    expect(reader(0x85, 0x80, 0x80, 0x80, 0x00).u32()).toBe(5)
    expect(reader(0xff, 0xff, 0xff, 0xff, 0x0f).u32()).toBe(2 ** 32 - 1)
    expect(reader(0xff, 0xff, 0xff, 0xff, 0x7f).s32()).toBe(-1)
    expect(reader(0x80, 0x80, 0x80, 0x80, 0x78).s32()).toBe(-(2 ** 31))
    expect(reader(0xff, 0xff, 0xff, 0xff, 0x07).s32()).toBe(2 ** 31 - 1)
    expect(reader(0xff, 0xff, 0xff, 0xff, 0x0f).s33()).toBe(2 ** 32 - 1)
    expect(reader(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f).s64()).toBe(-(2n ** 63n))
  })

  it('refuses wrong unused bits, a sixth byte and a cut number', () => {
    expect(() => reader(0x80, 0x80, 0x80, 0x80, 0x10).u32()).toThrow('an unsigned number beyond 32 bits at byte 0')
    expect(() => reader(0x80, 0x80, 0x80, 0x80, 0x80, 0x00).u32()).toThrow('beyond 32 bits')
    for (const last of [0x08, 0x0f, 0x70, 0x77, 0x80])
      expect(() => reader(0x80, 0x80, 0x80, 0x80, last, 0).s32()).toThrow('a signed number beyond 32 bits')
    expect(() => reader(0x80, 0x80, 0x80, 0x80, 0x10).s33()).toThrow('beyond 33 bits')
    expect(() => reader(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01).s64()).toThrow('beyond 64 bits')
    expect(() => reader(0x80).u32()).toThrow('unexpected end at byte 1')
  })

  it('refuses names that are not UTF-8 or longer than the file', () => {
    expect(reader(2, 0xc3, 0xa9).name()).toBe('é')
    expect(() => reader(2, 0xc3, 0x28).name()).toThrow('not UTF-8')
    expect(() => reader(5, 0x61).name()).toThrow('5 bytes announced, 1 left')
  })
})
