/**
 * Interval proofs: no input whatsoever can overflow any step of an instruction (docs/arithmetic.md, section "Proofs").
 * Bounds come from the actual weights, so they are attained by some input unless padding or clamping removes it.
 */
import { DyadicError, quoted } from '../error.ts'
import {
  addIntervals,
  contains,
  hull,
  INT16,
  INT32,
  type Interval,
  intersect,
  interval,
  multiplyIntervals,
} from '../num/interval.ts'
import { requantize, requantizeSum } from '../num/requantize.ts'
import type { Bounds, NormalizeInstruction, Requantisation, Residual, WeightGroups } from './integer-graph.ts'

const ZERO: Interval = { low: 0, high: 0 }

/** Refuses an interval that does not fit int32, naming the instruction and the step. */
function demandInt32(bound: Interval, where: string, step: string): void {
  if (!contains(INT32, bound))
    throw new DyadicError(
      'limit',
      `layer ${quoted(where)}: ${step} can reach [${bound.low}, ${bound.high}], beyond int32; use fewer bits for its weights or input, or a larger weight scale`,
    )
}

/** Refuses a sum of products with its rounding term that does not fit int64 (R3 alone always does, R4 may not). */
function demandInt64(
  value: Interval,
  multiplier: number,
  other: Interval | undefined,
  otherMultiplier: number,
  shift: number,
  where: string,
  channel: number,
): void {
  if (other === undefined) return
  const magnitude = ({ low, high }: Interval): bigint => BigInt(Math.max(-low, high))
  const reach =
    magnitude(value) * BigInt(multiplier) + magnitude(other) * BigInt(otherMultiplier) + (1n << BigInt(shift - 1))
  if (reach >= 1n << 63n)
    throw new DyadicError(
      'limit',
      `layer ${quoted(where)}: the scaled sum of output channel ${channel} and its residual can reach ${reach}, beyond int64; check the scales of the residual and the output in the plan`,
    )
}

/** What a weight's code − zero point is multiplied by (R12). */
function groupFactor(groups: WeightGroups | undefined, output: number, tap: number, taps: number): number {
  if (groups === undefined) return 1
  return groups.factors[output * Math.ceil(taps / groups.size) + Math.floor(tap / groups.size)]
}

export interface ConvolutionProof {
  readonly where: string
  /** [output][taps × inputs per group], stored codes. */
  readonly weights: Int8Array | Int16Array
  readonly weightZeroPoints: Int16Array
  readonly weightGroups?: WeightGroups
  readonly outputs: number
  readonly groups: number
  /** Input channels of the whole tensor, and integers that can be stored. */
  readonly inputChannels: number
  readonly inputRange: Interval
  readonly inputZeroPoints: ArrayLike<number>
  /** Whether some tap can fall into padding (which counts as 0). */
  readonly padded: boolean
  readonly bias: Int32Array
  readonly requantisation: Requantisation
  readonly residual?: Residual
}

/** Bounds over all output channels; throws `limit` when a step can leave int32. */
export function proveConvolution(proof: ConvolutionProof): Bounds {
  const { weights, outputs, groups, inputChannels, bias, requantisation } = proof
  const inputs = inputChannels / groups
  const taps = weights.length / outputs
  // Limits of (x − zero point) per input channel.
  const low = new Float64Array(inputChannels)
  const high = new Float64Array(inputChannels)
  for (let c = 0; c < inputChannels; c++) {
    const shifted = interval(
      proof.inputRange.low - proof.inputZeroPoints[c],
      proof.inputRange.high - proof.inputZeroPoints[c],
    )
    if (!contains(INT16, shifted))
      throw new DyadicError(
        'limit',
        `layer ${quoted(proof.where)}: input channel ${c} minus its zero point ${proof.inputZeroPoints[c]} can reach [${shifted.low}, ${shifted.high}], beyond int16; use a zero point nearer to the input's codes`,
      )
    const reached = proof.padded ? hull(shifted, ZERO) : shifted
    low[c] = reached.low
    high[c] = reached.high
  }
  let accumulator = ZERO
  let biased: Interval | undefined
  let requantised: Interval | undefined
  const residual = proof.residual
  const other = residual && {
    low: (residual.input.range.low - residual.zeroPoint) * 2 ** residual.left,
    high: (residual.input.range.high - residual.zeroPoint) * 2 ** residual.left,
  }
  if (other) demandInt32(other, proof.where, 'the shifted residual')
  for (let o = 0; o < outputs; o++) {
    const first = Math.floor(o / (outputs / groups)) * inputs
    // Smallest and largest partial sum over every order of summation, and of the whole sum.
    let least = 0
    let most = 0
    let sumLow = 0
    let sumHigh = 0
    for (let t = 0; t < taps; t++) {
      const weight = (weights[o * taps + t] - proof.weightZeroPoints[o]) * groupFactor(proof.weightGroups, o, t, taps)
      if (weight < INT16.low || weight > INT16.high)
        throw new DyadicError(
          'limit',
          `layer ${quoted(proof.where)}: a weight of output channel ${o} times its group's factor is ${weight}, beyond int16; use smaller factors in the plan`,
        )
      const c = first + (t % inputs)
      const a = weight * low[c]
      const b = weight * high[c]
      const termLow = a < b ? a : b
      const termHigh = a < b ? b : a
      sumLow += termLow
      sumHigh += termHigh
      if (termLow < 0) least += termLow
      if (termHigh > 0) most += termHigh
    }
    accumulator = hull(accumulator, interval(least, most))
    demandInt32(interval(least, most), proof.where, `the accumulator of output channel ${o}`)
    const channel = interval(
      (sumLow + bias[o]) * 2 ** requantisation.left,
      (sumHigh + bias[o]) * 2 ** requantisation.left,
    )
    demandInt32(channel, proof.where, `accumulator plus bias of output channel ${o}`)
    biased = biased ? hull(biased, channel) : channel
    const multiplier = requantisation.multipliers[o]
    demandInt64(channel, multiplier, other, residual?.multiplier ?? 0, requantisation.shift, proof.where, o)
    const scaled =
      residual && other
        ? interval(
            requantizeSum(channel.low, multiplier, other.low, residual.multiplier, requantisation.shift),
            requantizeSum(channel.high, multiplier, other.high, residual.multiplier, requantisation.shift),
          )
        : interval(
            requantize(channel.low, multiplier, requantisation.shift),
            requantize(channel.high, multiplier, requantisation.shift),
          )
    requantised = requantised ? hull(requantised, scaled) : scaled
  }
  return { accumulator, biased: biased ?? ZERO, requantised: requantised ?? ZERO }
}

/** Bounds of an average pool with `count` taps per window. */
export function proveAverage(
  where: string,
  inputRange: Interval,
  zeroPoint: number,
  count: number,
  multiplier: number,
  shift: number,
): Bounds {
  const term = hull(interval(inputRange.low - zeroPoint, inputRange.high - zeroPoint), ZERO)
  const accumulator = interval(term.low * count, term.high * count)
  demandInt32(accumulator, where, 'the sum of a window')
  return {
    accumulator,
    biased: accumulator,
    requantised: interval(
      requantize(accumulator.low, multiplier, shift),
      requantize(accumulator.high, multiplier, shift),
    ),
  }
}

/** Bounds of an addition (R5): both products, their sum and the rounding term stay within int32. */
export function proveAdd(
  where: string,
  left: Interval,
  leftMultiplier: number,
  right: Interval,
  rightMultiplier: number,
  shift: number,
): Bounds {
  const a = multiplyIntervals(left, interval(leftMultiplier, leftMultiplier))
  const b = multiplyIntervals(right, interval(rightMultiplier, rightMultiplier))
  const sum = addIntervals(a, b)
  const partial = hull(hull(a, b), sum)
  demandInt32(partial, where, 'a scaled addend')
  return shifted(where, partial, sum, shift)
}

/** Bounds of a rescaling (R10): the product with either multiplier of any channel, and the rounding term, stay within int32. */
export function proveRescale(
  where: string,
  value: Interval,
  positive: Int32Array,
  negative: Int32Array,
  shift: number,
): Bounds {
  const above = interval(Math.max(0, value.low), Math.max(0, value.high))
  const below = interval(Math.min(0, value.low), Math.min(0, value.high))
  let product: Interval = ZERO
  for (const multiplier of positive) product = hull(product, multiplyIntervals(above, interval(multiplier, multiplier)))
  for (const multiplier of negative) product = hull(product, multiplyIntervals(below, interval(multiplier, multiplier)))
  demandInt32(product, where, 'a scaled value')
  return shifted(where, product, product, shift)
}

/** The last step of R5 and R10: rounding term and shift. */
function shifted(where: string, accumulator: Interval, sum: Interval, shift: number): Bounds {
  const biased = addIntervals(sum, interval(2 ** (shift - 1), 2 ** (shift - 1)))
  demandInt32(biased, where, 'the sum with its rounding term')
  return {
    accumulator,
    biased,
    requantised: interval(Math.floor(biased.low / 2 ** shift), Math.floor(biased.high / 2 ** shift)),
  }
}

/** Bounds of a product (R11): it stays within int32 before it is requantised. */
export function proveMultiply(
  where: string,
  left: Interval,
  right: Interval,
  multiplier: number,
  shift: number,
): Bounds {
  const product = multiplyIntervals(left, right)
  demandInt32(product, where, 'the product')
  return {
    accumulator: product,
    biased: product,
    requantised: interval(requantize(product.low, multiplier, shift), requantize(product.high, multiplier, shift)),
  }
}

/** Bounds of a vector's length (R20): differences fit int16; `accumulator` is the sum of squares, 32 bits without sign. */
export function proveMagnitude(
  where: string,
  left: Interval,
  right: Interval,
  multiplier: number,
  shift: number,
  leftShift: number,
): Bounds {
  const squares = ([left, right] as const).map((range, index) => {
    if (!contains(INT16, range))
      throw new DyadicError(
        'limit',
        `layer ${quoted(where)}: its ${index === 0 ? 'left' : 'right'} operand minus the zero point can reach [${range.low}, ${range.high}], beyond int16; use a zero point nearer to the operand's codes`,
      )
    const least = Math.max(0, range.low, -range.high)
    const most = Math.max(-range.low, range.high)
    return interval(least * least, most * most)
  })
  const accumulator = addIntervals(squares[0], squares[1])
  // Exact: below 2^52 the root of a double, correctly rounded, never reaches an integer above the true root.
  const root = (sum: number): number => Math.floor(Math.sqrt(sum)) * 2 ** leftShift
  const biased = interval(root(accumulator.low), root(accumulator.high))
  demandInt32(biased, where, 'the shifted length')
  return {
    accumulator,
    biased,
    requantised: interval(requantize(biased.low, multiplier, shift), requantize(biased.high, multiplier, shift)),
  }
}

export interface ProductProof {
  readonly where: string
  /** Codes minus zero points that can occur. */
  readonly leftRange: Interval
  readonly rightRange: Interval
  /** Terms of each sum. */
  readonly inner: number
  readonly multiplier: number
  readonly shift: number
  readonly leftShift: number
  /** No sum of |left code − zero point| over a row exceeds it, where something is known (probabilities). */
  readonly largestRowSum?: number
}

/** Bounds of a product of matrices (R15): operands fit int16, every partial sum and the shifted sum fit int32. */
export function proveProduct(proof: ProductProof): Bounds {
  const { where, leftRange, rightRange, inner, multiplier, shift, leftShift, largestRowSum } = proof
  for (const [name, range] of [
    ['left', leftRange],
    ['right', rightRange],
  ] as const)
    if (!contains(INT16, range))
      throw new DyadicError(
        'limit',
        `product ${quoted(where)}: its ${name} operand minus the zero point can reach [${range.low}, ${range.high}], beyond int16; use a zero point nearer to the operand's codes`,
      )
  const term = multiplyIntervals(leftRange, rightRange)
  const terms = interval(inner, inner)
  let accumulator = multiplyIntervals(hull(term, ZERO), terms)
  let sum = multiplyIntervals(term, terms)
  if (largestRowSum !== undefined) {
    const weighted = rowSumBound(leftRange, hull(rightRange, ZERO), largestRowSum)
    accumulator = intersect(accumulator, weighted)
    sum = intersect(sum, weighted)
  }
  demandInt32(accumulator, where, 'a sum of the product')
  const biased = interval(sum.low * 2 ** leftShift, sum.high * 2 ** leftShift)
  demandInt32(biased, where, 'the shifted sum of the product')
  return {
    accumulator,
    biased,
    requantised: interval(requantize(biased.low, multiplier, shift), requantize(biased.high, multiplier, shift)),
  }
}

/** Sums of products whose left factors add up to at most `rowSum` in magnitude; `right` contains 0. */
function rowSumBound(left: Interval, right: Interval, rowSum: number): Interval {
  const positive = interval(right.low * rowSum, right.high * rowSum)
  const negative = interval(-positive.high, -positive.low)
  if (left.low >= 0) return positive
  return left.high <= 0 ? negative : hull(positive, negative)
}

/** Largest |n| of each rule of R16. */
const LARGEST_NORMALISED = {
  exact: 2 ** 30 + 1,
  shift: 2 ** 30,
  'shift-deployment': 2 ** 30,
  poly: 2 ** 31 - 1,
} as const

/** Refuses a normalisation (R16) some step of which can leave its word, naming the channel. */
export function proveNormalize(
  instruction: Pick<
    NormalizeInstruction,
    'name' | 'input' | 'inputZeroPoint' | 'centred' | 'rule' | 'multipliers' | 'biases' | 'shift'
  >,
): void {
  const { name, input, inputZeroPoint, centred, rule, multipliers, biases, shift } = instruction
  if (input.channels > 32767)
    throw new DyadicError('limit', `normalisation ${quoted(name)} has ${input.channels} channels, more than 32767`)
  const range = interval(input.range.low - inputZeroPoint, input.range.high - inputZeroPoint)
  if (!centred && !contains(INT16, range))
    throw new DyadicError(
      'limit',
      `normalisation ${quoted(name)}: its input minus the zero point can reach [${range.low}, ${range.high}], beyond int16; use a zero point nearer to the input's codes`,
    )
  const rounding = 2 ** (shift - 33)
  for (const [channel, multiplier] of multipliers.entries()) {
    if (multiplier === -(2 ** 31))
      throw new DyadicError('limit', `normalisation ${quoted(name)}: the multiplier of channel ${channel} is −2^31`)
    const scaled = Number((BigInt(LARGEST_NORMALISED[rule]) * BigInt(Math.abs(multiplier))) >> 32n) + 1
    if (scaled + Math.abs(biases[channel]) + rounding >= 2 ** 31)
      throw new DyadicError(
        'limit',
        `normalisation ${quoted(name)}: channel ${channel} with its bias can reach ${scaled + Math.abs(biases[channel]) + rounding}, beyond int32; use a larger scale for its output`,
      )
  }
}
