/** The identities of second-order rounding, against the plain greedy-free OBQ with a fixed order and brute force. */
import { describe, expect, it } from 'vitest'
import { roundHalfEven } from '../num/dyadic.ts'
import { clamp } from '../num/requantize.ts'
import { noise } from '../reference/fast/net.fixture.ts'
import { type RoundWeight, roundCompensating } from './gptq.ts'
import { hessiansOf } from './layer-hessian.ts'
import { dampen, upperFactorOfInverse } from './second-order.ts'

/** Rows of an AR(1) process: neighbouring inputs are alike. */
function correlated(rows: number, columns: number, seed: number, share = 0.9): Float32Array {
  const white = noise(rows * columns, seed)
  const values = new Float32Array(rows * columns)
  for (let i = 0; i < values.length; i++)
    values[i] = (i % columns === 0 ? 0 : share * (values[i - 1] as number)) + (white[i] as number)
  return values
}

function grid(weights: Float64Array, columns: number, bits: number): RoundWeight {
  const high = 2 ** (bits - 1) - 1
  const scales = Array.from({ length: weights.length / columns }, (_, row) => {
    const own = weights.subarray(row * columns, (row + 1) * columns)
    return own.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0) / high
  })
  return (index, weight) => {
    const scale = scales[Math.floor(index / columns)] as number
    const code = clamp(roundHalfEven(weight / scale), -high - 1, high)
    return { code, value: code * scale }
  }
}

/** Inverse by Gauss and Jordan. */
function inverse(matrix: Float64Array, size: number): Float64Array {
  const rows = Array.from({ length: size }, (_, i) =>
    Array.from({ length: 2 * size }, (_, j) => (j < size ? (matrix[i * size + j] as number) : j - size === i ? 1 : 0)),
  )
  rows.forEach((pivot, i) => {
    const factor = pivot[i] as number
    for (let j = 0; j < 2 * size; j++) pivot[j] = (pivot[j] as number) / factor
    rows.forEach((row, k) => {
      const share = row[i] as number
      if (k !== i) for (let j = 0; j < 2 * size; j++) row[j] = (row[j] as number) - share * (pivot[j] as number)
    })
  })
  return Float64Array.from(rows.flatMap((row) => row.slice(size)))
}

/** OBQ in fixed order: one rounding, its compensation, and one elimination at a time. */
function obq(weights: Float64Array, columns: number, hessian: Float64Array, round: RoundWeight): number[] {
  const codes: number[] = []
  for (let row = 0; row * columns < weights.length; row++) {
    const own = weights.slice(row * columns, (row + 1) * columns)
    const free = inverse(hessian, columns)
    for (let p = 0; p < columns; p++) {
      const { code, value } = round(row * columns + p, own[p] as number)
      codes.push(code)
      const pivot = free[p * columns + p] as number
      const column = Float64Array.from({ length: columns }, (_, i) => free[i * columns + p] as number)
      const share = ((own[p] as number) - value) / pivot
      for (let i = p; i < columns; i++) own[i] = (own[i] as number) - share * (column[i] as number)
      for (let i = 0; i < columns; i++)
        for (let j = 0; j < columns; j++)
          free[i * columns + j] =
            (free[i * columns + j] as number) - ((column[i] as number) * (column[j] as number)) / pivot
    }
  }
  return codes
}

/** Σ (W x − Q x)² / rows. */
function outputError(
  weights: Float64Array,
  codes: ArrayLike<number>,
  inputs: Float32Array,
  columns: number,
  round: RoundWeight,
): number {
  const rows = inputs.length / columns
  // What a code means: the grid's value for it.
  const unit = (index: number): number => {
    const { code, value } = round(index, 1e9)
    return value / code
  }
  let sum = 0
  for (let output = 0; output * columns < weights.length; output++)
    for (let row = 0; row < rows; row++) {
      let difference = 0
      for (let i = 0; i < columns; i++) {
        const at = output * columns + i
        difference +=
          ((weights[at] as number) - (codes[at] as number) * unit(at)) * (inputs[row * columns + i] as number)
      }
      sum += difference * difference
    }
  return sum / rows
}

/** (2 / rows) · XᵀX of some columns of rows with `width` numbers, in doubles. */
function hessianOf(seen: Float32Array, rows: number, width: number, first: number, columns: number): Float64Array {
  return Float64Array.from({ length: columns ** 2 }, (_, at) => {
    const [i, j] = [first + Math.floor(at / columns), first + (at % columns)]
    let sum = 0
    for (let row = 0; row < rows; row++) sum += (seen[row * width + i] as number) * (seen[row * width + j] as number)
    return (2 * sum) / rows
  })
}

const COLUMNS = 24
const ROWS = 400
const weights = Float64Array.from(noise(6 * COLUMNS, 5))
const inputs = correlated(ROWS, COLUMNS, 9, 0.95)
const nearest = (round: RoundWeight) => Array.from(weights, (weight, i) => round(i, weight).code)

describe('roundCompensating', () => {
  it.each([2, 3, 4, 8])('gives the codes of OBQ in fixed order at %i bits, whatever the block size', (bits) => {
    const round = grid(weights, COLUMNS, bits)
    const hessian = hessianOf(inputs, ROWS, COLUMNS, 0, COLUMNS)
    expect(dampen(hessian, COLUMNS, 0.01)).toEqual([])
    const factor = upperFactorOfInverse(hessian, COLUMNS)
    const expected = obq(weights, COLUMNS, hessian, round)
    for (const block of [1, 5, 16, COLUMNS, 128])
      expect([...roundCompensating(weights.slice(), COLUMNS, factor, round, block).codes]).toEqual(expected)
  })

  it.each([2, 3, 4])('counts the output error exactly without dampening, at %i bits', (bits) => {
    const round = grid(weights, COLUMNS, bits)
    const factor = upperFactorOfInverse(hessianOf(inputs, ROWS, COLUMNS, 0, COLUMNS), COLUMNS)
    const { codes, loss } = roundCompensating(weights.slice(), COLUMNS, factor, round)
    const error = outputError(weights, codes, inputs, COLUMNS, round)
    expect(Math.abs(loss / error - 1)).toBeLessThan(1e-10)
  })

  it('has at most 0.3 times the error of nearest rounding where inputs are alike, and its codes where they are not', () => {
    for (const bits of [3, 4]) {
      const round = grid(weights, COLUMNS, bits)
      const hessian = hessianOf(inputs, ROWS, COLUMNS, 0, COLUMNS)
      dampen(hessian, COLUMNS, 0.01)
      const { codes } = roundCompensating(weights.slice(), COLUMNS, upperFactorOfInverse(hessian, COLUMNS), round)
      expect(outputError(weights, codes, inputs, COLUMNS, round)).toBeLessThan(
        0.3 * outputError(weights, nearest(round), inputs, COLUMNS, round),
      )
      const white = Float64Array.from({ length: COLUMNS ** 2 }, (_, i) => (i % (COLUMNS + 1) === 0 ? 3 : 0))
      const plain = roundCompensating(weights.slice(), COLUMNS, upperFactorOfInverse(white, COLUMNS), round)
      expect([...plain.codes]).toEqual(nearest(round))
    }
  })

  it('is near the best of all roundings of small neurons', () => {
    const columns = 8
    let found = 0
    let least = 0
    for (let seed = 1; seed <= 10; seed++) {
      const neuron = Float64Array.from(noise(columns, seed))
      const seen = correlated(100, columns, seed + 50)
      const round = grid(neuron, columns, 3)
      const hessian = hessianOf(seen, 100, columns, 0, columns)
      const { codes } = roundCompensating(neuron.slice(), columns, upperFactorOfInverse(hessian, columns), round)
      found += outputError(neuron, codes, seen, columns, round)
      let best = Number.POSITIVE_INFINITY
      for (let choice = 0; choice < 2 ** columns; choice++) {
        const up = Array.from(neuron, (weight, i) => {
          const { code, value } = round(i, weight)
          return code + (((choice >> i) & 1) === 0 ? 0 : value < weight ? 1 : -1)
        })
        best = Math.min(best, outputError(neuron, up, seen, columns, round))
      }
      least += best
    }
    expect(found).toBeLessThan(3 * least)
  })

  it('leaves the weights of dead inputs at their nearest codes', () => {
    const seen = inputs.map((value, i) => (i % COLUMNS === 4 ? 0 : value))
    const hessian = hessianOf(seen, ROWS, COLUMNS, 0, COLUMNS)
    expect(dampen(hessian, COLUMNS, 0.01)).toEqual([4])
    const round = grid(weights, COLUMNS, 4)
    const { codes } = roundCompensating(weights.slice(), COLUMNS, upperFactorOfInverse(hessian, COLUMNS), round)
    for (let row = 0; row < 6; row++) expect(codes[row * COLUMNS + 4]).toBe(nearest(round)[row * COLUMNS + 4])
  })
})

describe('hessiansOf', () => {
  it.each([
    [1, 24, 400],
    [2, 12, 300],
    [8, 3, 256],
    [3, 8, 5],
  ])('gives %i groups of %i taps over %i rows their second moments', (groups, taps, rows) => {
    const seen = Float32Array.from(noise(rows * groups * taps, 7))
    hessiansOf(seen, rows, groups, taps).forEach((hessian, group) => {
      const expected = hessianOf(seen, rows, groups * taps, group * taps, taps)
      hessian.forEach((value, i) => {
        expect(value).toBeCloseTo(expected[i] as number, 5)
      })
    })
  })
})
