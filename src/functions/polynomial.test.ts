/** The polynomial family against I-BERT's published table, and its fast forms against BigInt. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DyadicError } from '../error.ts'
import { randomUint32 } from '../num/random.ts'
import { FIXED_POINT_FUNCTIONS, fromFixedPoint, toFixedPoint } from './fixed-point.ts'
import { polynomialExponential, polynomialExponentialAt, polynomialExponentialExact } from './polynomial-exponential.ts'
import {
  polynomialErf,
  polynomialErfAt,
  polynomialErfExact,
  polynomialGelu,
  polynomialGeluAt,
  polynomialGeluExact,
} from './polynomial-gelu.ts'
import { layerNormShift, polynomialLayerNorm, polynomialLayerNormExact } from './polynomial-layer-norm.ts'
import {
  polynomialSigmoid,
  polynomialSigmoidExact,
  polynomialSoftmax,
  polynomialSoftmaxAt,
  polynomialSoftmaxExact,
  polynomialTanh,
  polynomialTanhExact,
} from './polynomial-softmax.ts'
import { integerLayerNormAt, shiftLayerNorm } from './shift-layer-norm.ts'

const wide = (row: ArrayLike<number>): bigint[] => Array.from(row, BigInt)
const narrow = (row: readonly bigint[]): number[] => row.map(Number)
const erf = (x: number): number => fromFixedPoint(FIXED_POINT_FUNCTIONS.erf(toFixedPoint(x)))

/** Root mean square and largest error over x = −4 … 4 in steps of 1 / 1024. */
function errorsOfGelu(approximation: (x: number) => number): { l2: number; largest: number } {
  let squares = 0
  let largest = 0
  let count = 0
  for (let i = -4096; i <= 4096; i++) {
    const x = i / 1024
    const error = Math.abs(approximation(x) - (x * (1 + erf(x / Math.SQRT2))) / 2)
    squares += error * error
    largest = Math.max(largest, error)
    count++
  }
  return { l2: Math.sqrt(squares / count), largest }
}

describe('i-exp', () => {
  it('is off by at most 1.913e-3 (A5)', () => {
    const scale = 2 ** -20
    const parameters = polynomialExponentialAt(scale)
    let largest = 0
    // Every 16th value down to −ln 2, where the parabola itself is taken, and every 1009th to −22.
    for (let value = 0; value * scale > -22; value -= value * scale > -0.7 ? 16 : 1009)
      largest = Math.max(
        largest,
        Math.abs(polynomialExponential(value, parameters) * parameters.outputScale - Math.exp(value * scale)),
      )
    expect(largest).toBeCloseTo(1.913e-3, 6)
  })

  it('with the coefficients as printed would be off by 2.128e-3 (A5)', () => {
    let largest = 0
    for (let i = 0; i <= 70_000; i++) {
      const p = (-i / 70_000) * Math.LN2
      largest = Math.max(largest, Math.abs(0.3585 * (p + 1.353) ** 2 + 0.344 - Math.exp(p)))
    }
    expect(largest).toBeCloseTo(2.128e-3, 6)
  })

  it('equals its definition on all 65,536 differences of 16 bits', () => {
    for (const scale of [1 / 16, 0.0137, 2 ** -11]) {
      const parameters = polynomialExponentialAt(scale)
      let different = 0
      for (let value = -65535; value <= 0; value++)
        if (BigInt(polynomialExponential(value, parameters)) !== polynomialExponentialExact(BigInt(value), parameters))
          different++
      expect(different).toBe(0)
    }
  })

  it('equals its definition at every legal scale', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -(2 ** 31), max: 0 }),
        fc.double({ min: -22, max: -0.53, noNaN: true }),
        (value, power) => {
          const parameters = polynomialExponentialAt(2 ** power)
          const exact = polynomialExponentialExact(BigInt(value), parameters)
          expect(BigInt(polynomialExponential(value, parameters))).toBe(exact)
          expect(exact).toBeLessThan(1n << 76n)
        },
      ),
      { numRuns: 3000 },
    )
  })

  it.each([0.7, 2 ** -23, 0, Number.NaN])('refuses the scale %s', (scale) => {
    expect(() => polynomialExponentialAt(scale)).toThrow(DyadicError)
  })
})

describe('i-softmax, sigmoid and tanh', () => {
  it('give e^0 the code 32767', () => {
    const shares = polynomialSoftmax([5, 5, 5, 5, 5], polynomialSoftmaxAt(2 ** -12, 16))
    // floor(32767 × floor(2^32 / 163835) / 2^16)
    expect([...shares]).toEqual(new Array(5).fill(13107))
  })

  it('are within 2 units of the real ones where the scale is fine', () => {
    const scale = 2 ** -12
    const row = [0, 1000, -3000, 8000, 7777, 12000]
    const total = row.reduce((sum, value) => sum + Math.exp(value * scale), 0)
    const shares = polynomialSoftmax(row, polynomialSoftmaxAt(scale, 8))
    for (const [i, value] of row.entries())
      expect(Math.abs(shares[i] - (256 * Math.exp(value * scale)) / total)).toBeLessThan(2)
  })

  it('equal their definitions on random rows, over many scales and bits', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -(2 ** 20), max: 2 ** 20 }), { minLength: 1, maxLength: 40 }),
        fc.double({ min: -22, max: -0.53, noNaN: true }),
        fc.integer({ min: 2, max: 16 }),
        (row, power, bits) => {
          const parameters = polynomialSoftmaxAt(2 ** power, bits)
          const fast = [...polynomialSoftmax(row, parameters)]
          expect(fast).toEqual(narrow(polynomialSoftmaxExact(wide(row), parameters)))
          expect(fast.reduce((a, b) => a + b)).toBeLessThanOrEqual(2 ** bits)
        },
      ),
      { numRuns: 1000 },
    )
  })

  it('equal their definitions on every fourth value of 16 bits', () => {
    const parameters = polynomialSoftmaxAt(8 / 32768, 16)
    let different = 0
    for (let value = -32768; value <= 32767; value += 4)
      if (
        BigInt(polynomialSigmoid(value, parameters)) !== polynomialSigmoidExact(BigInt(value), parameters) ||
        BigInt(polynomialTanh(value, parameters)) !== polynomialTanhExact(BigInt(value), parameters)
      )
        different++
    expect(different).toBe(0)
  })

  it('refuses more values than a sum of 31 bits holds', () => {
    expect(() => polynomialSoftmax(new Int32Array(65537), polynomialSoftmaxAt(0.1, 8))).toThrow(/over 65537 values/)
  })
})

describe('i-erf and i-GELU', () => {
  it('reproduce the published table on [−4, 4] (A5)', () => {
    const gelu = polynomialGeluAt(2 ** -15, 0)
    const found = errorsOfGelu((x) => polynomialGelu(x * 2 ** 15, gelu) * gelu.outputScale)
    expect(found.l2).toBeCloseTo(0.00819, 5)
    expect(found.largest).toBeCloseTo(0.01815, 5)

    const sigmoid = errorsOfGelu((x) => x / (1 + Math.exp(-1.702 * x)))
    expect(sigmoid.l2).toBeCloseTo(0.01181, 5)
    expect(sigmoid.largest).toBeCloseTo(0.02033, 5)

    const hard = errorsOfGelu((x) => (x * Math.min(6, Math.max(0, 1.702 * x + 3))) / 6)
    expect(hard.l2).toBeCloseTo(0.0306, 4)
    expect(hard.largest).toBeCloseTo(0.0687, 4)
  })

  it('has the error 0.0962 of the polynomial alone (A5)', () => {
    const scale = 2 ** -13
    const parameters = polynomialErfAt(scale, 0)
    let largest = 0
    for (let value = 1; value * scale < 4; value += 8)
      largest = Math.max(
        largest,
        Math.abs(polynomialErf(value, parameters) * parameters.outputScale - erf(value * scale)),
      )
    expect(largest).toBeCloseTo(0.0962, 4)
  })

  it('equal their definitions on all 65,536 values of 16 bits', () => {
    for (const [scale, dropped] of [
      [4 / 32768, 14],
      [1 / 1024, 3],
      [1 / 16, 0],
    ]) {
      const parameters = polynomialGeluAt(scale, dropped)
      let different = 0
      for (let value = -32768; value <= 32767; value++)
        if (
          BigInt(polynomialGelu(value, parameters)) !== polynomialGeluExact(BigInt(value), parameters) ||
          BigInt(polynomialErf(value, parameters.erf)) !== polynomialErfExact(BigInt(value), parameters.erf)
        )
          different++
      expect(different).toBe(0)
    }
  })

  it('refuse a coarse scale with the published 14 bits dropped, where the published code is off by more than 10', () => {
    expect(() => polynomialGeluAt(0.05, 14)).toThrow(/makes 1 the code -2771 \/ 2\^14/)
    // biome-ignore lint/suspicious/noApproximativeNumericConstant: √2 as the published code has it.
    const scale = 0.05 / 1.4142
    const constant = Math.floor(1 / (-0.2888 * scale * scale))
    const erfScale = -0.2888 * scale * scale * 2 ** 14
    const limit = -Math.floor(-1.769 / scale)
    const garbage = {
      erf: { limit, constant, dropped: 14, outputScale: erfScale },
      one: Math.floor(1 / erfScale),
      outputScale: (0.05 * erfScale) / 2,
    }
    let largest = 0
    for (let value = -128; value < 128; value++) {
      const x = value * 0.05
      const gelu = (x * (1 + erf(x / Math.SQRT2))) / 2
      largest = Math.max(largest, Math.abs(polynomialGelu(value, garbage) * garbage.outputScale - gelu))
    }
    expect(largest).toBeGreaterThan(10)
  })

  it('refuse scales out of range and results out of range', () => {
    // 1 is the code −4 at scale 1: two units after dropping one bit, one after two.
    expect(polynomialErfAt(1, 1).constant).toBe(-4)
    expect(() => polynomialErfAt(1, 2)).toThrow(/the code -4 \/ 2\^2/)
    expect(() => polynomialErfAt(1.8, 0)).toThrow(DyadicError)
    expect(() => polynomialErfAt(2 ** -21, 0)).toThrow(DyadicError)
    expect(() => polynomialGelu(2 ** 31, polynomialGeluAt(2 ** -15, 0))).toThrow(/leaves 53 bits/)
  })
})

describe('the layer normalisation of I-BERT', () => {
  it('equals its definition on random rows, with the shift that keeps 32 bits', () => {
    let shifted = 0
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -(2 ** 24), max: 2 ** 24 }), { minLength: 1, maxLength: 64 }), (row) => {
        const parameters = integerLayerNormAt(
          new Float64Array(row.length).fill(1.3),
          new Float64Array(row.length).fill(0.2),
        )
        const shift = layerNormShift(row)
        if (shift > 0) {
          shifted++
          expect(() => polynomialLayerNorm(row, parameters, 0)).toThrow(/2\^32 or more; shift further/)
        }
        expect(polynomialLayerNorm(row, parameters, shift)).toEqual(
          narrow(polynomialLayerNormExact(wide(row), parameters, shift)),
        )
      }),
      { numRuns: 1000 },
    )
    expect(shifted).toBeGreaterThan(300)
  })

  it('is at least as near to the real one as I-LayerNorm where its ten steps have not settled', () => {
    const channels = 64
    const parameters = integerLayerNormAt(new Float64Array(channels).fill(1), new Float64Array(channels))
    const row = Array.from({ length: channels }, (_, i) => (randomUint32(3, 0, i) % 9) - 4)
    const mean = row.reduce((a, b) => a + b) / channels
    const spread = Math.sqrt(row.reduce((sum, x) => sum + (x - mean) ** 2, 0) / channels)
    const worst = (found: readonly number[]): number =>
      Math.max(...found.map((x, i) => Math.abs(x * parameters.outputScales[i] - (row[i] - mean) / spread)))
    expect(worst(polynomialLayerNorm(row, parameters, 0))).toBeLessThan(
      worst(shiftLayerNorm(row, parameters, 'training')) / 2,
    )
  })

  it('is what can be computed by hand', () => {
    const plain = integerLayerNormAt(new Float64Array(4).fill(1), new Float64Array(4))
    // The mean is 1.75, the root of 9 is 3 and the factor floor(2^31 / 3) = 715827882; shifted by 1 the root of 3 is 1.
    expect(polynomialLayerNorm([0, 1, 2, 4], plain, 0)).toEqual([-715827882, -357913941, 0, 715827882])
    expect(polynomialLayerNorm([0, 1, 2, 4], plain, 1)).toEqual([-(2 ** 30), -(2 ** 29), 0, 2 ** 30])
  })

  it('gives the biases of a row without variance', () => {
    const parameters = integerLayerNormAt([1, 2], [0.5, 0])
    expect(polynomialLayerNorm([7, 7], parameters, 0)).toEqual([...parameters.biases])
    expect(narrow(polynomialLayerNormExact([7n, 7n], parameters, 0))).toEqual([...parameters.biases])
  })
})
