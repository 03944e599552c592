import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeWeightCodes, encodeWeightCodes } from './base64-codes.ts'
import { formatRange, weightFormats } from './plan.ts'

describe('codes of weights as base64', () => {
  it.each(weightFormats)('come back as they were: %s', (format) => {
    const { low, high } = formatRange(format)
    fc.assert(
      fc.property(fc.array(fc.integer({ min: low, max: high }), { maxLength: 40 }), (codes) => {
        expect([...decodeWeightCodes(format, encodeWeightCodes(format, codes))]).toEqual(codes)
      }),
    )
  })

  it('are two bytes with 16 bits, the low one first', () => {
    expect(encodeWeightCodes('s16', [1, -2, 0x1234])).toBe(btoa('\x01\x00\xfe\xff\x34\x12'))
  })

  it('count half a code, so that a list of the wrong length is noticed', () => {
    expect([...decodeWeightCodes('s16', btoa('\x01\x00\x02'))]).toEqual([1, 2])
  })
})
