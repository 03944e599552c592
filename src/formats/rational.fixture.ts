/** Exact rationals for the tests: an independent second definition of values and roundings, on BigInt alone. */
import type { ElementFormat, Rounding } from './element-format.ts'

/** Every number of the tests is numerator / 2^SHIFT: enough for products of 2^−133 and 2^−149. */
export const SHIFT = 300n

/** A finite double, exactly. Throws for one that needs a finer denominator. */
export function exact(value: number): bigint {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, value)
  const bits = view.getBigUint64(0)
  const exponent = (bits >> 52n) & 0x7ffn
  const fraction = bits & ((1n << 52n) - 1n)
  const magnitude = exponent === 0n ? fraction : (fraction | (1n << 52n)) << (exponent - 1n)
  const scaled = magnitude >> (1074n - SHIFT)
  if (scaled << (1074n - SHIFT) !== magnitude) throw new Error(`${value} is no multiple of 2^-${SHIFT}`)
  return bits >> 63n === 1n ? -scaled : scaled
}

/** The value of a minifloat's magnitude code by the formula of the standard, on integers. */
export function minifloatMagnitude(code: number, exponentBits: number, mantissaBits: number, bias: number): bigint {
  const text = code.toString(2).padStart(exponentBits + mantissaBits, '0')
  const exponent = BigInt(`0b${text.slice(0, exponentBits) || '0'}`)
  const mantissa = mantissaBits === 0 ? 0n : BigInt(`0b${text.slice(exponentBits)}`)
  const hidden = exponent === 0n ? 0n : 1n << BigInt(mantissaBits)
  const field = exponent === 0n ? 1n : exponent
  const power = field - BigInt(bias) - BigInt(mantissaBits) + SHIFT
  return (hidden + mantissa) << power
}

/**
 * Rounds a rational to the nearest entry of an ascending list, by its index: −1 below the first, length when beyond the last, which
 * the caller's overflow rule decides. `beyond` is the value the list would go on with. Ties by `even` (index parity) or upward.
 */
export function nearestIndex(value: bigint, list: readonly bigint[], beyond: bigint, ties: Rounding): number {
  let low = -1
  let high = list.length
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if ((list[middle] as bigint) <= value) low = middle
    else high = middle
  }
  if (low < 0 || list[low] === value) return low
  const next = low + 1 < list.length ? (list[low + 1] as bigint) : beyond
  const side = 2n * value - (list[low] as bigint) - next
  if (side !== 0n) return side > 0n ? low + 1 : low
  return ties === 'nearest-even' ? low + (low % 2) : low + 1
}

/** The double of a rational that is one. */
export function toDouble(value: bigint): number {
  const double = Number(value) * 2 ** -Number(SHIFT)
  if (exact(double) !== value) throw new Error('the rational is no double')
  return double
}

/** Magnitudes of a format as rationals by ordinal, and the one after them. */
export function magnitudesOf(format: ElementFormat): { list: bigint[]; beyond: bigint } {
  const { grid, highest, lowest } = format
  const count = Math.max(highest, -lowest) + 1
  const flint = grid.kind === 'flint' ? flintByDefinition(grid.magnitudeBits) : []
  const at = (ordinal: number): bigint => {
    const k = BigInt(ordinal)
    switch (grid.kind) {
      case 'integer':
        return k * exact(grid.unit)
      case 'minifloat':
        return minifloatMagnitude(ordinal, grid.exponentBits + 2, grid.mantissaBits, grid.bias)
      case 'exponent':
        return 1n << (k - BigInt(grid.bias) + SHIFT)
      case 'power-of-two':
        return ordinal === 0 ? 0n : 1n << (k - 1n + SHIFT)
      case 'flint':
        return (flint[ordinal] ?? 2n * (flint.at(-1) as bigint)) << SHIFT
      case 'power':
        if (grid.exponent !== 0.5 && grid.exponent !== 1) throw new Error('irrational')
        return (grid.exponent === 1 ? k : k * k) << SHIFT
    }
  }
  return { list: Array.from({ length: count }, (_, ordinal) => at(ordinal)), beyond: at(count) }
}

/** Flint as the authors' code lists it: intervals below and above 1, times 2^(B−1), sorted. */
function flintByDefinition(bits: number): bigint[] {
  const values = [0n]
  for (let i = 0; i <= bits - 2; i++)
    for (let j = 0; j < 2 ** (bits - 2 - i); j++)
      values.push(BigInt(2 ** (bits - 1) * 2 ** -(i + 1) * (1 + j * 2 ** -(bits - 2 - i))))
  for (let i = 0; i <= bits - 2; i++)
    for (let j = 0; j < 2 ** (bits - 2 - i); j++)
      values.push(BigInt(2 ** (bits - 1) * 2 ** i * (1 + j * 2 ** -(bits - 2 - i))))
  values.push(BigInt(2 ** (2 * bits - 2)))
  return values.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
}
