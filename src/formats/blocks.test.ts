/** Block formats and dynamic fixed point: examples of the specifications, the ends, exact accumulation. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DyadicError } from '../error.ts'
import { type BlockFormat, bitsPerElement, decodeBlocks, encodeBlocks } from './blocks.ts'
import { finiteValues } from './bulk.ts'
import { elementFormatNamed, formatNamed } from './catalogue.ts'
import { largest, round } from './convert.ts'
import { addFixedPoint, downConversionShift, downConvert, safeChainLength } from './dynamic-fixed-point.ts'
import { saturating } from './element-format.ts'
import { exact } from './rational.fixture.ts'
import { samples } from './samples.fixture.ts'

const block = (name: string): BlockFormat => {
  const format = formatNamed(name)
  if (format.kind !== 'block') throw new Error(name)
  return format
}
const positive = (name: string): number[] => finiteValues(elementFormatNamed(name)).filter((value) => value >= 0)

describe('blocks', () => {
  const example = Float64Array.of(1, -2.5, 0.3, 7.9, ...new Float64Array(28))

  it.each([
    ['mxfp4', [1, -2, 0.5, 6]],
    ['mxfp8-e4m3', [1, -2.5, 0.3125, 7]],
    ['mxfp6-e3m2', [1, -2.5, 0.3125, 7]],
    ['mxfp6-e2m3', [1, -2.5, 0.25, 7.5]],
    ['mxint8', [1, -2.5, 0.3125, 7.875]],
  ])('%s of the example of the specification', (name, expected) => {
    const tensor = encodeBlocks(block(name), example)
    expect([...decodeBlocks(tensor).slice(0, 4)]).toEqual(expected)
    if (name === 'mxfp4') expect(tensor.scaleCodes).toEqual(Uint8Array.of(127))
  })

  it('have the bits that they are known for', () => {
    const bits = ['mxfp4', 'nvfp4', 'mxfp6-e2m3', 'mxfp8-e4m3', 'mxint8', 'int4-group32', 'dfp16']
    expect(bits.map((name) => bitsPerElement(block(name)))).toEqual([4.25, 4.5, 6.25, 8.25, 8.25, 5, 16])
  })

  it('at the ends: zeros, the least and the greatest scale, NaN, short blocks', () => {
    const mxfp4 = block('mxfp4')
    expect([...decodeBlocks(encodeBlocks(mxfp4, new Float32Array(40)))]).toEqual(Array(40).fill(0))
    const ends = encodeBlocks(
      mxfp4,
      Float64Array.of(...Array(32).fill(2 ** -140), ...Array(32).fill(2 ** 127), 2 ** 300),
    )
    expect([...(ends.scaleCodes as Uint8Array)]).toEqual([0, 252, 255])
    expect(decodeBlocks(ends)[32]).toBe(2 ** 127)
    expect(decodeBlocks(ends)[64]).toBeNaN()
    const poisoned = Float64Array.from({ length: 64 }, (_, i) => (i === 40 ? Number.NaN : 1))
    const decoded = decodeBlocks(encodeBlocks(mxfp4, poisoned))
    expect([decoded[0], decoded[33]]).toEqual([1, NaN])
    expect(() => encodeBlocks(block('nvfp4'), poisoned)).toThrow(/no code for NaN/)
    expect(() => encodeBlocks(block('int4-group32'), Float64Array.of(Infinity))).toThrow(DyadicError)
    expect([...decodeBlocks(encodeBlocks(block('int4-group32'), Float64Array.of(7, -3)))]).toEqual([7, -3])
    expect([...decodeBlocks(encodeBlocks(block('nvfp4'), new Float64Array(3)))]).toEqual([0, 0, 0])
    expect(encodeBlocks(mxfp4, new Float64Array(0)).codes).toHaveLength(0)
    for (const name of ['nvfp4', 'int4-group32'])
      expect(() => encodeBlocks(block(name), Float64Array.of(1e300))).toThrow(/needs a scale beyond float32/)
    // A block far below the tensor's largest value: its scale is 0, its signs stay.
    const faint = decodeBlocks(encodeBlocks(block('nvfp4'), Float64Array.of(...Array(16).fill(1), -1e-9, 1e-9)))
    expect([faint[16], faint[17]]).toEqual([-0, 0])
  })

  it('of NVFP4 are code × block scale × tensor scale by its formulas', () => {
    const values = Float64Array.from({ length: 50 }, (_, i) => Math.sin(i * 0.7) * 10 ** (i % 5))
    const tensor = encodeBlocks(block('nvfp4'), values)
    const most = Math.max(...values.map(Math.abs))
    expect(tensor.tensorScale).toBe(Math.fround(most / (6 * 448)))
    expect(tensor.scales).toHaveLength(4)
    const decoded = decodeBlocks(tensor)
    for (let i = 0; i < 50; i++) {
      const part = values.subarray(16 * Math.floor(i / 16), 16 * Math.floor(i / 16) + 16)
      const scale = round(
        saturating(elementFormatNamed('e4m3fn')),
        Math.max(...part.map(Math.abs)) / 6 / tensor.tensorScale,
      )
      expect(decoded[i]).toBe(
        round(elementFormatNamed('e2m1'), values[i]! / (scale * tensor.tensorScale)) * (scale * tensor.tensorScale),
      )
    }
  })

  it('have exact products: E4M3 and E5M2 in float32, sums of MXFP4 blocks in integers', () => {
    for (const name of ['e4m3fn', 'e5m2']) {
      const values = positive(name)
      for (const a of values)
        for (const b of values) if (Math.fround(a * b) !== a * b) expect(`${a} × ${b}`).toBe('exact')
    }
    for (const a of positive('e2m1')) for (const b of positive('e2m1')) expect(Number.isInteger(4 * a * b)).toBe(true)
    expect(32 * 4 * 6 * 6).toBeLessThan(2 ** 31)
  })

  it('of minifloats accumulate exactly in the fixed point width of the cost model (Aggarwal et al. 2024)', () => {
    const widths = {
      e2m1: 8,
      e3m0: 14,
      e2m2: 10,
      e3m1: 16,
      e2m3: 12,
      e3m2: 18,
      e3m3: 20,
      e4m2: 34,
      e3m4: 22,
      e4m3: 36,
      e5m2: 66,
    }
    for (const [name, width] of Object.entries(widths)) {
      const format = elementFormatNamed(`${name}-finite`)
      const unit = exact(positive(format.name)[1] as number)
      const greatest = exact(largest(format))
      // The largest product in units of the smallest fits the width, and needs it.
      const units = (greatest * greatest) / (unit * unit)
      expect(units * unit * unit === greatest * greatest && units.toString(2).length <= width, name).toBe(true)
      expect(units.toString(2).length, name).toBeGreaterThan(width - 2)
    }
  })
})

describe('dynamic fixed point', () => {
  const x = Float64Array.of(1, -0.5, 1 / 3, Math.PI, -Math.E, 1e-4, -1e-5, 0)

  it.each([
    ['dfp16', 13, [8192, -4096, 2731, 25736, -22268, 1, 0, 0]],
    ['dfp16-headroom1', 12, [4096, -2048, 1365, 12868, -11134, 0, 0, 0]],
    ['dfp16-headroom2', 11, [2048, -1024, 683, 6434, -5567, 0, 0, 0]],
  ])('%s of the example', (name, shift, expected) => {
    const tensor = encodeBlocks(block(name), x)
    expect(tensor.scales).toEqual(Float64Array.of(2 ** -shift))
    expect([...new Int16Array(tensor.codes as Uint16Array)]).toEqual(expected)
    for (const [i, value] of decodeBlocks(tensor).entries())
      expect(Math.abs(value - x[i]!)).toBeLessThanOrEqual(2 ** (-shift - 1))
  })

  it('saturates where the reference wraps, and is exact for multiples of its unit', () => {
    const near = encodeBlocks(block('dfp16'), Float64Array.of(0.99999))
    expect(near.codes[0]).toBe(32767)
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -32767, max: 32767 }), { minLength: 1 }), (integers) => {
        // Multiples of the unit that the largest of them gives.
        const unit = 2 ** (Math.floor(Math.log2(Math.max(1, ...integers.map(Math.abs)))) - 14)
        const values = Float64Array.from(
          integers,
          (integer) => Math.trunc(integer / Math.max(1, unit)) * Math.max(1, unit),
        )
        expect(decodeBlocks(encodeBlocks(block('dfp16'), values))).toEqual(values.map((value) => value + 0))
      }),
    )
  })

  it('has the safe chains 2, 7, 31, 127, and one more overflows', () => {
    expect([0, 1, 2, 3].map(safeChainLength)).toEqual([2, 7, 31, 127])
    for (const headroom of [0, 1, 2, 3]) {
      const most = headroom === 0 ? 32767 : 2 ** (15 - headroom)
      expect(safeChainLength(headroom) * most * most).toBeLessThan(2 ** 31)
      expect((safeChainLength(headroom) + 1) * most * most).toBeGreaterThanOrEqual(2 ** 31)
    }
    // Wrapping, saturating and exact sums of 256 products of 2^13 differ.
    const exactSum = 256 * 2 ** 26
    let saturated = 0
    for (let i = 0; i < 256; i++) saturated = Math.min(2 ** 31 - 1, saturated + 2 ** 26)
    expect(new Set([exactSum, saturated, exactSum | 0]).size).toBe(3)
  })

  it('has exact int32 sums of Gaussian numbers in safe chains, and in chains of 256 (Das et al. 2018)', () => {
    const format = block('dfp16-headroom2')
    const codesOf = (seed: number): Int16Array =>
      new Int16Array(encodeBlocks(format, samples('gaussian', 64 * 4608, seed)).codes as Uint16Array)
    const [a, b] = [codesOf(31), codesOf(32)]
    for (const chain of [safeChainLength(2), 256])
      for (let start = 0; start < a.length; start += 4608) {
        let [exactSum, wide, narrow] = [0n, 0, 0]
        for (let i = start; i < start + 4608; i++) {
          exactSum += BigInt(a[i]!) * BigInt(b[i]!)
          // An int32 that wraps, emptied into a wide sum at the end of each chain.
          narrow = (narrow + a[i]! * b[i]!) | 0
          if ((i - start) % chain === chain - 1 || i === start + 4607) [wide, narrow] = [wide + narrow, 0]
        }
        expect(BigInt(wide)).toBe(exactSum)
      }
  })

  it('adds and narrows by shifts', () => {
    expect([1, 32767, 32768, 65535, 2 ** 20, 2 ** 31 - 1].map((most) => downConversionShift(most))).toEqual([
      0, 0, 1, 1, 6, 16,
    ])
    expect(downConvert({ integers: [65535, -65534, 3, 6], exponent: -4 })).toEqual({
      integers: Int32Array.of(32767, -32767, 2, 3),
      exponent: -3,
    })
    const integers = fc.array(fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 }), { minLength: 3, maxLength: 3 })
    const exponents = fc.integer({ min: -20, max: 20 })
    fc.assert(
      fc.property(integers, exponents, integers, exponents, (a, p, b, q) => {
        const sum = addFixedPoint({ integers: a, exponent: p }, { integers: b, exponent: q })
        for (let i = 0; i < 3; i++) {
          const wanted = a[i]! * 2 ** p + b[i]! * 2 ** q
          const error = wanted - sum.integers[i]! * 2 ** sum.exponent
          expect(error >= 0 && error < 2 ** Math.max(p, q)).toBe(true)
        }
      }),
    )
    expect(() => addFixedPoint({ integers: [1], exponent: 0 }, { integers: [1, 2], exponent: 0 })).toThrow(DyadicError)
  })
})
