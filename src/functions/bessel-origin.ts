/**
 * log K_v(x) near the origin, √(v² + x²) < 26 (any x however small): K at two neighbouring orders of size 1 or less, by Temme's
 * series (x < 1) or from a table (x ≥ 1), then the recurrence K_{v+1} = K_{v−1} + (2v/x)·K_v upward, which is stable.
 *
 * Sources: NIST Digital Library of Mathematical Functions 10.29.1; N. M. Temme, "On the numerical evaluation of the modified
 * Bessel function of the third kind", J. Comput. Phys. 19 (1975).
 */
import { scaledPair } from './bessel-table.ts'
import { temmeFirst, temmePair } from './bessel-temme.ts'
import { gammaOfNext } from './reciprocal-gamma.ts'

/** log K_v(x) for √(v² + x²) < 26. */
export function logBesselKOrigin(order: number, argument: number): number {
  return argument < 1 ? logBesselKSmall(order, argument) : logBesselKTable(order, argument)
}

/** x²/4 beside which 1 is 1, even times the logarithm of x. */
const TINY = 1e-19

/** With M_n = (x/2)^n·K_{μ+n}, which neither over- nor underflows: M_{n+1} = (x/2)²·M_{n−1} + (μ + n)·M_n. */
function logBesselKSmall(order: number, argument: number): number {
  const whole = Math.round(order)
  const rest = order - whole
  const half = argument / 2
  const quarter = half * half
  const logarithm = Math.log(half)
  if (quarter < TINY) {
    // K_v(x) is ½Γ(v)·(2/x)^v, but for (x/2)^2v times that.
    if (order * logarithm < -20) return Math.log((0.5 * gammaOfNext(order)) / order) - order * logarithm
    if (whole === 0) return Math.log(temmeFirst(rest, logarithm))
  }
  let { current: before, next: now } = temmePair(rest, quarter, logarithm)
  if (whole === 0) return Math.log(before)
  for (let n = 1; n < whole; n++) {
    const after = quarter * before + (rest + n) * now
    before = now
    now = after
  }
  return Math.log(now) - whole * logarithm
}

const pair = new Float64Array(2)

function logBesselKTable(order: number, argument: number): number {
  const whole = Math.floor(order)
  const rest = order - whole
  const inverse = 1 / argument
  scaledPair(rest, inverse, pair)
  // Of orders rest − 1 and rest; 25 steps multiply by less than 10^33.
  let before = pair[0]!
  let now = pair[1]!
  const twice = 2 * inverse
  for (let n = 0; n < whole; n++) {
    const after = before + (rest + n) * twice * now
    before = now
    now = after
  }
  return Math.log(now * Math.sqrt(0.5 * Math.PI * inverse)) - argument
}
