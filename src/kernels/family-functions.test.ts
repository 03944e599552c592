/** Rules R16 to R18 against the published algorithms (src/functions), and beyond their limits against exact integers. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DyadicError } from '../error.ts'
import { polynomialLayerNorm } from '../functions/polynomial-layer-norm.ts'
import { polynomialSoftmax, polynomialSoftmaxAt } from '../functions/polynomial-softmax.ts'
import { shiftGelu as publishedGelu, shiftGeluAt } from '../functions/shift-gelu.ts'
import { shiftLayerNorm } from '../functions/shift-layer-norm.ts'
import { shiftmax, shiftmaxAt } from '../functions/shift-softmax.ts'
import { geluExponential, softmaxExponential } from '../program/family-integers.ts'
import { floorQuotient, halfEvenQuotient } from './scalar/division.ts'
import type { StoredCodes } from './scalar/elementwise.ts'
import { type FamilyRule, normaliseRowByFamily } from './scalar/family-normalize.ts'
import { familySoftmax } from './scalar/family-softmax.ts'
import { shiftGelu } from './scalar/shift-gelu.ts'

const stored = (row: readonly number[]): StoredCodes => {
  const stride = (row.length + 7) & -8
  return {
    data: Int16Array.from({ length: stride }, (_, i) => row[i] ?? 0),
    height: 1,
    width: 1,
    channels: row.length,
    stride,
  }
}
const LIMITS = { outputZeroPoint: 0, low: -32768, high: 32767 }

const rowOf = (limit: number, length = 24): fc.Arbitrary<number[]> =>
  fc.array(fc.integer({ min: -limit, max: limit - 1 }), { minLength: 1, maxLength: length })
const anyRow = fc.oneof(rowOf(16), rowOf(128), rowOf(3000), rowOf(32768))
const power = (low: number, high: number): fc.Arbitrary<number> =>
  fc.double({ min: low, max: high, noNaN: true }).map((exponent) => 2 ** exponent)

describe('divisions', () => {
  it('are exact', () => {
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 50), max: 2 ** 50 }), fc.integer({ min: 1, max: 2 ** 33 }), (a, b) => {
        const [size, divisor] = [BigInt(Math.abs(a)), BigInt(b)]
        expect(BigInt(floorQuotient(Math.abs(a), b))).toBe(size / divisor)
        const error = BigInt(halfEvenQuotient(a, b)) * divisor - BigInt(a)
        expect(2n * (error < 0n ? -error : error)).toBeLessThanOrEqual(divisor)
      }),
    )
    expect([-7, -5, -3, -1, 1, 3, 5].map((a) => halfEvenQuotient(a, 2))).toEqual([-4, -2, -2, 0, 0, 2, 2])
  })
})

describe('softmax (R17)', () => {
  const codesOf = (row: readonly number[], instruction: Parameters<typeof softmaxExponential>[0]): number[] => {
    const output = stored(row)
    familySoftmax(stored(row), output, {
      exponential: softmaxExponential(instruction),
      bits: instruction.bits,
      ...LIMITS,
    })
    return [...output.data.slice(0, row.length)]
  }
  // The one sum that 16 bits cannot hold is the code 2^15 of a probability of 1.
  const limited = (codes: Int32Array): number[] => Array.from(codes, (code) => Math.min(code, 32767))

  it.each([
    ['shift', -15.99, 3],
    ['shift-deployment', -14.99, 3],
  ] as const)('of the rule %s is Shiftmax', (rule, finest, coarsest) => {
    const variant = rule === 'shift' ? 'training' : 'deployment'
    fc.assert(
      fc.property(anyRow, power(finest, coarsest), fc.integer({ min: 2, max: 16 }), (row, scale, bits) => {
        let expected: number[]
        try {
          expected = limited(shiftmax(row, shiftmaxAt(scale, bits, variant)))
        } catch (error) {
          // The sums of the deployment graph that wrap.
          if (error instanceof DyadicError && error.code === 'limit') return
          throw error
        }
        expect(codesOf(row, { name: 'example', rule, scale, bits })).toEqual(expected)
      }),
      { numRuns: 500 },
    )
  })

  it('of the rule poly is that of I-BERT', () => {
    fc.assert(
      fc.property(anyRow, power(-15.25, -0.53), fc.integer({ min: 2, max: 16 }), (row, scale, bits) => {
        const expected = limited(polynomialSoftmax(row, polynomialSoftmaxAt(scale, bits)))
        expect(codesOf(row, { name: 'example', rule: 'poly', scale, bits })).toEqual(expected)
      }),
      { numRuns: 500 },
    )
  })

  it('saturates where the deployment graph wraps', () => {
    // Four times 32767 × 2^16: the sum is limited to 2^31 − 1, its reciprocal to 1.
    const codes = codesOf([5, 5, 5, 5], { name: 'example', rule: 'shift-deployment', scale: 1 / 32766, bits: 8 })
    expect(codes).toEqual(new Array(4).fill(Math.floor((32767 * 65536) / 2 ** 24)))
  })

  it.each([
    ['shift', 2 ** -16],
    ['shift-deployment', 2 ** -15],
    ['poly', 2.54e-5],
  ] as const)('refuses by the rule %s the scale %s, whose e^0 does not fit', (rule, scale) => {
    expect(() => codesOf([0], { name: 'fine', rule, scale, bits: 8 })).toThrow(
      /node "fine", whose input has the scale .*: e\^0 is/,
    )
  })
})

describe('GELU (R18)', () => {
  it.each(['training', 'deployment'] as const)('of the variant %s is ShiftGELU', (variant) => {
    fc.assert(
      fc.property(anyRow, power(-8.76, 3), fc.integer({ min: 2, max: 8 }), (row, scale, bits) => {
        let expected: number[]
        try {
          expected = [...publishedGelu(row, shiftGeluAt(scale, bits, variant))]
        } catch (error) {
          if (error instanceof DyadicError && error.code === 'limit') return
          throw error
        }
        const output = stored(row)
        // Halves of the results, rounded half up.
        shiftGelu(stored(row), output, {
          inputZeroPoint: 0,
          exponential: geluExponential({ name: 'example', scale, bits, variant }),
          bits,
          multiplier: 2 ** 30,
          shift: 37,
          ...LIMITS,
        })
        expect([...output.data.slice(0, row.length)]).toEqual(expected.map((x) => Math.floor((x + 64) / 128) + 0))
      }),
      { numRuns: 500 },
    )
  })

  it('refuses a scale whose e^0 does not fit', () => {
    expect(() => geluExponential({ name: 'fine', scale: 0.0022, bits: 8, variant: 'training' })).toThrow(
      /node "fine", whose input has the scale 0.0022: ShiftExp: e\^0 is 268 × 2\^23/,
    )
  })
})

describe('normalisation (R16) by the families', () => {
  const normalised = (row: readonly number[], rule: FamilyRule, squareShift = 0, centred = true): number[] => {
    const values = Int32Array.from(row)
    normaliseRowByFamily(values, rule, { centred, squareShift })
    return [...values]
  }
  const plain = (row: readonly number[]) => ({
    biases: new Array<number>(row.length).fill(0),
    outputScales: [],
  })

  it('is I-LayerNorm, as trained and as deployed', () => {
    fc.assert(
      fc.property(anyRow, (row) => {
        expect(normalised(row, 'shift')).toEqual(shiftLayerNorm(row, plain(row), 'training'))
        const mean = Math.trunc(row.reduce((a, b) => a + b) / row.length)
        if (row.reduce((total, x) => total + (x - mean) ** 2, 0) < 2 ** 32)
          expect(normalised(row, 'shift-deployment')).toEqual(shiftLayerNorm(row, plain(row), 'deployment'))
      }),
      { numRuns: 1000 },
    )
  })

  it('is the one of I-BERT', () => {
    fc.assert(
      fc.property(anyRow, fc.integer({ min: 0, max: 8 }), (row, shift) => {
        let expected: number[]
        try {
          expected = polynomialLayerNorm(row, plain(row), shift)
        } catch {
          return
        }
        expect(normalised(row, 'poly', shift)).toEqual(expected)
        for (const n of expected) expect(Math.abs(n)).toBeLessThan(2 ** 31)
      }),
      { numRuns: 1000 },
    )
  })

  it('without taking the mean out is the same for rows whose mean is 0', () => {
    fc.assert(
      fc.property(rowOf(128, 12), fc.constantFrom<FamilyRule>('shift', 'shift-deployment', 'poly'), (half, rule) => {
        const row = [...half, ...half.map((x) => 0 - x)]
        expect(normalised(row, rule, 0, false)).toEqual(normalised(row, rule))
        const lifted = row.map((x) => x + 1000)
        expect(normalised(lifted, rule, 0, false)).not.toEqual(normalised(lifted, rule))
      }),
    )
  })

  it('saturates the sum of squares as deployed, and goes on with 64 bits otherwise', () => {
    const row = [-32768, 32767, -32768, 32767, -32768, 32767, -32768, 32767]
    // Mean −0.5: as deployed 0, else rounded to even, 0. Σ y² is about 2^33, its root 92680, or that of 2^32 − 1: 65536.
    const squares = row.reduce((total, y) => total + y * y, 0)
    const root = Math.floor(Math.sqrt(squares))
    const by = (factor: number) =>
      row.map((y) => [Math.floor((y * factor) / 2), Math.trunc((y * factor) / 2) + 0] as const)
    expect(normalised(row, 'shift')).toEqual(by(Math.floor((2 ** 31 - 1) / root)).map(([floor]) => floor))
    expect(normalised(row, 'poly')).toEqual(by(Math.floor(2 ** 31 / root)).map(([floor]) => floor))
    expect(normalised(row, 'shift-deployment')).toEqual(by(32767).map(([, truncated]) => truncated))
  })
})
