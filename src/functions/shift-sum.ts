/** How the two variants of I-ViT treat a sum of exponentials that does not fit 31 bits. */
import { DyadicError } from '../error.ts'
import type { ShiftVariant } from './shift-exponential.ts'

/** Dividend of the reciprocals, and the limit of the sums they divide by. */
export const LARGEST_SUM = 2 ** 31 - 1

/** Training saturates the sum; deployment refuses one that would wrap, since what follows from it means nothing. */
export function limitSum(sum: number | bigint, variant: ShiftVariant): number {
  if (sum <= LARGEST_SUM) return Number(sum)
  if (variant === 'training') return LARGEST_SUM
  throw new DyadicError('limit', `a sum of exponentials is ${sum}: the deployment graph wraps here; use training`)
}
