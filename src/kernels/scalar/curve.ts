/** The meaning of curves: functions of 16-bit codes by straight pieces, rule R9 of docs/arithmetic.md. */
import { clamp } from '../../num/requantize.ts'
import type { StoredCodes } from './elementwise.ts'
import type { Stored } from './geometry.ts'

export interface CurveParameters {
  /** Values at the codes −32768, −32768 + 2^bits, …, 32768, in units of 2^unitBits codes. */
  readonly knots: Int16Array
  readonly bits: number
  /** 0 where absent; less than `bits`. */
  readonly unitBits?: 0 | 1
  readonly low: number
  readonly high: number
}

/**
 * With u = x + 32768, i = u >> bits, f = u mod 2^bits, g = unitBits: clamp((knots[i] × (2^bits − f) + knots[i + 1] × f +
 * 2^(bits−1−g)) >> (bits − g)).
 */
export function curve(
  input: Stored<Int16Array>,
  output: StoredCodes,
  { knots, bits, unitBits = 0, low, high }: CurveParameters,
): void {
  const size = 1 << bits
  const shift = bits - unitBits
  for (let at = 0; at < output.data.length; at++) {
    const u = input.data[at] + 32768
    const i = u >> bits
    const f = u & (size - 1)
    output.data[at] = clamp((knots[i] * (size - f) + knots[i + 1] * f + ((1 << shift) >> 1)) >> shift, low, high)
  }
}
