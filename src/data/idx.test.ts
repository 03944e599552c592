import { describe, expect, it } from 'vitest'
import { DyadicError } from '../error.ts'
import { readIdx } from './idx.ts'

const idx = (code: number, shape: number[], elements: number[]) =>
  Uint8Array.from([
    0,
    0,
    code,
    shape.length,
    ...shape.flatMap((size) => [size >>> 24, size >>> 16, size >>> 8, size]),
    ...elements,
  ])

describe('readIdx', () => {
  it('reads integer arrays, big-endian', () => {
    expect(readIdx(idx(8, [2, 1, 2], [1, 2, 3, 255]), 'x')).toEqual({
      shape: [2, 1, 2],
      data: Uint8Array.of(1, 2, 3, 255),
    })
    expect(readIdx(idx(9, [1], [255]), 'x').data).toEqual(Int8Array.of(-1))
    expect(readIdx(idx(0x0b, [2], [1, 2, 255, 254]), 'x').data).toEqual(Int16Array.of(258, -2))
    expect(readIdx(idx(0x0c, [1], [0, 1, 0, 0]), 'x').data).toEqual(Int32Array.of(65536))
  })

  it.each<[string, Uint8Array, RegExp]>([
    ['an empty file', new Uint8Array(), /magic number/],
    ['another magic number', Uint8Array.of(1, 0, 8, 1, 0, 0, 0, 0), /magic number/],
    ['gzip', Uint8Array.of(0x1f, 0x8b, 8, 0), /unpack/],
    ['floating point', idx(0x0d, [1], [0, 0, 0, 0]), /0x0d/],
    ['no axes', Uint8Array.of(0, 0, 8, 0), /0 axes/],
    ['too many axes', Uint8Array.of(0, 0, 8, 200, 0, 0), /200 axes/],
    ['a cut header', Uint8Array.of(0, 0, 8, 2, 0, 0, 0, 1), /cut off/],
    ['too few elements', idx(8, [2, 2], [1, 2, 3]), /needs 4 bytes.*has 3/],
    ['too many elements', idx(8, [1], [1, 2]), /needs 1 bytes.*has 2/],
    ['sizes beyond any memory', idx(8, [0xffffffff, 0xffffffff, 0xffffffff], []), /needs/],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => readIdx(bytes, 'x')).toThrow(message)
    expect(() => readIdx(bytes, 'x')).toThrow(DyadicError)
  })
})
