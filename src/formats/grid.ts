/**
 * The magnitudes of a number format as a strictly increasing sequence of exact doubles: what is left of a format when signs,
 * codes and special values are taken away. A grid is data; {@link magnitude} is the only place that knows what it means.
 *
 * Every value of a format of at most 16 bits, and every midpoint of two neighbours, is a double: a minifloat has at most 16
 * significant bits and lies far within the exponents of doubles, an integer or a flint has at most 30 bits, and the sum of two
 * neighbours needs one bit more. The only exceptions are power grids with an irrational root, whose values are *defined* as the
 * nearest doubles (`exact-power.ts`).
 */
import { twoTo } from './binary64.ts'
import { rootOf } from './exact-power.ts'

/** Which magnitudes a format has; the unit is a value of 1. */
export type Grid =
  /** unit × 0, 1, 2, … with a power of two as unit. */
  | { readonly kind: 'integer'; readonly unit: number }
  /** Exponent field E, mantissa field M: E = 0: 2^(1−bias)·M/2^m; otherwise 2^(E−bias)·(1 + M/2^m). */
  | {
      readonly kind: 'minifloat'
      readonly exponentBits: number
      readonly mantissaBits: number
      readonly bias: number
    }
  /** 2^(0−bias), 2^(1−bias), …: no zero. */
  | { readonly kind: 'exponent'; readonly bias: number }
  /** 0, 1, 2, 4, 8, … */
  | { readonly kind: 'power-of-two' }
  /** Flint with B magnitude bits: spacing 1 below 2^(B−1), one mantissa bit less in each octave above (Guo et al. 2022). */
  | { readonly kind: 'flint'; readonly magnitudeBits: number }
  /**
   * k^(1/exponent): uniform steps in the space of x^exponent. `decision` says where a value between two neighbours is cut: half
   * way in that space (PowerQuant, NUPES), or half way between the values.
   */
  | { readonly kind: 'power'; readonly exponent: number; readonly decision: 'power-space' | 'nearest-value' }

/** Magnitude number `ordinal` ≥ 0 of a grid, in increasing order. Grids go on beyond the end of any format that uses them. */
export function magnitude(grid: Grid, ordinal: number): number {
  switch (grid.kind) {
    case 'integer':
      return grid.unit * ordinal
    case 'minifloat': {
      const steps = 2 ** grid.mantissaBits
      const mantissa = ordinal % steps
      const exponent = (ordinal - mantissa) / steps
      return exponent === 0
        ? twoTo(1 - grid.bias - grid.mantissaBits) * mantissa
        : twoTo(exponent - grid.bias - grid.mantissaBits) * (steps + mantissa)
    }
    case 'exponent':
      return twoTo(ordinal - grid.bias)
    case 'power-of-two':
      return ordinal === 0 ? 0 : twoTo(ordinal - 1)
    case 'flint':
      return flintMagnitude(grid.magnitudeBits, ordinal)
    case 'power':
      return ordinal === 0 ? 0 : rootOf(ordinal, 1, grid.exponent)
  }
}

/**
 * Where values above go to `ordinal + 1` when the nearest is wanted, for grids that do not cut half way between values;
 * undefined for those that do.
 */
export function statedBoundary(grid: Grid, ordinal: number): number | undefined {
  return grid.kind === 'power' && grid.decision === 'power-space'
    ? rootOf(2 * ordinal + 1, 2, grid.exponent)
    : undefined
}

/** Whether sums, products and midpoints of a grid's values follow from the values exactly. */
export function isExact(grid: Grid): boolean {
  return grid.kind !== 'power' || grid.exponent === 1 || grid.exponent === 0.5
}

/**
 * Flint: 2^(B−1) values 0, 1, …; then octaves [2^(B−1+i), 2^(B+i)) for i = 0 … B−2 with 2^(B−2−i) values each; then 2^(2B−2).
 * Beyond its last value it goes on by doubling.
 */
function flintMagnitude(bits: number, ordinal: number): number {
  const middle = 2 ** (bits - 1)
  if (ordinal < middle) return ordinal
  let rest = ordinal - middle
  for (let octave = 0; octave <= bits - 2; octave++) {
    const mantissaBits = bits - 2 - octave
    if (rest < 2 ** mantissaBits) return twoTo(bits - 1 + octave - mantissaBits) * (2 ** mantissaBits + rest)
    rest -= 2 ** mantissaBits
  }
  return twoTo(2 * bits - 2 + rest)
}

/**
 * The magnitude code of a flint value: h = 2^(B−1); codes below h are the integers themselves; a code h + r with r > 0 holds
 * r << (2·lz + 1), lz the leading zeros of r in B−1 bits; code h holds the largest value. Decoding needs a leading-zero
 * detector and a shifter only.
 */
export function flintCode(bits: number, ordinal: number): number {
  const middle = 2 ** (bits - 1)
  if (ordinal < middle) return ordinal
  const value = flintMagnitude(bits, ordinal)
  if (value === 2 ** (2 * bits - 2)) return middle
  const octave = Math.clz32(middle) - Math.clz32(value)
  return middle + value / 2 ** (2 * octave + 1)
}
