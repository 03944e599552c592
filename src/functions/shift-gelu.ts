/**
 * ShiftGELU, the GELU of the shift family (I-ViT, section 3.4): x × σ(1.702 x) with ShiftExp. The largest value of the row
 * is subtracted before the exponentials, so a result depends on the row it stands in.
 */
import { DyadicError } from '../error.ts'
import { floorDivide } from './integer-division.ts'
import { requireBits } from './parameter-checks.ts'
import {
  type ShiftExponential,
  type ShiftVariant,
  shiftExponential,
  shiftExponentialAt,
  shiftExponentialExact,
} from './shift-exponential.ts'
import { LARGEST_SUM, limitSum } from './shift-sum.ts'

/** Places of the exponentials, in both variants. */
const PLACES = 23

/** The integers of ShiftGELU for one scale of the input. */
export interface ShiftGelu {
  readonly exponential: ShiftExponential
  /** k: the sigmoid lies in 0 … 2^(k−1). */
  readonly bits: number
  /** Real value of one unit of a result: scale / 2^(k−1). */
  readonly outputScale: number
}

/**
 * The integers of ShiftGELU for inputs in units of `scale`; the factor 1.702 goes into the scale, as in the published code.
 * I-ViT has `bits` = 8. Throws `refused` for a scale that ShiftExp does not take or bits outside 2 … 16.
 */
export function shiftGeluAt(scale: number, bits: number, variant: ShiftVariant): ShiftGelu {
  requireBits(bits, 'ShiftGELU')
  const exponential = shiftExponentialAt(1.702 * scale, PLACES, variant)
  return { exponential, bits, outputScale: scale * 2 ** (1 - bits) }
}

/** The definition of the sigmoids inside ShiftGELU, over one row: e^(x−m) / (e^(x−m) + e^(−m)), m the largest x. */
export function shiftGeluSigmoidsExact(row: readonly bigint[], { exponential, bits }: ShiftGelu): bigint[] {
  const largest = row.reduce((a, b) => (a > b ? a : b))
  const zero = shiftExponentialExact(-largest, exponential)
  return row.map((value) => {
    const e = shiftExponentialExact(value - largest, exponential)
    return (e * (BigInt(LARGEST_SUM) / BigInt(limitSum(e + zero, exponential.variant)))) >> BigInt(32 - bits)
  })
}

/** The definition, over one row: x × σ(1.702 x) in units of scale / 2^(bits−1). */
export function shiftGeluExact(row: readonly bigint[], parameters: ShiftGelu): bigint[] {
  const sigmoids = shiftGeluSigmoidsExact(row, parameters)
  return row.map((value, i) => value * sigmoids[i])
}

/** {@link shiftGeluSigmoidsExact} on one or more values below 2^51. */
export function shiftGeluSigmoids(row: ArrayLike<number>, { exponential, bits }: ShiftGelu): Int32Array {
  let largest = row[0]
  for (let i = 1; i < row.length; i++) if (row[i] > largest) largest = row[i]
  // In a row of negative values this may pass 2^53; then the sum is rounded, and limited to 2^31 − 1 or refused anyway.
  const zero = shiftExponential(-largest, exponential)
  const divisor = 2 ** (32 - bits)
  return Int32Array.from(row, (value) => {
    const e = shiftExponential(value - largest, exponential)
    return floorDivide(e * floorDivide(LARGEST_SUM, limitSum(e + zero, exponential.variant)), divisor)
  })
}

/** {@link shiftGeluExact} on a row of integers of at most 16 bits. Throws `limit` for wider ones. */
export function shiftGelu(row: ArrayLike<number>, parameters: ShiftGelu): Int32Array {
  const products = shiftGeluSigmoids(row, parameters)
  for (let i = 0; i < products.length; i++) {
    if (row[i] < -32768 || row[i] > 32767)
      throw new DyadicError('limit', `ShiftGELU: value ${row[i]} at ${i} is not within 16 bits; requantise before`)
    products[i] *= row[i]
  }
  return products
}
