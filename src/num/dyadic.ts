/**
 * A real ratio of scales as a dyadic rational m/2^s, rule R2 of docs/arithmetic.md: the only place where a real number
 * becomes integers of the program.
 */
import { DyadicError } from '../error.ts'
import { MAXIMUM_SHIFT, MINIMUM_SHIFT, MULTIPLIER_LIMIT } from './requantize.ts'

/** Ratios of one tensor at a common shift: ratio[i] ≈ multipliers[i] × 2^left / 2^shift. */
export interface DyadicRatios {
  readonly multipliers: Int32Array
  readonly shift: number
  /** Left shift of the value before the multiplication; 0 unless a ratio is 0.5 or more. */
  readonly left: number
}

/**
 * The largest shift at which every multiplier is below 2^31; multipliers are rounded half up. The error of each is at
 * most 2^(left−shift−1), so a 31-bit relative error for the largest ratio. Throws `refused` for a ratio that is not
 * finite, negative or 2^22 or more, naming `where`.
 */
export function dyadicRatios(ratios: ArrayLike<number>, where: string): DyadicRatios {
  let largest = 0
  for (let i = 0; i < ratios.length; i++) {
    const ratio = ratios[i]
    if (!(ratio >= 0) || ratio >= 2 ** 22)
      throw new DyadicError(
        'refused',
        `${where}: scale ratio ${ratio} is outside [0, 2^22); check the scales of the plan`,
      )
    if (ratio > largest) largest = ratio
  }
  let shift = MAXIMUM_SHIFT
  while (shift > 0 && roundHalfUp(largest * 2 ** shift) >= MULTIPLIER_LIMIT) shift--
  const left = Math.max(0, MINIMUM_SHIFT - shift)
  const multipliers = Int32Array.from(ratios, (ratio) => roundHalfUp(ratio * 2 ** shift))
  return { multipliers, shift: shift + left, left }
}

/** One ratio at a given shift, with the value shifted left as far as its magnitude bound allows (residual inputs, R4). */
export function dyadicAtShift(
  ratio: number,
  shift: number,
  magnitude: number,
  where: string,
): { multiplier: number; left: number } {
  for (let left = 0; magnitude * 2 ** left < 2 ** 31; left++) {
    const multiplier = roundHalfUp(ratio * 2 ** (shift - left))
    if (multiplier < MULTIPLIER_LIMIT) return { multiplier, left }
  }
  throw new DyadicError(
    'refused',
    `${where}: scale ratio ${ratio} cannot be written at shift ${shift}; check the scales of the plan`,
  )
}

/** Rounds half up, exactly: adding ½ before the floor would round the largest double below ½ to 1. */
export function roundHalfUp(value: number): number {
  const floor = Math.floor(value)
  return value - floor >= 0.5 ? floor + 1 : floor
}

/** Rounds half to even: the rounding of ONNX's QuantizeLinear, used for weights and biases at compile time (R2). */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value)
  const fraction = value - floor
  if (fraction < 0.5) return floor
  if (fraction > 0.5) return floor + 1
  return floor % 2 === 0 ? floor : floor + 1
}
