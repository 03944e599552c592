/** The observers that search for a range: `mse` and `entropy`, on distributions whose answer is known. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRandom } from '../program/program.fixture.ts'
import { createObserver } from './create-observer.ts'
import type { Range, RangeMethod } from './observe.ts'
import { formatRange } from './plan.ts'
import { activationPlan } from './scales.ts'

/** Standard normal numbers, by Box and Muller, from random bytes. */
function normal(count: number, seed: number): Float32Array {
  const random = createRandom(seed)
  const uniform = (): number => (random.between(0, 2 ** 20 - 1) + 0.5) / 2 ** 20
  return Float32Array.from(
    { length: count },
    () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()),
  )
}

function observed(method: RangeMethod, ...parts: ArrayLike<number>[]): Range {
  const observer = createObserver(method)
  for (const part of parts) observer.observe(part)
  return observer.range()
}

/** Mean squared error of the deployed grid on values. */
function squaredError(values: ArrayLike<number>, range: Range): number {
  const { format, scale, zeroPoint } = activationPlan(range, 'u8')
  const { low, high } = formatRange(format)
  let sum = 0
  for (let i = 0; i < values.length; i++) {
    const code = Math.min(high, Math.max(low, Math.floor((values[i] as number) / scale + zeroPoint + 0.5)))
    sum += ((code - zeroPoint) * scale - (values[i] as number)) ** 2
  }
  return sum / values.length
}

const outliers = normal(40_000, 7)
outliers[11] = 40
outliers[12] = -25
const rectified = outliers.map((value) => Math.max(0, value))
const uniform = Float32Array.from({ length: 20_000 }, (_, i) => -1 + (3 * i) / 19_999)

describe('mse', () => {
  it.each([
    ['two-sided', outliers],
    ['one-sided', rectified],
  ])('is tighter than the extremes and errs less on %s normal numbers with outliers', (_name, values) => {
    const [extremes, found] = [observed('minmax', values), observed('mse', values)]
    expect(found.high).toBeLessThan(extremes.high)
    expect(found.low).toBe(extremes.low === 0 ? 0 : found.low)
    expect(found.low).toBeGreaterThanOrEqual(extremes.low)
    expect(squaredError(values, found)).toBeLessThan(squaredError(values, extremes))
  })

  it('finds the clip of least error that an exhaustive search finds, to 2 per cent of the error', () => {
    let least = Infinity
    for (let high = 1; high <= 40; high += 0.25) least = Math.min(least, squaredError(rectified, { low: 0, high }))
    expect(squaredError(rectified, observed('mse', rectified))).toBeLessThan(least * 1.02)
  })

  it('clips a normal distribution at 8 bits near 3.9 standard deviations', () => {
    const { low, high } = observed('mse', normal(200_000, 3))
    for (const end of [-low, high]) {
      expect(end).toBeGreaterThan(3.5)
      expect(end).toBeLessThan(4.4)
    }
  })

  it('is the extremes of uniform numbers, to one step of the grid', () => {
    const { low, high } = observed('mse', uniform)
    expect(Math.abs(low + 1)).toBeLessThan(3 / 255)
    expect(Math.abs(high - 2)).toBeLessThan(3 / 255)
  })

  it('heeds the grid that is deployed', () => {
    const observer = createObserver('mse', (range) => activationPlan(range, 's8', true))
    observer.observe(outliers)
    expect(Number.isFinite(observer.range().high)).toBe(true)
    expect(observer.range().high).toBeLessThan(40)
  })
})

describe('entropy', () => {
  it('cuts outliers, and not the distribution', () => {
    for (const values of [outliers, rectified]) {
      const { low, high } = observed('entropy', values)
      expect(high).toBeGreaterThan(2)
      expect(high).toBeLessThan(40)
      expect(low).toBeGreaterThan(-25)
      if (values === rectified) expect(low).toBe(0)
    }
  })

  it('keeps uniform numbers whole, to one step of the grid', () => {
    const { low, high } = observed('entropy', uniform)
    expect(Math.abs(low + 1)).toBeLessThan(3 / 255)
    expect(Math.abs(high - 2)).toBeLessThan(3 / 255)
  })
})

describe.each(['mse', 'entropy'] as const)('%s', (method) => {
  it('does not depend on how the stream is cut, once the largest magnitude has been seen', () => {
    for (const size of [1_000, 7_777]) {
      const parts = Array.from({ length: Math.ceil(outliers.length / size) }, (_, i) =>
        outliers.subarray(i * size, (i + 1) * size),
      )
      expect(observed(method, ...parts)).toEqual(observed(method, outliers))
    }
  })

  it('gives zeros, constants and few values a range that holds them', () => {
    expect(observed(method, [0, 0], [0])).toEqual({ low: 0, high: 0 })
    for (const value of [3, -3, 1e-6, 1e6]) {
      const values = new Float32Array(100).fill(value)
      const range = observed(method, values)
      expect(range.low).toBeLessThanOrEqual(range.high)
      expect(Math.sqrt(squaredError(values, range))).toBeLessThanOrEqual(Math.abs(value) * 2e-3)
    }
  })

  it('stays inside the extremes, and zero is a code', () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ min: -100, max: 100, noNaN: true }), { minLength: 1, maxLength: 80 }),
        (values) => {
          const clean = values.map((value) => (Math.abs(value) < 1e-20 ? 0 : value))
          const [extremes, found] = [observed('minmax', clean), observed(method, clean)]
          expect(found.low).toBeGreaterThanOrEqual(Math.min(0, extremes.low))
          expect(found.high).toBeLessThanOrEqual(Math.max(0, extremes.high))
          expect(Number.isInteger(activationPlan(found, 'u8').zeroPoint)).toBe(true)
          expect(activationPlan(found, 'u8').scale).toBeGreaterThan(0)
        },
      ),
      { numRuns: 60 },
    )
  })
})
