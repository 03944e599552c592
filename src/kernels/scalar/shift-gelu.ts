/** The meaning of ShiftGELU over the channels of each pixel: rule R18 of docs/arithmetic.md. */
import { clamp, requantize } from '../../num/requantize.ts'
import { floorQuotient } from './division.ts'
import type { StoredCodes } from './elementwise.ts'
import { exponentialBelow, type ShiftExponential, shiftExponentialAbove } from './family-exponential.ts'

export interface ShiftGeluParameters {
  readonly inputZeroPoint: number
  /** 23 places, and therefore a unit of at most 255. */
  readonly exponential: ShiftExponential
  /** 2 … 16: sigmoids lie in 0 … 2^(bits − 1). */
  readonly bits: number
  readonly multiplier: number
  readonly shift: number
  readonly outputZeroPoint: number
  readonly low: number
  readonly high: number
}

/** Limit of the sums and dividend of the reciprocals. */
const LARGEST_SUM = 2147483647

/** Fills the real channels of `output`. */
export function shiftGelu(input: StoredCodes, output: StoredCodes, p: ShiftGeluParameters): void {
  const { channels, stride } = output
  for (let first = 0; first < output.data.length; first += stride) {
    let largest = input.data[first]
    for (let c = 1; c < channels; c++) largest = Math.max(largest, input.data[first + c])
    const top = largest - p.inputZeroPoint
    const zero = top < 0 ? shiftExponentialAbove(-top, p.exponential) : exponentialBelow(top, p.exponential)
    for (let c = 0; c < channels; c++) {
      const code = input.data[first + c]
      const e = exponentialBelow(largest - code, p.exponential)
      const factor = floorQuotient(LARGEST_SUM, Math.min(e + zero, LARGEST_SUM))
      const sigmoid = Math.imul(e, factor) >>> (32 - p.bits)
      const result = requantize((code - p.inputZeroPoint) * sigmoid, p.multiplier, p.shift)
      output.data[first + c] = clamp(result + p.outputZeroPoint, p.low, p.high)
    }
  }
}
