/** Scales, rankings and pictures. */
import { describe, expect, it } from 'vitest'
import { DyadicError } from '../error.ts'
import { elementFormatNamed, formatNamed } from './catalogue.ts'
import { largest } from './convert.ts'
import { bitPicture, blockPicture, formatFacts, gridPlot, shortNumber, valueLines } from './picture.ts'
import { rankFormats, signalToNoise } from './ranking.ts'
import { samples } from './samples.fixture.ts'
import { largestMagnitude, scaleFor, searchScale, squaredError } from './scale.ts'

describe('searchScale', () => {
  it('is never worse than the largest magnitude, and finds the known optimum', () => {
    const gaussian = samples('gaussian', 80_000, 9)
    for (const name of ['e2m1', 'int8-symmetric', 'e5m2']) {
      const format = elementFormatNamed(name)
      const found = searchScale(format, gaussian)
      expect(squaredError(format, gaussian, found)).toBeLessThanOrEqual(
        squaredError(format, gaussian, scaleFor(format, largestMagnitude(gaussian))),
      )
      expect(searchScale(format, gaussian)).toBe(found)
    }
    const int8 = elementFormatNamed('int8-symmetric')
    const error = squaredError(int8, gaussian, searchScale(int8, gaussian))
    // The optimum of the density; these samples allow a little more.
    expect(-10 * Math.log10(error)).toBeGreaterThan(40.5)
    expect(searchScale(int8, gaussian) * largest(int8)).toBeLessThan(0.95 * largestMagnitude(gaussian))
  })

  it('keeps to the ends: zeros, tiny values, and what has no range', () => {
    const format = elementFormatNamed('e4m3fn')
    expect(searchScale(format, new Float32Array(4))).toBe(1)
    expect(scaleFor(format, Number.MIN_VALUE)).toBe(Number.MIN_VALUE)
    expect(() => searchScale(format, Float32Array.of(1, Number.NaN))).toThrow(/the values: element 1 is NaN/)
    expect(() => largestMagnitude([1, -Infinity], 'x')).toThrow(DyadicError)
  })
})

describe('rankFormats', () => {
  it('puts integers before floats for uniform values, and the other way round for heavy tails', () => {
    const formats = ['int8-symmetric', 'e4m3fn', 'mxint8'].map(formatNamed)
    const names = (values: Float64Array): string[] => rankFormats(formats, values).map(({ name }) => name)
    const uniform = names(samples('uniform', 20_000))
    expect(uniform.indexOf('int8-symmetric')).toBeLessThan(uniform.indexOf('e4m3fn'))
    const heavy = names(samples('gaussian', 20_000).map((z, i) => (i % 1000 === 0 ? 300 * z : z)))
    expect(heavy.indexOf('e4m3fn')).toBeLessThan(heavy.indexOf('int8-symmetric'))
  })

  it('reports exact formats, and zeros', () => {
    const [score] = rankFormats([formatNamed('int8')], Float64Array.of(1, 2, 127))
    expect([score?.sqnr, score?.scale]).toEqual([Number.POSITIVE_INFINITY, 1])
    expect(rankFormats([formatNamed('int8')], new Float64Array(3))[0]?.sqnr).toBeNaN()
    expect(signalToNoise([1, 1], [0.9, 1.1])).toBeCloseTo(20, 10)
  })
})

describe('pictures', () => {
  it('name every bit', () => {
    expect(bitPicture(elementFormatNamed('e4m3fn'))).toBe(' 7  6  5  4  3  2  1  0\n s  e  e  e  e  m  m  m')
    expect(bitPicture(elementFormatNamed('flint4'))).toBe(' 3  2  1  0\n s  f  f  f')
    expect(bitPicture(elementFormatNamed('int4'))).toBe(' 3  2  1  0\n i  i  i  i')
    const nvfp4 = formatNamed('nvfp4')
    expect(nvfp4.kind === 'block' && blockPicture(nvfp4)).toBe(
      'scale: e4m3fn-saturating [seeeemmm], and a float32 for the tensor\n16 × e2m1 [seem]\n4.5 bits per element',
    )
  })

  it('show every value and where it lies', () => {
    expect(valueLines(elementFormatNamed('int3-symmetric'))).toBe('0: 0  1  2  3  unused  -3  -2  -1')
    expect(valueLines(elementFormatNamed('ue2m1fn'))).toBe('0: 0  0.5  1  1.5  2  3  4  NaN')
    expect(gridPlot(elementFormatNamed('uint2')).split('\n')[1]).toMatch(/^0 +3$/)
    expect(gridPlot(elementFormatNamed('pot4'))).toContain('from 2^6  1  ███')
    expect([1 / 3, -0, 1e-30, -3.4028234e38].map(shortNumber)).toEqual(['0.333333', '-0', '1e-30', '-3.40282e+38'])
  })

  it('have figures', () => {
    expect(formatFacts(elementFormatNamed('e5m2'))).toEqual({
      ...{ codes: 256, distinct: 247, lowest: -57344, highest: 57344, leastPositive: 2 ** -16, leastNormal: 2 ** -14 },
      ...{ finestStep: 2 ** -16, coarsestStep: 8192, stepAtOne: 0.25 },
    })
  })
})
