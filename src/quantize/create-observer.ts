/** Observers by the name of their method. */
import { DyadicError } from '../error.ts'
import type { Observer, Range, RangeMethod } from './observe.ts'
import { entropyObserver } from './observe-entropy.ts'
import { minMaxObserver } from './observe-minmax.ts'
import { mseObserver } from './observe-mse.ts'
import { percentileObserver } from './observe-percentile.ts'
import type { TensorPlan } from './plan.ts'
import { activationPlan } from './scales.ts'

/**
 * The observer of a method. `grid` makes the numbers that will be deployed for a range (default: 8 bits with a zero
 * point). Throws `usage` naming the valid forms.
 */
export function createObserver(
  method: RangeMethod,
  grid: (range: Range) => TensorPlan = (range) => activationPlan(range, 'u8'),
): Observer {
  if (method === 'minmax') return minMaxObserver()
  if (method === 'mse') return mseObserver(grid)
  if (method === 'entropy') return entropyObserver()
  const percentile = Number(/^percentile:(\d+(?:\.\d+)?)$/.exec(method)?.[1])
  if (!(percentile > 50 && percentile <= 100))
    throw new DyadicError(
      'usage',
      `range method "${method}" is not one of minmax, mse, entropy, percentile:P with 50 < P ≤ 100`,
    )
  return percentileObserver(percentile)
}
