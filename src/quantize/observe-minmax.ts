/** The extremes of everything observed: no value is clamped, and a single outlier sets the grid. */
import { DyadicError } from '../error.ts'
import type { Observer } from './observe.ts'

/** Smallest and largest value ever seen. */
export function minMaxObserver(): Observer {
  let low = Infinity
  let high = -Infinity
  return {
    observe(values) {
      for (let i = 0; i < values.length; i++) {
        const value = values[i]
        if (value < low) low = value
        if (value > high) high = value
        // NaN compares false with everything, so it is looked for by itself.
        if (Number.isNaN(value)) throw notFinite(value)
      }
      if (low === -Infinity || high === Infinity) throw notFinite(low === -Infinity ? low : high)
    },
    range() {
      if (low > high) throw new DyadicError('refused', 'no calibration sample reached this value; give at least one')
      return { low, high }
    },
  }
}

function notFinite(value: number): DyadicError {
  return new DyadicError(
    'refused',
    `calibration met the value ${value}; the network or its input overflows: check the data card's scale and the weights`,
  )
}
