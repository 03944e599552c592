import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DyadicError } from '../error.ts'
import {
  addIntervals,
  contains,
  hull,
  INT8,
  INT16,
  INT32,
  type Interval,
  intersect,
  interval,
  multiplyIntervals,
  UINT8,
} from './interval.ts'

const bound = fc.integer({ min: -(2 ** 26), max: 2 ** 26 })
const box: fc.Arbitrary<Interval> = fc.tuple(bound, bound).map(([a, b]) => interval(Math.min(a, b), Math.max(a, b)))
/** An interval and a member of it, the ends more often than chance. */
const member: fc.Arbitrary<[Interval, number]> = box.chain((range) =>
  fc.tuple(
    fc.constant(range),
    fc.oneof(fc.constantFrom(range.low, range.high), fc.integer({ min: range.low, max: range.high })),
  ),
)
const holds = (range: Interval, value: number): boolean => range.low <= value && value <= range.high

describe('intervals are sound', () => {
  it('sums and products of members lie inside, hulls contain both, intersections only the common members', () => {
    fc.assert(
      fc.property(member, member, ([a, x], [b, y]) => {
        expect(holds(addIntervals(a, b), x + y)).toBe(true)
        expect(holds(multiplyIntervals(a, b), x * y)).toBe(true)
        const both = hull(a, b)
        expect(contains(both, a) && contains(both, b)).toBe(true)
        expect(contains(a, interval(x, x))).toBe(true)
        expect(contains(a, b)).toBe(holds(a, b.low) && holds(a, b.high))
        if (holds(b, x)) expect(holds(intersect(a, b), x)).toBe(true)
      }),
      { numRuns: 5000 },
    )
  })

  it('are attained: the ends of a sum and of a product are reached by ends', () => {
    fc.assert(
      fc.property(box, box, (a, b) => {
        expect(addIntervals(a, b)).toEqual({ low: a.low + b.low, high: a.high + b.high })
        const products = [a.low, a.high].flatMap((x) => [b.low, b.high].map((y) => x * y + 0))
        const product = multiplyIntervals(a, b)
        expect(products).toContain(product.low)
        expect(products).toContain(product.high)
      }),
    )
  })
})

describe('an interval', () => {
  it('has no negative zero', () => {
    expect(Object.is(interval(-0, -0).low, 0) && Object.is(interval(-0, -0).high, 0)).toBe(true)
    expect(Object.is(multiplyIntervals(interval(-3, 0), interval(0, 0)).low, 0)).toBe(true)
  })

  it.each([
    [1, 0],
    [0.5, 1],
    [Number.NaN, 1],
    [0, 2 ** 53],
    [-Infinity, 0],
  ])('refuses [%s, %s]', (low, high) => {
    expect(() => interval(low, high)).toThrow(DyadicError)
  })

  it('refuses a bound that would be rounded', () => {
    const large = interval(0, 2 ** 53 - 1)
    expect(() => addIntervals(large, interval(0, 1))).toThrow(/beyond 53 bits/)
    expect(() => multiplyIntervals(large, interval(0, 2))).toThrow(/beyond 53 bits/)
    expect(() => intersect(interval(0, 1), interval(2, 3))).toThrow(/empty/)
  })

  it('names the machine formats', () => {
    expect([INT8, UINT8, INT16, INT32].map(({ low, high }) => [low, high])).toEqual([
      [-128, 127],
      [0, 255],
      [-32768, 32767],
      [-2147483648, 2147483647],
    ])
  })
})
