/**
 * The exponentials inside rules R17 and R18 of docs/arithmetic.md, as I-ViT (shifts) and I-BERT (a parabola) publish them.
 * The integers they work with follow from a scale (src/functions); here is only what is done with them.
 */
import { floorQuotient } from './division.ts'

/** ShiftExp. unit × 2^places < 2^31. */
export interface ShiftExponential {
  readonly kind: 'shift'
  /** What 1 is in units of the input. */
  readonly unit: number
  /** The least result is that of −places. */
  readonly places: number
  /** Whether half of the fraction keeps its last half unit (`training`), or loses it (`deployment`). */
  readonly exactHalf: boolean
}

/** i-exp, requantised to 15 bits half to even. */
export interface PolynomialExponential {
  readonly kind: 'poly'
  /** What ln 2 is in units of the input. */
  readonly unit: number
  readonly linear: number
  /** Below 2^32. */
  readonly constant: number
  /** At most 2^31; the product with the parabola is divided by 2^(shift − 30 + power of two), 1 … 77 places. */
  readonly multiplier: number
  readonly shift: number
}

export type FamilyExponential = ShiftExponential | PolynomialExponential

/** i-exp ends at 2^−30. */
const POLYNOMIAL_PLACES = 30
const LARGEST = 0x7fffffff

/** e^(−distance) in units of the family, 0 ≤ distance < 2^16: below 2^31. */
export function exponentialBelow(distance: number, p: FamilyExponential): number {
  return p.kind === 'shift' ? shiftExponentialBelow(distance, p) : polynomialExponentialBelow(distance, p)
}

/** value × 1.4375, rounded as value + (value >> 1) − (value >> 4) is. */
function raised(value: number): number {
  return value + (value >> 1) - (value >> 4)
}

function shiftExponentialBelow(distance: number, { unit, places, exactHalf }: ShiftExponential): number {
  const power = Math.min(-raised(-distance), places * unit)
  const whole = floorQuotient(power, unit)
  const twice = 2 * unit - (power - whole * unit)
  return ((exactHalf ? twice : twice & -2) << places) >>> (whole + 1)
}

/** e^value for 0 < value < 2^17, at most 2^31 − 1, where it is limited. */
export function shiftExponentialAbove(value: number, { unit, places, exactHalf }: ShiftExponential): number {
  const power = raised(value)
  const floor = floorQuotient(power, unit)
  const rest = power - floor * unit
  // Training rounds the power of two up and the fraction is negative; deployment rounds it down.
  const up = exactHalf && rest > 0
  const twice = 2 * unit + (up ? rest - unit : exactHalf ? rest : rest & -2)
  const shift = places - 1 + (up ? floor + 1 : floor)
  let result = twice
  for (let place = 0; place < shift && result <= LARGEST; place++) result *= 2
  return Math.min(result, LARGEST)
}

function polynomialExponentialBelow(distance: number, p: PolynomialExponential): number {
  const limited = Math.min(distance, POLYNOMIAL_PLACES * p.unit)
  const whole = floorQuotient(limited, p.unit)
  const rest = whole * p.unit - limited
  const parabola = (rest + p.linear) * rest + p.constant
  if (parabola <= 0) return 0
  const product = BigInt(parabola) * BigInt(p.multiplier)
  const places = BigInt(p.shift - POLYNOMIAL_PLACES + whole)
  const floor = product >> places
  const twice = 2n * (product - (floor << places))
  const one = 1n << places
  const up = twice > one || (twice === one && (floor & 1n) === 1n)
  return bigToInt32(up ? floor + 1n : floor)
}

function bigToInt32(value: bigint): number {
  return new Int32Array(BigInt64Array.of(value).buffer)[0]
}
