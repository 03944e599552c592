import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DyadicError } from '../error.ts'
import { dyadicAtShift, dyadicRatios, roundHalfEven } from './dyadic.ts'
import { MAXIMUM_SHIFT, MINIMUM_SHIFT, MULTIPLIER_LIMIT, requantize } from './requantize.ts'

/** A double as the exact rational numerator / 2^1074. */
const SCALE = 1074n
function rational(value: number): bigint {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, value)
  const bits = view.getBigUint64(0)
  const exponent = (bits >> 52n) & 0x7ffn
  const fraction = bits & ((1n << 52n) - 1n)
  const magnitude = exponent === 0n ? fraction : (fraction | (1n << 52n)) << (exponent - 1n)
  return value < 0 ? -magnitude : magnitude
}

const magnitude = (value: bigint): bigint => (value < 0n ? -value : value)

/** Ratios over the whole legal span, most of them where networks have them. */
const ratio = fc.oneof(
  fc.double({ min: 2 ** -20, max: 1, noNaN: true }),
  fc.double({ min: 0, max: 2 ** 22, maxExcluded: true, noNaN: true }),
  fc
    .tuple(fc.integer({ min: -70, max: 21 }), fc.double({ min: 1, max: 2, maxExcluded: true, noNaN: true }))
    .map(([exponent, mantissa]) => mantissa * 2 ** exponent),
)

/** |ratio − m × 2^left / 2^shift| ≤ 2^(left − shift − 1), on exact rationals. */
function withinBound(real: number, multiplier: number, left: number, shift: number): boolean {
  // Both sides × 2^(1074 + shift + 1) / 2^left.
  const error = magnitude(
    (rational(real) << BigInt(shift + 1)) - ((BigInt(multiplier) << BigInt(left)) << (SCALE + 1n)),
  )
  return error <= 1n << (SCALE + BigInt(left))
}

describe('dyadicRatios (R2)', () => {
  it('gives multipliers of 31 bits whose error is half a unit of the common shift, on exact rationals', () => {
    let shifted = 0
    fc.assert(
      fc.property(fc.array(ratio, { minLength: 1, maxLength: 8 }), (ratios) => {
        const { multipliers, shift, left } = dyadicRatios(ratios, 'x')
        expect(shift).toBeGreaterThanOrEqual(MINIMUM_SHIFT)
        expect(shift).toBeLessThanOrEqual(MAXIMUM_SHIFT)
        expect(left).toBeGreaterThanOrEqual(0)
        if (left > 0) {
          shifted++
          expect(shift).toBe(MINIMUM_SHIFT)
        }
        for (const [index, real] of ratios.entries()) {
          const multiplier = multipliers[index] as number
          expect(multiplier).toBeGreaterThanOrEqual(0)
          expect(withinBound(real, multiplier, left, shift)).toBe(true)
        }
        // As precise as 31 bits allow: the largest multiplier fills them, unless the largest shift is reached.
        if (shift < MAXIMUM_SHIFT) expect(Math.max(...multipliers)).toBeGreaterThanOrEqual(2 ** 30)
      }),
      { numRuns: 3000 },
    )
    expect(shifted).toBeGreaterThan(100)
  })

  it('rounds a ratio just below half a unit down, although adding ½ to it gives 1 in doubles', () => {
    const { multipliers } = dyadicRatios([4194303.9990234375, 0.0019531249999999998], 'x')
    expect(multipliers[1]).toBe(0)
  })

  it('shifts the value left exactly when a ratio is 0.5 or more after rounding', () => {
    expect(dyadicRatios([0.5 - 2 ** -32], 'x')).toEqual({ multipliers: Int32Array.of(2 ** 31 - 1), shift: 32, left: 0 })
    // 2^32 times this is 2^31 − 1/4, which rounds to a multiplier of 32 bits.
    expect(dyadicRatios([0.5 - 2 ** -34], 'x').left).toBe(1)
    expect(dyadicRatios([0.5], 'x')).toEqual({ multipliers: Int32Array.of(2 ** 30), shift: 32, left: 1 })
    expect(dyadicRatios([1], 'x')).toEqual({ multipliers: Int32Array.of(2 ** 30), shift: 32, left: 2 })
    expect(dyadicRatios([2 ** 22 - 1], 'x').left).toBe(23)
  })

  it('writes 0 and ratios below 2^-63 as 0', () => {
    expect(dyadicRatios([0], 'x')).toEqual({ multipliers: Int32Array.of(0), shift: 62, left: 0 })
    expect(dyadicRatios([2 ** -64, 2 ** -63], 'x').multipliers).toEqual(Int32Array.of(0, 1))
  })

  it.each([[-1e-9], [Number.NaN], [Infinity], [2 ** 22]])('refuses the ratio %s, naming the place', (bad) => {
    expect(() => dyadicRatios([0.1, bad], 'layer "x"')).toThrow(/layer "x": scale ratio .* is outside \[0, 2\^22\)/)
    expect(() => dyadicRatios([bad], 'x')).toThrow(DyadicError)
  })
})

describe('requantisation by a real ratio', () => {
  /**
   * HAWQ-V3's acceptance check A3, for our rounding (half up, and a fixed-point multiplier where HAWQ has a 31-bit
   * mantissa): the result differs from the exactly rounded acc × ratio by at most 1, and only when the exact value lies
   * within |acc| × 2^(left − shift − 1) of a tie, which is at most 2^-2 for every int32 accumulator and at most
   * 2^-31 × |acc × ratio| (to 31 bits) for the channel with the largest ratio.
   */
  it('differs from the exact result by at most 1, and only near ties', () => {
    let near = 0
    let total = 0
    fc.assert(
      fc.property(
        fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
        fc.array(fc.double({ min: 2 ** -20, max: 1, maxExcluded: true, noNaN: true }), { minLength: 1, maxLength: 4 }),
        (word, ratios) => {
          const { multipliers, shift, left } = dyadicRatios(ratios, 'x')
          // The proof keeps acc × 2^left within int32.
          const accumulator = word >> left
          const largest = Math.max(...ratios)
          for (const [index, real] of ratios.entries()) {
            const found = BigInt(requantize(accumulator << left, multipliers[index] as number, shift))
            const exact = BigInt(accumulator) * rational(real)
            const rounded = (2n * exact + (1n << SCALE)) >> (SCALE + 1n)
            const difference = magnitude(found - rounded)
            const reach = magnitude(BigInt(accumulator)) << SCALE
            const limit = left > shift - 1 ? reach << BigInt(left - shift + 1) : reach >> BigInt(shift + 1 - left)
            expect(limit).toBeLessThanOrEqual(1n << (SCALE - 2n))
            const size = magnitude(exact)
            if (real === largest) expect(limit).toBeLessThanOrEqual(((size + (size >> 31n)) >> 31n) + 1n)
            expect(difference).toBeLessThanOrEqual(1n)
            if (difference === 1n) {
              near++
              // Distance of the exact value from the nearest half.
              const unit = 1n << SCALE
              const rest = (((exact - (unit >> 1n)) % unit) + unit) % unit
              expect(rest < unit - rest ? rest : unit - rest).toBeLessThanOrEqual(limit + 1n)
            }
            total++
          }
        },
      ),
      { numRuns: 10_000 },
    )
    expect(total).toBeGreaterThan(10_000)
    expect(near).toBeGreaterThan(0)
  })
})

describe('dyadicAtShift (R4)', () => {
  it('keeps the shifted value and the multiplier within int32, and the error within half a unit', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 2 ** -24, max: 4, noNaN: true }),
        fc.integer({ min: MINIMUM_SHIFT, max: 50 }),
        (real, shift) => {
          let made: { multiplier: number; left: number }
          try {
            made = dyadicAtShift(real, shift, 256, 'x')
          } catch (error) {
            // No left shift up to 22 brings the multiplier below 2^31.
            expect(real * 2 ** (shift - 22) + 0.5).toBeGreaterThanOrEqual(MULTIPLIER_LIMIT)
            expect((error as DyadicError).code).toBe('refused')
            return
          }
          expect(256 * 2 ** made.left).toBeLessThan(2 ** 31)
          expect(made.multiplier).toBeLessThan(MULTIPLIER_LIMIT)
          expect(withinBound(real, made.multiplier, made.left, shift)).toBe(true)
        },
      ),
      { numRuns: 3000 },
    )
  })

  it('refuses a ratio that no left shift brings into 31 bits, naming the place', () => {
    expect(() => dyadicAtShift(1, 62, 256, 'the residual of layer "y"')).toThrow(
      /the residual of layer "y": scale ratio 1 cannot be written at shift 62/,
    )
  })
})

describe('roundHalfEven', () => {
  it('takes ties to even and everything else to the nearest', () => {
    const ties = [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 3.5, 4503599627370495.5]
    expect(ties.map((value) => roundHalfEven(value) + 0)).toEqual([-2, -2, 0, 0, 2, 2, 4, 4503599627370496])
    fc.assert(
      fc.property(fc.double({ min: -(2 ** 40), max: 2 ** 40, noNaN: true }), (value) => {
        const rounded = roundHalfEven(value)
        expect(Number.isInteger(rounded)).toBe(true)
        const distance = Math.abs(rounded - value)
        expect(distance).toBeLessThanOrEqual(0.5)
        if (distance === 0.5) expect(Math.abs(rounded % 2)).toBe(0)
      }),
      { numRuns: 5000 },
    )
  })

  it('is odd: rounding commutes with the sign', () => {
    fc.assert(
      fc.property(fc.double({ min: -1e6, max: 1e6, noNaN: true }), (value) =>
        Object.is(roundHalfEven(-value) + 0, -roundHalfEven(value) + 0),
      ),
    )
  })
})
