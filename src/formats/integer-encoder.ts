/** Encoding to integers by floor and remainder, both exact in doubles, for integer formats of any width and roundings without randomness. */
import type { ElementFormat, Rounding } from './element-format.ts'

/** From a double, not NaN, to a code; undefined for formats and roundings that it does not serve. */
export function integerEncoder(format: ElementFormat, rounding: Rounding): ((value: number) => number) | undefined {
  const { grid, bits, lowest, highest, zeroPoint } = format
  if (grid.kind !== 'integer' || rounding === 'stochastic') return undefined
  const { unit } = grid
  const mask = 2 ** bits - 1
  return (value) => {
    // Beyond the ends, infinities included, the ends.
    const scaled = Math.max(lowest, Math.min(highest, value / unit))
    const floor = Math.floor(scaled)
    const rest = scaled - floor
    const up =
      rounding === 'nearest-even'
        ? rest > 0.5 || (rest === 0.5 && (floor & 1) !== 0)
        : rounding === 'half-up'
          ? rest >= 0.5
          : rounding === 'nearest-away'
            ? rest > 0.5 || (rest === 0.5 && scaled > 0)
            : rounding === 'toward-zero'
              ? rest > 0 && scaled < 0
              : rounding === 'up' && rest > 0
    return (floor + (up ? 1 : 0) + zeroPoint) & mask
  }
}
