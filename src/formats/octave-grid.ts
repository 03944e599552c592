/** Which formats are octaves of equal steps, as the kernels that round by arithmetic want them. */
import type { GridCodes, OctaveGrid } from '../kernels/simulation-grid.ts'
import { exponentOf } from './binary64.ts'
import { encodeNaN } from './convert.ts'
import type { ElementFormat, Rounding } from './element-format.ts'
import { magnitude } from './grid.ts'

/** Formats that are octaves of equal steps, for roundings to nearest; undefined for everything else. */
export function octaveGrid(format: ElementFormat, rounding: Rounding): OctaveGrid | undefined {
  const { grid, bits, lowest, highest, onOverflow, onInfinity, signed, negativeZero, onNaN } = format
  if (rounding !== 'nearest-even' && rounding !== 'nearest-away') return undefined
  // A NaN that overflow makes is one for which `onNaN` stands too.
  if (onOverflow === 'nan' && onNaN !== 'code') return undefined
  // An unsigned format has no −∞.
  if (onOverflow !== onInfinity || (onOverflow === 'infinity' && !signed)) return undefined
  const rest = {
    greatest: magnitude(grid, highest),
    greatestNegative: magnitude(grid, -lowest),
    beyond: onOverflow,
    negativeZero,
    ofNaN: onNaN === 'zero' ? 0 : Number.NaN,
    ties: rounding === 'nearest-even' ? 'even' : 'away',
  } as const
  if (grid.kind === 'minifloat' && grid.mantissaBits >= 1)
    return { mantissaBits: grid.mantissaBits, leastExponent: 1 - grid.bias, ...rest }
  // Two bits more than a code has, so that all integers and the limit lie in the range of one spacing.
  if (grid.kind === 'integer')
    return { mantissaBits: bits + 2, leastExponent: exponentOf(grid.unit) + bits + 2, ...rest }
  return undefined
}

/** How the ordinals of such a format become codes; a NaN that is refused has code 0. */
export function gridCodes(format: ElementFormat): GridCodes {
  const { coding, bits, zeroPoint, highest, lowest, infinityCode = 0, onNaN } = format
  return {
    coding,
    bits,
    zeroCode: zeroPoint,
    greatest: highest,
    greatestNegative: -lowest,
    nanCode: onNaN === 'refuse' ? 0 : encodeNaN(format),
    infinityCode,
  }
}
