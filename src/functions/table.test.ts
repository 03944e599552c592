/** The table family and the fixed-point functions behind it: against known digits, Math, the program's rules and errors. */
import { describe, expect, it } from 'vitest'
import { DyadicError } from '../error.ts'
import { curve } from '../kernels/scalar/curve.ts'
import {
  exactDouble,
  FIXED_POINT_BITS,
  FIXED_POINT_FUNCTIONS,
  type FixedPointFunction,
  fromFixedPoint,
  toFixedPoint,
} from './fixed-point.ts'
import { polynomialReciprocal, shiftReciprocal, tableReciprocal } from './reciprocal.ts'
import { exponentialTables, functionKnots, functionTable, lookUp, lookUpCurve, tableExponential } from './table.ts'

const NAMES: readonly FixedPointFunction[] = ['exp', 'erf', 'gelu', 'sigmoid', 'tanh']

/** A decimal numeral as a fixed-point number. */
function decimal(text: string): bigint {
  const [whole, fraction] = text.split('.')
  return (BigInt(whole + fraction) << FIXED_POINT_BITS) / 10n ** BigInt(fraction.length)
}

describe('fixed-point functions', () => {
  // Digits as in Abramowitz and Stegun 1964, tables 4.4 and 7.1, and by 50-digit arithmetic.
  it.each([
    ['exp', 1, '2.71828182845904523536028747135266'],
    ['exp', -1, '0.36787944117144232159552377016146'],
    ['exp', -20, '0.00000000206115362243855782796594'],
    ['exp', 0, '1.0'],
    ['erf', 0.5, '0.52049987781304653768274665389196'],
    ['erf', 1, '0.84270079294971486934122063508261'],
    ['erf', 3, '0.99997790950300141455862722387042'],
    ['erf', 8, '0.99999999999999999999999999998877570270'],
    ['gelu', 1, '0.84134474606854294858523254563'],
    ['gelu', -10, '-0.00000000000000000000007619853024160526'],
    ['gelu', -12.5, '-0.00000000000000000000000000000000005'],
    ['sigmoid', 1, '0.73105857863000487925115924182183'],
    ['tanh', 1, '0.76159415595576488811945828260479'],
  ] as const)('%s %s is %s', (name, x, digits) => {
    const found = FIXED_POINT_FUNCTIONS[name](toFixedPoint(x))
    const difference = found - decimal(digits)
    expect(difference < 1n << 8n && difference > -(1n << 8n), `${found}`).toBe(true)
  })

  it('agree with Math over a range, and are odd, even and monotone as they should be', () => {
    const before = new Map(NAMES.map((name) => [name, -1e300]))
    for (let i = -300; i <= 300; i++) {
      const x = i / 20
      const value = (name: FixedPointFunction): number => fromFixedPoint(FIXED_POINT_FUNCTIONS[name](toFixedPoint(x)))
      expect(Math.abs(value('exp') / Math.exp(x) - 1)).toBeLessThan(x < -10 ? 1e-13 : 4e-16)
      expect(Math.abs(value('tanh') - Math.tanh(x))).toBeLessThan(4e-16)
      expect(Math.abs(value('sigmoid') - 1 / (1 + Math.exp(-x)))).toBeLessThan(4e-16)
      const erf = fromFixedPoint(FIXED_POINT_FUNCTIONS.erf(toFixedPoint(x / Math.SQRT2)))
      expect(Math.abs(value('gelu') - (x * (1 + erf)) / 2)).toBeLessThan(2e-15)
      for (const name of ['erf', 'tanh'] as const)
        expect(
          FIXED_POINT_FUNCTIONS[name](toFixedPoint(-x)) + FIXED_POINT_FUNCTIONS[name](toFixedPoint(x)),
        ).toBeLessThan(4n)
      for (const name of ['exp', 'erf', 'sigmoid', 'tanh'] as const) {
        expect(value(name)).toBeGreaterThanOrEqual(before.get(name) as number)
        before.set(name, value(name))
      }
    }
  })

  it('saturate: erf and tanh at ±1, exp at 0', () => {
    for (const name of ['erf', 'tanh', 'sigmoid'] as const)
      expect(FIXED_POINT_FUNCTIONS[name](toFixedPoint(1000))).toBe(toFixedPoint(1))
    expect(FIXED_POINT_FUNCTIONS.erf(toFixedPoint(-50))).toBe(toFixedPoint(-1))
    expect(FIXED_POINT_FUNCTIONS.exp(toFixedPoint(-1000))).toBe(0n)
  })

  it('take doubles exactly', () => {
    for (const value of [0, 1, -1.5, 0.1, 2 ** -90, -123456.789]) {
      expect(fromFixedPoint(toFixedPoint(value))).toBe(value)
      const { mantissa, exponent } = exactDouble(value)
      expect(Number(mantissa) * 2 ** exponent).toBe(value)
    }
    expect(exactDouble(5e-324)).toEqual({ mantissa: 1n, exponent: -1074 })
  })
})

describe('tables', () => {
  const codes8 = {
    inputScale: 1 / 16,
    inputZeroPoint: 3,
    outputScale: 1 / 128,
    outputZeroPoint: -5,
    low: -128,
    high: 127,
  }
  const codes16 = {
    inputScale: 8 / 32768,
    inputZeroPoint: 0,
    outputScale: 1 / 32768,
    outputZeroPoint: 0,
    low: -32768,
    high: 32767,
  }

  it.each(NAMES)('of %s hold the half-up rounding of every 8-bit code', (name) => {
    const table = functionTable(name, codes8)
    for (let code = -128; code < 128; code++) {
      const real = fromFixedPoint(FIXED_POINT_FUNCTIONS[name](toFixedPoint((code - 3) / 16)))
      expect(lookUp(code, table)).toBe(Math.max(-128, Math.min(127, Math.floor(real * 128 + 0.5) - 5)))
    }
  })

  it('are the integers of rule R9 for all 65,536 codes', () => {
    const knots = functionKnots('tanh', codes16)
    const input = Int16Array.from({ length: 65536 }, (_, i) => i - 32768)
    const output = { data: new Int16Array(65536), height: 1, width: 65536, channels: 1, stride: 1 }
    curve({ ...output, data: input }, output, { knots, bits: 7, low: -32768, high: 32767 })
    expect(Array.from(input, (code) => lookUpCurve(code, knots))).toEqual([...output.data])
  })

  it('of scales that are no powers of two are rounded from the exact quotient', () => {
    // The scale is below 0.1 by 2^−58 or so: 10 units of it are less than 1, and e^0 is more than 9.5 units.
    const table = functionTable('exp', { ...codes8, inputZeroPoint: 0, outputScale: 0.1, outputZeroPoint: 0 })
    expect(lookUp(0, table)).toBe(10)
    const exact = functionTable('sigmoid', { ...codes8, inputZeroPoint: 0, outputScale: 1 / 3, outputZeroPoint: 0 })
    // σ(0) / (1/3) = 1.5 + 2^−54 × 3: the double below 1/3 makes it more than the tie.
    expect(lookUp(0, exact)).toBe(2)
  })

  it('limit what is out of range, also e^x of a scale without sense', () => {
    const steep = functionTable('exp', { ...codes8, inputScale: 1e6, inputZeroPoint: 0, outputZeroPoint: 0 })
    expect([lookUp(-1, steep), lookUp(0, steep), lookUp(1, steep)]).toEqual([0, 127, 127])
    const large = {
      ...codes8,
      inputScale: 62,
      inputZeroPoint: 0,
      outputScale: 2 ** 80,
      outputZeroPoint: 0,
      high: 32767,
    }
    expect(lookUp(1, functionTable('exp', large))).toBe(Math.round(Math.exp(62) / 2 ** 80))
    expect(() => functionTable('erf', { ...codes8, low: 1, high: 0 })).toThrow(/from 1 to 0 are no range/)
    expect(() => functionTable('erf', { ...codes8, high: 40000 })).toThrow(DyadicError)
    expect(() => functionTable('erf', { ...codes8, inputScale: 0 })).toThrow(/table of erf, input: the scale is 0/)
    expect(() => functionKnots('erf', { ...codes8, outputScale: Number.NaN })).toThrow(/output: the scale is NaN/)
  })

  it('of exponentials multiply to within 1.5 units of 2^−15 over all differences of 16 bits', () => {
    const tables = exponentialTables(2 ** -12)
    let largest = 0
    for (let difference = 0; difference < 65536; difference++)
      largest = Math.max(
        largest,
        Math.abs(tableExponential(difference, tables) - 2 ** 15 * Math.exp(-difference * 2 ** -12)),
      )
    expect(largest).toBeLessThan(1.5)
    expect(tableExponential(0, tables)).toBe(2 ** 15)
    expect(() => exponentialTables(-1)).toThrow(DyadicError)
  })
})

describe('reciprocals', () => {
  it('of the published systems are floors', () => {
    for (const divisor of [1, 2, 3, 7, 65535, 2 ** 31 - 1, 2 ** 31, 2 ** 40]) {
      expect(BigInt(shiftReciprocal(divisor))).toBe((2n ** 31n - 1n) / BigInt(divisor))
      expect(BigInt(polynomialReciprocal(divisor))).toBe(2n ** 32n / BigInt(divisor))
    }
  })

  it('of the table are off by at most 2^−16 in relation, for all divisors of 17 bits and by samples to 32', () => {
    let largest = 0
    const measure = (divisor: number): void => {
      const { multiplier, shift } = tableReciprocal(divisor)
      largest = Math.max(largest, Math.abs((multiplier * divisor) / 2 ** shift - 1))
    }
    for (let divisor = 1; divisor < 2 ** 17; divisor++) measure(divisor)
    for (let i = 0; i < 2 ** 17; i++) measure(2 ** 31 + i * 16384 + (i % 16384))
    measure(2 ** 32 - 1)
    expect(largest).toBeLessThanOrEqual(2 ** -16)
    expect(largest).toBeGreaterThan(2 ** -17)
  })

  it.each([0, -1, 1.5, Number.NaN, 2 ** 53])('refuse the divisor %s', (divisor) => {
    for (const reciprocal of [shiftReciprocal, polynomialReciprocal, tableReciprocal])
      expect(() => reciprocal(divisor)).toThrow(DyadicError)
  })

  it('of the table refuse more than 32 bits', () => {
    expect(() => tableReciprocal(2 ** 32)).toThrow(/below 2\^32/)
  })
})
