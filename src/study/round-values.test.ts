/** Rounding in place: equal to the definitions of src/formats, in parts, in rows and with lanes that are nobody's. */
import { describe, expect, it } from 'vitest'
import { type BlockFormat, decodeBlocks, encodeBlocks } from '../formats/blocks.ts'
import { quantizeArray } from '../formats/bulk.ts'
import { elementFormatNamed, formatNamed } from '../formats/catalogue.ts'
import { saturating } from '../formats/element-format.ts'
import { noise } from '../reference/fast/net.fixture.ts'
import { blockCount, elementError, roundBlocks, roundElements } from './round-values.ts'

const single = (values: ArrayLike<number>): number[] => Array.from(Float32Array.from(values))
const spread = (count: number, seed: number): Float32Array =>
  Float32Array.from(noise(count, seed), (value, i) => value * 2 ** ((i % 13) - 6))

describe('elements', () => {
  it.each([
    ...['int8', 'uint8', 'int4-symmetric', 'e4m3-finite', 'e5m2', 'e2m1', 'flint4', 'uflint4', 'pot4'],
    ...['power4-0.5', 'bfloat16', 'float16', 'int16'],
  ])('%s is quantizeArray, over the borders of parts', (name) => {
    const format = saturating(elementFormatNamed(name))
    for (const [count, scale] of [
      [1, 1],
      [40_003, 0.0123],
      [9, 3e-5],
    ] as const) {
      const values = spread(count, 3)
      const expected = quantizeArray(format, values, { scale })
      let error = 0
      for (let i = 0; i < count; i++) error += (values[i]! - Math.fround(expected[i]!)) ** 2
      expect(elementError(format, values, scale)).toBe(error)
      roundElements(format, values, scale)
      expect(values.findIndex((value, i) => value !== Math.fround(expected[i]!))).toBe(-1)
    }
  })
})

describe('blocks', () => {
  const format = (name: string): BlockFormat => formatNamed(name) as BlockFormat

  it.each(['mxfp8-e4m3', 'mxfp4', 'mxint8', 'int4-group32'])(
    '%s begins anew in each row and leaves foreign lanes alone',
    (name) => {
      const [rows, channels, lanes] = [7, 45, 48]
      const values = spread(rows * lanes, 8)
      const expected = Array.from({ length: rows }, (_, row) =>
        single(decodeBlocks(encodeBlocks(format(name), values.slice(row * lanes, row * lanes + channels)))),
      )
      for (let row = 0; row < rows; row++) values.fill(1e30, row * lanes + channels, (row + 1) * lanes)
      roundBlocks(format(name), values, channels, lanes)
      for (let row = 0; row < rows; row++)
        expect([...values.subarray(row * lanes, row * lanes + channels)]).toEqual(expected[row])
    },
  )

  it.each(['nvfp4', 'dfp16', 'mxfp6-e3m2'])('%s of whole blocks is encodeBlocks of the tensor', (name) => {
    const values = spread(64 * 11, 9)
    const expected = single(decodeBlocks(encodeBlocks(format(name), values)))
    roundBlocks(format(name), values, 64, 64)
    expect([...values]).toEqual(expected)
  })

  it('counts a scale for each begun block', () => {
    expect(blockCount(format('mxfp4'), 10, 45)).toBe(20)
    expect(blockCount(format('nvfp4'), 3, 16)).toBe(3)
    expect(blockCount(format('dfp16'), 3, 16)).toBe(1)
  })
})
