import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fillLogBesselI, fillLogBesselK, logBesselI, logBesselK } from './bessel-logarithm.ts'
import { besselIRatio } from './bessel-ratio.ts'
import { LEAST_RADIUS } from './bessel-uniform.ts'

const { rows } = JSON.parse(readFileSync(new URL('../../test/vectors/bessel.json', import.meta.url), 'utf8')) as {
  rows: [order: number, argument: number, logI: number, logK: number][]
}
const distance = (value: number, wanted: number): number => Math.abs(value - wanted) / Math.max(1, Math.abs(wanted))

/** From 40-digit values, rounded to double. */
const LOG_I = [
  [0, 1, 0.23591435850717865],
  [0, 50, 47.1275755018718],
  [0.5, 700, 695.8055212992737],
  [1, 30, 27.367748089282408],
  [3, 10000, 9994.475453758932],
  [5, 0.5, -11.708554618785103],
  [10, 100, 96.27763336565394],
  [20, 1400, 1395.316131258439],
  [50, 10, -67.51795773769427],
  [100, 100, 49.88933207079155],
  [1000, 1000, 528.2938870936566],
  [1023, 500, -363.4780157200754],
  [1023, 10000, 9942.192342457109],
  [2000, 1, -14592.81858669617],
  [4095, 2000, -1445.6851950567511],
  [16383, 20000, 13600.33915942648],
  [100000, 1, -1120613.9399526163],
] as const
const LOG_K = [
  [0, 1, -0.8650643989067881],
  [0, 50, -51.73269565529093],
  [1, 30, -31.462509841343923],
  [5, 0.5, 9.400793732194632],
  [10, 100, -101.58091424896992],
  [50, 10, 62.89317015263115],
  [100, 100, -55.53422771502921],
  [1000, 1000, -536.2413631903537],
  [1023, 500, 355.74726785726534],
  [4095, 2000, 1436.5675612466484],
] as const

describe('log I and log K', () => {
  it.each(LOG_I)('log I of order %d at %d', (order, argument, wanted) => {
    expect(distance(logBesselI(order, argument), wanted)).toBeLessThanOrEqual(1e-14)
  })

  it.each(LOG_K)('log K of order %d at %d', (order, argument, wanted) => {
    expect(distance(logBesselK(order, argument), wanted)).toBeLessThanOrEqual(1e-14)
  })

  it('are within 2e-14·max(1, |value|) of proven values at edges and at random points of the whole range', () => {
    expect(rows.length).toBe(2000)
    for (const [order, argument, logI, logK] of rows) {
      const at = `order ${order}, argument ${argument}`
      expect(distance(logBesselI(order, argument), logI), at).toBeLessThanOrEqual(2e-14)
      expect(distance(logBesselK(order, argument), logK), at).toBeLessThanOrEqual(2e-14)
    }
  })

  it('have the closed forms of order ½', () => {
    for (let x = 1e-3; x < 500; x *= 1.1) {
      const k = 0.5 * Math.log(Math.PI / (2 * x)) - x
      const i = 0.5 * Math.log(2 / (Math.PI * x)) + x + Math.log(-Math.expm1(-2 * x) / 2)
      expect(distance(logBesselK(0.5, x), k)).toBeLessThan(1e-14)
      expect(distance(logBesselI(0.5, x), i)).toBeLessThan(1e-14)
    }
  })

  it('obey the Wronskian I_v·K_{v+1} + I_{v+1}·K_v = 1/x', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 60, noNaN: true }),
        fc.double({ min: 0.01, max: 60, noNaN: true }),
        (v, x) => {
          const first = Math.exp(logBesselI(v, x) + logBesselK(v + 1, x))
          const second = Math.exp(logBesselI(v + 1, x) + logBesselK(v, x))
          // Sums of logarithms up to 400 lose their digits in the exponential.
          expect(Math.abs((first + second) * x - 1)).toBeLessThan(2e-13)
        },
      ),
    )
  })

  it('obey K_{v+1} − K_{v−1} = (2v/x)·K_v', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1, max: 60, noNaN: true }),
        fc.double({ min: 0.01, max: 60, noNaN: true }),
        (v, x) => {
          const middle = logBesselK(v, x)
          const difference = Math.exp(logBesselK(v + 1, x) - middle) - Math.exp(logBesselK(v - 1, x) - middle)
          // Logarithms up to 500 lose their digits in the exponential.
          expect(Math.abs((difference * x) / (2 * v) - 1)).toBeLessThan(2e-13 * Math.max(1, x / v))
        },
      ),
    )
  })

  it('join where one expression follows the other', () => {
    const radii = [LEAST_RADIUS, 43, 100, 335]
    for (const radius of radii)
      for (let i = 1; i < 50; i++) {
        const [v, x] = [radius * Math.cos((i * Math.PI) / 100), radius * Math.sin((i * Math.PI) / 100)]
        for (const [f, slope] of [
          [logBesselI, v + x * besselIRatio(v, x)],
          [logBesselK, v - x * Math.exp(logBesselK(v + 1, x) - logBesselK(v, x))],
        ] as const) {
          const inside = f(v, x * (1 - 1e-12))
          const outside = f(v, x * (1 + 1e-12))
          expect(Math.abs(outside - inside - 2e-12 * slope)).toBeLessThan(2e-14 * Math.max(4, Math.abs(inside)))
        }
      }
    // The ends of the table and of its stretches, and where the series has one term.
    for (const x of [1, 2, 6.4e-10, ...Array.from({ length: 30 }, (_, i) => 32 / (i + 2))])
      for (const v of [0, 1e-9, 0.03, 0.3, 0.5, 1, 1.5, 7.5, 20]) {
        const inside = logBesselK(v, x * (1 - 1e-12))
        const slope = v - x * Math.exp(logBesselK(v + 1, x) - logBesselK(v, x))
        const step = logBesselK(v, x * (1 + 1e-12)) - inside - 2e-12 * slope
        expect(Math.abs(step), `order ${v}, argument ${x}`).toBeLessThan(2e-14 * Math.max(1, Math.abs(inside)))
      }
  })

  it('are monotone in the argument', () => {
    for (const v of [0, 0.4, 3, 30, 3000])
      for (let x = 1e-3, low = x; x < 1e5; low = x, x *= 1.01) {
        expect(logBesselI(v, x)).toBeGreaterThanOrEqual(logBesselI(v, low))
        expect(logBesselK(v, x)).toBeLessThanOrEqual(logBesselK(v, low))
      }
  })

  it('say what the limits are, and NaN outside the domain', () => {
    expect([logBesselI(0, 0), logBesselI(2, 0), logBesselI(1, Infinity), logBesselI(Infinity, 1)]).toEqual([
      0,
      -Infinity,
      Infinity,
      -Infinity,
    ])
    expect([logBesselK(0, 0), logBesselK(2, 0), logBesselK(1, Infinity), logBesselK(Infinity, 1)]).toEqual([
      Infinity,
      Infinity,
      -Infinity,
      Infinity,
    ])
    for (const [v, x] of [
      [-1, 1],
      [1, -1],
      [Number.NaN, 1],
      [1, Number.NaN],
      [Infinity, Infinity],
    ] as const)
      expect([logBesselI(v, x), logBesselK(v, x)]).toEqual([Number.NaN, Number.NaN])
    for (const [v, x] of [
      [1e200, 1],
      [1, 1e200],
      [1e155, 1e155],
      [1e6, 5e-324],
    ] as const)
      expect([logBesselI(v, x), logBesselK(v, x)].every(Number.isFinite)).toBe(true)
  })

  it('in bulk are the single values, in place too, and refuse lengths that differ', () => {
    const orders = Float64Array.from(rows, (row) => row[0])
    const values = Float64Array.from(rows, (row) => row[1])
    const out = fillLogBesselI(orders, values, new Float64Array(rows.length))
    expect([...out]).toEqual(rows.map((row) => logBesselI(row[0], row[1])))
    expect([...fillLogBesselK(2.5, values.slice(), values.slice())]).toEqual(rows.map((row) => logBesselK(2.5, row[1])))
    const place = values.slice()
    expect(fillLogBesselK(orders, place, place)).toBe(place)
    expect([...place]).toEqual(rows.map((row) => logBesselK(row[0], row[1])))
    expect(() => fillLogBesselI(orders, values, new Float64Array(3))).toThrow(
      /2000 orders, 2000 arguments and room for 3/,
    )
    expect(() => fillLogBesselK(new Float64Array(2), values, out)).toThrow(/one length/)
  })
})

describe('the ratio I_{v+1}/I_v', () => {
  it('is the exponential of the difference of the logarithms', () => {
    for (const [order, argument] of rows) {
      const difference = logBesselI(order + 1, argument) - logBesselI(order, argument)
      const lost = 1e-13 + 2e-15 * Math.abs(logBesselI(order, argument))
      expect(Math.abs(Math.log(besselIRatio(order, argument)) - difference)).toBeLessThan(
        lost + 4e-16 * Math.abs(difference),
      )
    }
  })

  it('is 0 at 0, tends to 1, satisfies the recurrence and knows its domain', () => {
    expect([besselIRatio(0, 0), besselIRatio(30, 0)]).toEqual([0, 0])
    expect(besselIRatio(3, 1e12)).toBeCloseTo(1 - 3.5e-12, 14)
    // 1/ratio_v = ratio_{v+1} + 2(v + 1)/x.
    for (const [v, x] of [
      [0.2, 3],
      [12, 24],
      [100, 1],
      [5000, 9000],
    ] as const)
      expect((besselIRatio(v + 1, x) + (2 * (v + 1)) / x) * besselIRatio(v, x)).toBeCloseTo(1, 14)
    expect([besselIRatio(-1, 1), besselIRatio(1, -1), besselIRatio(Number.NaN, 1), besselIRatio(1, Infinity)]).toEqual(
      Array(4).fill(Number.NaN),
    )
  })
})
