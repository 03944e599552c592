/** The meaning of curves: functions of 16-bit codes by straight pieces, rule R9 of docs/arithmetic.md. */
import { clamp } from '../../num/requantize.ts'
import type { StoredCodes } from './elementwise.ts'
import type { Stored } from './geometry.ts'

export interface CurveParameters {
  /** 513 values at the codes −32768, −32640, …, 32768. */
  readonly knots: Int16Array
  readonly low: number
  readonly high: number
}

/** With u = x + 32768, i = u >> 7, f = u & 127: clamp((knots[i] × (128 − f) + knots[i + 1] × f + 64) >> 7). */
export function curve(input: Stored<Int16Array>, output: StoredCodes, { knots, low, high }: CurveParameters): void {
  for (let at = 0; at < output.data.length; at++) {
    const u = input.data[at] + 32768
    const i = u >> 7
    const f = u & 127
    output.data[at] = clamp((knots[i] * (128 - f) + knots[i + 1] * f + 64) >> 7, low, high)
  }
}
