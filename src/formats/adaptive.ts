/**
 * Grids that are neither integers nor floats: flint and powers of two (ANT: Guo et al. 2022), and power-exponent grids
 * (PowerQuant, NUPES: Yvinec et al. 2023). All saturate, all refuse NaN; real ranges are scales of the conversion.
 */
import { type ElementFormat, type Rounding, wrongFormat } from './element-format.ts'
import type { Grid } from './grid.ts'

function saturatingGrid(
  name: string,
  family: ElementFormat['family'],
  bits: number,
  signed: boolean,
  grid: Grid,
  rounding: Rounding,
): ElementFormat {
  const highest = 2 ** (bits - (signed ? 1 : 0)) - 1
  // Power grids have integer codes −n … n; the others a sign and a magnitude, so that −0 has a code.
  const coding = family === 'power' ? 'integer' : 'sign-magnitude'
  return {
    kind: 'element',
    name,
    family,
    bits,
    grid,
    signed,
    coding,
    zeroPoint: 0,
    lowest: signed ? -highest : 0,
    highest,
    nanCode: undefined,
    infinityCode: undefined,
    negativeZero: signed && coding === 'sign-magnitude',
    onOverflow: 'saturate',
    onInfinity: 'saturate',
    onNaN: 'refuse',
    rounding,
  }
}

/**
 * Flint of `bits` bits (3 … 15; unsigned 2 … 14): integers in the middle, floats at the ends. Ties go up to the larger value, as
 * in the authors' code. Signed flint is a sign bit before the magnitude code of one bit less; −0 has a code.
 */
export function flintFormat(bits: number, signed = true): ElementFormat {
  const name = `${signed ? '' : 'u'}flint${bits}`
  const magnitudeBits = bits - (signed ? 1 : 0)
  if (!Number.isInteger(bits) || magnitudeBits < 2 || magnitudeBits > 14)
    throw wrongFormat(name, `flint has 2 to 14 magnitude bits, not ${magnitudeBits}`)
  return saturatingGrid(name, 'flint', bits, signed, { kind: 'flint', magnitudeBits }, 'half-up')
}

/** Powers of two and zero: 0, 1, 2, 4, … 2^(2^B − 2) with B magnitude bits (2 … 8). Ties go up to the larger value. */
export function powerOfTwoFormat(bits: number, signed = true): ElementFormat {
  const name = `${signed ? '' : 'u'}pot${bits}`
  const magnitudeBits = bits - (signed ? 1 : 0)
  if (!Number.isInteger(bits) || magnitudeBits < 2 || magnitudeBits > 8)
    throw wrongFormat(name, `a power-of-two format has 2 to 8 magnitude bits, not ${magnitudeBits}`)
  return saturatingGrid(name, 'power-of-two', bits, signed, { kind: 'power-of-two' }, 'half-up')
}

/**
 * sign(q)·|q|^(1/exponent) with q = −n … n, n = 2^(bits−1) − 1 (unsigned 0 … 2^bits − 1); bits 2 … 8, exponent 0.1 … 2. Codes are
 * q as integers, so exponent 1 is `int<bits>-symmetric` code for code. In `power-space` a value is rounded as x^exponent, which
 * is the published operator; `nearest-value` cuts half way between the values instead. Ties go to even q.
 */
export function powerFormat(
  bits: number,
  exponent: number,
  { signed = true, decision = 'power-space' }: { signed?: boolean; decision?: 'power-space' | 'nearest-value' } = {},
): ElementFormat {
  const name = `${signed ? '' : 'u'}power${bits}-${exponent}${decision === 'power-space' ? '' : '-nearest'}`
  if (!Number.isInteger(bits) || bits < 2 || bits > 8)
    throw wrongFormat(name, `a power grid has 2 to 8 bits, not ${bits}`)
  if (!(exponent >= 0.1 && exponent <= 2)) throw wrongFormat(name, `the exponent ${exponent} is not in 0.1..2`)
  return saturatingGrid(name, 'power', bits, signed, { kind: 'power', exponent, decision }, 'nearest-even')
}
