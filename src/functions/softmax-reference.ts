/**
 * What softmax means here, in double: the definition that the float32 kernels are held against. y_i = e^(x_i)/Σ e^(x_j), with
 * these rules at the edges: an empty vector is refused; −∞ has no weight; if nothing has weight (all −∞), every y is 0; a NaN
 * or a +∞ anywhere makes every y NaN.
 */
import { DyadicError } from '../error.ts'

/** Throws `usage` for an empty vector. */
export function requireElements(length: number): void {
  if (length === 0)
    throw new DyadicError(
      'usage',
      'softmax of an empty vector: there is nothing to share 1 among; give at least one number',
    )
}

/** log Σ e^(x_i): −∞ when all are −∞, NaN for a NaN, ∞ for a +∞. Throws `usage` for an empty vector. */
export function logSumExpReference(values: ArrayLike<number>): number {
  requireElements(values.length)
  let largest = -Infinity
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(values[i])) return Number.NaN
    largest = Math.max(largest, values[i]!)
  }
  if (!Number.isFinite(largest)) return largest
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += Math.exp(values[i]! - largest)
  return largest + Math.log(sum)
}

/** Softmax in double. Throws `usage` for an empty vector. */
export function softmaxReference(values: ArrayLike<number>): Float64Array {
  const out = new Float64Array(values.length)
  const total = logSumExpReference(values)
  if (total === -Infinity) return out
  if (!Number.isFinite(total)) return out.fill(Number.NaN)
  let largest = -Infinity
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, values[i]!)
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += Math.exp(values[i]! - largest)
  for (let i = 0; i < values.length; i++) out[i] = Math.exp(values[i]! - largest) / sum
  return out
}
