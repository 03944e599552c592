/** From ranges to scales and zero points: the choices a plan records. */

import type { Range } from './observe.ts'
import type { ActivationFormat, InputPlan, TensorPlan, WeightPlan } from './plan.ts'
import { formatRange } from './plan.ts'

/** Formats of values inside a program; 32 bits are for network outputs alone. */
export type InnerFormat = Exclude<ActivationFormat, 's32'>

/** Accumulator units a bias may take: leaves the accumulator itself half of int32. */
const BIAS_LIMIT = 2 ** 30

/**
 * Scale and zero point of an activation of at most 8 bits: the range is widened to contain zero, so that zero (padding,
 * Relu) is exact. A range of only zero gets scale 1. With 16 bits the codes are symmetric, which costs nothing there.
 */
export function activationPlan(range: Range, format: InnerFormat, symmetric = false): TensorPlan {
  const codes = formatRange(format)
  const centred = symmetric || format === 's16'
  let low = Math.min(0, range.low)
  let high = Math.max(0, range.high)
  if (centred) {
    high = Math.max(-low, high)
    low = codes.low === 0 ? 0 : -high
  }
  const steps = centred && codes.low < 0 ? 2 * codes.high : codes.high - codes.low
  const scale = high > low ? (high - low) / steps : 1
  const zeroPoint = centred ? 0 : Math.min(codes.high, Math.max(codes.low, Math.floor(codes.low - low / scale + 0.5)))
  return { format, scale, zeroPoint }
}

/** Probabilities: 1 is one code beyond the format's largest, or with 16 bits 2^`bits` codes above 0. */
export function probabilityPlan(format: InnerFormat, bits: number, symmetric = false): TensorPlan {
  if (format === 's16') return { format, scale: 2 ** -bits, zeroPoint: 0 }
  const { low, high } = formatRange(format)
  return symmetric && low < 0
    ? { format, scale: 1 / (high + 1), zeroPoint: 0 }
    : { format, scale: 1 / (high - low + 1), zeroPoint: low }
}

/**
 * A value that stays wide: 16-bit codes at twice the observed range, never finer than an accumulator unit of the layer that
 * makes it, if one does (a finer scale would only multiply noise).
 */
export function wideOutputPlan(range: Range, accumulatorScales: readonly number[]): TensorPlan {
  const magnitude = Math.max(-range.low, range.high)
  const finest = Math.max(0, ...accumulatorScales) * 2
  return { format: 's16', scale: Math.max(magnitude / 2 ** 14, finest) || 1, zeroPoint: 0 }
}

/**
 * Symmetric scale per output channel: the largest magnitude becomes the largest code. A channel whose bias would leave the
 * accumulator (a dead channel with tiny weights) gets a larger scale.
 */
export function weightScales(
  weights: ArrayLike<number>,
  outputs: number,
  bias: ArrayLike<number> | undefined,
  inputScale: number,
  format: WeightPlan['format'],
): WeightPlan {
  const largestCode = formatRange(format).high
  const perChannel = weights.length / outputs
  const magnitudes = Array.from({ length: outputs }, (_, o) => {
    let magnitude = 0
    for (let i = o * perChannel; i < (o + 1) * perChannel; i++) magnitude = Math.max(magnitude, Math.abs(weights[i]))
    return magnitude
  })
  const largest = Math.max(...magnitudes) / largestCode
  const scale = magnitudes.map((magnitude, o) => {
    const forBias = bias === undefined ? 0 : leastWeightScale(bias[o], inputScale)
    // A channel of zeros is only its bias: with the largest scale it leaves the layer's common shift alone (R2).
    return Math.max(magnitude === 0 ? largest : magnitude / largestCode, forBias) || 1
  })
  return { format, scale, zeroPoint: [0] }
}

/** Whether every bias stays within its share of the accumulator, in units of inputScale × weightScale. */
export function biasFits(bias: ArrayLike<number> | undefined, inputScale: number, weightScale: number): boolean {
  for (let o = 0; o < (bias?.length ?? 0); o++)
    if (leastWeightScale(bias?.[o] ?? 0, inputScale) > weightScale) return false
  return true
}

/** The least scale of a weight, and so of the accumulator, that leaves its bias in its share of the accumulator. */
export function leastWeightScale(bias: number, inputScale: number): number {
  return Math.abs(bias) / (BIAS_LIMIT * inputScale)
}

/** A network input by the numbers its data set stores: pixels stay exact. */
export function storedInputPlan(data: {
  readonly elementType: 'uint8' | 'int8'
  readonly scale: readonly number[]
  readonly offset: readonly number[]
}): InputPlan {
  return {
    format: data.elementType === 'uint8' ? 'u8' : 's8',
    scale: [...data.scale],
    zeroPoint: [...data.offset],
    layout: 'nchw',
  }
}
