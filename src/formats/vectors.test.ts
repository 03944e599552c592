/** Conversions of ml_dtypes and NumPy, made outside (test/vectors/minifloats.py), against the definition and the fast paths. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { encodeArray } from './bulk.ts'
import { elementFormatNamed } from './catalogue.ts'
import { decode, encode } from './convert.ts'

interface Vectors {
  readonly lower: readonly number[]
  readonly fine: readonly number[]
  readonly cases: readonly {
    readonly format: string
    readonly decode: string
    readonly float32: string
    readonly fine?: string
    readonly float64: string
  }[]
}
const vectors = JSON.parse(
  readFileSync(new URL('../../test/vectors/minifloats.json', import.meta.url), 'utf8'),
) as Vectors

const sha256 = (array: Uint8Array | Uint16Array | Uint32Array | Float32Array): string =>
  createHash('sha256')
    .update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength))
    .digest('hex')

function patterns(lowers: readonly number[], width: number): Float32Array {
  const count = 2 ** (32 - width)
  const bits = new Uint32Array(lowers.length * count)
  for (const [block, lower] of lowers.entries())
    for (let upper = 0; upper < count; upper++) bits[block * count + upper] = upper * 2 ** width + lower
  return new Float32Array(bits.buffer)
}

const coarse = patterns(vectors.lower, 16)
const base = Float64Array.from(patterns([0], 16)).filter(Number.isFinite)
const near = new Float64Array([...base.map((x) => x * (1 - 2 ** -40)), ...base.map((x) => x * (1 + 2 ** -40))])

describe.each(vectors.cases)('$format', (expected) => {
  const format = elementFormatNamed(expected.format)
  // The same replacements as in the recipe.
  const replaced = <Values extends Float32Array | Float64Array>(values: Values): Values =>
    values.map((value) =>
      (format.nanCode === undefined && Number.isNaN(value)) ||
      (format.grid.kind === 'exponent' && Math.abs(value) < 2 ** -126)
        ? 0
        : value,
    ) as Values
  const inputs = replaced(coarse)

  it('decodes all codes alike', () => {
    const values = Float32Array.from({ length: 2 ** format.bits }, (_, code) => decode(format, code))
    const bits = new Uint32Array(values.buffer)
    for (const [i, value] of values.entries()) if (Number.isNaN(value)) bits[i] = 0x7fc00000
    expect(sha256(bits)).toBe(expected.decode)
  })

  it('encodes float32 alike, by the definition and in bulk', () => {
    const codes = encodeArray(format, inputs)
    expect(sha256(codes)).toBe(expected.float32)
    for (let i = 0; i < inputs.length; i++) codes[i] = encode(format, inputs[i]!)
    expect(sha256(codes)).toBe(expected.float32)
  })

  it('encodes float64 alike, without rounding twice', () => {
    const doubles = replaced(near)
    const codes = encodeArray(format, doubles)
    expect(sha256(codes)).toBe(expected.float64)
    for (let i = 0; i < doubles.length; i++) codes[i] = encode(format, doubles[i]!)
    expect(sha256(codes)).toBe(expected.float64)
  })

  if (expected.fine !== undefined)
    it('encodes 3 · 2^20 float32 alike', () => {
      const fine = patterns(vectors.fine, 12)
      const codes = encodeArray(format, fine)
      expect(sha256(codes)).toBe(expected.fine)
      for (let i = 0; i < fine.length; i += 7) if (codes[i] !== encode(format, fine[i]!)) expect(i).toBe(-1)
    })
})
