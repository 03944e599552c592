/** The meaning of softmax over the channels of each pixel as I-ViT and I-BERT compute it: rule R17 of docs/arithmetic.md. */
import { clamp } from '../../num/requantize.ts'
import { floorQuotient } from './division.ts'
import type { StoredCodes } from './elementwise.ts'
import { exponentialBelow, type FamilyExponential } from './family-exponential.ts'

export interface FamilySoftmaxParameters {
  readonly exponential: FamilyExponential
  /** 2 … 16: results lie in 0 … 2^(bits − 1) (shift) or 0 … 2^bits (poly). */
  readonly bits: number
  readonly outputZeroPoint: number
  readonly low: number
  readonly high: number
}

/** Dividends of the reciprocals: of the shift family also the limit of the sum it divides by. */
const SHIFT_DIVIDEND = 2147483647
const POLYNOMIAL_DIVIDEND = 4294967296

/** Fills the real channels of `output`; at most 65,536 of them. */
export function familySoftmax(input: StoredCodes, output: StoredCodes, p: FamilySoftmaxParameters): void {
  const { channels, stride } = output
  const exponentials = new Int32Array(channels)
  for (let first = 0; first < output.data.length; first += stride) {
    let largest = input.data[first]
    for (let c = 1; c < channels; c++) largest = Math.max(largest, input.data[first + c])
    let sum = 0
    for (let c = 0; c < channels; c++) {
      exponentials[c] = exponentialBelow(largest - input.data[first + c], p.exponential)
      sum += exponentials[c]
    }
    const factor =
      p.exponential.kind === 'shift'
        ? floorQuotient(SHIFT_DIVIDEND, Math.min(sum, SHIFT_DIVIDEND))
        : floorQuotient(POLYNOMIAL_DIVIDEND, sum)
    for (let c = 0; c < channels; c++) {
      const code = (Math.imul(exponentials[c], factor) >>> (32 - p.bits)) + p.outputZeroPoint
      output.data[first + c] = clamp(code, p.low, p.high)
    }
  }
}
