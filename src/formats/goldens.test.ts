/** Tables and examples that the references and the cards of the formats print. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DyadicError } from '../error.ts'
import { flintFormat, powerFormat } from './adaptive.ts'
import { encodeArray, finiteValues, quantizeArray } from './bulk.ts'
import { catalogue, elementFormatNamed, formatNamed } from './catalogue.ts'
import { decode, encode, largest, round, valuesOf } from './convert.ts'
import { saturating } from './element-format.ts'
import { flintCode, magnitude } from './grid.ts'
import { integerFormat } from './integers.ts'
import { flexibleBias, quantizeChannels, scaleFor, scaleOfBias } from './scale.ts'

const positive = (name: string): number[] => finiteValues(elementFormatNamed(name)).filter((value) => value >= 0)
const range = (from: number, to: number, step: number): number[] =>
  Array.from({ length: Math.round((to - from) / step) + 1 }, (_, i) => from + i * step)

describe('values', () => {
  it('of the OCP formats', () => {
    expect(positive('e2m1')).toEqual([0, 0.5, 1, 1.5, 2, 3, 4, 6])
    expect(positive('e2m3')).toEqual([...range(0, 1.875, 0.125), ...range(2, 3.75, 0.25), ...range(4, 7.5, 0.5)])
    expect(positive('e3m2')).toEqual([
      ...[...range(0, 0.4375, 0.0625), ...range(0.5, 0.875, 0.125), ...range(1, 1.75, 0.25), ...range(2, 3.5, 0.5)],
      ...[...range(4, 7, 1), ...range(8, 14, 2), ...range(16, 28, 4)],
    ])
  })

  it.each([
    ['e4m3fn', 253, 448, 2 ** -9, 127],
    ['e5m2', 247, 57344, 2 ** -16, 124],
    ['e4m3-ieee', 239, 240, 2 ** -9, 120],
    ['e3m4-ieee', 223, 15.5, 2 ** -6, 112],
    ['e4m3fnuz', 255, 240, 2 ** -10, 128],
    ['e5m2fnuz', 255, 57344, 2 ** -17, 128],
    ['e4m3b11fnuz', 255, 30, 2 ** -13, 128],
    ['e3m2', 63, 28, 0.0625, 32],
    ['e2m3', 63, 7.5, 0.125, 32],
    ['e2m1', 15, 6, 0.5, 8],
    ['e8m0', 255, 2 ** 127, 2 ** -127, 255],
  ])('%s: %d distinct, up to %d', (name, distinct, greatest, least, halves) => {
    expect(finiteValues(elementFormatNamed(name))).toHaveLength(distinct)
    const values = positive(name)
    expect([values.at(-1), values.find((value) => value > 0), values.length]).toEqual([greatest, least, halves])
  })

  it.each([
    ['e2m0', 4, 1],
    ['e2m1', 6, 0.5],
    ['e3m0', 16, 0.25],
    ['e2m2', 7, 0.25],
    ['e3m1', 24, 0.125],
    ['e2m3', 7.5, 0.125],
    ['e3m2', 28, 0.0625],
    ['e3m3', 30, 0.03125],
    ['e4m2', 448, 2 ** -8],
    ['e3m4', 31, 0.015625],
    ['e4m3', 480, 2 ** -9],
    ['e5m2', 114688, 2 ** -16],
  ])('%s without special codes reaches %d (Aggarwal et al. 2024)', (name, greatest, least) => {
    const format = elementFormatNamed(`${name}-finite`)
    expect([largest(format), positive(format.name)[1]]).toEqual([greatest, least])
    expect(finiteValues(format)).toHaveLength(2 ** format.bits - 1)
  })

  it('of 4-bit floats (Liu et al. 2023): one exponent bit is an integer grid, none of mantissa powers of two', () => {
    expect(positive('e1m2b0-finite')).toEqual([0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5])
    expect(positive('e3m0-finite').map((value) => value * 4)).toEqual([0, 1, 2, 4, 8, 16, 32, 64])
    for (const name of ['e3m0-finite', 'e2m1', 'e1m2-finite'])
      expect(finiteValues(elementFormatNamed(name))).toHaveLength(15)
  })

  it('of flint (Guo et al. 2022), with the decoder of a leading-zero count and a shift', () => {
    expect(positive('flint3')).toEqual([0, 1, 2, 4])
    expect(positive('flint4')).toEqual([0, 1, 2, 3, 4, 6, 8, 16])
    expect(positive('uflint4')).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 24, 32, 64])
    expect(positive('uflint5')).toEqual([...[...range(0, 16, 1), ...range(18, 32, 2), 40, 48, 56, 64, 96, 128, 256]])
    expect(positive('uflint6')).toEqual([
      ...[...range(0, 32, 1), ...range(34, 62, 2), ...range(64, 120, 8), 128, 160, 192, 224, 256, 384, 512, 1024],
    ])
    expect([...valuesOf(elementFormatNamed('uflint4'))]).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7, 64, 32, 16, 24, 8, 10, 12, 14,
    ])
    for (let bits = 2; bits <= 14; bits++) {
      const half = 2 ** (bits - 1)
      const seen = new Set<number>()
      for (let ordinal = 0; ordinal < 2 ** bits; ordinal++) {
        const code = flintCode(bits, ordinal)
        const rest = code & (half - 1)
        const zeros = bits - 1 - (32 - Math.clz32(rest))
        const value = code < half ? code : rest === 0 ? 2 ** (2 * (bits - 1)) : rest * 2 ** (2 * zeros + 1)
        seen.add(code)
        if (value !== magnitude({ kind: 'flint', magnitudeBits: bits }, ordinal))
          expect(`B ${bits}, ${ordinal}`).toBe('')
      }
      expect(seen.size).toBe(2 ** bits)
    }
  })

  it('of flint are integers times shifts, so that products are', () => {
    const format = flintFormat(4, false)
    const parts = (code: number): [base: number, shift: number] => {
      const rest = code & 7
      if (code < 8) return [code, 0]
      return rest === 0 ? [1, 6] : [rest, 2 * (3 - (32 - Math.clz32(rest))) + 1]
    }
    for (let a = 0; a < 16; a++)
      for (let b = 0; b < 16; b++) {
        const [[baseA, shiftA], [baseB, shiftB]] = [parts(a), parts(b)]
        expect(decode(format, a) * decode(format, b)).toBe((baseA * baseB) << (shiftA + shiftB))
      }
    // Spacing 1, 2, 8, 32 by octave.
    const values = positive('uflint5')
    const gaps = (low: number, high: number): number[] => [
      ...new Set(
        values.flatMap((value, i) => (value >= low && value < high ? [(values[i + 1] as number) - value] : [])),
      ),
    ]
    expect([gaps(0, 16), gaps(16, 32), gaps(32, 64), gaps(64, 128)]).toEqual([[1], [2], [8], [32]])
  })

  it('of flint encode to the nearest, ties to the larger', () => {
    const format = flintFormat(4, false)
    const values = positive('uflint4')
    for (let quarter = 0; quarter <= 4 * 70; quarter++) {
      const value = quarter / 4
      let nearest = 0
      for (const candidate of values) if (Math.abs(candidate - value) <= Math.abs(nearest - value)) nearest = candidate
      expect(round(format, value)).toBe(nearest)
    }
    expect([round(flintFormat(4), -5), round(flintFormat(4), 5)]).toEqual([-4, 6])
  })

  it('of power grids: squares at one half, integers at one', () => {
    expect(positive('power4-0.5')).toEqual([0, 1, 4, 9, 16, 25, 36, 49])
    expect(positive('upower4-0.5').at(-1)).toBe(225)
    const [power, integer] = [elementFormatNamed('power8-1'), elementFormatNamed('int8-symmetric')]
    fc.assert(
      fc.property(fc.double({ noNaN: true, min: -200, max: 200 }), (x) => encode(power, x) === encode(integer, x)),
    )
    for (let code = 0; code < 256; code++) expect(decode(power, code)).toBe(decode(integer, code))
  })
})

describe('encoding', () => {
  it('of OCP formats, nearest even with saturation', () => {
    const rounded = (name: string, inputs: readonly number[]): number[] =>
      inputs.map((x) => round(saturating(elementFormatNamed(name)), x))
    expect(
      rounded('e4m3fn', [
        0.1,
        1 / 3,
        1.0625,
        1.1875,
        17,
        19,
        2 ** -10,
        2 ** -10 * 1.0001,
        1.5 * 2 ** -9,
        Math.PI,
        464,
        1000,
      ]),
    ).toEqual([0.1015625, 0.34375, 1, 1.25, 16, 20, 0, 2 ** -9, 2 ** -8, 3.25, 448, 448])
    expect(rounded('e5m2', [0.1, 1 / 3, 1.125, 1.375, 2 ** -17, 61439])).toEqual([0.09375, 0.3125, 1, 1.5, 0, 57344])
    expect(rounded('e2m1', [0.25, 0.2501, 0.75, 1.25, 1.75, 2.5, 3.5, 5, 5.01, 7])).toEqual([
      0, 0.5, 1, 1, 2, 2, 4, 4, 6, 6,
    ])
    const codes = [1, 1.00390625, 1.01171875, Math.PI, -0.1, 65504, 3.4e38].map((x) =>
      encode(elementFormatNamed('bfloat16'), x),
    )
    expect(codes).toEqual([0x3f80, 0x3f80, 0x3f82, 0x4049, 0xbdcd, 0x4780, 0x7f80])
  })

  it('overflows as the convention says', () => {
    const at = (name: string, x: number): number => round(elementFormatNamed(name), x)
    expect([at('e4m3fn', 464), at('e4m3fn', 464.01), at('e4m3fn', -1e9), at('e4m3fn', Infinity)]).toEqual([
      448,
      NaN,
      NaN,
      NaN,
    ])
    expect([at('e5m2', 61439.99), at('e5m2', 61440), at('e5m2', -Infinity)]).toEqual([57344, Infinity, -Infinity])
    expect([at('e4m3fnuz', 247.9), at('e4m3fnuz', 248), at('e4m3fnuz', -0)]).toEqual([240, NaN, 0])
    expect([at('e2m1', Infinity), at('e2m1', -100), at('int8', 1e9), at('int8', -Infinity)]).toEqual([6, -6, 127, -128])
    expect([at('e8m0', 0), at('e8m0', -1), at('e8m0', 1e-300), at('e8m0', 2 ** 127)]).toEqual([
      NaN,
      NaN,
      2 ** -127,
      2 ** 127,
    ])
    expect(Object.is(at('e2m1', -0.1), -0)).toBe(true)
    expect(Object.is(at('int8', -0.1), 0)).toBe(true)
    expect(() => at('e2m1', Number.NaN)).toThrow(/"e2m1" has no code for NaN/)
    expect(() => encode(elementFormatNamed('int8'), Number.NaN)).toThrow(DyadicError)
    expect(encode({ ...elementFormatNamed('uint8-zero-128'), onNaN: 'zero' }, Number.NaN)).toBe(128)
  })

  it('of every binary16 to E5M2 is rounding of its upper byte to even', () => {
    const [half, e5m2] = [elementFormatNamed('float16'), elementFormatNamed('e5m2')]
    for (let code = 0; code < 65536; code++) {
      const value = decode(half, code)
      if (Number.isNaN(value)) continue
      const upper = code >> 8
      const lower = code & 0xff
      const expected = lower > 128 || (lower === 128 && upper % 2 === 1) ? upper + 1 : upper
      if (encode(e5m2, value) !== expected) expect(code).toBe(-1)
    }
  })

  it('of zero points keeps ties at even values, as ONNX does', () => {
    const format = integerFormat({ bits: 8, signed: false, zeroPoint: 3 })
    expect([0.5, 1.5, 2.5, -0.5, -1.5, -3, -9, 400].map((x) => encode(format, x))).toEqual([3, 5, 5, 3, 1, 0, 0, 255])
  })
})

describe('a flexible bias is a scale', () => {
  it('reproduces a standard grid when the clipping value is its end, and scales with powers of two', () => {
    for (const name of ['e4m3-finite', 'e2m5-finite', 'e5m2-finite', 'e3m4-finite']) {
      const format = elementFormatNamed(name)
      const { bias } = format.grid as { bias: number }
      expect(scaleFor(format, largest(format))).toBe(1)
      expect(flexibleBias(format, largest(format))).toBeCloseTo(bias, 12)
      expect(scaleOfBias(format, bias + 3)).toBe(1 / 8)
      const values = Float64Array.from({ length: 99 }, (_, i) => Math.sin(i) * 3)
      const scaled = quantizeArray(
        format,
        values.map((value) => value * 32),
        { scale: 0.7 * 32 },
      )
      expect(scaled.map((value) => value / 32)).toEqual(quantizeArray(format, values, { scale: 0.7 }))
    }
  })

  it('equals the published quantiser', () => {
    const format = elementFormatNamed('e3m4-finite')
    const { mantissaBits: m } = format.grid as { mantissaBits: number }
    fc.assert(
      fc.property(
        fc.double({ min: 0.01, max: 100, noNaN: true }),
        fc.double({ min: -150, max: 150, noNaN: true }),
        (clip, x) => {
          const bias = flexibleBias(format, clip)
          expect(Math.abs((largest(format) * scaleOfBias(format, bias)) / clip - 1)).toBeLessThan(1e-14)
          const clipped = Math.max(-clip, Math.min(clip, x))
          const position = Math.log2(Math.abs(clipped)) + bias
          const exponent = Math.max(1, Math.floor(position))
          const step = 2 ** (exponent - m - bias)
          const ratio = clipped / step
          // Where the formula's own logarithm or quotient is at a boundary to the last bits, it may fall on either side.
          if (Math.abs(position - Math.round(position)) < 1e-9 || Math.abs(Math.abs(ratio % 1) - 0.5) < 1e-6) return
          const published = step * Math.round(ratio)
          const [ours] = quantizeArray(format, Float64Array.of(x), { scale: scaleFor(format, clip) })
          expect(Math.abs(ours! - published)).toBeLessThanOrEqual(1e-12 * clip)
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('shifts channels by powers of two into the weights without changing a code (Liu et al. 2023, 2.4)', () => {
    const format = elementFormatNamed('e2m1')
    const values = Float64Array.from({ length: 48 }, (_, i) => Math.sin(i * 1.7) * 6 * 2 ** -(i % 3))
    const rho = 0.83
    for (const [i, value] of values.entries()) {
      const shift = i % 4
      const [perChannel] = encodeArray(format, Float64Array.of(value), { scale: rho * 2 ** -shift })
      const [folded] = encodeArray(format, Float64Array.of(value * 2 ** shift), { scale: rho })
      expect(folded).toBe(perChannel)
    }
  })

  it('may differ by channel', () => {
    const format = elementFormatNamed('e2m1')
    expect([...quantizeChannels(format, Float64Array.of(1, 6, 10, 60), [1, 10])]).toEqual([1, 6, 10, 60])
    expect(() => quantizeChannels(format, new Float64Array(5), [1, 2])).toThrow(/5 values are not divided by 2 scales/)
  })
})

describe('power exponents', () => {
  it('round trip every code at every exponent, and multiply without rounding', () => {
    for (const exponent of [0.2, 0.35, 0.5, 0.55, 0.72, 1, 1.3, 1.5])
      for (const bits of [2, 3, 4, 8]) {
        const format = powerFormat(bits, exponent)
        for (let q = format.lowest; q <= format.highest; q++) {
          const code = (q + 2 ** bits) % 2 ** bits
          expect(encode(format, decode(format, code))).toBe(code)
          // The operator as published, but for its own rounding of powers.
          const published = Math.sign(q) * Math.abs(q) ** (1 / exponent)
          expect(Math.abs(decode(format, code) - published)).toBeLessThanOrEqual(1e-13 * Math.abs(published))
        }
      }
    fc.assert(
      fc.property(
        fc.double({ min: 1e-3, max: 1e3, noNaN: true }),
        fc.double({ min: 1e-3, max: 1e3, noNaN: true }),
        (x, y) => {
          for (const a of [0.3, 0.5, 0.72]) expect(Math.abs((x * y) ** a / (x ** a * y ** a) - 1)).toBeLessThan(1e-12)
        },
      ),
    )
  })

  it('rounds in the space of powers, or to the nearest value, as the record says', () => {
    const published = powerFormat(4, 0.5)
    const nearest = powerFormat(4, 0.5, { decision: 'nearest-value' })
    // Between 4 = 2² and 9 = 3²: 2.5² = 6.25 against 6.5.
    expect([6.2, 6.3, 6.4, 6.6].map((x) => round(published, x))).toEqual([4, 9, 9, 9])
    expect([6.2, 6.3, 6.4, 6.6].map((x) => round(nearest, x))).toEqual([4, 4, 4, 9])
  })

  it('at one half dot products are sums of integer squares', () => {
    const format = elementFormatNamed('power4-0.5')
    const codes = Array.from({ length: 64 }, (_, i) => ((i * 5) % 15) - 7)
    const square = (q: number): number => Math.sign(q) * q * q
    let integers = 0
    let reals = 0
    for (const [i, q] of codes.entries()) {
      const other = codes[(i * 7 + 3) % 64] as number
      integers += square(q) * square(other)
      reals += decode(format, (q + 16) % 16) * decode(format, (other + 16) % 16)
    }
    expect(reals).toBe(integers)
  })
})

describe('names', () => {
  it('are unique, give the same record each time, and describe what they name', () => {
    expect(new Set(catalogue.map(({ name }) => name)).size).toBe(catalogue.length)
    for (const { name, summary } of catalogue) {
      expect(formatNamed(name)).toBe(formatNamed(name))
      expect(formatNamed(name).name).toBe(name)
      expect(summary.length).toBeGreaterThan(5)
    }
  })

  it.each([
    'e5m1-finite',
    'ue4m4-finite',
    'e4m3b10fnuz',
    'int5-symmetric',
    'uint6-zero-31',
    'int8-zero--3',
    'uflint3',
    'power6-0.55',
    'power6-0.55-nearest',
    'int4-group64',
    'dfp8',
    'dfp16-headroom2',
    'e4m3fn-saturating',
  ])('%s is built from its parts', (name) => {
    expect(formatNamed(name).name).toBe(name)
  })

  it.each([
    [
      'fp8',
      /no format is called "fp8"\n {2}integers: int2, .*\n {2}minifloats: e4m3fn, .*\n {2}adaptive: flint4.*\n {2}blocks: mxfp8-e4m3/,
    ],
    ['e4m3', /"e4m3"; say which one is meant: e4m3-ieee, e4m3fn, e4m3fnuz, e4m3-finite/],
    ['int17', /an integer format has 2 to 16 bits, not 17/],
    ['uint8-symmetric', /only a signed format without a zero point/],
    ['int8-zero-128', /the zero point 128 is no code: -128\.\.127 are/],
    ['e9m2-finite', /1 to 8 exponent bits, not 9/],
    ['e8m14-ieee', /2 to 19 bits in all/],
    ['e3m0-ieee', /no code for both/],
    ['ue4m3fnuz', /needs a sign/],
    ['flint2', /2 to 14 magnitude bits, not 1/],
    ['power9-0.5', /2 to 8 bits, not 9/],
    ['power4-3', /the exponent 3 is not in 0\.1\.\.2/],
    ['mxfp4-saturating', /no format is called/],
    ['\u001b[31m', /"\\u\{1b\}\[31m"/],
  ])('%j is refused', (name, message) => {
    expect(() => formatNamed(name)).toThrow(message)
    try {
      formatNamed(name)
    } catch (error) {
      expect((error as DyadicError).code).toBe('usage')
    }
  })

  it('of blocks are refused where an element is needed', () => {
    expect(() => elementFormatNamed('mxfp4')).toThrow(/"mxfp4" is a block format/)
  })
})
