import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { align, type Buffer, planMemory } from './memory.ts'

const buffer = fc
  .tuple(fc.nat(5000), fc.nat(30), fc.nat(30))
  .map(([bytes, a, b]): Buffer => ({ bytes, from: Math.min(a, b), to: Math.max(a, b) }))

/** Bytes in use at the busiest moment: no plan can do with less. */
function lowerBound(buffers: readonly Buffer[]): number {
  let most = 0
  for (const { from: moment } of buffers)
    most = Math.max(
      most,
      buffers.reduce((sum, { bytes, from, to }) => sum + (from <= moment && moment <= to ? bytes : 0), 0),
    )
  return most
}

describe('planMemory', () => {
  it('never lets two buffers share a byte while both live', () => {
    fc.assert(
      fc.property(fc.array(buffer, { maxLength: 40 }), fc.constantFrom(1, 16, 64), (buffers, alignment) => {
        const plan = planMemory(buffers, alignment)
        buffers.forEach((a, i) => {
          const start = plan.offsets[i] as number
          expect(start % alignment).toBe(0)
          expect(start).toBeGreaterThanOrEqual(0)
          expect(start + a.bytes).toBeLessThanOrEqual(plan.bytes)
          buffers.forEach((b, j) => {
            if (i >= j || a.to < b.from || b.to < a.from || a.bytes === 0 || b.bytes === 0) return
            const other = plan.offsets[j] as number
            expect(start + a.bytes <= other || other + b.bytes <= start).toBe(true)
          })
        })
        expect(plan.bytes).toBeGreaterThanOrEqual(lowerBound(buffers))
      }),
      { numRuns: 1000 },
    )
  })

  it('is deterministic', () => {
    fc.assert(
      fc.property(fc.array(buffer, { maxLength: 20 }), (buffers) => {
        expect(planMemory(buffers)).toEqual(planMemory(buffers.map((one) => ({ ...one }))))
      }),
    )
  })

  it('needs only two buffers for a chain, and three with a residual', () => {
    const chain = Array.from({ length: 10 }, (_, index): Buffer => ({ bytes: 640, from: index, to: index + 1 }))
    expect(planMemory(chain).bytes).toBe(2 * 640)
    expect(planMemory([...chain, { bytes: 640, from: 0, to: 9 }]).bytes).toBe(3 * 640)
  })

  it('plans nothing in no bytes', () => {
    expect(planMemory([])).toEqual({ offsets: [], bytes: 0 })
  })
})

it('align rounds up to a multiple', () => {
  expect([0, 1, 15, 16, 17].map((value) => align(value, 16))).toEqual([0, 16, 16, 16, 32])
})
