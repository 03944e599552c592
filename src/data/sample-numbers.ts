/** What numbers may stand in a sample: float32 values are finite, wider types become float32 by a stated rule. */
import { z } from 'zod'
import { DyadicError, quoted } from '../error.ts'

/** Most elements of one sample; 2^28 float32 values are one gibibyte. */
const MOST_ELEMENTS = 2 ** 28

/** Sizes of a sample's axes in a data card. */
export const sampleSizes = z
  .array(z.int().min(1))
  .max(8)
  .refine((shape) => shape.reduce((product, size) => product * size, 1) <= MOST_ELEMENTS, {
    message: `a sample may have at most ${MOST_ELEMENTS} elements`,
  })

/** Throws `refused` naming `where` and the element for NaN or an infinity. */
export function requireFinite(values: Float32Array, where: string): void {
  const bad = values.findIndex((value) => !Number.isFinite(value))
  if (bad >= 0)
    throw new DyadicError('refused', `sample ${quoted(where)}: element ${bad} is ${values[bad]}, not a finite number`)
}

/**
 * Numbers as float32: doubles are rounded to nearest even, as they would be on their way into a float32 input; integers
 * must be exact. Throws `refused` naming `where` for an integer that is not, NaN, or an infinity.
 */
export function toFloat32(
  values: Float64Array | Int32Array | Int16Array | Uint16Array | BigInt64Array,
  where: string,
): Float32Array {
  const result = Float32Array.from<number | bigint>(values, Number)
  if (!(values instanceof Float64Array)) {
    const bad = result.findIndex((value, i) => BigInt(value) !== BigInt(values[i]!))
    if (bad >= 0)
      throw new DyadicError(
        'refused',
        `sample ${quoted(where)}: element ${bad}, the integer ${values[bad]}, is not exact in float32`,
      )
  }
  requireFinite(result, where)
  return result
}
