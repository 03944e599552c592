/**
 * The record by which the kernel `roundGrid` knows a format: evenly spaced octaves above a least one, limited at both ends.
 * Minifloats are such grids, and integers: their whole range lies below the least octave.
 *
 * FIELDS of the record, 112 bytes, little-endian: float64 at 0 2^(52 − mantissa bits), 8 2^leastExponent, 16 greatest and 24
 * −least value, 32 the limit 2^limitExponent, 40 what is added to the end for a value beyond it, 48 what is added last (−0 keeps −0, +0
 * does not), 56 what replaces NaN; int32 at 64 flags (1 saturate, 2 ties away from zero), 68 limit exponent, 72 least exponent,
 * 76 mantissa bits. For `encodeGrid` int32 at 80 the greatest and 84 the greatest negative ordinal, 88 the code beyond an end, 92
 * what a negative sign adds to it, 96 the code of NaN, 100 the sign bit, 104 the code of 0, 108 the mask of a code, and the flags
 * 4 (integers) and 8 (−0 has a code).
 */
import type { Simulation } from './simulation.ts'

/** A format of evenly spaced octaves. */
export interface OctaveGrid {
  /** Steps of an octave are 2^mantissaBits, at most 20. */
  readonly mantissaBits: number
  /** Below 2^leastExponent the spacing is that of the octave above it. */
  readonly leastExponent: number
  /** Greatest value and magnitude of the least value; −0 is not among them. */
  readonly greatest: number
  readonly greatestNegative: number
  /** What a value beyond an end becomes; `saturate` for the end itself. */
  readonly beyond: 'saturate' | 'infinity' | 'nan'
  readonly negativeZero: boolean
  /** What NaN becomes: NaN or 0. */
  readonly ofNaN: number
  readonly ties: 'even' | 'away'
}

/** Bytes of a record. */
export const RECORD_BYTES = 112

/** How ordinals of a grid become codes. */
export interface GridCodes {
  /** `integer`: signed ordinal + zeroCode in `bits` bits; else the sign bit on top of the ordinal. */
  readonly coding: 'sign-magnitude' | 'integer'
  readonly bits: number
  readonly zeroCode: number
  /** Ordinals of the greatest and the least value, both without a sign. */
  readonly greatest: number
  readonly greatestNegative: number
  readonly nanCode: number
  /** Code beyond the positive end, where it does not saturate. */
  readonly infinityCode: number
}

/** The record of a grid, to be copied to any address that is a multiple of 8. */
export function gridRecord(grid: OctaveGrid, codes?: GridCodes): Uint8Array<ArrayBuffer> {
  const { mantissaBits, leastExponent, greatest, greatestNegative, beyond, negativeZero, ofNaN, ties } = grid
  // The first power of two beyond all values: what lies there is beyond the ends, and a sum with C stays below 2C.
  let limitExponent = leastExponent
  while (2 ** limitExponent <= 2 * Math.max(greatest, greatestNegative)) limitExponent++
  const record = new Uint8Array(RECORD_BYTES)
  const view = new DataView(record.buffer)
  const doubles = [2 ** (52 - mantissaBits), 2 ** leastExponent, greatest, greatestNegative, 2 ** limitExponent].concat(
    [{ saturate: 0, infinity: Number.POSITIVE_INFINITY, nan: Number.NaN }[beyond], negativeZero ? -0 : 0, ofNaN],
  )
  for (const [index, value] of doubles.entries()) view.setFloat64(8 * index, value, true)
  const flags = [beyond === 'saturate', ties === 'away', codes?.coding === 'integer', negativeZero].reduce(
    (sum, flag, bit) => sum + (flag ? 2 ** bit : 0),
    0,
  )
  const integers = [flags, limitExponent, leastExponent, mantissaBits]
  if (codes) {
    const signBit = 2 ** (codes.bits - 1)
    integers.push(
      ...[codes.greatest, codes.greatestNegative],
      ...(beyond === 'infinity' ? [codes.infinityCode, signBit] : [codes.nanCode, 0]),
      ...[codes.nanCode, signBit, codes.zeroCode, 2 ** codes.bits - 1],
    )
  }
  for (const [index, value] of integers.entries()) view.setInt32(64 + 4 * index, value, true)
  return record
}

/** Writes the record of a grid into newly allocated memory and gives its address. */
export function writeGrid(simulation: Simulation, grid: OctaveGrid): number {
  const record = gridRecord(grid)
  const address = simulation.allocate(record.length)
  new Uint8Array(simulation.memory.buffer, address, record.length).set(record)
  return address
}
