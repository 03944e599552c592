import { describe, expect, it } from 'vitest'
import { logistic, sigmoidOf, swishOf } from './logistic.ts'

describe('the fast sigmoid', () => {
  it('is exact to 1e-9 of itself wherever float32 can hold it', () => {
    for (let i = -10300; i <= 10300; i++) {
      const x = i / 100
      const exact = 1 / (1 + Math.exp(-x))
      expect(Math.abs(logistic(x) - exact)).toBeLessThanOrEqual(1e-9 * exact)
    }
  })

  it('ends at 0 and 1 and passes NaN on', () => {
    expect([-Infinity, -111, 111, Infinity].map(logistic)).toEqual([0, 0, 1, 1])
    expect(logistic(Number.NaN)).toBeNaN()
  })

  it('is written beside or over its input', () => {
    const floats = Float32Array.of(0, 1, -2, 0, 0)
    sigmoidOf(floats, 1, 3, 2)
    expect([...floats.subarray(1)]).toEqual([1, -2, Math.fround(logistic(1)), Math.fround(logistic(-2))])
    swishOf(floats, 1, 1, 2, 0.5)
    expect([...floats.subarray(1, 3)]).toEqual([Math.fround(logistic(0.5)), Math.fround(-2 * logistic(-1))])
  })
})
