/**
 * A whole encoder block of I-ViT in integers (check A8 of its card): layer normalisation, four products of matrices, Shiftmax,
 * ShiftGELU and every requantisation, once on BigInt, which cannot hold a fraction, and once by the fast forms.
 */
import { expect, it } from 'vitest'
import { randomUint32 } from '../num/random.ts'
import { halfEvenRatio, requantizeHalfEven, requantizeHalfEvenExact } from './half-even-requantisation.ts'
import { shiftGelu, shiftGeluAt, shiftGeluExact } from './shift-gelu.ts'
import { integerLayerNormAt, shiftLayerNorm, shiftLayerNormExact } from './shift-layer-norm.ts'
import { shiftmax, shiftmaxAt, shiftmaxExact } from './shift-softmax.ts'

const TOKENS = 9
const WIDTH = 32
const HIDDEN = 64
/** Scales of the residual stream, of normalised values, of scores, of hidden values and of weights. */
const SCALE = { stream: 1 / 4096, normal: 1 / 32, score: 1 / 16, hidden: 1 / 24, weight: 1 / 128 }

type Matrix<T> = T[][]

/** What a block needs of the numbers it is computed with. */
interface Arithmetic<T> {
  readonly wide: (value: number) => T
  readonly dot: (a: readonly T[], b: readonly T[]) => T
  readonly add: (a: T, b: T) => T
  readonly requantize: (value: T, ratio: number) => T
  readonly limit: (value: T, bits: number) => T
  readonly layerNorm: (row: T[]) => T[]
  readonly softmax: (row: T[]) => T[]
  readonly gelu: (row: T[]) => T[]
}

const normParameters = integerLayerNormAt(
  Array.from({ length: WIDTH }, (_, i) => 0.8 + i / 100),
  Array.from({ length: WIDTH }, (_, i) => i / 50 - 0.3),
)
const softmaxParameters = shiftmaxAt(SCALE.score, 16, 'training')
const geluParameters = shiftGeluAt(SCALE.hidden, 8, 'training')

let largestSum = 0
const fast: Arithmetic<number> = {
  wide: (value) => value,
  dot: (a, b) => {
    let sum = 0
    for (const [i, x] of a.entries()) {
      sum += x * b[i]
      largestSum = Math.max(largestSum, Math.abs(sum))
    }
    return sum
  },
  add: (a, b) => a + b,
  requantize: (value, ratio) => requantizeHalfEven(value, halfEvenRatio(ratio)),
  limit: (value, bits) => Math.max(-(2 ** (bits - 1)), Math.min(2 ** (bits - 1) - 1, value)),
  layerNorm: (row) => shiftLayerNorm(row, normParameters, 'training'),
  softmax: (row) => [...shiftmax(row, softmaxParameters)],
  gelu: (row) => [...shiftGelu(row, geluParameters)],
}

const exact: Arithmetic<bigint> = {
  wide: BigInt,
  dot: (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0n),
  add: (a, b) => a + b,
  requantize: (value, ratio) => requantizeHalfEvenExact(value, halfEvenRatio(ratio)),
  limit: (value, bits) => {
    const high = (1n << BigInt(bits - 1)) - 1n
    return value > high ? high : value < -high - 1n ? -high - 1n : value
  },
  layerNorm: (row) => shiftLayerNormExact(row, normParameters, 'training'),
  softmax: (row) => shiftmaxExact(row, softmaxParameters),
  gelu: (row) => shiftGeluExact(row, geluParameters),
}

/** 8-bit weights, (outputs, inputs), and a stream of 16-bit codes. */
const weights = (stream: number, outputs: number, inputs: number): Matrix<number> =>
  Array.from({ length: outputs }, (_, o) =>
    Array.from({ length: inputs }, (_, i) => (randomUint32(11, stream, o * inputs + i) % 61) - 30),
  )
const stream = Array.from({ length: TOKENS }, (_, t) =>
  Array.from({ length: WIDTH }, (_, i) => (randomUint32(12, t, i) % 12000) - 6000),
)

/** Layer normalisation, attention of one head, residual, layer normalisation, two dense layers with GELU, residual. */
function encode<T>({ wide, dot, add, requantize, limit, layerNorm, softmax, gelu }: Arithmetic<T>): Matrix<T> {
  const dense = (input: Matrix<T>, rows: Matrix<number>): Matrix<T> => {
    const wideRows = rows.map((row) => row.map(wide))
    return input.map((values) => wideRows.map((row) => dot(values, row)))
  }
  const to = (input: Matrix<T>, ratio: number, bits: number): Matrix<T> =>
    input.map((row) => row.map((value) => limit(requantize(value, ratio), bits)))
  const normalised = (input: Matrix<T>): Matrix<T> =>
    input.map((row) =>
      layerNorm(row).map((value, c) => limit(requantize(value, normParameters.outputScales[c] / SCALE.normal), 8)),
    )
  const transposed = (input: Matrix<T>): Matrix<T> => input[0].map((_, c) => input.map((row) => row[c]))
  const sum = (a: Matrix<T>, b: Matrix<T>): Matrix<T> =>
    a.map((row, t) => row.map((value, c) => limit(add(value, b[t][c]), 16)))

  const input = stream.map((row) => row.map(wide))
  const first = normalised(input)
  const product = SCALE.normal * SCALE.weight
  const [q, k, v] = [1, 2, 3].map((seed) => to(dense(first, weights(seed, WIDTH, WIDTH)), product / SCALE.normal, 8))
  // The factor 1 / √width is part of the ratio.
  const scores = q.map((row) => k.map((column) => dot(row, column)))
  const ratio = (SCALE.normal * SCALE.normal) / Math.sqrt(WIDTH) / SCALE.score
  const shares = to(scores, ratio, 8).map(softmax)
  const columns = transposed(v)
  const mixed = shares.map((row) => columns.map((column) => dot(row, column)))
  const attended = to(mixed, softmaxParameters.outputScale, 8)
  const projected = to(dense(attended, weights(4, WIDTH, WIDTH)), product / SCALE.stream, 16)
  const middle = sum(input, projected)
  const hidden = to(dense(normalised(middle), weights(5, HIDDEN, WIDTH)), product / SCALE.hidden, 8)
  const activated = to(hidden.map(gelu), geluParameters.outputScale / SCALE.hidden, 8)
  const out = to(dense(activated, weights(6, WIDTH, HIDDEN)), (SCALE.hidden * SCALE.weight) / SCALE.stream, 16)
  return sum(middle, out)
}

it('an encoder block is the same integers on BigInt and by the fast forms (A8)', () => {
  const found = encode(fast)
  expect(found).toEqual(encode(exact).map((row) => row.map(Number)))
  // Not saturated, not the input, and different for different tokens.
  const flat = found.flat()
  expect(flat.filter((value) => Math.abs(value) < 32767).length).toBeGreaterThan(flat.length * 0.9)
  expect(new Set(flat).size).toBeGreaterThan(flat.length * 0.8)
  expect(found).not.toEqual(stream)
})

it('its accumulators stay within 26 bits for up to 3072 products of 8 bits (A8)', () => {
  expect(127 * 127 * 3072).toBeLessThan(2 ** 26)
  encode(fast)
  expect(largestSum).toBeGreaterThan(2 ** 12)
  // Shares have 16 bits, and a row of them adds up to at most 2^15.
  expect(largestSum).toBeLessThanOrEqual(2 ** 15 * 128)
})
