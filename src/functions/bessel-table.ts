/**
 * K_v(x) of 0 ≤ v ≤ 1 for 1 ≤ x ≤ 26 from a table: A = e^x·√(2x/π)·K_v(x) is an entire function of y = v² − ¼ (1 at y = 0) and
 * smooth in w = 1/x, so that in each of a few stretches of w a polynomial of degree 8 in y and 7 in w is exact to rounding. A
 * stretch interpolates the continued fraction at 9 × 8 Chebyshev points, when it is first asked for.
 */
import { fractionPair } from './bessel-temme.ts'

/** Stretches of w = 1/x from 0 to 1. */
const STRETCHES = 32
const IN_ORDER = 9
const IN_ARGUMENT = 8
const SIZE = IN_ORDER * IN_ARGUMENT

const table = new Float64Array(SIZE * STRETCHES)
const filled = new Uint8Array(STRETCHES)

/** A by the continued fraction. */
function scaledBesselK(order: number, argument: number): number {
  return order > 0.5 ? fractionPair(order - 1, argument).next : fractionPair(order, argument).current
}

/** Coefficients, lowest power first, of the polynomial through `values` at the Chebyshev points of [−1, 1]. */
function interpolate(values: readonly number[]): Float64Array {
  const count = values.length
  const result = new Float64Array(count)
  // Chebyshev's polynomials T_{j−1} and T_j by their powers.
  let before = new Float64Array(count)
  let now = new Float64Array(count)
  now[0] = 1
  for (let j = 0; j < count; j++) {
    let sum = 0
    for (let k = 0; k < count; k++) sum += values[k]! * Math.cos((j * (2 * k + 1) * Math.PI) / (2 * count))
    const weight = (sum * (j === 0 ? 1 : 2)) / count
    const after = new Float64Array(count)
    for (let i = 0; i < count; i++) {
      result[i]! += weight * now[i]!
      after[i] = (j === 0 ? 1 : 2) * (now[i - 1] ?? 0) - (j === 0 ? 0 : before[i]!)
    }
    before = now
    now = after
  }
  return result
}

const chebyshevPoint = (k: number, count: number): number => Math.cos(((2 * k + 1) * Math.PI) / (2 * count))

/** For each power of 2y − ½ the coefficients by powers of the place in the stretch, −1 … 1; highest powers first. */
function fill(stretch: number): void {
  const columns = Array.from({ length: IN_ARGUMENT }, (_, k) => {
    const inverse = (stretch + 0.5 + 0.5 * chebyshevPoint(k, IN_ARGUMENT)) / STRETCHES
    const values = Array.from({ length: IN_ORDER }, (_, i) =>
      scaledBesselK(Math.sqrt(0.5 + 0.5 * chebyshevPoint(i, IN_ORDER)), 1 / inverse),
    )
    return interpolate(values)
  })
  for (let i = 0; i < IN_ORDER; i++) {
    const row = interpolate(columns.map((column) => column[i]!))
    for (let k = 0; k < IN_ARGUMENT; k++)
      table[stretch * SIZE + (IN_ORDER - 1 - i) * IN_ARGUMENT + IN_ARGUMENT - 1 - k] = row[k]!
  }
  filled[stretch] = 1
}

/** A of orders 1 − `order` and `order` at x = 1/`inverse`, into `pair`: 0 ≤ `order` ≤ 1, 1/26 ≤ `inverse` ≤ 1. */
export function scaledPair(order: number, inverse: number, pair: Float64Array): void {
  const place = inverse * STRETCHES
  const stretch = Math.min(STRETCHES - 1, Math.floor(place))
  if (filled[stretch] === 0) fill(stretch)
  const s = 2 * (place - stretch) - 1
  // 2y − ½ = 2v² − 1.
  const other = 1 - order
  const [u, v] = [2 * other * other - 1, 2 * order * order - 1]
  let [first, second] = [0, 0]
  for (let at = stretch * SIZE, end = at + SIZE; at < end; at += IN_ARGUMENT) {
    const coefficient =
      ((((((table[at]! * s + table[at + 1]!) * s + table[at + 2]!) * s + table[at + 3]!) * s + table[at + 4]!) * s +
        table[at + 5]!) *
        s +
        table[at + 6]!) *
        s +
      table[at + 7]!
    first = first * u + coefficient
    second = second * v + coefficient
  }
  pair[0] = first
  pair[1] = second
}
