import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Buffer, placeBuffers } from './buffers.ts'

const buffer = fc
  .record({ bytes: fc.integer({ min: 1, max: 500 }), first: fc.nat(20), length: fc.nat(6) })
  .map(({ bytes, first, length }): Buffer => ({ bytes, first, last: first + length, address: 0 }))

describe('placeBuffers', () => {
  it('keeps buffers apart that are alive together, and stays within the end it gives', () => {
    fc.assert(
      fc.property(fc.array(buffer, { maxLength: 25 }), (buffers) => {
        const end = placeBuffers(buffers, 100)
        buffers.forEach((a, i) => {
          expect(a.address % 64).toBe(0)
          expect(a.address).toBeGreaterThanOrEqual(100)
          expect(a.address + a.bytes).toBeLessThanOrEqual(end)
          for (const b of buffers.slice(i + 1)) {
            const together = a.first <= b.last && b.first <= a.last
            const overlap = a.address < b.address + b.bytes && b.address < a.address + a.bytes
            expect(together && overlap).toBe(false)
          }
        })
      }),
      { seed: 3 },
    )
  })

  it('reuses the memory of buffers that are no longer needed', () => {
    const buffers = [0, 1, 2, 3].map((first) => ({ bytes: 6400, first, last: first + 1, address: 0 }))
    expect(placeBuffers(buffers, 64)).toBe(64 + 2 * 6400 + 64)
  })

  it('refuses what 32-bit memory cannot hold', () => {
    const large = { bytes: 2 ** 31, first: 0, last: 0, address: 0 }
    expect(() => placeBuffers([large, { ...large }], 64)).toThrow(/32-bit memory/)
  })
})
