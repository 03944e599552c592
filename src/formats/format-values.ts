/** The values of a format as tables, made once per format, and which scales keep their order and signs. */
import { DyadicError, quoted } from '../error.ts'
import { round, valuesOf } from './convert.ts'
import { type ElementFormat, saturating } from './element-format.ts'

const decoded = new WeakMap<ElementFormat, Float64Array>()

/** The values of a format by code, made once; at most 2^19. */
export function valueTable(format: ElementFormat): Float64Array {
  const table = decoded.get(format) ?? valuesOf(format)
  decoded.set(format, table)
  return table
}

/** All distinct finite values that `encode` gives, in increasing order; −0 and 0 are one. */
export function finiteValues(format: ElementFormat): number[] {
  // A symmetric integer format leaves a code out, which decodes to a value below the least.
  const least = round(saturating(format), Number.NEGATIVE_INFINITY)
  const values = [...valueTable(format)].filter((value) => Number.isFinite(value) && value >= least)
  return [...new Set(values.map((value) => value + 0))].sort((a, b) => a - b)
}

/** Refuses scales that would turn numbers into NaN or change their signs. */
export function requireScale(format: ElementFormat, scale: number): void {
  if (!(scale > 0 && scale < Number.POSITIVE_INFINITY))
    throw new DyadicError('usage', `the scale of ${quoted(format.name)} is ${scale}; it must be positive and finite`)
}
