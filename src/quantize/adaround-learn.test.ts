import { describe, expect, it } from 'vitest'
import { noise } from '../reference/fast/net.fixture.ts'
import {
  betaAt,
  learnRounding,
  learnShares,
  type RoundingProblem,
  regulariser,
  relaxed,
  variableOf,
} from './adaround-learn.ts'

/** A layer of random weights at few bits, on inputs that are alike. */
function problem(options: {
  outputs: number
  taps: number
  groups?: number
  rows?: number
  step?: number
  low?: number
}) {
  const { outputs, taps, groups = 1, rows = 256, step = 0.3, low = Number.NEGATIVE_INFINITY } = options
  const weights = noise(outputs * taps, 3)
  const inputs = Float32Array.from(noise(rows * groups * taps, 4))
  for (let i = 1; i < inputs.length; i++)
    inputs[i] = (i % taps === 0 ? 0 : 0.8 * (inputs[i - 1] as number)) + (inputs[i] as number)
  const offsets = Float32Array.from(noise(rows * outputs, 6), (value) => value * 0.1)
  const outputOf = (values: ArrayLike<number>): Float32Array =>
    Float32Array.from(offsets, (offset, at) => {
      const [row, o] = [Math.floor(at / outputs), at % outputs]
      const group = Math.floor(o / (outputs / groups))
      let sum = offset
      for (let t = 0; t < taps; t++)
        sum += (values[o * taps + t] as number) * (inputs[(row * groups + group) * taps + t] as number)
      return Math.max(low, sum)
    })
  const targets = outputOf(weights)
  const floors = Float64Array.from(weights, (weight) => Math.floor(weight / step) * step)
  const shares = Float64Array.from(weights, (weight, i) => (weight - (floors[i] as number)) / step)
  const nearest = Uint8Array.from(shares, (share) => (share >= 0.5 ? 1 : 0))
  const made: RoundingProblem = {
    ...{ rows, groups, taps, outputs, inputs, targets, offsets, floors, shares, nearest, low },
    spans: new Float64Array(floors.length).fill(step),
    high: Number.POSITIVE_INFINITY,
  }
  const errorOf = (up: ArrayLike<number>): number =>
    outputOf(floors.map((floor, i) => floor + step * (up[i] as number))).reduce(
      (sum, value, i) => sum + (value - (targets[i] as number)) ** 2,
      0,
    )
  return { made, errorOf, nearest }
}

describe('the relaxation', () => {
  it('starts at the float weights', () => {
    for (let share = 0; share < 1; share += 0.01) expect(relaxed(variableOf(share))).toBeCloseTo(share, 9)
  })

  it('is regularised to 0 and 1, by a falling exponent', () => {
    expect(regulariser([0, 1, 1, 0], 3)).toBe(0)
    expect(regulariser([0.5, 0.5, 0.5], 7)).toBe(3)
    expect(regulariser([0, 0.9], 20)).toBeGreaterThan(0)
    expect([0, 0.2, 1].map(betaAt)).toEqual([20, 20, 2])
    expect(betaAt(0.6)).toBeCloseTo(11, 9)
  })
})

describe('learnRounding', () => {
  it.each([
    ['a dense layer', { outputs: 5, taps: 30 }],
    ['one behind a Relu', { outputs: 11, taps: 24, low: 0 }],
    ['a depthwise one', { outputs: 6, taps: 9, groups: 6 }],
    ['a grouped one', { outputs: 6, taps: 12, groups: 2 }],
    ['one with fewer rows than a batch', { outputs: 4, taps: 30, rows: 40 }],
  ])(
    'takes a third or more of the error of nearest rounding away from %s, with every share settled',
    (_name, options) => {
      const { made, errorOf, nearest } = problem(options)
      const shares = learnShares(made, { seed: 1 })
      const open = shares.filter((share) => share >= 0.01 && share <= 0.99).length
      expect(open).toBeLessThanOrEqual(Math.max(1, shares.length / 100))
      const up = learnRounding(made, { seed: 1 })
      expect(errorOf(up)).toBeLessThan(errorOf(nearest) * 0.67)
      expect(learnRounding(made, { seed: 1 })).toEqual(up)
      // Hardening moves next to nothing.
      expect(Math.abs(errorOf(up) / errorOf(shares) - 1)).toBeLessThan(0.05)
    },
  )

  it('comes within a tenth of the best of all roundings of 12 weights', () => {
    const { made, errorOf } = problem({ outputs: 1, taps: 12 })
    let best = Number.POSITIVE_INFINITY
    for (let choice = 0; choice < 4096; choice++)
      best = Math.min(best, errorOf(Array.from({ length: 12 }, (_, i) => (choice >> i) & 1)))
    expect(errorOf(learnRounding(made, { seed: 2 }))).toBeLessThanOrEqual(best * 1.1)
  })

  it('chooses nothing where there is no code above', () => {
    const { made } = problem({ outputs: 2, taps: 12 })
    const spans = made.spans.map((span, i) => (i % 2 === 0 ? 0 : span))
    const shares = learnShares({ ...made, spans }, { seed: 1 })
    for (let i = 0; i < spans.length; i += 2) expect(shares[i]).toBeCloseTo(made.shares[i] as number, 9)
  })
})
