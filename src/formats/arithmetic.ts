/**
 * Exact scalar arithmetic in a format: decode, compute the exact result, round once. Operands of at most 16 bits have so few
 * significant bits that a product is a double; a sum need not be (2^127 + 2^−127), so it is rounded to odd first, which keeps
 * every decision of the second rounding (`binary64.ts`).
 */
import { DyadicError, quoted } from '../error.ts'
import { sumToOdd } from './binary64.ts'
import { decode, encode } from './convert.ts'
import type { ElementFormat, Rounding } from './element-format.ts'
import { isExact } from './grid.ts'

/** Code of a + b, rounded once. ∞ − ∞ is NaN. An exact zero of unlike signs is +0, −0 when rounding `down` (IEEE 754, 6.3). */
export function add(format: ElementFormat, a: number, b: number, rounding?: Rounding, random?: number): number {
  requireExact(format)
  const x = decode(format, a)
  const y = decode(format, b)
  const sum = sumToOdd(x, y)
  const zero = sum === 0 && rounding === 'down' && Object.is(x, -y) ? -0 : sum
  return encode(format, zero, rounding, random)
}

/** Code of a − b, rounded once; the sign of an exact zero as in {@link add}. */
export function subtract(format: ElementFormat, a: number, b: number, rounding?: Rounding, random?: number): number {
  requireExact(format)
  const x = decode(format, a)
  const y = decode(format, b)
  const difference = sumToOdd(x, -y)
  const zero = difference === 0 && rounding === 'down' && Object.is(x, y) ? -0 : difference
  return encode(format, zero, rounding, random)
}

/** Code of a · b, rounded once. 0 · ∞ is NaN. */
export function multiply(format: ElementFormat, a: number, b: number, rounding?: Rounding, random?: number): number {
  requireExact(format)
  return encode(format, decode(format, a) * decode(format, b), rounding, random)
}

/** −1, 0 or 1 as the value of code a is below, equal to or above that of b; undefined when one is NaN. −0 equals +0. */
export function compare(format: ElementFormat, a: number, b: number): -1 | 0 | 1 | undefined {
  const x = decode(format, a)
  const y = decode(format, b)
  return x < y ? -1 : x > y ? 1 : x === y ? 0 : undefined
}

function requireExact(format: ElementFormat): void {
  if (!isExact(format.grid))
    throw new DyadicError(
      'unsupported',
      `format ${quoted(format.name)} has irrational values, whose sums and products are not exact; decode and compute in doubles`,
    )
}
