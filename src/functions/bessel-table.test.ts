/** The table of K against the fraction that it interpolates, and this against the series and a closed form. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { scaledPair } from './bessel-table.ts'
import { type BesselPair, fractionPair, temmePair } from './bessel-temme.ts'

const apart = (found: number, wanted: number): number => Math.abs(found / wanted - 1)

/** K_μ(x) and K_{μ+1}(x) times e^x·√(2x/π) by the series. */
function temmeScaled(rest: number, argument: number): BesselPair {
  const half = argument / 2
  const { current, next } = temmePair(rest, half * half, Math.log(half))
  const scale = Math.exp(argument) * Math.sqrt((2 * argument) / Math.PI)
  return { current: current * scale, next: (next / half) * scale }
}

describe('K of two orders', () => {
  it('is the same by series and by fraction', () => {
    for (const argument of [1, 1.3, 2])
      for (let rest = -0.5; rest <= 0.5; rest += 1 / 64) {
        const [series, fraction] = [temmeScaled(rest, argument), fractionPair(rest, argument)]
        expect(apart(series.current, fraction.current)).toBeLessThan(1e-14)
        expect(apart(series.next, fraction.next)).toBeLessThan(1e-14)
      }
  })

  it('from the table is that of the fraction', () => {
    const pair = new Float64Array(2)
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 1, max: 26, noNaN: true }), (v, x) => {
        scaledPair(v, 1 / x, pair)
        const slow = (order: number): number => {
          const { current, next } = fractionPair(order > 0.5 ? order - 1 : order, x)
          return order > 0.5 ? next : current
        }
        expect(apart(pair[0]!, slow(1 - v))).toBeLessThan(1e-14)
        expect(apart(pair[1]!, slow(v))).toBeLessThan(1e-14)
      }),
      { numRuns: 3000 },
    )
  })

  it('of order ½ is 1, once scaled', () => {
    const pair = new Float64Array(2)
    for (let x = 1; x <= 26; x += 1 / 8) {
      scaledPair(0.5, 1 / x, pair)
      expect([apart(pair[0]!, 1), apart(pair[1]!, 1)].every((error) => error < 5e-15)).toBe(true)
    }
  })
})
