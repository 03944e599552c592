import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { streamingHistogram } from '../quantize/histogram.ts'
import { axis } from './axis.ts'
import { rebin } from './plot-histogram.ts'
import { byteText, decibelText, gainText, realText, shareText } from './quantities.ts'

describe('axis', () => {
  it('has round ticks inside its range, and maps the ends to the ends', () => {
    expect(axis(0, 50, 300, 20, 8).ticks).toEqual([0, 10, 20, 30, 40, 50])
    expect(axis(-0.3, 0.31, 0, 100).ticks).toEqual([-0.2, 0, 0.2])
    const real = fc.double({ min: -1e6, max: 1e6, noNaN: true })
    fc.assert(
      fc.property(real, fc.double({ min: 1e-3, max: 1e6, noNaN: true }), (low, span) => {
        const { ticks, at } = axis(low, low + span, 10, 110)
        expect(ticks.length).toBeLessThanOrEqual(6)
        expect(ticks.length).toBeGreaterThanOrEqual(1)
        for (const tick of ticks) expect(at(tick)).toSatisfy((x: number) => x >= 10 && x <= 110)
        expect([at(low), at(low - 1), at(low + span + 1)]).toEqual([10, 10, 110])
      }),
    )
  })
})

describe('rebin', () => {
  it('loses no element between the extremes', () => {
    const real = fc.double({ min: -1000, max: 1000, noNaN: true }).map(Math.fround)
    fc.assert(
      fc.property(fc.array(real, { minLength: 2, maxLength: 50 }), fc.integer({ min: 1, max: 200 }), (values, bars) => {
        fc.pre(values.some((value) => Math.abs(value) > 1e-20))
        const histogram = streamingHistogram()
        histogram.observe(values)
        const found = histogram.read()
        const { low, high } = found.extremes
        fc.pre(high - low > found.width)
        const sum = rebin(found, low, high, bars).reduce((a, b) => a + b, 0)
        // Bins at both ends may lie outside by rounding.
        expect(Math.abs(sum - values.length)).toBeLessThan(1e-6 * values.length)
      }),
    )
  })

  it('puts elements where they are', () => {
    const histogram = streamingHistogram()
    histogram.observe([...Array(30).fill(-0.9), ...Array(10).fill(0.35)])
    expect([...rebin(histogram.read(), -1, 1, 4)].map(Math.round)).toEqual([30, 0, 10, 0])
  })
})

describe('quantities', () => {
  it('reads well', () => {
    expect([31.44, -3, Infinity, -Infinity].map(decibelText)).toEqual(['31.4 dB', '−3.0 dB', 'exact', '−∞ dB'])
    expect([1.25, -1.25, Infinity].map(gainText)).toEqual(['+1.3 dB', '−1.3 dB', 'exact'])
    expect([9999, 131072, 11_206_656].map(byteText)).toEqual(['9,999 bytes', '131 kB', '11.2 MB'])
    expect([0, 0.5, 0.000123].map(shareText)).toEqual(['0 %', '50 %', '0.012 %'])
    expect([-0.00001, 1234.5, 0].map(realText)).toEqual(['−1e−5'.replace('e−', 'e-'), '1230', '0'])
  })
})
