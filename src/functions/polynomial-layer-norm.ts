/**
 * The layer normalisation of the polynomial family (I-BERT, ICML 2021, section 3.6; roundings of its published code): as
 * I-LayerNorm of the shift family, with an exact floor of the square root, the dividend 2^31, and a right shift of the
 * centred values that keeps the sum of their squares below 2^32.
 */
import { DyadicError } from '../error.ts'
import { divideHalfEven, divideHalfEvenExact, floorDivide } from './integer-division.ts'
import type { IntegerLayerNorm } from './shift-layer-norm.ts'
import { squareRoot, squareRootExact } from './square-root.ts'

/** The definition. A row without variance gives its biases, where the published code divides by 0. */
export function polynomialLayerNormExact(
  row: readonly bigint[],
  { biases }: IntegerLayerNorm,
  shift: number,
): bigint[] {
  const mean = divideHalfEvenExact(
    row.reduce((a, b) => a + b, 0n),
    BigInt(row.length),
  )
  const squares = row.reduce((sum, value) => sum + ((value - mean) >> BigInt(shift)) ** 2n, 0n)
  const deviation = squareRootExact(squares) << BigInt(shift)
  const factor = deviation === 0n ? 0n : (1n << 31n) / deviation
  return row.map((value, channel) => (((value - mean) * factor) >> 1n) + BigInt(biases[channel]))
}

/**
 * {@link polynomialLayerNormExact} on a row of integers. Throws `limit` where the sum of squares reaches 2^32; the shift
 * that {@link layerNormShift} gives over calibration rows prevents that for them.
 */
export function polynomialLayerNorm(row: ArrayLike<number>, { biases }: IntegerLayerNorm, shift: number): number[] {
  const centred = centre(row)
  const squares = sumOfSquares(centred, shift)
  if (squares >= 2 ** 32)
    throw new DyadicError('limit', `layer normalisation: the sum of squares ${squares} is 2^32 or more; shift further`)
  const deviation = squareRoot(squares) * 2 ** shift
  const factor = deviation === 0 ? 0 : floorDivide(2 ** 31, deviation)
  return centred.map((value, channel) => floorDivide(value * factor, 2) + biases[channel])
}

/** The least right shift at which the sum of squares of a row is below 2^32. */
export function layerNormShift(row: ArrayLike<number>): number {
  const centred = centre(row)
  let shift = 0
  while (sumOfSquares(centred, shift) >= 2 ** 32) shift++
  return shift
}

function centre(row: ArrayLike<number>): number[] {
  let sum = 0
  for (let i = 0; i < row.length; i++) sum += row[i]
  const mean = divideHalfEven(sum, row.length)
  return Array.from(row, (value) => value - mean)
}

function sumOfSquares(centred: readonly number[], shift: number): number {
  let sum = 0
  for (const value of centred) sum += floorDivide(value, 2 ** shift) ** 2
  return sum
}
