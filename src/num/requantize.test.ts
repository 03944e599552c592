import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  clamp,
  MAXIMUM_SHIFT,
  MINIMUM_SHIFT,
  multiplyHigh,
  multiplyLow,
  requantize,
  requantizeExact,
  requantizeSum,
} from './requantize.ts'

const SHIFTS = Array.from({ length: MAXIMUM_SHIFT - MINIMUM_SHIFT + 1 }, (_, index) => MINIMUM_SHIFT + index)
const VALUES = [
  -(2 ** 31),
  -(2 ** 31) + 1,
  -(2 ** 30),
  -65537,
  -65536,
  -65535,
  -32768,
  -2,
  -1,
  0,
  1,
  2,
  32767,
  32768,
  65535,
  65536,
  65537,
  2 ** 30,
  2 ** 31 - 2,
  2 ** 31 - 1,
]
const MULTIPLIERS = [
  0,
  1,
  2,
  3,
  32767,
  32768,
  65535,
  65536,
  65537,
  2 ** 30 - 1,
  2 ** 30,
  2 ** 30 + 1,
  0x5555_5555,
  2 ** 31 - 2,
  2 ** 31 - 1,
]

const value = fc.oneof(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), fc.integer({ min: -70000, max: 70000 }))
const multiplier = fc.oneof(fc.integer({ min: 0, max: 2 ** 31 - 1 }), fc.integer({ min: 2 ** 30, max: 2 ** 31 - 1 }))
const shift = fc.constantFrom(...SHIFTS)

/** The definition written the other way round: half-up rounding of the exact quotient, by floored division. */
function halfUp(numerator: bigint, denominator: bigint): bigint {
  const doubled = 2n * numerator + denominator
  const quotient = doubled / (2n * denominator)
  return doubled % (2n * denominator) < 0n ? quotient - 1n : quotient
}

const exact = (a: number, m: number, s: number): number => Number(requantizeExact(BigInt(a), BigInt(m), BigInt(s)))
const exactSum = (a: number, ma: number, b: number, mb: number, s: number): bigint =>
  (BigInt(a) * BigInt(ma) + BigInt(b) * BigInt(mb) + (1n << BigInt(s - 1))) >> BigInt(s)

describe('the product of two words', () => {
  it('equals the exact 64-bit product at the corners', () => {
    for (const a of VALUES)
      for (const m of MULTIPLIERS) {
        const product = BigInt(a) * BigInt(m)
        expect([a, m, multiplyHigh(a, m)]).toEqual([a, m, Number(product >> 32n)])
        expect([a, m, multiplyLow(a, m)]).toEqual([a, m, Number(BigInt.asIntN(32, product))])
      }
  })

  it('equals the exact 64-bit product on random words', () => {
    fc.assert(
      fc.property(value, multiplier, (a, m) => {
        const product = BigInt(a) * BigInt(m)
        return multiplyHigh(a, m) === Number(product >> 32n) && multiplyLow(a, m) === Number(BigInt.asIntN(32, product))
      }),
      { numRuns: 20_000 },
    )
  })
})

describe('requantize (R3)', () => {
  it('is defined as rounding half up', () => {
    fc.assert(
      fc.property(value, multiplier, shift, (a, m, s) => {
        const product = BigInt(a) * BigInt(m)
        return requantizeExact(BigInt(a), BigInt(m), BigInt(s)) === halfUp(product, 1n << BigInt(s))
      }),
      { numRuns: 5000 },
    )
    // Ties go up on both sides of zero: ±0.5, ±1.5.
    expect([-3, -1, 1, 3].map((a) => exact(a, 2 ** 30, 31))).toEqual([-1, 0, 1, 2])
  })

  it('equals the definition at every corner and every shift', () => {
    let compared = 0
    for (const s of SHIFTS)
      for (const a of VALUES)
        for (const m of MULTIPLIERS) {
          const found = requantize(a, m, s)
          if (found !== exact(a, m, s)) expect([a, m, s, found]).toEqual([a, m, s, exact(a, m, s)])
          compared++
        }
    expect(compared).toBe(31 * 20 * 15)
  })

  it('equals the definition on random words', () => {
    fc.assert(
      fc.property(value, multiplier, shift, (a, m, s) => requantize(a, m, s) === exact(a, m, s)),
      { numRuns: 50_000 },
    )
  })

  it('equals the definition exactly at ties and beside them', () => {
    // a × m = (2k + 1) × 2^(s−1) is a tie; m = 2^j with j ≤ s − 1 makes it with a = (2k + 1) × 2^(s−1−j).
    for (const s of SHIFTS)
      for (let j = Math.max(0, s - 32); j <= 30 && j <= s - 1; j++)
        for (const odd of [-3, -1, 1, 3])
          for (const beside of [-1, 0, 1]) {
            const a = odd * 2 ** (s - 1 - j) + beside
            if (a < -(2 ** 31) || a >= 2 ** 31) continue
            expect([a, j, s, requantize(a, 2 ** j, s)]).toEqual([a, j, s, exact(a, 2 ** j, s)])
          }
  })

  it('is monotonic in the value, which the interval proofs rely on', () => {
    fc.assert(
      fc.property(value, value, multiplier, shift, (a, b, m, s) => {
        const [low, high] = a < b ? [a, b] : [b, a]
        return requantize(low, m, s) <= requantize(high, m, s)
      }),
      { numRuns: 5000 },
    )
  })
})

describe('requantizeSum (R4)', () => {
  /** The precondition: both products, their sum and the rounding term stay below 2^63 in magnitude. */
  const allowed = (a: number, ma: number, b: number, mb: number, s: number): boolean => {
    const sum = BigInt(a) * BigInt(ma) + BigInt(b) * BigInt(mb) + (1n << BigInt(s - 1))
    return BigInt.asIntN(64, sum) === sum
  }

  it('equals the definition at every corner and every shift', () => {
    const values = [-(2 ** 31), -65536, -1, 0, 1, 65535, 2 ** 31 - 1]
    const multipliers = [0, 1, 65535, 2 ** 30, 2 ** 31 - 1]
    let compared = 0
    let excluded = 0
    for (const s of SHIFTS)
      for (const a of values)
        for (const ma of multipliers)
          for (const b of values)
            for (const mb of multipliers) {
              if (!allowed(a, ma, b, mb, s)) {
                excluded++
                continue
              }
              const wanted = Number(BigInt.asIntN(32, exactSum(a, ma, b, mb, s)))
              const found = requantizeSum(a, ma, b, mb, s)
              if (found !== wanted) expect([a, ma, b, mb, s, found]).toEqual([a, ma, b, mb, s, wanted])
              compared++
            }
    expect(compared).toBeGreaterThan(37_000)
    expect(excluded).toBeLessThan(200)
  })

  it('equals the definition on random words, carries included', () => {
    fc.assert(
      fc.property(value, multiplier, value, multiplier, shift, (a, ma, b, mb, s) => {
        fc.pre(allowed(a, ma, b, mb, s))
        return requantizeSum(a, ma, b, mb, s) === Number(BigInt.asIntN(32, exactSum(a, ma, b, mb, s)))
      }),
      { numRuns: 50_000 },
    )
  })

  it('is requantize when the other addend is nothing', () => {
    fc.assert(
      fc.property(value, multiplier, value, multiplier, shift, (a, m, b, other, s) => {
        const alone = requantize(a, m, s)
        return requantizeSum(a, m, b, 0, s) === alone && requantizeSum(0, other, a, m, s) === alone
      }),
      { numRuns: 5000 },
    )
  })
})

it('clamp limits to both ends', () => {
  expect([-5, -4, 0, 6, 7].map((a) => clamp(a, -4, 6))).toEqual([-4, -4, 0, 6, 6])
})
