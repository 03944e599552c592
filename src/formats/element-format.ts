/**
 * A number format is a record: which magnitudes there are, how a code holds them, and what happens to everything that has no
 * code. Nothing about a format is hidden in a function; `convert.ts` reads these fields and knows no format by name.
 */
import { DyadicError, quoted } from '../error.ts'
import type { Grid } from './grid.ts'

/** What becomes of a value that is not in the format. */
export type Rounding =
  /** The nearest value; of two equally near ones that with the even ordinal (minifloats: even mantissa, integers: even number). */
  | 'nearest-even'
  /** The nearest value, ties to the larger magnitude. */
  | 'nearest-away'
  /** The nearest value, ties to the larger value. */
  | 'half-up'
  | 'toward-zero'
  /** To the next larger value. */
  | 'up'
  /** To the next smaller value. */
  | 'down'
  /** Away from zero with a probability that makes the mean exact; the random bits are an argument. */
  | 'stochastic'

/** All of them, in the order of the documentation. */
export const roundings = [
  'nearest-even',
  'nearest-away',
  'half-up',
  'toward-zero',
  'up',
  'down',
  'stochastic',
] as const satisfies readonly Rounding[]

/** The format of one number. */
export interface ElementFormat {
  readonly kind: 'element'
  readonly name: string
  readonly family: 'integer' | 'minifloat' | 'flint' | 'power-of-two' | 'power'
  /** Width of a code; codes are the integers 0 … 2^bits − 1. */
  readonly bits: number
  readonly grid: Grid
  readonly signed: boolean
  /**
   * How a code holds a signed ordinal (the number of a magnitude in the grid, with the sign of the value): `sign-magnitude`, or
   * `integer`: ordinal + zeroPoint modulo 2^bits, in two's complement when signed.
   */
  readonly coding: 'sign-magnitude' | 'integer'
  /** Code of the value 0 in `integer` coding, −2^(bits−1) … 2^bits − 1; else 0. */
  readonly zeroPoint: number
  /** Signed ordinals of the least and the greatest value that `encode` gives. */
  readonly lowest: number
  readonly highest: number
  /** Code of the NaN that `encode` gives; undefined where the format has none. */
  readonly nanCode: number | undefined
  /** Code of +∞; −∞ has the sign bit too. Undefined where the format has none. */
  readonly infinityCode: number | undefined
  /** Whether −0 has a code of its own. Where it has none, −0 and negative values that round to 0 become +0. */
  readonly negativeZero: boolean
  /** A finite value that rounds beyond the ends. Without a grid value 0 (E8M0) zero and negative values are beyond the end too. */
  readonly onOverflow: 'saturate' | 'infinity' | 'nan'
  readonly onInfinity: 'saturate' | 'infinity' | 'nan'
  /** `refuse` throws; `zero` is for callers who choose it. */
  readonly onNaN: 'code' | 'refuse' | 'zero'
  /** The rounding used where a caller names none: that of the format's reference. */
  readonly rounding: Rounding
}

/** The same codes with finite overflow and infinities sent to the ends of the range; a name ending in `-saturating`. */
export function saturating(format: ElementFormat): ElementFormat {
  if (format.onOverflow === 'saturate' && format.onInfinity === 'saturate') return format
  return { ...format, name: `${format.name}-saturating`, onOverflow: 'saturate', onInfinity: 'saturate' }
}

/** Refuses a record that cannot be built; `what` says what is wrong and what is allowed. */
export function wrongFormat(name: string, what: string): DyadicError {
  return new DyadicError('usage', `format ${quoted(name)}: ${what}`)
}
