/**
 * Closed integer intervals: the arithmetic of the overflow proofs. Bounds are exact JavaScript integers (|x| ≤ 2^53);
 * an operation whose exact bound would not fit throws, so a proof can never rest on a rounded number.
 */
import { DyadicError } from '../error.ts'

export interface Interval {
  readonly low: number
  readonly high: number
}

/** The interval [low, high]. Throws `limit` when a bound is not a safe integer or low > high. */
export function interval(low: number, high: number): Interval {
  if (!Number.isSafeInteger(low) || !Number.isSafeInteger(high) || low > high)
    throw new DyadicError('limit', `interval [${low}, ${high}] is empty or beyond 53 bits`)
  // + 0 turns −0 into 0, so that intervals compare and print alike.
  return { low: low + 0, high: high + 0 }
}

export const INT8: Interval = { low: -128, high: 127 }
export const UINT8: Interval = { low: 0, high: 255 }
export const INT16: Interval = { low: -32768, high: 32767 }
export const INT32: Interval = { low: -(2 ** 31), high: 2 ** 31 - 1 }

export function addIntervals(a: Interval, b: Interval): Interval {
  return interval(a.low + b.low, a.high + b.high)
}

/** All products of a value of `a` and a value of `b`. */
export function multiplyIntervals(a: Interval, b: Interval): Interval {
  const products = [a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high]
  return interval(Math.min(...products), Math.max(...products))
}

/** The smallest interval that contains both. */
export function hull(a: Interval, b: Interval): Interval {
  return interval(Math.min(a.low, b.low), Math.max(a.high, b.high))
}

/** The common part; throws `limit` when there is none. */
export function intersect(a: Interval, b: Interval): Interval {
  return interval(Math.max(a.low, b.low), Math.min(a.high, b.high))
}

export function contains(outer: Interval, inner: Interval): boolean {
  return outer.low <= inner.low && inner.high <= outer.high
}
