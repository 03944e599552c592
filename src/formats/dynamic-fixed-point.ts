/**
 * Arithmetic on dynamic fixed point tensors (Das et al. 2018, "Mixed Precision Training of Convolutional Neural Networks using
 * Integer Operations", section 3): integers that share one exponent, value = integer × 2^exponent. Conversion from reals is the
 * block format `dfp16`; here are the operations between integers, which never leave them.
 */
import { DyadicError } from '../error.ts'
import { exponentOf } from './binary64.ts'

/** Integers that share an exponent. */
export interface FixedPointTensor {
  /** Safe integers. */
  readonly integers: ArrayLike<number>
  /** Shared by all: value = integer × 2^exponent. */
  readonly exponent: number
}

/** Right shift that brings |integer| ≤ largest into `bits` bits with sign: max(0, bit length − (bits − 1)). */
export function downConversionShift(largest: number, bits = 16): number {
  return largest === 0 ? 0 : Math.max(0, exponentOf(largest) + 1 - (bits - 1))
}

/** Shifts a tensor of wide integers into `bits` bits, rounding half to even, saturating at 2^(bits−1) − 1. */
export function downConvert({ integers, exponent }: FixedPointTensor, bits = 16): FixedPointTensor {
  let largest = 0
  for (let i = 0; i < integers.length; i++) {
    const integer = integers[i]!
    if (!Number.isSafeInteger(integer))
      throw new DyadicError('usage', `integer ${i} is ${integer}; dynamic fixed point holds integers below 2^53`)
    largest = Math.max(largest, Math.abs(integer))
  }
  const shift = downConversionShift(largest, bits)
  const end = 2 ** (bits - 1) - 1
  return {
    integers: Int32Array.from(integers, (integer) => Math.min(end, shiftHalfEven(integer, shift))),
    exponent: exponent + shift,
  }
}

/**
 * a + b at the larger of both exponents; the other operand is shifted right, rounding toward −∞ as an arithmetic shift does. The
 * error is below one unit of the larger exponent. Throws `usage` for different lengths.
 */
export function addFixedPoint(a: FixedPointTensor, b: FixedPointTensor): FixedPointTensor {
  if (a.integers.length !== b.integers.length)
    throw new DyadicError('usage', `${a.integers.length} and ${b.integers.length} integers cannot be added`)
  const [coarse, fine] = a.exponent >= b.exponent ? [a, b] : [b, a]
  const unit = 2 ** Math.min(1023, coarse.exponent - fine.exponent)
  return {
    integers: Float64Array.from(coarse.integers, (integer, i) => integer + Math.floor(fine.integers[i]! / unit)),
    exponent: coarse.exponent,
  }
}

/**
 * How many products of two tensors with this headroom an int32 sum holds whatever the values: ⌊(2^31 − 1) / 2^(30 − 2·headroom)⌋,
 * 7, 31, 127 for headroom 1, 2, 3. Without headroom magnitudes end at 2^15 − 1, so that 2 products fit.
 */
export function safeChainLength(headroom: number): number {
  const magnitude = headroom === 0 ? 2 ** 15 - 1 : 2 ** (15 - headroom)
  return Math.floor((2 ** 31 - 1) / magnitude ** 2)
}

function shiftHalfEven(integer: number, shift: number): number {
  const unit = 2 ** shift
  const floor = Math.floor(integer / unit)
  const rest = integer - floor * unit
  return rest * 2 > unit || (rest * 2 === unit && floor % 2 !== 0) ? floor + 1 : floor
}
