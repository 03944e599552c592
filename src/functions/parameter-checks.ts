/** Refusals that the integer functions share: a scale without sense, a width without room. */
import { DyadicError } from '../error.ts'

/** Throws `refused` unless the scale is a positive finite number. */
export function requireScale(scale: number, what: string): void {
  if (!(scale > 0 && scale < Infinity))
    throw new DyadicError('refused', `${what}: the scale is ${scale}; it must be a positive finite number`)
}

/** Throws `refused` unless `bits` is an integer in 2 … 16. */
export function requireBits(bits: number, what: string): void {
  if (!Number.isInteger(bits) || bits < 2 || bits > 16)
    throw new DyadicError('refused', `${what}: ${bits} bits; take 2 to 16`)
}
