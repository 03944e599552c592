/**
 * I-LayerNorm, the layer normalisation of the shift family (I-ViT, section 3.5; roundings of its published code): mean,
 * sum of squares, ten-step square root, one reciprocal. The variance is not divided by the number of channels; √C goes into
 * the scale.
 */
import { DyadicError } from '../error.ts'
import { divideHalfEven, divideHalfEvenExact, floorDivide, truncateDivide } from './integer-division.ts'
import type { ShiftVariant } from './shift-exponential.ts'
import { shiftSquareRoot, shiftSquareRootExact } from './square-root.ts'

/** The integers of I-LayerNorm for one normalisation: what each channel adds, and what a unit of its result is. */
export interface IntegerLayerNorm {
  /** floor((beta / gamma) / (√C / 2^30)), added to the results of a channel. */
  readonly biases: readonly number[]
  /** gamma × √C / 2^30: the real value of one unit of a channel's result, negative where gamma is. */
  readonly outputScales: readonly number[]
}

/**
 * The integers of a layer normalisation over C = gamma.length channels. Throws `refused` for gamma = 0, whose beta / gamma is
 * infinite, and for |beta / gamma| × 2^30 / √C of 2^52 or more.
 */
export function integerLayerNormAt(gamma: ArrayLike<number>, beta: ArrayLike<number>): IntegerLayerNorm {
  const unit = Math.sqrt(gamma.length) / 2 ** 30
  const biases = Array.from(gamma, (factor, channel) => {
    const bias = Math.floor(beta[channel] / factor / unit)
    if (!(Math.abs(bias) < 2 ** 52))
      throw new DyadicError(
        'refused',
        `layer normalisation: gamma ${factor} and beta ${beta[channel]} of channel ${channel} give a bias of ${bias}; ` +
          'a channel whose gamma is about 0 must be taken out before',
      )
    return bias + 0
  })
  return { biases, outputScales: Array.from(gamma, (factor) => factor * unit) }
}

/** The definition. `training` rounds the mean half to even and halves by floor; `deployment` truncates both. */
export function shiftLayerNormExact(
  row: readonly bigint[],
  { biases }: IntegerLayerNorm,
  variant: ShiftVariant,
): bigint[] {
  const training = variant === 'training'
  const sum = row.reduce((a, b) => a + b, 0n)
  const channels = BigInt(row.length)
  const mean = training ? divideHalfEvenExact(sum, channels) : sum / channels
  const squares = row.reduce((total, value) => total + (value - mean) ** 2n, 0n)
  const factor = ((1n << 31n) - 1n) / shiftSquareRootExact(squares)
  return row.map((value, channel) => {
    const product = (value - mean) * factor
    return (training ? product >> 1n : product / 2n) + BigInt(biases[channel])
  })
}

/**
 * {@link shiftLayerNormExact} on a row of integers. Deployment has 32 bits: it throws `limit` where the sum of squares reaches
 * 2^32 (a root mean square of 65536 / √C) or a result leaves int32. Training throws `limit` at 2^53.
 */
export function shiftLayerNorm(row: ArrayLike<number>, { biases }: IntegerLayerNorm, variant: ShiftVariant): number[] {
  const training = variant === 'training'
  const { centred, squares } = centre(row, training)
  if (squares >= (training ? 2 ** 53 : 2 ** 32))
    throw new DyadicError('limit', `layer normalisation (${variant}): the sum of squares ${squares} does not fit`)
  const factor = floorDivide(2 ** 31 - 1, shiftSquareRoot(squares))
  return centred.map((value, channel) => {
    // The root is at least |value| as long as it has settled, and above it where it has not: below 2^31.
    const product = value * factor
    const result = (training ? floorDivide(product, 2) : truncateDivide(product, 2)) + biases[channel]
    if (!training && result !== (result | 0))
      throw new DyadicError('limit', `layer normalisation (deployment): ${result} of channel ${channel} leaves int32`)
    return result
  })
}

/** The values less their mean, and the sum of their squares. */
function centre(row: ArrayLike<number>, halfEven: boolean): { centred: number[]; squares: number } {
  let sum = 0
  for (let i = 0; i < row.length; i++) sum += row[i]
  const mean = halfEven ? divideHalfEven(sum, row.length) : truncateDivide(sum, row.length)
  const centred = Array.from(row, (value) => value - mean)
  let squares = 0
  for (const value of centred) squares += value * value
  return { centred, squares }
}
