import { describe, expect, it } from 'vitest'
import { randomUint32 } from '../num/random.ts'
import { fitConcentration, fitVonMisesFisher, meanResultant, vonMisesFisherLogDensity } from './von-mises-fisher.ts'

describe('the concentration from the mean resultant length', () => {
  // Dimension, R, start, after two steps. The last value is given to ten digits only: its source took the ratio from a
  // difference of logarithms.
  it.each([
    [2048, 0.3, 675.1351648, 675.1104282],
    [8192, 0.3, 2700.6296703, 2700.6049082],
    [32768, 0.3, 10802.6076923, 10802.5829238],
    [2048, 0.9, 9697.2157895, 9696.8130524],
    [8192, 0.9, 38800.3736842, 38799.9709288],
    [32768, 0.9, 155213.0052632, 155212.6024545],
  ])('in %d dimensions with R = %d', (dimension, resultant, start, afterTwo) => {
    const fit = fitConcentration(dimension, resultant, { steps: 2 })
    expect(fit.steps).toBe(2)
    expect(Math.abs(fit.start / start - 1)).toBeLessThan(1e-10)
    expect(Math.abs(fit.concentration / afterTwo - 1)).toBeLessThan(5e-10)
    expect(fit.residual).toBeLessThan(1e-11)
    const converged = fitConcentration(dimension, resultant)
    expect(converged.residual).toBeLessThan(2e-16)
  })

  it('solves A(κ) = R at the ends too', () => {
    expect(fitConcentration(5, 0)).toEqual({ start: 0, concentration: 0, steps: 0, residual: 0 })
    for (const dimension of [2, 3, 10, 1000])
      for (const resultant of [1e-12, 1e-5, 0.5, 0.99, 1 - 1e-9])
        expect(fitConcentration(dimension, resultant).residual).toBeLessThan(3e-16)
    // On the sphere A is coth κ − 1/κ.
    const { concentration } = fitConcentration(3, 0.5)
    expect(1 / Math.tanh(concentration) - 1 / concentration).toBeCloseTo(0.5, 14)
  })

  it('refuses what has no fit', () => {
    for (const resultant of [1, -0.1, 2, Number.NaN]) expect(() => fitConcentration(3, resultant)).toThrow(/resultant/)
    for (const dimension of [1, 2.5, Number.NaN]) expect(() => fitConcentration(dimension, 0.5)).toThrow(/dimensions/)
  })
})

describe('the log density', () => {
  it('is κ/(4π sinh κ)·e^(κ cos) on the sphere, 1/(4π) at κ = 0', () => {
    for (const concentration of [0.1, 1, 5, 30]) {
      const exact = Math.log(concentration / (4 * Math.PI * Math.sinh(concentration)))
      expect(vonMisesFisherLogDensity([0, 0, 1], concentration, [0, 0.6, 0.8])).toBeCloseTo(
        exact + 0.8 * concentration,
        12,
      )
    }
    expect(vonMisesFisherLogDensity([1, 0, 0], 0, [0, 1, 0])).toBeCloseTo(-Math.log(4 * Math.PI), 14)
  })

  it('is finite in 32768 dimensions, where the Bessel function is not', () => {
    const mean = new Float64Array(32768)
    mean[0] = 1
    expect(Number.isFinite(vonMisesFisherLogDensity(mean, 10802.6, mean))).toBe(true)
    expect(Number.isFinite(vonMisesFisherLogDensity(mean, 0, mean))).toBe(true)
  })

  it('refuses vectors of different lengths and concentrations that are none', () => {
    expect(() => vonMisesFisherLogDensity([1, 0], 1, [1, 0, 0])).toThrow(/one length/)
    for (const concentration of [-1, Infinity, Number.NaN])
      expect(() => vonMisesFisherLogDensity([1, 0], concentration, [1, 0])).toThrow(/finite concentration/)
  })
})

describe('the fit to samples', () => {
  /** Samples on the sphere by inversion: the cosine to the mean is 1 + log(u + (1 − u)e^(−2κ))/κ. */
  function samples(count: number, concentration: number): Float64Array {
    const uniform = (stream: number, i: number): number => (randomUint32(9, stream, i) + 0.5) / 2 ** 32
    const out = new Float64Array(3 * count)
    for (let i = 0; i < count; i++) {
      const u = uniform(0, i)
      const cosine = 1 + Math.log(u + (1 - u) * Math.exp(-2 * concentration)) / concentration
      const sine = Math.sqrt(1 - cosine * cosine)
      const angle = 2 * Math.PI * uniform(1, i)
      out.set([sine * Math.cos(angle), cosine, sine * Math.sin(angle)], 3 * i)
    }
    return out
  }

  it('finds the direction and the concentration that made them', () => {
    const fit = fitVonMisesFisher(samples(20000, 12), 3)
    expect(fit.mean[1]).toBeGreaterThan(0.9999)
    expect(Math.abs(fit.concentration / 12 - 1)).toBeLessThan(0.03)
    expect(meanResultant(3, fit.concentration)).toBeCloseTo(fit.resultant, 14)
  })

  it('takes balanced samples as uniform', () => {
    const fit = fitVonMisesFisher([1, 0, -1, 0], 2)
    expect([fit.concentration, fit.resultant, ...fit.mean]).toEqual([0, 0, 1, 0])
  })

  it('refuses rows that are no unit vectors, no rows, and one point', () => {
    expect(() => fitVonMisesFisher([1, 0, 2, 0], 2)).toThrow(/row 1 has length 2/)
    expect(() => fitVonMisesFisher([Number.NaN, 0], 2)).toThrow(/row 0/)
    expect(() => fitVonMisesFisher([1, 0, 1], 2)).toThrow(/3 numbers are no rows of 2/)
    expect(() => fitVonMisesFisher([], 2)).toThrow(/no rows/)
    expect(() => fitVonMisesFisher([0, 1, 0, 1], 2)).toThrow(/one point/)
  })
})
