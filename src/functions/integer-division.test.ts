/** Divisions and half-even requantisation: forms on numbers against their definitions, and the golden values of I-ViT. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DyadicError } from '../error.ts'
import { halfEvenRatio, requantizeHalfEven, requantizeHalfEvenExact } from './half-even-requantisation.ts'
import {
  divideHalfEven,
  divideHalfEvenExact,
  floorDivide,
  floorDivideExact,
  truncateDivide,
} from './integer-division.ts'

const safe = fc.maxSafeInteger()
const divisor = fc.oneof(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: 2 ** 52 - 1 }))

describe('divisions', () => {
  it('equal BigInt on safe integers, next to multiples of the divisor too', () => {
    fc.assert(
      fc.property(safe, divisor, fc.integer({ min: -1, max: 1 }), (value, by, offset) => {
        for (const dividend of [value, Math.floor(value / by) * by + offset]) {
          if (!Number.isSafeInteger(dividend)) continue
          const a = BigInt(dividend)
          const b = BigInt(by)
          const quotients = [floorDivide(dividend, by), floorDivide(dividend, -by), truncateDivide(dividend, by)]
          expect(quotients.map(BigInt)).toEqual([floorDivideExact(a, b), floorDivideExact(a, -b), a / b])
          expect(BigInt(divideHalfEven(dividend, by))).toBe(divideHalfEvenExact(a, b))
        }
      }),
      { numRuns: 10_000 },
    )
  })

  it('go down, to zero, and to the nearest with ties to even, and never give −0', () => {
    const over = [-5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5]
    expect(over.map((x) => floorDivide(x, 2))).toEqual([-3, -2, -2, -1, -1, 0, 0, 1, 1, 2, 2])
    expect(over.map((x) => truncateDivide(x, 2))).toEqual([-2, -2, -1, -1, 0, 0, 0, 1, 1, 2, 2])
    expect(over.map((x) => divideHalfEven(x, 2))).toEqual([-2, -2, -2, -1, 0, 0, 0, 1, 2, 2, 2])
    expect(over.map((x) => Number(divideHalfEvenExact(BigInt(x), 2n)))).toEqual([-2, -2, -2, -1, 0, 0, 0, 1, 2, 2, 2])
  })
})

describe('half-even requantisation', () => {
  it.each([
    [0.0123, 1690499128, 37],
    [1 / 3, 1431655765, 32],
    [0.5, 1073741824, 31],
    [1, 1073741824, 30],
    [2.5e-4, 1099511628, 42],
  ])('writes %s as %s / 2^%s', (ratio, multiplier, shift) => {
    expect(halfEvenRatio(ratio)).toEqual({ multiplier, shift })
  })

  it.each([
    [5, 0.5, 2],
    [7, 0.5, 4],
    [-5, 0.5, -2],
    [123456, 2.5e-4, 31],
    [-1000, 0.0123, -12],
  ])('takes %s by %s to %s', (value, ratio, result) => {
    expect(requantizeHalfEven(value, halfEvenRatio(ratio))).toBe(result)
    expect(requantizeHalfEvenExact(BigInt(value), halfEvenRatio(ratio))).toBe(BigInt(result))
  })

  it('equals its definition for every shift', () => {
    let ties = 0
    fc.assert(
      fc.property(
        fc.oneof(safe, fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })),
        fc.integer({ min: 2 ** 30, max: 2 ** 31 }),
        fc.integer({ min: 0, max: 94 }),
        fc.boolean(),
        (value, odd, shift, power) => {
          const ratio = { multiplier: power ? 2 ** 30 : odd, shift }
          const exact = requantizeHalfEvenExact(BigInt(value), ratio)
          if (exact > BigInt(Number.MAX_SAFE_INTEGER) || -exact > BigInt(Number.MAX_SAFE_INTEGER)) return
          if ((2n * BigInt(value) * BigInt(ratio.multiplier)) % (1n << BigInt(shift)) === 0n) ties++
          expect(BigInt(requantizeHalfEven(value, ratio))).toBe(exact)
        },
      ),
      { numRuns: 20_000 },
    )
    expect(ties).toBeGreaterThan(100)
    for (let shift = 31; shift < 84; shift++) {
      // An odd multiple of a half: above, at and below the limbs' border.
      const value = 3 * 2 ** Math.max(0, shift - 31 - 2)
      const ratio = { multiplier: 2 ** 30, shift }
      if (Number.isSafeInteger(value))
        expect(BigInt(requantizeHalfEven(value, ratio))).toBe(requantizeHalfEvenExact(BigInt(value), ratio))
    }
  })

  it.each([0, -1, Number.NaN, 2 ** 31])('refuses the ratio %s', (ratio) => {
    expect(() => halfEvenRatio(ratio)).toThrow(DyadicError)
  })
})
