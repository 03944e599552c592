/** The meaning of softmax over the channels of each pixel: rule R13 of docs/arithmetic.md. */
import { clamp } from '../../num/requantize.ts'
import type { StoredCodes } from './elementwise.ts'

export interface SoftmaxParameters {
  /** round(2^15 × exp(−256·i·scale)) and round(2^15 × exp(−i·scale)), 256 entries each; entry 0 is 2^15. */
  readonly coarse: Int32Array
  readonly fine: Int32Array
  /** Output codes of probability 1, at most 2^15. */
  readonly one: number
  readonly outputZeroPoint: number
  readonly low: number
  readonly high: number
}

/** Fills the real channels of `output`; at most 65,536 of them. */
export function softmax(input: StoredCodes, output: StoredCodes, p: SoftmaxParameters): void {
  const exponential = (difference: number): number =>
    (p.coarse[difference >> 8] * p.fine[difference & 255] + 0x4000) >> 15
  for (let first = 0; first < output.data.length; first += output.stride) {
    const end = first + output.channels
    let largest = input.data[first]
    for (let i = first; i < end; i++) if (input.data[i] > largest) largest = input.data[i]
    let sum = 0
    for (let i = first; i < end; i++) sum += exponential(largest - input.data[i])
    const share = floorRatio(p.one, sum)
    for (let i = first; i < end; i++) {
      const code = scaleShare(exponential(largest - input.data[i]), share)
      output.data[i] = clamp(code + p.outputZeroPoint, p.low, p.high)
    }
  }
}

/** floor(one × 2^31 ÷ sum) for one ≤ sum ≤ 2^31, by long division: 31 binary places behind the point. */
function floorRatio(one: number, sum: number): number {
  let ratio = one >= sum ? 1 : 0
  let remainder = one - ratio * sum
  for (let place = 0; place < 31; place++) {
    remainder *= 2
    ratio *= 2
    if (remainder >= sum) {
      remainder -= sum
      ratio += 1
    }
  }
  return ratio
}

/** (e × share + 2^30) >> 31 for 0 ≤ e ≤ 2^15, 0 ≤ share ≤ 2^31, on the two halves of share: each step fits 32 bits. */
function scaleShare(e: number, share: number): number {
  const low = (e * (share & 0xffff) + 0x40000000) >>> 16
  return (e * (share >>> 16) + low) >> 15
}
