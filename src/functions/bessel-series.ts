/**
 * log I_v(x) near the origin, √(v² + x²) < 26 (any x however small), by the power series (NIST Digital Library of Mathematical
 * Functions 10.25.2), whose terms are all positive.
 */
import { gammaOfNext } from './reciprocal-gamma.ts'

/** Σ_{k≥1} (x²/4)^k/(k!·(v+1)…(v+k)): all terms are positive, and the sum stays below e^26. `quarter` is x²/4. */
export function besselISeriesTail(order: number, quarter: number): number {
  let term = 1
  let sum = 0
  for (let k = 1; term > sum * 1e-17; k++) {
    term *= quarter / (k * (k + order))
    sum += term
  }
  return sum
}

/** x²/4 below which the first term is all of the sum. */
const ONE_TERM = 1e-19

/** log I_v(x) = log((x/2)^v/Γ(v + 1)·(1 + tail)). */
export function logBesselISeries(order: number, argument: number): number {
  const half = argument / 2
  const quarter = half * half
  const sum = quarter < ONE_TERM ? quarter / (1 + order) : besselISeriesTail(order, quarter)
  const gamma = gammaOfNext(order)
  // Orders 0 and 1 keep what the sum adds to 1, however little.
  const logarithm = gamma === 1 ? Math.log1p(sum) : Math.log((1 + sum) / gamma)
  return order === 0 ? logarithm : order * Math.log(half) + logarithm
}
