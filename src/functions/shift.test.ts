/** The shift family against the golden integers and error maxima of I-ViT, and its fast forms against BigInt. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DyadicError } from '../error.ts'
import { randomUint32 } from '../num/random.ts'
import { type ShiftVariant, shiftExponential, shiftExponentialAt, shiftExponentialExact } from './shift-exponential.ts'
import { shiftGelu, shiftGeluAt, shiftGeluExact, shiftGeluSigmoids, shiftGeluSigmoidsExact } from './shift-gelu.ts'
import { integerLayerNormAt, shiftLayerNorm, shiftLayerNormExact } from './shift-layer-norm.ts'
import {
  shiftErfAt,
  shiftmax,
  shiftmaxAt,
  shiftmaxExact,
  shiftSigmoid,
  shiftSigmoidExact,
  shiftTanh,
  shiftTanhExact,
} from './shift-softmax.ts'

const VARIANTS: readonly ShiftVariant[] = ['training', 'deployment']
const INPUTS = [0, -3, -8, -16, -32, -64, -100, -127]
const wide = (row: ArrayLike<number>): bigint[] => Array.from(row, BigInt)
const narrow = (row: readonly bigint[]): number[] => row.map(Number)

/** Normal numbers from a seed (Box and Muller 1958). */
function normals(seed: number, count: number): number[] {
  const uniform = (counter: number): number => (randomUint32(seed, 0, counter) + 0.5) / 2 ** 32
  return Array.from(
    { length: count },
    (_, i) => Math.sqrt(-2 * Math.log(uniform(2 * i))) * Math.cos(2 * Math.PI * uniform(2 * i + 1)),
  )
}

describe('ShiftExp', () => {
  it.each([
    [1 / 16, -16, [524288, 458752, 344064, 204800, 73728, 10240, 1088, 200]],
    [0.05, -20, [655360, 589824, 475136, 303104, 139264, 28672, 4736, 1184]],
    [0.06, -17, [557056, 491520, 376832, 229376, 90112, 13824, 1728, 336]],
  ])('has the golden integers at scale %s (A1)', (scale, minusOne, golden) => {
    const parameters = shiftExponentialAt(scale, 15, 'training')
    expect(parameters.minusOne).toBe(minusOne)
    expect(INPUTS.map((value) => shiftExponential(value, parameters))).toEqual(golden)
    expect(INPUTS.map((value) => Number(shiftExponentialExact(BigInt(value), parameters)))).toEqual(golden)
  })

  const largestError = (scale: number): number => {
    const parameters = shiftExponentialAt(scale, 15, 'training')
    let largest = 0
    for (let value = 0; value * scale >= -20; value--)
      largest = Math.max(
        largest,
        Math.abs(shiftExponential(value, parameters) * parameters.outputScale - Math.exp(value * scale)),
      )
    return largest
  }

  it.each([
    [0.1, '0.08127'],
    [0.05, '0.05918'],
    [1 / 16, '0.06495'],
    [1 / 32, '0.04963'],
    [1 / 64, '0.04985'],
    [1 / 128, '0.04602'],
    [0.01, '0.04823'],
  ])('is off by at most the stated error at scale %s (A2)', (scale, error) => {
    expect(largestError(scale).toFixed(5)).toBe(error)
  })

  it('approaches the error 0.0439 of the continuous form from above as the scale vanishes (A2)', () => {
    for (const scale of [2 ** -10, 2 ** -12, 2 ** -15]) expect(largestError(scale)).toBeGreaterThan(0.04389)
    expect(largestError(2 ** -15).toFixed(4)).toBe('0.0439')
  })

  it('is monotone over the differences of 8-bit values (A3)', () => {
    for (const variant of VARIANTS)
      for (const scale of [1 / 16, 0.05, 0.06, 0.013, 0.1]) {
        const parameters = shiftExponentialAt(scale, 15, variant)
        for (let value = -254; value <= 0; value++)
          expect(shiftExponential(value, parameters)).toBeGreaterThanOrEqual(shiftExponential(value - 1, parameters))
      }
  })

  it('equals its definition on all 65,536 differences of 16 bits, in both variants', () => {
    for (const variant of VARIANTS)
      for (const scale of [1 / 16, 0.0137]) {
        const parameters = shiftExponentialAt(scale, 16, variant)
        let different = 0
        for (let value = -65535; value <= 0; value++)
          if (BigInt(shiftExponential(value, parameters)) !== shiftExponentialExact(BigInt(value), parameters))
            different++
        expect(different).toBe(0)
      }
  })

  it('equals its definition at any scale, also above 0', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -(2 ** 31), max: 300 }),
        fc.double({ min: 0.01, max: 2, noNaN: true }),
        fc.constantFrom(15, 16, 23),
        fc.constantFrom(...VARIANTS),
        (value, scale, places, variant) => {
          if (variant === 'deployment' && scale < 0.05) return
          const parameters = shiftExponentialAt(scale, places, variant)
          expect(BigInt(shiftExponential(value, parameters))).toBe(shiftExponentialExact(BigInt(value), parameters))
        },
      ),
      { numRuns: 3000 },
    )
  })

  it('in deployment has one more unit in −1 where 1 / scale is an integer, and another halving', () => {
    expect(shiftExponentialAt(1 / 16, 15, 'deployment').minusOne).toBe(-17)
    expect(shiftExponentialAt(0.06, 15, 'deployment').minusOne).toBe(-17)
    const [training, deployment] = VARIANTS.map((variant) => shiftExponentialAt(0.06, 15, variant))
    // A fraction of −1 is halved to −1/2 in training, to −1 by the arithmetic shift.
    expect(shiftExponential(-1, training)).toBe((-1 / 2 + 17) * 2 ** 15)
    expect(shiftExponential(-1, deployment)).toBe((-1 + 17) * 2 ** 15)
  })

  it.each([0, -1, Number.NaN, Infinity])('refuses the scale %s', (scale) => {
    expect(() => shiftExponentialAt(scale, 15, 'training')).toThrow(/the scale is .*must be a positive finite number/)
  })

  it('refuses a scale so fine that e^0 does not fit', () => {
    expect(() => shiftExponentialAt(2 ** -8, 23, 'deployment')).toThrow(/257 × 2\^23, not below 2\^31/)
    expect(() => shiftExponentialAt(2 ** -30, 23, 'training')).toThrow(DyadicError)
  })
})

describe('Shiftmax', () => {
  it('has the golden integers (A3)', () => {
    expect([...shiftmax(INPUTS, shiftmaxAt(1 / 16, 8, 'training'))]).toEqual([41, 36, 27, 16, 5, 0, 0, 0])
    expect([...shiftmax(INPUTS, shiftmaxAt(1 / 16, 16, 'training'))]).toEqual([
      10616, 9289, 6966, 4146, 1492, 207, 22, 4,
    ])
  })

  it('sums to at most 1: 0.95 … 1 over 197 scores with 16 bits, 0.40 … 0.90 with 8 (A3)', () => {
    for (const scale of [0.02, 0.035, 0.05, 1 / 16, 0.08, 0.1])
      for (let seed = 1; seed <= 5; seed++) {
        const row = normals(seed, 197).map((x) => Math.max(-128, Math.min(127, Math.round((2 * x) / scale))))
        const share = (bits: number): number =>
          shiftmax(row, shiftmaxAt(scale, bits, 'training')).reduce((a, b) => a + b) / 2 ** (bits - 1)
        expect(share(16)).toBeLessThanOrEqual(1)
        expect(share(16)).toBeGreaterThan(0.95)
        expect(share(8)).toBeLessThan(0.9)
        expect(share(8)).toBeGreaterThan(0.4)
      }
  })

  it('equals its definition on random rows, in both variants', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -32768, max: 32767 }), { minLength: 1, maxLength: 40 }),
        fc.double({ min: 0.005, max: 1, noNaN: true }),
        fc.integer({ min: 2, max: 16 }),
        fc.constantFrom(...VARIANTS),
        (row, scale, bits, variant) => {
          const parameters = shiftmaxAt(scale, bits, variant)
          expect([...shiftmax(row, parameters)]).toEqual(narrow(shiftmaxExact(wide(row), parameters)))
        },
      ),
      { numRuns: 500 },
    )
  })

  it('limits the sum to 2^31 − 1 in training, where deployment refuses it', () => {
    // e^0 is 200 × 2^15: 328 equal scores reach 2^31.
    const row = new Int32Array(400)
    const parameters = shiftmaxAt(0.005, 16, 'training')
    expect([...shiftmax(row, parameters)]).toEqual(narrow(shiftmaxExact(wide(row), parameters)))
    expect(shiftmax(row, parameters)[0]).toBe((200 * 2 ** 15) >> 16)
    expect(() => shiftmax(row, shiftmaxAt(0.005, 8, 'deployment'))).toThrow(/wraps here/)
    expect(() => shiftmaxExact(wide(row), shiftmaxAt(0.005, 8, 'deployment'))).toThrow(/wraps here/)
  })

  it('has the places and bits of the published variants', () => {
    expect(shiftmaxAt(0.1, 16, 'training')).toMatchObject({ exponential: { places: 15 }, outputScale: 2 ** -15 })
    expect(shiftmaxAt(0.1, 8, 'deployment')).toMatchObject({ exponential: { places: 16 }, outputScale: 2 ** -7 })
    expect(shiftGeluAt(0.1, 8, 'training')).toMatchObject({ exponential: { places: 23 }, outputScale: 0.1 / 128 })
    expect(shiftGeluAt(0.1, 8, 'deployment').exponential.places).toBe(23)
  })

  it('in deployment is what can be computed by hand', () => {
    // −1 is −17. −8 becomes −8 − 4 + 1 = −11, whose half is −6: 11 × 2^16 beside 17 × 2^16.
    const factor = Math.floor((2 ** 31 - 1) / (28 * 2 ** 16))
    const shares = [17, 11].map((e) => Math.floor((e * 2 ** 16 * factor) / 2 ** 24))
    expect([...shiftmax([0, -8], shiftmaxAt(1 / 16, 8, 'deployment'))]).toEqual(shares)
  })

  it('refuses bits outside 2 … 16', () => {
    expect(() => shiftmaxAt(0.1, 1, 'training')).toThrow(DyadicError)
    expect(() => shiftGeluAt(0.1, 17, 'training')).toThrow(/ShiftGELU: 17 bits/)
  })
})

describe('sigmoid, tanh and erf by Shiftmax', () => {
  it('equal their definitions on all 65,536 values of 16 bits', () => {
    const parameters = shiftmaxAt(8 / 32768, 16, 'training')
    let different = 0
    for (let value = -32768; value <= 32767; value++)
      if (
        BigInt(shiftSigmoid(value, parameters)) !== shiftSigmoidExact(BigInt(value), parameters) ||
        BigInt(shiftTanh(value, parameters)) !== shiftTanhExact(BigInt(value), parameters)
      )
        different++
    expect(different).toBe(0)
  })

  it('have erf as tanh at another scale, odd and within 2^15', () => {
    const parameters = shiftErfAt(1 / 64, 16, 'training')
    for (let value = 0; value <= 512; value++) {
      expect(shiftTanh(-value, parameters) + shiftTanh(value, parameters)).toBe(0)
      expect(shiftTanh(value, parameters)).toBeLessThanOrEqual(2 ** 15)
    }
    expect(shiftTanh(0, parameters)).toBe(0)
  })
})

describe('ShiftGELU', () => {
  const parameters = shiftGeluAt(1 / 16, 8, 'training')

  it('has the golden integers (A4)', () => {
    const row = [-60, -30, -10, -3, 0, 3, 10, 30, 60]
    expect([...shiftGeluSigmoids(row, parameters)]).toEqual([0, 5, 33, 51, 63, 71, 93, 121, 125])
    expect([...shiftGelu(row, parameters)].map((x) => x + 0)).toEqual([0, -150, -330, -153, 0, 213, 930, 3630, 7500])
  })

  it('depends on the largest value of the row (A4)', () => {
    expect([...shiftGelu([-20, 0, 20], parameters)]).toEqual([-300, 0, 2200])
    expect([...shiftGelu([-20, 0, 20, 127], parameters)]).toEqual([-300, 0, 2240, 15875])
  })

  it.each([
    [0.1, 126],
    [1 / 16, 125],
    [0.05, 126],
    [1 / 32, 123],
    [0.02, 120],
    [1 / 64, 114],
    [0.01, 88],
  ])('at scale %s takes σ of the largest value 127 for %s / 128 (A4)', (scale, sigmoid) => {
    expect(shiftGeluSigmoids([127], shiftGeluAt(scale, 8, 'training'))[0]).toBe(sigmoid)
  })

  it('equals its definition on random rows, in both variants', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -128, max: 127 }), { minLength: 1, maxLength: 30 }),
        fc.double({ min: 0.01, max: 0.2, noNaN: true }),
        fc.constantFrom(8, 16),
        fc.constantFrom(...VARIANTS),
        (row, scale, bits, variant) => {
          const made = shiftGeluAt(variant === 'deployment' ? scale + 0.01 : scale, bits, variant)
          let fast: number[]
          try {
            fast = Array.from(shiftGelu(row, made), (x) => x + 0)
          } catch (error) {
            expect((error as DyadicError).message).toMatch(/wraps here/)
            expect(() => shiftGeluExact(wide(row), made)).toThrow(/wraps here/)
            return
          }
          expect(fast).toEqual(narrow(shiftGeluExact(wide(row), made)))
          expect([...shiftGeluSigmoids(row, made)]).toEqual(narrow(shiftGeluSigmoidsExact(wide(row), made)))
        },
      ),
      { numRuns: 1000 },
    )
  })

  it('takes 16-bit values and refuses wider ones', () => {
    expect(() => shiftGelu([32768], parameters)).toThrow(/value 32768 at 0 is not within 16 bits/)
  })
})

describe('I-LayerNorm', () => {
  const channels = 384

  it.each([
    [3000, 3.2e-4],
    [300, 3.0e-3],
    [10, 0.096],
  ])('of integers with deviation %s is off by about %s (A7)', (deviation, stated) => {
    const gamma = Array.from({ length: channels }, (_, i) => 0.5 + randomUint32(7, 0, i) / 2 ** 32)
    const beta = normals(8, channels)
    const parameters = integerLayerNormAt(gamma, beta)
    let largest = 0
    for (let seed = 20; seed < 40; seed++) {
      const row = normals(seed, channels).map((x) => Math.round(x * deviation))
      const mean = row.reduce((a, b) => a + b) / channels
      const spread = Math.sqrt(row.reduce((sum, x) => sum + (x - mean) ** 2, 0) / channels)
      const fast = shiftLayerNorm(row, parameters, 'training')
      expect(fast).toEqual(narrow(shiftLayerNormExact(wide(row), parameters, 'training')))
      for (const [i, x] of row.entries()) {
        const real = ((x - mean) / spread) * gamma[i] + beta[i]
        largest = Math.max(largest, Math.abs(fast[i] * parameters.outputScales[i] - real))
      }
    }
    expect(largest).toBeLessThan(stated * 1.5)
    expect(largest).toBeGreaterThan(stated / 3)
  })

  it('equals its definition on random rows, in both variants', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -32768, max: 32767 }), { minLength: 1, maxLength: 64 }),
        fc.constantFrom(...VARIANTS),
        (row, variant) => {
          const parameters = integerLayerNormAt(
            new Float64Array(row.length).fill(0.7),
            row.map((_, i) => i / 100 - 0.3),
          )
          try {
            const fast = shiftLayerNorm(row, parameters, variant)
            expect(fast).toEqual(narrow(shiftLayerNormExact(wide(row), parameters, variant)))
          } catch (error) {
            if (!(error instanceof DyadicError)) throw error
            expect(variant).toBe('deployment')
            expect(row.reduce((sum, x) => sum + x * x, 0)).toBeGreaterThanOrEqual(2 ** 32)
          }
        },
      ),
      { numRuns: 1000 },
    )
  })

  it('in both variants is what can be computed by hand', () => {
    const plain = integerLayerNormAt(new Float64Array(4).fill(1), new Float64Array(4))
    // The mean is 1.75, and the ten-step root of 9 and of 11 is 64, so the factor 33554431.
    expect(shiftLayerNorm([0, 1, 2, 4], plain, 'training')).toEqual([-33554431, -16777216, 0, 33554431])
    expect(shiftLayerNorm([0, 1, 2, 4], plain, 'deployment')).toEqual([-16777215, 0, 16777215, 50331646])
    expect(plain.outputScales).toEqual(new Array(4).fill(2 ** -29))
    // floor(0.5 / 2 × 2^30 / 2), and a negative gamma is in the scale.
    expect(integerLayerNormAt([2, -2, 1, 1], [0.5, 0.5, 0, 0]).biases).toEqual([2 ** 27, -(2 ** 27), 0, 0])
  })

  it('refuses in deployment what does not fit 32 bits, and a gamma of 0', () => {
    const plain = integerLayerNormAt(new Float64Array(4).fill(1), new Float64Array(4))
    expect(() => shiftLayerNorm([-65536, 0, 65536, 0], plain, 'deployment')).toThrow(
      /the sum of squares 8589934592 does not fit/,
    )
    expect(shiftLayerNorm([5, 5, 5, 5], plain, 'deployment')).toEqual([0, 0, 0, 0])
    const steep = integerLayerNormAt([1e-6, 1], [1, 0])
    expect(() => shiftLayerNorm([1, -1], steep, 'deployment')).toThrow(/channel 0 leaves int32/)
    expect(() => integerLayerNormAt([1e-9, 1], [0.1, 1])).toThrow(/channel 0 give a bias of 7592/)
    expect(() => integerLayerNormAt([1, 0], [1, 1])).toThrow(/gamma 0 and beta 1 of channel 1/)
  })
})
