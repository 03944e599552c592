/** The meaning of normalisation over the channels of each pixel: rule R16 of docs/arithmetic.md. */
import { clamp, multiplyHigh, multiplyLow } from '../../num/requantize.ts'
import type { StoredCodes } from './elementwise.ts'
import { type FamilyRule, normaliseRowByFamily } from './family-normalize.ts'
import { floorSquareRoot, words } from './square-root.ts'

export interface NormalizeParameters {
  /** Matters only where the mean stays in; codes minus it fit 16 bits then. */
  readonly inputZeroPoint: number
  /** Whether the mean is taken out. */
  readonly centred: boolean
  readonly rule: 'exact' | FamilyRule
  /** Of the rule `exact`; below 2^53. */
  readonly epsilon: number
  readonly fractionBits: number
  /** Of the rule `poly`: right shift of values before they are squared. */
  readonly squareShift: number
  /** Signed, one per channel; below 2^31 in magnitude. */
  readonly multipliers: Int32Array
  readonly biases: Int32Array
  /** 33 … 62. */
  readonly shift: number
  readonly outputZeroPoint: number
  readonly low: number
  readonly high: number
}

/** Fills the real channels of `output`; at most 32,767 of them. */
export function normalize(input: StoredCodes, output: StoredCodes, p: NormalizeParameters): void {
  const { channels, stride } = output
  const rounding = 1 << (p.shift - 33)
  const row = new Int32Array(channels)
  for (let first = 0; first < output.data.length; first += stride) {
    for (let c = 0; c < channels; c++) row[c] = input.data[first + c] - (p.centred ? 0 : p.inputZeroPoint)
    if (p.rule === 'exact') normaliseRow(row, p)
    else normaliseRowByFamily(row, p.rule, p)
    for (let c = 0; c < channels; c++) {
      const scaled = multiplySigned(row[c], p.multipliers[c])
      const code = ((scaled + p.biases[c] + rounding) >> (p.shift - 32)) + p.outputZeroPoint
      output.data[first + c] = clamp(code, p.low, p.high)
    }
  }
}

/** High word of the product of two numbers below 2^31 in magnitude. */
function multiplySigned(value: number, multiplier: number): number {
  return multiplier >= 0 ? multiplyHigh(value, multiplier) : multiplyHigh(-value, -multiplier)
}

/** Values x of one pixel become n, in units of 2^−fractionBits, in place. */
export function normaliseRow(
  row: Int32Array,
  { centred, epsilon, fractionBits }: Pick<NormalizeParameters, 'centred' | 'epsilon' | 'fractionBits'>,
): void {
  const channels = row.length
  let sum = 0
  let squares = 0
  for (const x of row) {
    if (centred) sum += x
    squares += x * x
  }
  const sumBig = BigInt(sum)
  const weighted = BigInt(channels) * BigInt(squares) - sumBig * sumBig + BigInt(epsilon)
  if (weighted === 0n) {
    row.fill(0)
    return
  }
  const [high, low] = words(weighted)
  const zeros = (high === 0 ? 32 + Math.clz32(low) : Math.clz32(high)) & -2
  const root = floorSquareRoot(...words(weighted << BigInt(zeros)))
  const factor = floorReciprocal(root)
  const shift = 62 - (zeros >> 1) - fractionBits
  for (let c = 0; c < channels; c++) {
    const difference = Math.imul(channels, row[c]) - sum
    const upper = multiplyHigh(difference, factor)
    row[c] = shift >= 32 ? upper >> (shift - 32) : (upper << (32 - shift)) | (multiplyLow(difference, factor) >>> shift)
  }
}

/** floor((2^62 − 1) ÷ root) for 2^31 ≤ root < 2^32, by long division. */
function floorReciprocal(root: number): number {
  let quotient = 0
  let remainder = 0
  for (let place = 0; place < 62; place++) {
    remainder = remainder * 2 + 1
    quotient *= 2
    if (remainder >= root) {
      remainder -= root
      quotient += 1
    }
  }
  return quotient
}
