/** Rule R16 against its definition on exact integers, and the distance of its results from exact normalisation. */
import { describe, expect, it } from 'vitest'
import { createRandom, type Random } from '../program/program.fixture.ts'
import { normaliseRow, normalize } from './scalar/normalize.ts'

/** floor(√value) by bisection. */
function root(value: bigint): bigint {
  let low = 0n
  let high = 1n << 70n
  while (high - low > 1n) {
    const middle = (low + high) >> 1n
    if (middle * middle <= value) low = middle
    else high = middle
  }
  return low
}

interface Normalised {
  readonly differences: bigint[]
  readonly weighted: bigint
}

function differencesOf(row: readonly number[], centred: boolean, epsilon: number): Normalised {
  const values = row.map(BigInt)
  const count = BigInt(row.length)
  const sum = centred ? values.reduce((a, b) => a + b) : 0n
  const squares = values.reduce((total, x) => total + x * x, 0n)
  return {
    differences: values.map((x) => count * x - sum),
    weighted: count * squares - sum * sum + BigInt(epsilon),
  }
}

/** The definition as docs/arithmetic.md states it. */
function definition(row: readonly number[], centred: boolean, epsilon: number, fractionBits: number): bigint[] {
  const { differences, weighted } = differencesOf(row, centred, epsilon)
  if (weighted === 0n) return differences.map(() => 0n)
  const zeros = BigInt((64 - weighted.toString(2).length) & -2)
  const factor = ((1n << 62n) - 1n) / root(weighted << zeros)
  return differences.map((d) => (d * factor) >> (62n - zeros / 2n - BigInt(fractionBits)))
}

const fractionBitsOf = (channels: number): number => 30 - Math.ceil(Math.ceil(Math.log2(channels)) / 2)

function drawRow(random: Random): { row: number[]; centred: boolean; epsilon: number } {
  const channels = random.pick([1, 2, 3, 8, 64, 192, 768, random.between(1, 300)])
  const reach = 2 ** random.between(0, 15)
  const offset = random.between(-1, 1) * (32768 - reach)
  const centred = random.chance(0.5)
  const row = Array.from({ length: channels }, () =>
    Math.max(-32768, Math.min(32767, offset + random.between(-reach, reach - 1))),
  )
  return { row, centred, epsilon: random.pick([0, 0, 1, random.between(0, 2 ** 31), 2 ** 53 - 1]) }
}

const rowOf = (row: readonly number[], centred: boolean, epsilon: number): number[] => {
  const values = Int32Array.from(row)
  normaliseRow(values, { centred, epsilon, fractionBits: fractionBitsOf(row.length) })
  return [...values]
}

const EXTREMES: readonly (readonly number[])[] = [
  Array.from({ length: 32767 }, (_, i) => (i === 0 ? 32767 : -32768)),
  Array.from({ length: 32767 }, (_, i) => (i % 2 === 0 ? 32767 : -32768)),
  Array.from({ length: 32767 }, () => -32768),
  Array.from({ length: 1024 }, (_, i) => (i === 7 ? 1 : 0)),
  [0],
  [5, 5, 5],
]

describe('normalisation', () => {
  it('equals its definition on exact integers', () => {
    for (let seed = 0; seed < 400; seed++) {
      const { row, centred, epsilon } = drawRow(createRandom(seed))
      const expected = definition(row, centred, epsilon, fractionBitsOf(row.length)).map(Number)
      expect([seed, rowOf(row, centred, epsilon)]).toEqual([seed, expected])
    }
    for (const row of EXTREMES)
      for (const centred of [true, false]) {
        const found = rowOf(row, centred, 0)
        const expected = definition(row, centred, 0, fractionBitsOf(row.length))
        expect(found.findIndex((n, i) => BigInt(n) !== expected[i])).toBe(-1)
      }
  })

  it('is within one unit and 2^−29 of exact normalisation, and at most 2^30 + 1', () => {
    let worst = 0
    for (let seed = 1000; seed < 1400; seed++) {
      const { row, centred, epsilon } = drawRow(createRandom(seed))
      const { differences, weighted } = differencesOf(row, centred, epsilon)
      if (weighted === 0n) continue
      const found = rowOf(row, centred, epsilon)
      const bits = BigInt(fractionBitsOf(row.length))
      for (const [i, d] of differences.entries()) {
        // 2^20 × the exact value, its floor.
        const magnitude = root(((d * d) << (2n * bits + 40n)) / weighted)
        const exact = Number(d < 0n ? -magnitude : magnitude) / 2 ** 20
        const n = found[i] as number
        expect(Math.abs(n)).toBeLessThanOrEqual(2 ** 30 + 1)
        worst = Math.max(worst, Math.abs(n - exact) - Math.abs(exact) * 2 ** -29)
      }
    }
    expect(worst).toBeGreaterThan(0.5)
    expect(worst).toBeLessThanOrEqual(1 + 2 ** -20)
  })

  it('scales, shifts, rounds half up and limits', () => {
    const input = { data: Int8Array.of(-3, -1, 1, 3, 9, 9, 9, 9), height: 1, width: 1, channels: 4, stride: 8 }
    const output = { ...input, data: new Int8Array(8) }
    // (−3, −1, 1, 3) over their deviation √5: −1.342, −0.447, 0.447, 1.342; 40 codes each, −40 of the third; bias and zero
    // point are 15 codes: −38.67, −2.89, −2.89, 68.67.
    normalize(input, output, {
      inputZeroPoint: 0,
      centred: true,
      rule: 'exact',
      epsilon: 0,
      fractionBits: 29,
      squareShift: 0,
      multipliers: Int32Array.of(40, 40, -40, 40).map((codes) => codes * 2 ** 25),
      biases: new Int32Array(4).fill(10 * 2 ** 22),
      shift: 54,
      outputZeroPoint: 5,
      low: -40,
      high: 60,
    })
    expect([...output.data.slice(0, 4)]).toEqual([-39, -3, -3, 60])
  })
})
