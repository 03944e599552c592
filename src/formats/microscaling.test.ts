/**
 * MX blocks as microxcaling makes them, recorded outside (bench/peers/formats/microxcaling.py): equal to `encodeBlocks` but for
 * two float32 roundings inside microxcaling, both of which are predicted here, and for signs of zeros.
 */
import { readFileSync } from 'node:fs'
import { inflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { exponentOf } from './binary64.ts'
import { type BlockFormat, decodeBlocks, encodeBlocks } from './blocks.ts'
import { finiteValues } from './bulk.ts'
import { formatNamed } from './catalogue.ts'
import { round } from './convert.ts'
import { type ElementFormat, type Rounding, saturating } from './element-format.ts'

const ROUNDINGS = ['nearest-away', 'nearest-even'] as const

interface Vectors {
  readonly size: number
  /** What blocks are made to try, and how many of each there are, in order. */
  readonly kinds: readonly (readonly [string, number])[]
  readonly inputs: string
  readonly cases: readonly ({ readonly format: string; readonly shared: readonly number[] } & Readonly<
    Record<(typeof ROUNDINGS)[number], string>
  >)[]
}

const vectors = JSON.parse(
  readFileSync(new URL('../../test/vectors/microscaling.json', import.meta.url), 'utf8'),
) as Vectors
const { size } = vectors
const unpacked = (text: string): Float32Array =>
  new Float32Array(new Uint8Array(inflateSync(Buffer.from(text, 'base64'))).buffer)

const inputs = unpacked(vectors.inputs)
const kinds = vectors.kinds.flatMap(([name, count]) => Array<string>(count).fill(name))
const blocks = Array.from({ length: inputs.length / size }, (_, block) =>
  inputs.subarray(block * size, (block + 1) * size),
)
const most = blocks.map((block) => block.reduce((sofar, value) => Math.max(sofar, Math.abs(value)), 0))

const block = (name: string): BlockFormat => {
  const format = formatNamed(name)
  if (format.kind !== 'block') throw new Error(name)
  return format
}

/** microxcaling takes ⌊log2 v⌋ of a float32 logarithm, which far from 1 is a whole number just below a power of two. */
const logarithmIsWhole = (value: number): boolean =>
  value > 0 && Math.floor(Math.fround(Math.log2(value))) === exponentOf(value) + 1

/**
 * microxcaling rounds |x| to ⌊|x| + 1/2⌋ in float32, which is 1 for the largest x below 1/2; `least` is the least element.
 * Larger x have room for the sum.
 */
const sumIsWhole = (quotient: number, least: number): boolean =>
  Math.abs(quotient) < least / 2 && Math.fround(Math.abs(quotient) / least + 0.5) === 1

const leastOf = (element: ElementFormat): number => finiteValues(element).find((value) => value > 0) as number

it('the vectors hold all kinds of blocks, both roundings differ, and both float32 roundings occur', () => {
  expect(inputs).toHaveLength(kinds.length * size)
  expect(kinds.filter((_, index) => logarithmIsWhole(most[index]!))).toEqual([
    'greatest',
    ...Array(6).fill('just below a power of two'),
  ])
  for (const vector of vectors.cases) expect(vector['nearest-away']).not.toBe(vector['nearest-even'])
})

describe.each(vectors.cases)('$format of microxcaling', (vector) => {
  const format = block(vector.format)
  const { scaling } = format
  if (scaling.kind !== 'power-of-two') throw new Error(vector.format)
  const element = saturating(format.element)
  const least = leastOf(element)

  /** The definition on a scale of theirs; without one (its exponent would be 128) a block is NaN. */
  const byTheirScale = (value: number, scale: number, rounding: Rounding): number =>
    scale > 2 ** 127 ? Number.NaN : Math.fround(round(element, value / scale, rounding) * scale)

  it('has the same scales, one exponent more where its logarithm is whole', () => {
    const { scaleCodes } = encodeBlocks(format, inputs)
    for (const [index, shared] of vector.shared.entries()) {
      const ours = scaleCodes![index]! - 127
      // Of zeros it is the least normal number's exponent there, the least scale here.
      const zeros = Math.max(-127, -126 - scaling.greatestExponent)
      const expected = most[index] === 0 ? zeros : ours + (logarithmIsWhole(most[index]!) ? 1 : 0)
      expect([kinds[index], shared]).toEqual([kinds[index], expected])
    }
  })

  it.each(ROUNDINGS)('has the same values by %s', (rounding) => {
    const theirs = unpacked(vector[rounding])
    const ours = decodeBlocks(encodeBlocks(format, inputs, { rounding }))
    const sums: number[] = []
    const differences: unknown[] = []
    for (const [i, value] of inputs.entries()) {
      const index = Math.floor(i / size)
      const scale = 2 ** vector.shared[index]!
      if (sumIsWhole(value / scale, least)) {
        sums.push(index)
        expect([Math.abs(theirs[i]!), ours[i]! + 0]).toEqual([least * scale, 0])
        continue
      }
      const expected = logarithmIsWhole(most[index]!) ? byTheirScale(value, scale, rounding) : ours[i]!
      const same = theirs[i] === expected || (Number.isNaN(theirs[i]!) && Number.isNaN(expected))
      if (!same) differences.push([kinds[index], value, expected, theirs[i]])
    }
    expect(differences).toEqual([])
    expect(new Set(sums.map((index) => kinds[index]))).toEqual(
      new Set(vector.format === 'mxfp8-e5m2' ? [] : ['powers of two']),
    )
  })

  it('keeps signs of zeros, which microxcaling takes from numbers that round to 0, not from −0', () => {
    const ours = decodeBlocks(encodeBlocks(format, inputs))
    const theirs = unpacked(vector['nearest-even'])
    const integers = vector.format === 'mxint8'
    for (const [i, value] of inputs.entries()) {
      if (theirs[i] !== 0 || ours[i] !== 0) continue
      expect(Object.is(theirs[i], -0)).toBe(value < 0)
      expect(Object.is(ours[i], -0)).toBe(!integers && (value < 0 || Object.is(value, -0)))
    }
  })
})
