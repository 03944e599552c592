/** The exact foundations: bits of doubles, sums rounded to odd, correctly rounded powers. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { exponentOf, neighbour, sumToOdd, twoSum, twoTo } from './binary64.ts'
import { rootOf } from './exact-power.ts'

/** A double as a multiple of 2^−1074. */
function units(value: number): bigint {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, Math.abs(value))
  const bits = view.getBigUint64(0)
  const exponent = bits >> 52n
  const fraction = bits & ((1n << 52n) - 1n)
  const magnitude = exponent === 0n ? fraction : (fraction | (1n << 52n)) << (exponent - 1n)
  return value < 0 ? -magnitude : magnitude
}
const isOdd = (value: number): boolean => {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, value)
  return view.getBigUint64(0) % 2n === 1n
}

describe('doubles', () => {
  it('have powers of two and exponents over the whole range', () => {
    for (let exponent = -1074; exponent <= 1023; exponent++) {
      expect(units(twoTo(exponent))).toBe(1n << BigInt(exponent + 1074))
      expect(exponentOf(-twoTo(exponent))).toBe(exponent)
      if (exponent > -1022) expect(exponentOf(neighbour(twoTo(exponent), -1))).toBe(exponent - 1)
    }
  })

  it('have neighbours', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        fc.pre(value !== 0 && Math.abs(value) < Number.MAX_VALUE)
        const next = neighbour(value, 1)
        expect(Math.abs(next)).toBeGreaterThan(Math.abs(value))
        expect(neighbour(next, -1)).toBe(value)
      }),
    )
  })

  it('have sums with an exact error, and sums rounded to odd', () => {
    const double = fc.double({ noNaN: true, min: -(2 ** 1000), max: 2 ** 1000 })
    const tiny = fc.double({ noNaN: true, min: -(2 ** -20), max: 2 ** -20 })
    let inexact = 0
    fc.assert(
      fc.property(double, fc.oneof(double, tiny), (a, b) => {
        const exactSum = units(a) + units(b)
        const { sum, error } = twoSum(a, b)
        expect(units(sum) + units(error)).toBe(exactSum)
        const odd = sumToOdd(a, b)
        if (error === 0) expect(units(odd)).toBe(exactSum)
        else {
          inexact++
          expect(isOdd(odd)).toBe(true)
          // One of the two doubles around the exact sum.
          const other = neighbour(odd, units(odd) > exactSum === odd > 0 ? -1 : 1)
          expect(units(odd) > exactSum !== units(other) > exactSum).toBe(true)
        }
      }),
      { numRuns: 2000 },
    )
    expect(inexact).toBeGreaterThan(500)
    expect(sumToOdd(Infinity, 1)).toBe(Infinity)
    expect(sumToOdd(Infinity, -Infinity)).toBeNaN()
  })
})

describe('rootOf', () => {
  it('is exact where the power is, and the correctly rounded square root', () => {
    for (let k = 1; k <= 600; k++) {
      expect(rootOf(k, 1, 1)).toBe(k)
      expect(rootOf(k, 2, 0.5)).toBe((k * k) / 4)
      if (k < 200) expect(rootOf(k, 1, 0.25)).toBe(k ** 4)
      expect(rootOf(k, 1, 2)).toBe(Math.sqrt(k))
      expect(rootOf(k, 2, 2)).toBe(Math.sqrt(k / 2))
      expect(Math.abs(rootOf(k, 1, 0.55) / k ** (1 / 0.55) - 1)).toBeLessThan(1e-14)
    }
  })
})
