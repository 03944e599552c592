import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { roundHalfEven } from '../num/dyadic.ts'
import { formatRange } from './plan.ts'
import { activationPlan, weightScales, wideOutputPlan } from './scales.ts'

const range = fc
  .tuple(fc.double({ min: -1e4, max: 1e4, noNaN: true }), fc.double({ min: -1e4, max: 1e4, noNaN: true }))
  .map(([a, b]) => ({ low: Math.min(a, b), high: Math.max(a, b) }))

describe('activationPlan', () => {
  it('covers the range and zero, with zero exactly a code', () => {
    fc.assert(
      fc.property(range, fc.constantFrom('u8', 's8'), fc.boolean(), (seen, format, symmetric) => {
        fc.pre(seen.high - seen.low > 1e-30)
        const plan = activationPlan(seen, format, symmetric)
        const codes = formatRange(format)
        expect(plan.zeroPoint).toBeGreaterThanOrEqual(codes.low)
        expect(plan.zeroPoint).toBeLessThanOrEqual(codes.high)
        expect(Number.isInteger(plan.zeroPoint)).toBe(true)
        if (symmetric) expect(plan.zeroPoint).toBe(0)
        // Unsigned symmetric codes have no negative side; otherwise both ends are within half a step of a code.
        const low = (codes.low - plan.zeroPoint - 0.5000001) * plan.scale
        const high = (codes.high - plan.zeroPoint + 0.5000001) * plan.scale
        if (!(symmetric && format === 'u8')) expect(low).toBeLessThanOrEqual(seen.low)
        expect(high).toBeGreaterThanOrEqual(seen.high)
      }),
    )
  })

  it('gives scale 1 to a value that is always zero', () => {
    expect(activationPlan({ low: 0, high: 0 }, 'u8')).toEqual({ format: 'u8', scale: 1, zeroPoint: 0 })
  })

  it('puts all codes on one side where the range has one', () => {
    expect(activationPlan({ low: 1, high: 5.1 }, 'u8')).toEqual({ format: 'u8', scale: 5.1 / 255, zeroPoint: 0 })
    expect(activationPlan({ low: -5.1, high: -1 }, 'u8')).toEqual({ format: 'u8', scale: 5.1 / 255, zeroPoint: 255 })
  })
})

describe('weightScales', () => {
  const weight = fc.double({ min: -3, max: 3, noNaN: true }).map((value) => (Math.abs(value) < 1e-30 ? 0 : value))
  const weights = fc.array(weight, { minLength: 4, maxLength: 4 })

  it('makes the largest weight of each channel the largest code, and every code legal', () => {
    fc.assert(
      fc.property(weights, fc.constantFrom('s8', 's4', 's2'), (values, format) => {
        const { scale } = weightScales(values, 2, undefined, 1, format)
        const { low, high } = formatRange(format)
        for (const [i, value] of values.entries()) {
          const code = roundHalfEven(value / (scale[i >> 1] as number))
          expect(code).toBeGreaterThanOrEqual(low)
          expect(code).toBeLessThanOrEqual(high)
        }
        for (const o of [0, 1]) {
          const magnitude = Math.max(...values.slice(2 * o, 2 * o + 2).map(Math.abs))
          if (magnitude > 0) expect((scale[o] as number) * high).toBeCloseTo(magnitude, 12)
        }
      }),
    )
  })

  it('raises the scale of a dead channel until its bias is at most 2^30 accumulator units', () => {
    const { scale } = weightScales([1e-12, 2e-12, 0.5, 1], 2, [7, 7], 0.01, 's8')
    expect(7 / ((scale[0] as number) * 0.01)).toBeLessThanOrEqual(2 ** 30 * (1 + 1e-12))
    expect(7 / ((scale[0] as number) * 0.01)).toBeGreaterThan(2 ** 29)
    expect(scale[1]).toBe(1 / 127)
    expect(weightScales([0, 0], 1, [0], 1, 's8').scale).toEqual([1])
    // Beside living channels a dead one takes the largest scale, so that it does not set the shift of the layer.
    expect(weightScales([0, 0, 0.5, -1, 0.1, 0.2], 3, [0.3, 0, 0], 0.01, 's8').scale[0]).toBe(1 / 127)
  })
})

describe('wideOutputPlan', () => {
  it('is 16 bits at twice the range, and never finer than two accumulator units', () => {
    expect(wideOutputPlan({ low: -3, high: 8 }, [1e-9])).toEqual({ format: 's16', scale: 8 / 2 ** 14, zeroPoint: 0 })
    expect(wideOutputPlan({ low: -3, high: 8 }, [1e-9, 0.01]).scale).toBe(0.02)
    expect(wideOutputPlan({ low: 0, high: 0 }, [0]).scale).toBe(1)
  })
})

describe('activationPlan of other widths', () => {
  it.each([
    ['u4', false, { scale: 3 / 15, zeroPoint: 5 }],
    ['s4', false, { scale: 3 / 15, zeroPoint: -3 }],
    ['s4', true, { scale: 2 / 7, zeroPoint: 0 }],
    ['s16', false, { scale: 2 / 32767, zeroPoint: 0 }],
  ] as const)('spans −1…2 with %s, symmetric %s', (format, symmetric, expected) => {
    const plan = activationPlan({ low: -1, high: 2 }, format, symmetric)
    expect(plan.format).toBe(format)
    expect(plan.scale).toBeCloseTo(expected.scale, 12)
    expect(plan.zeroPoint).toBe(expected.zeroPoint)
  })
})
