import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DyadicError } from '../error.ts'
import { createObserver } from './create-observer.ts'
import { minMaxObserver } from './observe-minmax.ts'
import { percentileObserver } from './observe-percentile.ts'

/** Single-precision numbers, zeros among them but none so small that a bin would have no width. */
const real = fc
  .double({ min: -1000, max: 1000, noNaN: true })
  .map((value) => (Math.abs(value) < 1e-20 ? 0 : Math.fround(value)))
const reals = fc.array(real, { minLength: 1, maxLength: 60 })
/** Samples of different magnitudes, so that the histogram has to grow. */
const samples = fc.array(
  fc
    .tuple(reals, fc.integer({ min: -12, max: 12 }))
    .map(([values, power]) => values.map((value) => value * 2 ** power)),
  { minLength: 1, maxLength: 6 },
)

/** Width of one bin: 1/2048 of the largest magnitude rounded up to a power of two. */
function binWidth(values: readonly number[]): number {
  const magnitude = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0)
  return magnitude === 0 ? 0 : 2 ** Math.ceil(Math.log2(magnitude)) / 2048
}

/** The same range by sorting: the outermost elements that are not among the `outside` on their side. */
function sortedRange(values: readonly number[], percentile: number): { low: number; high: number } {
  const sorted = [...values].sort((a, b) => a - b)
  const outside = Math.floor((sorted.length * (100 - percentile)) / 200)
  return { low: sorted[outside] as number, high: sorted[sorted.length - 1 - outside] as number }
}

describe('minMaxObserver', () => {
  it('gives the extremes of everything it saw', () => {
    fc.assert(
      fc.property(samples, (parts) => {
        const observer = minMaxObserver()
        for (const part of parts) observer.observe(part)
        const all = parts.flat()
        const { low, high } = observer.range()
        expect([low + 0, high + 0]).toEqual([Math.min(...all) + 0, Math.max(...all) + 0])
      }),
    )
  })
})

describe('percentileObserver', () => {
  it('is within one bin of exact sorting, and inside the extremes', () => {
    fc.assert(
      fc.property(samples, fc.constantFrom(60, 90, 99, 99.9, 100), (parts, percentile) => {
        const observer = percentileObserver(percentile)
        for (const part of parts) observer.observe(part)
        const all = parts.flat()
        const found = observer.range()
        const exact = sortedRange(all, percentile)
        const width = binWidth(all) * (1 + 1e-9)
        expect(Math.abs(found.low - exact.low)).toBeLessThanOrEqual(width)
        expect(Math.abs(found.high - exact.high)).toBeLessThanOrEqual(width)
        expect(found.low).toBeGreaterThanOrEqual(Math.min(...all))
        expect(found.high).toBeLessThanOrEqual(Math.max(...all))
        expect(found.low).toBeLessThanOrEqual(found.high)
      }),
      { numRuns: 500 },
    )
  })

  it('does not depend on how the stream is cut, up to one bin', () => {
    fc.assert(
      fc.property(samples, fc.constantFrom(75, 99), (parts, percentile) => {
        const streamed = percentileObserver(percentile)
        for (const part of parts) streamed.observe(part)
        const batch = percentileObserver(percentile)
        batch.observe(parts.flat())
        const width = binWidth(parts.flat()) * (1 + 1e-9)
        expect(Math.abs(streamed.range().low - batch.range().low)).toBeLessThanOrEqual(width)
        expect(Math.abs(streamed.range().high - batch.range().high)).toBeLessThanOrEqual(width)
      }),
      { numRuns: 500 },
    )
  })

  it('counts samples of only zeros, wherever in the stream they come', () => {
    const values = [0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    for (const parts of [[values], [values.slice(0, 9), [1]], [[1], values.slice(0, 9)]]) {
      const observer = percentileObserver(70)
      for (const part of parts) observer.observe(part)
      // The largest tenth lies outside; a bin is 1/2048 wide.
      expect(observer.range().high).toBeLessThanOrEqual(1 / 2048)
      expect(observer.range().low).toBe(0)
    }
    const only = percentileObserver(99)
    only.observe([0, 0])
    expect(only.range()).toEqual({ low: 0, high: 0 })
  })

  it('agrees with the extremes at 100 per cent', () => {
    fc.assert(
      fc.property(samples, (parts) => {
        const observer = percentileObserver(100)
        for (const part of parts) observer.observe(part)
        const all = parts.flat()
        const width = binWidth(all)
        expect(observer.range().low).toBeLessThanOrEqual(Math.min(...all) + width)
        expect(observer.range().high).toBeGreaterThanOrEqual(Math.max(...all) - width)
      }),
    )
  })
})

describe('every observer', () => {
  it.each(['minmax', 'mse', 'entropy', 'percentile:99.9'] as const)(
    '%s refuses NaN, infinities and emptiness',
    (method) => {
      for (const bad of [Number.NaN, Infinity, -Infinity]) {
        const observer = createObserver(method)
        observer.observe([1, 2])
        expect(() => observer.observe([0, bad, 1])).toThrow(`calibration met the value ${bad}`)
      }
      expect(() => createObserver(method).range()).toThrow(/no calibration sample reached this value/)
      const observer = createObserver(method)
      observer.observe([])
      expect(() => observer.range()).toThrow(/no calibration sample/)
    },
  )

  it('is made by name', () => {
    for (const method of [
      'percentile:50',
      'percentile:101',
      'percentile:',
      'percentile:1e2',
      'kl',
      'mse:2',
      'percentile:99 ',
    ])
      try {
        createObserver(method as 'minmax')
        expect(method).toBe('refused')
      } catch (error) {
        expect((error as DyadicError).code).toBe('usage')
      }
    expect(createObserver('percentile:99.99')).toBeDefined()
    expect(createObserver('percentile:100')).toBeDefined()
  })
})
