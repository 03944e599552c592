/**
 * log I_v(x) and log K_v(x) near the origin, √(v² + x²) < 26 (any x however small): the power series for I; for K Temme's
 * series (x ≤ 2) and the continued fraction of Temme and Steed (x > 2), both at the order μ = v − round(v), then the
 * recurrence upward, which is stable for K.
 *
 * Sources: NIST Digital Library of Mathematical Functions 10.25.2, 10.29.1; N. M. Temme, "On the numerical evaluation of the
 * modified Bessel function of the third kind", J. Comput. Phys. 19 (1975); I. J. Thompson and A. R. Barnett, "Coulomb and
 * Bessel functions of complex arguments and order", J. Comput. Phys. 64 (1986).
 */

/**
 * The even part of 1/Γ(1 + μ) for |μ| ≤ ½, `square` = μ²: its Taylor coefficients (Digital Library of Mathematical Functions
 * 5.7.1, shifted by one) in two chains. The first one left out counts less than 2^-60.
 */
function reciprocalGammaEven(square: number): number {
  const q = square * square
  const low =
    ((((-3.696805618642206e-12 * q + 5.002007644469223e-9) * q + -1.2504934821426706e-6) * q + -0.0011651675918590652) *
      q +
      0.16653861138229148) *
      q +
    1
  const high =
    (((1.0434267116911005e-10 * q + -2.056338416977607e-7) * q + 0.0001280502823881162) * q + -0.009621971527876973) *
      q +
    -0.6558780715202539
  return low + square * high
}

/** The odd part of 1/Γ(1 + μ), divided by μ. */
function reciprocalGammaOdd(square: number): number {
  const q = square * square
  const low =
    (((-1.18127457048702e-9 * q + 1.133027231981696e-6) * q + -0.00021524167411495098) * q + -0.04219773455554433) * q +
    0.5772156649015329
  const high =
    (((7.782263439905071e-12 * q + 6.116095104481416e-9) * q + -2.013485478078824e-5) * q + 0.0072189432466631) * q +
    -0.04200263503409524
  return low + square * high
}

/** Γ(v + 1) for 0 ≤ v < 170, by the recurrence from |μ| ≤ ½. */
function gammaOfNext(order: number): number {
  const whole = Math.floor(order + 0.5)
  const rest = order - whole
  const square = rest * rest
  let product = 1
  for (let i = 0; i < whole; i++) product *= order - i
  return product / (reciprocalGammaEven(square) + rest * reciprocalGammaOdd(square))
}

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

/** log I_v(x) = log((x/2)^v/Γ(v + 1)·(1 + tail)). */
export function logBesselISeries(order: number, argument: number): number {
  const half = argument / 2
  const sum = besselISeriesTail(order, half * half)
  const gamma = gammaOfNext(order)
  // Orders 0 and 1 keep what the sum adds to 1, however little.
  const logarithm = gamma === 1 ? Math.log1p(sum) : Math.log((1 + sum) / gamma)
  return order === 0 ? logarithm : order * Math.log(half) + logarithm
}

/** log K_v(x) for √(v² + x²) < 26. */
export function logBesselKOrigin(order: number, argument: number): number {
  return argument <= 2 ? logBesselKTemme(order, argument) : logBesselKFraction(order, argument)
}

/**
 * Π_{k<n} (x/2)·K_{μ+k+1}/K_{μ+k}, where `first` is the factor of k = 0: K_{v+1} = K_{v−1} + (2v/x)·K_v in ratios. At most
 * 26 factors below 26 or so: no overflow.
 */
function ratioProduct(rest: number, whole: number, first: number, quarter: number): number {
  let factor = first
  let product = 1
  for (let k = 1; k <= whole; k++) {
    product *= factor
    factor = rest + k + quarter / factor
  }
  return product
}

function logBesselKTemme(order: number, argument: number): number {
  const whole = Math.round(order)
  const rest = order - whole
  const square = rest * rest
  const half = argument / 2
  const quarter = half * half
  const logarithm = Math.log(half)

  const even = reciprocalGammaEven(square)
  const odd = reciprocalGammaOdd(square)
  const angle = Math.PI * rest
  const area = -rest * logarithm
  const sineRatio = Math.abs(area) < 1e-9 ? 1 : Math.sinh(area) / area
  const reflection = Math.abs(angle) < 1e-9 ? 1 : angle / Math.sin(angle)
  const power = Math.exp(area)
  let f = reflection * (-odd * Math.cosh(area) - even * logarithm * sineRatio)
  let p = (0.5 * power) / (even + rest * odd)
  let q = 0.5 / (power * (even - rest * odd))
  let c = 1
  let sum = f
  let next = p
  for (let k = 1; c > 1e-18; k++) {
    f = (k * f + p + q) / (k * k - square)
    p /= k - rest
    q /= k + rest
    c *= quarter / k
    sum += c * f
    next += c * (p - k * f)
  }
  return Math.log(sum * ratioProduct(rest, whole, next / sum, quarter)) - whole * logarithm
}

function logBesselKFraction(order: number, argument: number): number {
  const whole = Math.round(order)
  const rest = order - whole
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
  const half = argument / 2
  const factor = 0.5 * (rest + argument + 0.5 - first * h)
  const product = ratioProduct(rest, whole, factor, half * half) / half ** whole
  return Math.log((Math.sqrt(Math.PI / (2 * argument)) / sum) * product) - argument
}
