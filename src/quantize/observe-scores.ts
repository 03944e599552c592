/**
 * The range of what a Softmax reads: up to the largest score, and down as far as a score still counts beside the largest one
 * of its row. What is further down (masked positions, −∞ or −10⁹) takes the lowest code and stretches nothing.
 */
import { DyadicError } from '../error.ts'
import type { Observer } from './observe.ts'

/** e^−12 is below 2^−17: less than half a step of a probability of 16 bits. */
const DEPTH = 12

/** Where the rows of a value lie among its elements: row r has `length` elements from `starts[r]`, `step` apart. */
export interface RowPlaces {
  readonly starts: Int32Array
  readonly length: number
  readonly step: number
}

/** Rows along one axis of a value in the order in which executors report it: rank 4 as N, H, W, C, others row-major. */
export function rowsAlong(shape: readonly number[], axis: number): RowPlaces {
  const order = shape.length === 4 ? [0, 2, 3, 1] : shape.map((_, index) => index)
  const steps = new Array<number>(shape.length)
  let step = 1
  for (const index of order.toReversed()) {
    steps[index] = step
    step *= shape[index]
  }
  let starts = [0]
  shape.forEach((size, index) => {
    if (index === axis) return
    starts = starts.flatMap((start) => Array.from({ length: size }, (_, i) => start + i * steps[index]))
  })
  return { starts: Int32Array.from(starts), length: shape[axis], step: steps[axis] }
}

/** See the head of the file. Refuses NaN and +∞; a row of nothing but −∞ is passed over. */
export function scoreObserver({ starts, length, step }: RowPlaces): Observer {
  let low = Infinity
  let high = -Infinity
  let leastLargest = Infinity
  return {
    observe(values) {
      for (const start of starts) {
        let largest = -Infinity
        for (let i = 0; i < length; i++) {
          const value = values[start + i * step]
          if (Number.isNaN(value) || value === Infinity)
            throw new DyadicError(
              'refused',
              `calibration met the score ${value}; the network or its input overflows: check the data card's scale and the weights`,
            )
          if (value > largest) largest = value
          if (value < low) low = value
        }
        if (largest === -Infinity) continue
        if (largest > high) high = largest
        if (largest < leastLargest) leastLargest = largest
      }
    },
    range() {
      if (high === -Infinity)
        throw new DyadicError('refused', 'no calibration sample reached this value; give at least one')
      return { low: Math.max(low, leastLargest - DEPTH), high }
    },
  }
}
