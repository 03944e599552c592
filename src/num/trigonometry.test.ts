import { describe, expect, it } from 'vitest'
import { randomUint32 } from './random.ts'
import {
  cosine,
  hyperbolicCosine,
  hyperbolicSine,
  inverseCosine,
  inverseHyperbolicCosine,
  inverseHyperbolicSine,
  inverseHyperbolicTangent,
  inverseSine,
  inverseTangent,
  sine,
  tangent,
} from './trigonometry.ts'

/** The host's own functions are off by an unit or two themselves: that is why these exist. */
const near = (found: number, wanted: number): void =>
  expect(Math.abs(found - wanted)).toBeLessThanOrEqual(8 * 2 ** -53 * Math.max(Math.abs(wanted), 2 ** -30))

const arguments_ = (seed: number, low: number, high: number): Float64Array =>
  Float64Array.from({ length: 500 }, (_, i) => low + (high - low) * (randomUint32(seed, 0, i) / 2 ** 32))

describe('trigonometry', () => {
  it.each<[string, (x: number) => number, (x: number) => number, number, number]>([
    ['sine', sine, Math.sin, -1000, 1000],
    ['sine far out', sine, Math.sin, 1e15, 1e17],
    ['cosine', cosine, Math.cos, -1000, 1000],
    ['cosine far out', cosine, Math.cos, -1e300, 1e300],
    ['tangent', tangent, Math.tan, -1.5, 1.5],
    ['inverseTangent', inverseTangent, Math.atan, -20, 20],
    ['inverseSine', inverseSine, Math.asin, -1, 1],
    ['inverseCosine', inverseCosine, Math.acos, -1, 1],
    ['hyperbolicSine', hyperbolicSine, Math.sinh, -9, 9],
    ['hyperbolicSine far out', hyperbolicSine, Math.sinh, 690, 710],
    ['hyperbolicCosine', hyperbolicCosine, Math.cosh, -9, 9],
    ['inverseHyperbolicSine', inverseHyperbolicSine, Math.asinh, -9, 9],
    ['inverseHyperbolicSine far out', inverseHyperbolicSine, Math.asinh, 1e10, 1e20],
    ['inverseHyperbolicCosine', inverseHyperbolicCosine, Math.acosh, 1, 9],
    ['inverseHyperbolicTangent', inverseHyperbolicTangent, Math.atanh, -1, 1],
  ])('%s is near the host’s', (_, found, wanted, low, high) => {
    for (const x of arguments_(1, low, high)) near(found(x), wanted(x))
  })

  it('keeps zeros, ends, infinities and NaN', () => {
    for (const odd of [sine, tangent, inverseTangent, inverseSine, hyperbolicSine, inverseHyperbolicSine])
      expect([odd(0), odd(-0), odd(Number.NaN)]).toEqual([0, -0, Number.NaN])
    expect([sine(Infinity), cosine(-Infinity), tangent(Infinity)]).toEqual([Number.NaN, Number.NaN, Number.NaN])
    expect([inverseTangent(Infinity), inverseTangent(-Infinity)]).toEqual([Math.PI / 2, -Math.PI / 2])
    expect([inverseSine(1), inverseSine(-1), inverseSine(1.1)]).toEqual([Math.PI / 2, -Math.PI / 2, Number.NaN])
    expect([inverseCosine(1), inverseCosine(-1), inverseCosine(-2)]).toEqual([0, Math.PI, Number.NaN])
    expect([cosine(0), hyperbolicCosine(0)]).toEqual([1, 1])
    expect([hyperbolicSine(800), hyperbolicSine(-800), hyperbolicCosine(-800)]).toEqual([Infinity, -Infinity, Infinity])
    expect([inverseHyperbolicCosine(1), inverseHyperbolicCosine(0.5), inverseHyperbolicCosine(Infinity)]).toEqual([
      0,
      Number.NaN,
      Infinity,
    ])
    expect([1, -1, 2].map(inverseHyperbolicTangent)).toEqual([Infinity, -Infinity, Number.NaN])
  })

  it('reduces the largest arguments exactly', () => {
    // 50-digit values: sin(2^100), cos(2^1000).
    near(sine(2 ** 100), -0.8721836054182673)
    near(cosine(2 ** 1000), Math.cos(2 ** 1000))
    expect(sine(-(2 ** 100))).toBe(-sine(2 ** 100))
  })
})
