import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fillRandomUint32, philox4x32, randomBelow, randomUint32, scaleUint32 } from './random.ts'

function block(counter: readonly number[], key: readonly number[]): number[] {
  const out = new Uint32Array(4)
  philox4x32(counter, key, out)
  return [...out]
}

/** Philox-4x32-10 written a second time, on BigInt, as the paper states it. */
function philoxByBigInt(counter: readonly number[], key: readonly number[]): number[] {
  const mask = 0xffffffffn
  let words = counter.map(BigInt)
  let [key0, key1] = key.map(BigInt) as [bigint, bigint]
  for (let round = 0; round < 10; round++) {
    const product0 = 0xd2511f53n * words[0]!
    const product1 = 0xcd9e8d57n * words[2]!
    words = [
      (product1 >> 32n) ^ words[1]! ^ key0,
      product1 & mask,
      (product0 >> 32n) ^ words[3]! ^ key1,
      product0 & mask,
    ]
    key0 = (key0 + 0x9e3779b9n) & mask
    key1 = (key1 + 0xbb67ae85n) & mask
  }
  return words.map(Number)
}

const uint32 = fc.integer({ min: 0, max: 0xffffffff })
const position = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER - 64 })

describe('philox4x32', () => {
  // The known answers that the authors publish with their Random123 library for philox4x32, 10 rounds.
  it.each([
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ])('gives the published answer for counter %j', (counter, key, expected) => {
    expect(block(counter, key)).toEqual(expected)
  })

  it('equals the definition on BigInt', () => {
    fc.assert(
      fc.property(fc.tuple(uint32, uint32, uint32, uint32), fc.tuple(uint32, uint32), (counter, key) => {
        expect(block(counter, key)).toEqual(philoxByBigInt(counter, key))
      }),
    )
  })
})

describe('randomUint32', () => {
  it('places seed, stream and counter in the words of key and counter', () => {
    const seed = 0x129f31 * 2 ** 32 + 0xa4093822
    const stream = 0x1344 * 2 ** 32 + 0x13198a2e
    const blockNumber = 0x5a308 * 2 ** 32 + 0x243f6a88
    const expected = block([0x243f6a88, 0x5a308, 0x13198a2e, 0x1344], [0xa4093822, 0x129f31])
    expect([0, 1, 2, 3].map((word) => randomUint32(seed, stream, 4 * blockNumber + word))).toEqual(expected)
  })

  it('agrees with fillRandomUint32 at every offset', () => {
    fc.assert(
      fc.property(position, position, position, fc.integer({ min: 0, max: 14 }), (seed, stream, first, length) => {
        const out = new Uint32Array(length)
        fillRandomUint32(seed, stream, first, out)
        expect([...out]).toEqual(Array.from(out, (_, i) => randomUint32(seed, stream, first + i)))
      }),
      { numRuns: 50 },
    )
  })

  it.each([-1, 0.5, Number.NaN, 2 ** 53])('refuses %d as seed, stream or counter', (wrong) => {
    expect(() => randomUint32(wrong, 0, 0)).toThrow(/random seed/)
    expect(() => randomUint32(0, wrong, 0)).toThrow(/random stream/)
    expect(() => randomUint32(0, 0, wrong)).toThrow(/random counter/)
  })

  it('refuses a fill that runs past the last counter', () => {
    expect(() => fillRandomUint32(0, 0, Number.MAX_SAFE_INTEGER, new Uint32Array(2))).toThrow(/random counter/)
  })
})

describe('randomBelow', () => {
  it('is the exact scaled floor', () => {
    fc.assert(
      fc.property(uint32, fc.integer({ min: 1, max: 0xffffffff }), (word, n) => {
        expect(scaleUint32(word, n)).toBe(Number((BigInt(word) * BigInt(n)) >> 32n))
      }),
    )
  })

  it('fills its range evenly', () => {
    const counts = new Array<number>(10).fill(0)
    for (let i = 0; i < 20_000; i++) counts[randomBelow(7, 3, i, 10)]!++
    // Expectation 2000, standard deviation 42.4: six of them.
    for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(255)
  })

  it.each([0, -1, 1.5, 2 ** 32, Number.NaN])('refuses the bound %d', (n) => {
    expect(() => randomBelow(0, 0, 0, n)).toThrow(/must be in 1\.\.2\^32/)
  })
})
