/** Bulk conversion equals the definition, bit for bit; packing; what is lost is counted. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fillRandomUint32 } from '../num/random.ts'
import { conversionLosses, decodeArray, encodeArray, quantizeArray, valueTable } from './bulk.ts'
import { elementFormatNamed } from './catalogue.ts'
import { decode, encode } from './convert.ts'
import { roundings } from './element-format.ts'
import { encodeTable } from './encode-table.ts'
import { packCodes, packedLength, unpackCodes } from './packing.ts'

const words = new Uint32Array(20_000)
fillRandomUint32(41, 0, 0, words)
/** Random float32 patterns, and numbers around the middle of all formats; NaN apart. */
const singles = new Float32Array(words.buffer).map((value) => (Number.isNaN(value) ? 0 : value))
const doubles = Float64Array.from(words, (word, i) => (word / 2 ** 32 - 0.5) * 2 ** ((i % 40) - 20))

describe('formats without negative numbers', () => {
  it('give what lies below zero the least code, infinities included', () => {
    for (const name of ['ue4m4-ieee', 'ue5m3-ieee', 'uint8']) {
      const format = elementFormatNamed(name)
      expect([-1, Number.NEGATIVE_INFINITY, -0].map((value) => encode(format, value))).toEqual([0, 0, 0])
    }
  })
})

describe('encodeArray', () => {
  const names = ['e4m3fn', 'e5m2', 'e4m3fnuz', 'e3m4-ieee', 'e8m0', 'e2m1', 'int8', 'uint8', 'int4-symmetric'].concat(
    [
      'uint8-zero-128',
      'flint8',
      'uflint4',
      'pot4',
      'upot4',
      'power8-0.5',
      'power4-0.55',
      'power8-2',
      'e4m3fn-saturating',
    ],
    ['bfloat16', 'float16', 'tf32', 'e5m10b20-ieee', 'e6m9-finite', 'int16', 'uint12', 'ue5m3fn', 'e6m9fnuz'],
  )
  it.each(names)('%s: equals encode in every rounding, float32 and float64, scaled or not', (name) => {
    const format = elementFormatNamed(name)
    const values = [singles, doubles, Float64Array.from(valueTable(format)).filter(Number.isFinite).slice(0, 4096)]
    for (const rounding of roundings) {
      if (rounding !== 'nearest-even' && format.bits > 8 && !['bfloat16', 'float16', 'int16', 'uint12'].includes(name))
        continue
      for (const input of values)
        for (const scale of [1, 0.37]) {
          const codes = encodeArray(format, input, { rounding, scale, random: words })
          let wrong = -1
          for (let i = 0; i < input.length; i++)
            if (codes[i] !== encode(format, input[i]! / scale, rounding, words[i])) wrong = i
          if (wrong >= 0) expect(`${rounding} ${scale} ${input[wrong]}`).toBe('equal')
        }
    }
  })

  it('has tables for the formats of up to 8 bits', () => {
    const tabled = names.filter((name) => encodeTable(elementFormatNamed(name), elementFormatNamed(name).rounding))
    const without = names.filter((name) => elementFormatNamed(name).bits <= 8 && !tabled.includes(name))
    // Irrational boundaries are no float32s.
    expect(without).toEqual(['power4-0.55', 'power8-2'])
    expect(encodeTable(elementFormatNamed('e4m3fn'), 'stochastic')).toBeUndefined()
  })

  it('names the element that is NaN, and refuses what makes no sense', () => {
    const [e2m1, e4m3] = [elementFormatNamed('e2m1'), elementFormatNamed('e4m3fn')]
    expect(() => encodeArray(e2m1, Float32Array.of(1, 2, Number.NaN))).toThrow(
      /element 2: format "e2m1" has no code for NaN/,
    )
    expect(() => encodeArray(elementFormatNamed('int16'), Float32Array.of(Number.NaN))).toThrow(/element 0/)
    expect([...encodeArray(e4m3, Float32Array.of(Number.NaN, 1))]).toEqual([0x7f, 0x38])
    for (const scale of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => encodeArray(e4m3, new Float32Array(1), { scale })).toThrow(/must be positive and finite/)
    expect(() =>
      encodeArray(e4m3, new Float32Array(2), { rounding: 'stochastic', random: new Uint32Array(1) }),
    ).toThrow(/as many random words, there are 1/)
    expect(() => encode(e4m3, 1.01, 'stochastic')).toThrow(/needs a random integer/)
  })

  it('rounds stochastically without a bias', () => {
    const format = elementFormatNamed('e2m1')
    const mean = quantizeArray(format, new Float64Array(20_000).fill(2.3), { rounding: 'stochastic', random: words })
    // Four standard deviations of the mean of 20,000 draws of 2 or 3.
    expect(Math.abs(mean.reduce((a, b) => a + b) / 20_000 - 2.3)).toBeLessThan(0.013)
  })
})

describe('decodeArray', () => {
  it('equals decode times the scale, and refuses other codes', () => {
    for (const name of ['e4m3fn', 'float16', 'int8', 'flint8', 'uint8-zero-128']) {
      const format = elementFormatNamed(name)
      const codes = Uint32Array.from({ length: 2 ** format.bits }, (_, code) => code)
      const wide = decodeArray(format, codes, 0.3, new Float64Array(codes.length))
      const narrow = decodeArray(format, codes)
      for (const code of codes) {
        const value = decode(format, code)
        if (!Object.is(wide[code], value * 0.3) || !Object.is(narrow[code], value)) expect(code).toBe(-1)
      }
    }
    expect(() => decodeArray(elementFormatNamed('e2m1'), [3, 16])).toThrow(
      /16 is no code of format "e2m1": 0\.\.15 are/,
    )
  })
})

describe('conversionLosses', () => {
  it('counts what saturates, vanishes, or loses its sign', () => {
    const format = elementFormatNamed('int8')
    const values = Float64Array.of(1000, -200, 0.2, -0.2, -0, 5, Number.POSITIVE_INFINITY, 0)
    const losses = conversionLosses(format, values, encodeArray(format, values))
    expect(losses).toEqual({ overflowed: 2, zeroed: 2, signs: 2, specials: 1 })
    const symmetric = elementFormatNamed('int8-symmetric')
    const beyond = Float64Array.of(-128, -127.4, 127.6)
    expect(conversionLosses(symmetric, beyond, encodeArray(symmetric, beyond)).overflowed).toBe(2)
    const float = elementFormatNamed('e5m2')
    const kept = Float64Array.of(-0, Number.NaN, Number.NEGATIVE_INFINITY, -1e-9)
    expect(conversionLosses(float, kept, encodeArray(float, kept))).toEqual({
      overflowed: 0,
      zeroed: 1,
      signs: 0,
      specials: 0,
    })
  })
})

describe('packing', () => {
  it('puts the first code into the lowest bits', () => {
    expect([...packCodes([0x1, 0x2, 0x3], 4)]).toEqual([0x21, 0x03])
    expect([...packCodes([1, 2, 3, 0, 1], 2)]).toEqual([0b00111001, 0b01])
    expect([...packCodes([0b111111, 0b000001, 0b100000, 0b111110], 6)]).toEqual([0b01111111, 0, 0b11111010])
  })

  it('returns every code for every width and length', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.array(fc.nat(255), { maxLength: 40 }), (bits, bytes) => {
        const codes = bytes.map((byte) => byte % 2 ** bits)
        const packed = packCodes(codes, bits)
        expect(packed).toHaveLength(packedLength(codes.length, bits))
        expect([...unpackCodes(packed, bits, codes.length)]).toEqual(codes)
        // By the definition: code i lies in bits i·b … of one long integer.
        const whole = codes.reduce((sum, code, i) => sum + (BigInt(code) << BigInt(i * bits)), 0n)
        expect(packed.reduce((sum, byte, i) => sum + (BigInt(byte) << BigInt(8 * i)), 0n)).toBe(whole)
      }),
    )
  })

  it('refuses codes that do not fit and bytes that are missing', () => {
    expect(() => packCodes([3, 4], 2)).toThrow(/code 1 is 4; 2 bits hold 0\.\.3/)
    expect(() => packCodes([1], 9)).toThrow(/1 to 8 bits can/)
    expect(() => unpackCodes(new Uint8Array(1), 4, 3)).toThrow(/3 codes of 4 bits need 2 bytes, there are 1/)
  })
})
