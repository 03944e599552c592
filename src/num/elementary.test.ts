import { describe, expect, it } from 'vitest'
import { FIXED_POINT_FUNCTIONS, fromFixedPoint, toFixedPoint } from '../functions/fixed-point.ts'
import {
  exponential,
  exponentialLessOne,
  hyperbolicTangent,
  logarithm,
  logarithmOfOneAnd,
  logistic,
  power,
  powerOfTwoFrom,
} from './elementary.ts'
import { randomUint32 } from './random.ts'

const ONE = 1n << 96n
const { exp, tanh, sigmoid } = FIXED_POINT_FUNCTIONS

/** Distance between two neighbours at a size. */
const unit = (value: number): number => 2 ** (Math.floor(Math.log2(Math.abs(value))) - 52)
/** The error of a double against a fixed-point number, in units in the last place. */
const units = (found: number, wanted: bigint): number =>
  Math.abs(fromFixedPoint(toFixedPoint(found) - wanted)) / unit(fromFixedPoint(wanted))

const worst = (arguments_: Iterable<number>, error: (x: number) => number): number => {
  let most = 0
  for (const x of arguments_) most = Math.max(most, error(x))
  return most
}

const uniform = (seed: number, low: number, high: number): Float64Array =>
  Float64Array.from({ length: 2000 }, (_, i) => low + ((high - low) * randomUint32(seed, 0, i)) / 2 ** 32)

describe('elementary functions', () => {
  it('are near 96-bit fixed point', () => {
    expect(worst(uniform(1, -5, 40), (x) => units(exponential(x), exp(toFixedPoint(x))))).toBeLessThan(0.9)
    expect(worst(uniform(2, -2, 2), (x) => units(exponentialLessOne(x), exp(toFixedPoint(x)) - ONE))).toBeLessThan(2.2)
    expect(worst(uniform(3, -6, 6), (x) => units(hyperbolicTangent(x), tanh(toFixedPoint(x))))).toBeLessThan(2.2)
    expect(worst(uniform(4, -20, 20), (x) => units(logistic(x), sigmoid(toFixedPoint(x))))).toBeLessThan(2.2)
  })

  it('has logarithms whose exponentials are the argument', () => {
    /** The error of y as ln x, from e^y − x to first order, in units in the last place of y. */
    const error = (x: number, y: number): number =>
      Math.abs(fromFixedPoint(exp(toFixedPoint(y)) - toFixedPoint(x)) / x) / unit(y)
    for (const [low, high] of [
      [0.5, 0.9999],
      [1.0001, 2],
      [2, 1e6],
    ])
      expect(worst(uniform(5, low, high), (x) => error(x, logarithm(x)))).toBeLessThan(1.3)
    expect(worst(uniform(6, 0.001, 10), (x) => error(1 + x, logarithmOfOneAnd(1 + x - 1)))).toBeLessThan(2.2)
    // Far out, e^x grows beyond the fixed point: squares have twice the logarithm.
    for (const x of uniform(7, 1, 2)) {
      const large = x * 2 ** 500
      expect(Math.abs(logarithm(large) - (logarithm(x) + 500 * Math.LN2))).toBeLessThan(2 * unit(400))
    }
  })

  it('has powers near those of exact integers', () => {
    for (const [base, exponent] of [
      [3, 33],
      [7, 18],
      [1.5, 40],
    ]) {
      const scale = base % 1 === 0 ? 1n : 2n
      const wanted = Number(BigInt(base * Number(scale)) ** BigInt(exponent)) / Number(scale ** BigInt(exponent))
      expect(Math.abs(power(base, exponent) - wanted) / unit(wanted)).toBeLessThan(2 * (1 + exponent * Math.log(base)))
    }
    expect([power(-2, 3), power(-2, -2), power(9, 0.5), power(2, -1)]).toEqual([-8, 0.25, 3, 0.5])
    expect(power(-3, 33)).toBe(-power(3, 33))
    expect(power(-3, 34)).toBe(power(3, 34))
    expect(power(-3, 0.25)).toBeNaN()
  })

  it('keeps what is exact: zeros, ones, infinities, NaN', () => {
    expect([exponential(0), exponential(-0), exponential(Infinity), exponential(-Infinity)]).toEqual([
      1,
      1,
      Infinity,
      0,
    ])
    expect([exponential(709.7827128933841), exponential(710), exponential(-746)]).toEqual([Infinity, Infinity, 0])
    expect(exponential(709.782712893384) / 2 ** 1023).toBeCloseTo(2, 9)
    expect(exponential(-745)).toBe(2 ** -1074)
    for (const odd of [exponentialLessOne, hyperbolicTangent, logarithmOfOneAnd])
      expect([odd(0), odd(-0), odd(2 ** -1074), odd(-1e-300)]).toEqual([0, -0, 2 ** -1074, -1e-300])
    expect([exponentialLessOne(-50), exponentialLessOne(Infinity), exponentialLessOne(-Infinity)]).toEqual([
      -1,
      Infinity,
      -1,
    ])
    expect(exponentialLessOne(709)).toBe(exponential(709))
    expect([logarithm(1), logarithm(0), logarithm(Infinity), logarithm(2)]).toEqual([0, -Infinity, Infinity, Math.LN2])
    expect(logarithm(2 ** -1074)).toBeCloseTo(-744.44007192138, 10)
    expect([logarithmOfOneAnd(-1), logarithmOfOneAnd(Infinity)]).toEqual([-Infinity, Infinity])
    expect([hyperbolicTangent(Infinity), hyperbolicTangent(-30)]).toEqual([1, -1])
    expect([logistic(0), logistic(800), logistic(-800)]).toEqual([0.5, 1, 0])
    for (const f of [exponential, exponentialLessOne, logarithm, logarithmOfOneAnd, hyperbolicTangent, logistic])
      expect(f(Number.NaN)).toBeNaN()
    expect([logarithm(-1), logarithmOfOneAnd(-2)]).toEqual([Number.NaN, Number.NaN])
    expect([power(0, 0), power(Number.NaN, 0), power(0, 2.5), power(Infinity, -0.5)]).toEqual([1, 1, 0, 0])
  })

  it('finds powers of two', () => {
    expect([1, 1.0000001, 0.75, 2 ** -1074, 3e300].map(powerOfTwoFrom)).toEqual([1, 2, 1, 2 ** -1022, 2 ** 999])
    expect(powerOfTwoFrom(2 ** 40)).toBe(2 ** 40)
    expect(powerOfTwoFrom(2 ** 40 + 2 ** -12)).toBe(2 ** 41)
  })
})
