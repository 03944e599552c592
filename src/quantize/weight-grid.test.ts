import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { conv } from '../lower/network.fixture.ts'
import { net } from '../reference/fast/net.fixture.ts'
import { formatRange } from './plan.ts'
import { prepare } from './prepare.ts'
import { findWeightGrid, findWeightGrids } from './weight-grid.ts'

describe('findWeightGrid', () => {
  it('stores every weight of a de-quantised layer exactly, whatever its scale and zero point', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1e-6, max: 10, noNaN: true }),
        fc.integer({ min: 0, max: 255 }),
        fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 1, maxLength: 300 }),
        (scale, zero, codes) => {
          // Neighbouring codes are what tells the step.
          const all = [...codes, zero, zero === 255 ? 254 : zero + 1]
          const values = Float32Array.from(all, (code) => (code - zero) * scale)
          const grid = findWeightGrid(values)
          expect(grid).toBeDefined()
          if (grid === undefined) return
          const { low, high } = formatRange(grid.format)
          for (const value of values) {
            const code = Math.round(value / (grid.scale[0] as number)) + (grid.zeroPoint[0] as number)
            expect(code).toBeGreaterThanOrEqual(low)
            expect(code).toBeLessThanOrEqual(high)
            const back = (code - (grid.zeroPoint[0] as number)) * (grid.scale[0] as number)
            expect(Math.abs(back - value)).toBeLessThan(0.001 * scale * 256)
          }
        },
      ),
    )
  })

  it('prefers codes without a zero point', () => {
    expect(findWeightGrid([-1, -0.5, 0.5, 63.5])).toEqual({ format: 's8', scale: [0.5], zeroPoint: [0] })
    expect(findWeightGrid([-1, -0.5, 0.5, 64])).toEqual({ format: 'u8', scale: [0.5], zeroPoint: [2] })
  })

  it('finds none in real numbers, in too wide a span, in zeros and in nothing', () => {
    expect(findWeightGrid(Array.from({ length: 300 }, (_, i) => Math.sin(i)))).toBeUndefined()
    expect(findWeightGrid([0.1, 0.2371, 0.41])).toBeUndefined()
    expect(findWeightGrid([1, 2, 257])).toBeUndefined()
    expect(findWeightGrid([0, 0])).toBeUndefined()
    expect(findWeightGrid([])).toBeUndefined()
  })
})

describe('findWeightGrids', () => {
  const integers = { shape: [4, 2, 1, 1], values: [1, 2, -3, 4, 5, -6, 7, 8] }
  it('answers for the whole network or not at all', () => {
    const layer = { operator: 'Conv', inputs: ['x', integers] }
    const all = prepare(net({ x: [1, 2, 4, 4] }, [layer])).compiled
    expect([...findWeightGrids(all)]).toEqual([['v0', { format: 's8', scale: [1], zeroPoint: [0] }]])
    const some = prepare(net({ x: [1, 2, 4, 4] }, [layer, conv('v0', 3, 4, 1, 1)])).compiled
    expect(findWeightGrids(some).size).toBe(0)
  })
})
