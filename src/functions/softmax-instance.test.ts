import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fillRandomUint32 } from '../num/random.ts'
import { ALGORITHMS, createSoftmax } from './softmax-instance.ts'
import { logSumExpReference, softmaxReference } from './softmax-reference.ts'

const instance = createSoftmax({ workspace: 1 << 18 })
const numbers = (count: number, low: number, high: number, seed = 1): Float32Array => {
  const words = new Uint32Array(count)
  fillRandomUint32(seed, 0, 0, words)
  return Float32Array.from(words, (word) => low + ((high - low) * word) / 2 ** 32)
}
/** Largest relative error among the elements whose exact value is 1e-37 or more. */
function relativeError(found: Float32Array, values: Float32Array): number {
  const exact = softmaxReference(values)
  let most = 0
  for (let i = 0; i < found.length; i++)
    if (exact[i]! >= 1e-37) most = Math.max(most, Math.abs(found[i]! - exact[i]!) / exact[i]!)
  return most
}

describe('the exponential as mantissa and exponent', () => {
  it.each([
    [0, 1, 0],
    [1, 1.359141, 1],
    [-1, 0.735759, -1],
    [10, 1.344388, 14],
    [100, 1.205393, 144],
    [1000, 0.809465, 1443],
    [-1000, 1.235384, -1443],
    [88.72284, 1.0000002, 128],
  ])('of %d is %d·2^%d', (x, mantissa, exponent) => {
    const { mantissas, exponents } = instance.exponentials(Float32Array.of(x))
    expect(Math.abs(mantissas[0]! - mantissa)).toBeLessThan(1e-6)
    expect(exponents[0]).toBe(exponent)
  })

  it('is within 1.05 units in the last place at every 1021st float32 of [−87, 88], and mantissas lie about 1', () => {
    const words = new Uint32Array(1)
    const float = new Float32Array(words.buffer)
    const bits = (value: number): number => {
      float[0] = value
      return words[0]!
    }
    const points: number[] = []
    for (const [first, last] of [
      [bits(2 ** -30), bits(88)],
      [bits(-(2 ** -30)), bits(-87)],
    ] as const)
      for (words[0] = first; words[0] <= last; words[0] += 1021) points.push(float[0]!)
    const x = Float32Array.from(points)
    expect(x.length).toBeGreaterThan(590_000)
    const { mantissas, exponents } = instance.exponentials(x)
    let most = 0
    for (let i = 0; i < x.length; i++) {
      const exact = Math.exp(x[i]!)
      const found = mantissas[i]! * 2 ** exponents[i]!
      most = Math.max(most, Math.abs(found - exact) / 2 ** (Math.floor(Math.log2(exact)) - 23))
    }
    expect(most).toBeLessThan(1.05)
    expect(mantissas.every((m) => m > Math.SQRT1_2 - 7e-6 && m < Math.SQRT2 + 7e-6)).toBe(true)
  })

  it('is within 1.6e-7, relatively, from −1000 to 1000', () => {
    const x = numbers(200_000, -1000, 1000)
    const { mantissas, exponents } = instance.exponentials(x)
    // ln 2 = 0x1.62e42fefa38p-1 + a rest: products of the first part with n are exact.
    let most = 0
    for (let i = 0; i < x.length; i++) {
      const t = x[i]! - exponents[i]! * 0.6931471805598903 - exponents[i]! * 5.497923018708371e-14
      most = Math.max(most, Math.abs(mantissas[i]! / Math.exp(t) - 1))
    }
    expect(most).toBeLessThan(1.6e-7)
  })

  it('refuses numbers beyond 1400', () => {
    for (const wrong of [1401, -Infinity, Number.NaN])
      expect(() => instance.exponentials(Float32Array.of(0, wrong))).toThrow(/from −1400 to 1400/)
  })
})

describe('the first pass', () => {
  it('does not overflow, and gives the exponent of the largest', () => {
    const large = instance.extendedSum(Float32Array.of(1000, 1001, 1002))
    expect(large.exponent).toBe(1446)
    expect(large.mantissa).toBeCloseTo(1.123875, 6)
    const small = instance.extendedSum(new Float32Array(4).fill(-1000))
    expect(small.exponent).toBe(-1443)
    expect(small.mantissa).toBeCloseTo(4.941535, 5)
  })

  it('is the same through the stage and in the workspace, whatever the length', () => {
    for (const count of [1, 2, 3, 4, 5, 17, 1023, 1025, 16384, 16385, 40_003]) {
      const values = numbers(count, -300, 300, count)
      const inside = instance.workspace.subarray(1, 1 + count)
      inside.set(values)
      expect(instance.extendedSum(inside)).toEqual(instance.extendedSum(values))
      const { mantissa, exponent } = instance.extendedSum(values)
      expect(Math.log(mantissa) + exponent * Math.LN2).toBeCloseTo(logSumExpReference(values), 5)
    }
  })

  it('adds alike in both orders and never falls when a number is added', () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ min: -1000, max: 1000, noNaN: true }), { minLength: 1, maxLength: 80 }),
        (list) => {
          const log = (values: number[]): number => {
            const { mantissa, exponent } = instance.extendedSum(Float32Array.from(values))
            return Math.log(mantissa) + exponent * Math.LN2
          }
          expect(Math.abs(log(list) - log([...list].reverse()))).toBeLessThan(1e-6)
          expect(log([...list, -5])).toBeGreaterThanOrEqual(log(list) - 1e-6)
        },
      ),
    )
  })

  it('refuses what the exponents cannot hold', () => {
    for (const wrong of [5000, Infinity, Number.NaN, -Infinity])
      expect(() => instance.extendedSum(Float32Array.of(wrong))).toThrow(/subtract the maximum/)
    expect(() => instance.extendedSum(new Float32Array(0))).toThrow(/empty/)
  })
})

describe.each(ALGORITHMS)('softmax by %s', (algorithm) => {
  const run = (...values: number[]): number[] => [...instance.softmax(Float32Array.from(values), undefined, algorithm)]
  /** x − maximum is rounded, where it is taken, to half a unit of its own last place. */
  const bound = (reach: number): number => 3.7e-7 + (algorithm.startsWith('three-pass') ? 6e-8 * reach : 0)

  it('is exact to 3.7e-7 and, where x − maximum is rounded, to that rounding', () => {
    for (const [count, reach] of [
      [1000, 10],
      [100_000, 1000],
      [300_001, 5],
    ] as const) {
      const values = numbers(count, -reach, reach, count)
      const found = instance.softmax(values, undefined, algorithm)
      expect(relativeError(found, values)).toBeLessThan(bound(Math.min(2 * reach, 88)))
      expect(Math.abs(found.reduce((sum, value) => sum + value, 0) - 1)).toBeLessThan(2e-7)
    }
  })

  it('gives the same values in place, out of place and in the workspace', () => {
    for (const count of [1, 3, 15, 16, 17, 1031, 16384, 33_333]) {
      const values = numbers(count, -20, 20, count)
      const wanted = instance.softmax(values, undefined, algorithm)
      const inside = instance.workspace.subarray(3, 3 + count)
      inside.set(values)
      instance.workspace[3 + count] = 42
      expect(instance.softmax(inside, instance.workspace.subarray(100_000, 100_000 + count), algorithm)).toEqual(wanted)
      expect(instance.softmax(inside, inside, algorithm)).toEqual(wanted)
      expect(instance.workspace[3 + count]).toBe(42)
      expect(instance.softmax(values, values, algorithm)).toBe(values)
      expect(values).toEqual(wanted)
    }
  })

  it('neither overflows nor underflows, and keeps what is left of small shares', () => {
    const three = run(1000, 1001, 1002)
    for (const [i, wanted] of [0.09003057, 0.24472846, 0.665241].entries()) expect(three[i]).toBeCloseTo(wanted, 6)
    expect(run(-1000, -1000, -1000, -1000)).toEqual([0.25, 0.25, 0.25, 0.25])
    const [most, least, ...none] = run(0, -87, -100, -104)
    expect([most, ...none]).toEqual([1, 0, 0])
    expect(Math.abs(least! / 1.6458114e-38 - 1)).toBeLessThan(1e-6)
  })

  it('holds beyond the range of the exponents: the maximum is subtracted there', () => {
    expect(run(1e30, 1e30, -3e38)).toEqual([0.5, 0.5, 0])
    expect(run(-1e30, -1e30, -Infinity)).toEqual([0.5, 0.5, 0])
    const found = run(5001, 5000)
    expect(found[0]).toBeCloseTo(1 / (1 + Math.exp(-1)), 6)
    expect(run(3.4e38, -3.4e38)).toEqual([1, 0])
  })

  it('gives −∞ no weight, nothing but −∞ zeros, and NaN for NaN and +∞', () => {
    expect(run(-Infinity, 3, -Infinity, 3, -1e9)).toEqual([0, 0.5, 0, 0.5, 0])
    expect(run(-Infinity, -Infinity)).toEqual([0, 0])
    const negativeNaN = new Float32Array(Uint32Array.of(0xffc00123).buffer)[0]!
    for (const bad of [Number.NaN, Infinity, negativeNaN])
      for (const others of [[1, 2], [-Infinity], [1e30], [-5000]])
        for (const place of [0, others.length]) {
          const values = [...others.slice(0, place), bad, ...others.slice(place)]
          expect(run(...values)).toEqual(values.map(() => Number.NaN))
        }
    const long = numbers(5000, -3, 3)
    long[4321] = negativeNaN
    expect(instance.softmax(long, undefined, algorithm).every(Number.isNaN)).toBe(true)
  })

  it('joins stretches of very different height, in place too', () => {
    for (const heights of [
      [-5000, 30, -Infinity, 28],
      [5000, 4990, -Infinity, -2e4],
      [-3e4, -3e4 - 4, -Infinity, -4e4],
    ]) {
      const values = numbers(4 * 5000, -2, 2).map((value, i) => value + heights[Math.floor(i / 5000)]!)
      const found = instance.softmax(values, undefined, algorithm)
      expect(relativeError(found, values)).toBeLessThan(3.7e-7 + 6e-8 * 88)
      instance.softmax(values, values, algorithm)
      expect(values).toEqual(found)
    }
  })

  it('does not change by more than the rounding when a constant is added', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1000, max: 1000 }), (constant) => {
        // Quarters stay exact when the constant is added.
        const values = numbers(200, -40, 40).map((value) => Math.round(value * 4) / 4)
        const moved = instance.softmax(
          values.map((value) => value + constant),
          undefined,
          algorithm,
        )
        const still = instance.softmax(values, undefined, algorithm)
        for (let i = 0; i < 200; i++)
          if (still[i]! > 1e-37) expect(Math.abs(moved[i]! / still[i]! - 1)).toBeLessThan(1e-6)
      }),
      { numRuns: 30 },
    )
  })
})

describe('blocks', () => {
  const bytes = (values: Float32Array): Buffer => Buffer.from(values.slice().buffer)

  it('give the same bits through the stage, beyond it and in the workspace', () => {
    const count = 2 ** 17 + 3 * 4096 + 1234
    const large = createSoftmax({ workspace: 2 * count })
    for (const heights of [
      [0, 0, 0, 0],
      [0, 30, 400, -300],
    ]) {
      const values = numbers(count, -9, 9).map((value, i) => value + heights[(4 * i) >> 18]!)
      const [inside, outside] = [large.workspace.subarray(0, count), large.workspace.subarray(count)]
      inside.set(values)
      const wanted = large.softmax(values)
      expect(relativeError(wanted, values)).toBeLessThan(3.7e-7)
      expect(bytes(large.softmax(inside, outside)).equals(bytes(wanted))).toBe(true)
      expect(bytes(large.softmax(inside, new Float32Array(count))).equals(bytes(wanted))).toBe(true)
      expect(bytes(large.softmax(values, outside.fill(0))).equals(bytes(wanted))).toBe(true)
      expect(bytes(large.softmax(inside, inside)).equals(bytes(wanted))).toBe(true)
      expect(bytes(large.softmax(values, values)).equals(bytes(wanted))).toBe(true)
    }
  })

  it('keep the digits of what is large in a block far below the others', () => {
    // The block's factor is below 2^−126, this result is not.
    const values = numbers(2 * 4096, -1, 1).map((value, i) => value + (i < 4096 ? -64 : 25))
    values[1000] = -42
    const found = instance.softmax(values)
    expect(found[1000]).toBeGreaterThan(1e-33)
    expect(relativeError(found, values)).toBeLessThan(3.7e-7)
  })

  it.each([
    ['blocked', 4.5e-7],
    ['two-pass', 3.7e-7],
  ] as const)('and roundings of sums do not add up where all numbers are equal: %s', (algorithm, most) => {
    for (let i = 0; i < 100; i++) {
      const values = new Float32Array(5000).fill(i / 5 - 10)
      values[3] = i / 5 - 12.3
      expect(relativeError(instance.softmax(values, undefined, algorithm), values)).toBeLessThan(most)
    }
  })

  it('are taken again with their own maximum where the exponent of the one before does not serve', () => {
    for (const odd of [-Infinity, -95, 95, 1200, -2e4, 1e30]) {
      const values = numbers(6 * 4096 + 7, -3, 3)
      values.fill(odd, 4096, 2 * 4096)
      values[3 * 4096 + 5] = odd
      const found = instance.softmax(values)
      expect(relativeError(found, values)).toBeLessThan(3.7e-7 + (odd > 1000 ? 6e-8 * 88 : 0))
      expect(bytes(instance.softmax(values, values)).equals(bytes(found))).toBe(true)
    }
  })
})

describe('an instance', () => {
  it('refuses empty vectors, outputs of other lengths or half over the input, and unknown algorithms', () => {
    const { workspace } = instance
    expect(() => instance.softmax(new Float32Array(0))).toThrow(/empty vector/)
    expect(() => instance.softmax(new Float32Array(3), new Float32Array(2))).toThrow(/3 numbers and room for 2/)
    expect(() => instance.softmax(workspace.subarray(0, 8), workspace.subarray(4, 12))).toThrow(/overlaps/)
    expect(() => instance.softmax(new Float32Array(1), undefined, 'one-pass' as 'two-pass')).toThrow(
      /"one-pass" is none of two-pass/,
    )
  })

  it('refuses workspaces that are no whole number of floats or too large', () => {
    for (const workspace of [-1, 0.5, Number.NaN, 2 ** 30])
      expect(() => createSoftmax({ workspace })).toThrow(/workspace/)
    expect(createSoftmax().workspace.length).toBe(0)
  })
})
