/**
 * K_μ and K_{μ+1} of |μ| ≤ ½, slowly and exactly: Temme's series near zero, the continued fraction of Temme and Steed beyond.
 *
 * Sources: N. M. Temme, "On the numerical evaluation of the modified Bessel function of the third kind", J. Comput. Phys. 19
 * (1975); I. J. Thompson and A. R. Barnett, "Coulomb and Bessel functions of complex arguments and order", J. Comput. Phys.
 * 64 (1986).
 */
import { reciprocalGammaEven, reciprocalGammaOdd } from './reciprocal-gamma.ts'

/** Values of two neighbouring orders. */
export interface BesselPair {
  readonly current: number
  readonly next: number
}

/** K_μ(x) for |μ| ≤ ½ and x < 1e-9, where the series has one term; `logarithm` is log(x/2). */
export function temmeFirst(rest: number, logarithm: number): number {
  const square = rest * rest
  const even = reciprocalGammaEven(square)
  const odd = reciprocalGammaOdd(square)
  const area = rest * logarithm
  const s = area * area
  let cosine: number
  let sineRatio: number
  if (s < 0.25) {
    cosine = 1 + s * (1 / 2 + s * (1 / 24 + s * (1 / 720 + s * (1 / 40320 + s * (1 / 3628800 + s / 479001600)))))
    sineRatio =
      1 + s * (1 / 6 + s * (1 / 120 + s * (1 / 5040 + s * (1 / 362880 + s * (1 / 39916800 + s / 6227020800)))))
  } else {
    const power = Math.exp(area)
    cosine = 0.5 * (power + 1 / power)
    sineRatio = (0.5 * (power - 1 / power)) / area
  }
  // 1/Γ(1 + μ)·1/Γ(1 − μ) = sin(πμ)/(πμ).
  return -(odd * cosine + even * logarithm * sineRatio) / (even * even - square * odd * odd)
}

/** K_μ(x) and (x/2)·K_{μ+1}(x) for |μ| ≤ ½ and 0 < x ≤ 2, where `quarter` is x²/4 and `logarithm` is log(x/2). */
export function temmePair(rest: number, quarter: number, logarithm: number): BesselPair {
  const square = rest * rest
  const even = reciprocalGammaEven(square)
  const odd = reciprocalGammaOdd(square)
  const power = Math.exp(-rest * logarithm)
  const above = even + rest * odd
  const below = even - rest * odd
  let f = temmeFirst(rest, logarithm)
  let p = (0.5 * power) / above
  let q = 0.5 / (power * below)
  let c = 1
  let current = f
  let next = p
  // Terms fall like (x²/4)^k/k!². That of k = 1 always counts: it may be 2/x times as large beside p.
  for (let k = 1, bound = 1; bound > 1e-18; bound *= quarter / (k * k), k++) {
    const share = 1 / (k * k - square)
    f = (k * f + p + q) * share
    p *= (k + rest) * share
    q *= (k - rest) * share
    c *= quarter / k
    current += c * f
    next += c * (p - k * f)
  }
  return { current, next }
}

/** K_μ(x) and K_{μ+1}(x) times e^x·√(2x/π) for x ≥ 1. */
export function fractionPair(rest: number, argument: number): BesselPair {
  const first = 0.25 - rest * rest
  let b = 2 * (1 + argument)
  let d = 1 / b
  let step = d
  let h = d
  let previous = 0
  let current = 1
  let c = first
  let q = first
  let a = -first
  let sum = 1 + q * step
  for (let k = 2; k < 500; k++) {
    a -= 2 * (k - 1)
    c = (-a * c) / k
    const following = (previous - b * current) / a
    previous = current
    current = following
    q += c * following
    b += 2
    d = 1 / (b + a * d)
    step *= b * d - 1
    h += step
    const change = q * step
    sum += change
    if (Math.abs(change) < 1e-17 * Math.abs(sum)) break
  }
  return { current: 1 / sum, next: (rest + argument + 0.5 - first * h) / (argument * sum) }
}
