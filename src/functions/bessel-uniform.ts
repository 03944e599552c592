/**
 * log I_v(x) and log K_v(x) away from the origin: Debye's expansion, uniform in order and argument (NIST Digital Library of
 * Mathematical Functions, 10.41(ii)), written so that v = 0 is no special case.
 *
 * With r = √(v² + x²), t = v/r and e = r − v·asinh(v/x),
 *
 *   I_v(x) ≈ e^e / √(2πr) · Σ P_k(t²)/r^k        K_v(x) ≈ e^−e · √(π/(2r)) · Σ (−1)^k P_k(t²)/r^k
 *
 * where Debye's U_k(t) is t^k·P_k(t²). The number of terms goes by r alone, such that the first omitted term is below the
 * rounding of the logarithm. Valid for r ≥ {@link LEAST_RADIUS}.
 *
 * e is a difference of two numbers of the size of r. Where both logarithms pass through zero (x near 0.6627·v), e is taken
 * from the root outward in two-word arithmetic; elsewhere it is a fair part of r and a plain difference is exact enough.
 */

/** Least √(v² + x²) at which 13 terms suffice. */
export const LEAST_RADIUS = 26

const TERMS = 13

/**
 * Coefficients of P_k: row k starts at k(k+1)/2 and has k + 1 numbers, lowest power of t² first. From the recurrence
 * U_{k+1} = ½t²(1 − t²)U_k' + ⅛∫(1 − 5t²)U_k: signs alternate along a row, so that nothing cancels here.
 */
const COEFFICIENTS = ((): Float64Array => {
  const rows = new Float64Array(((TERMS + 1) * (TERMS + 2)) / 2)
  rows[0] = 1
  for (let k = 0, row = 0; k < TERMS; row += ++k)
    for (let i = 0; i <= k; i++) {
      const power = k + 2 * i
      const next = row + k + 1 + i
      rows[next] += rows[row + i]! * (power / 2 + 1 / (8 * (power + 1)))
      rows[next + 1] -= rows[row + i]! * (power / 2 + 5 / (8 * (power + 3)))
    }
  return rows
})()

/** How many terms after the first are summed at radius r. */
function termsAt(radius: number): number {
  return radius >= 335 ? 4 : radius >= 100 ? 6 : radius >= 43 ? 9 : TERMS
}

/**
 * Σ_{k=1..4} P_k(t²)/r^k with t² = `w` and 1/r = `inverse`, whose sign alternates the terms' for K. Written out, since most
 * points need no more. This sum and that of more terms are at most 0.006 in size.
 */
function fourTerms(w: number, inverse: number): number {
  const square = w * w
  const p1 = 0.125 - (5 / 24) * w
  const p2 = 81 / 1152 - (462 / 1152) * w + (385 / 1152) * square
  const p3 = 75 / 1024 - (4563 / 5120) * w + square * (17017 / 9216 - (85085 / 82944) * w)
  const p4 =
    4465125 / 39813120 -
    (94121676 / 39813120) * w +
    square * (349922430 / 39813120 - (446185740 / 39813120) * w + (185910725 / 39813120) * square)
  return inverse * (p1 + inverse * (p2 + inverse * (p3 + inverse * p4)))
}

/** The same with as many terms as the radius wants, for r < 335. */
function manyTerms(square: number, inverse: number): number {
  let sum = 0
  const terms = termsAt(1 / Math.abs(inverse))
  for (let k = terms, row = (terms * (terms + 1)) / 2; k >= 1; row -= k--) {
    let polynomial = COEFFICIENTS[row + k]!
    for (let i = row + k - 1; i >= row; i--) polynomial = polynomial * square + COEFFICIENTS[i]!
    sum = (sum + polynomial) * inverse
  }
  return sum
}

/** The root of coth u = u, where e vanishes, and its exponential, each in two words. */
const ROOT = 1.1996786402577337
const ROOT_LOW = 9.232436427676682e-17
const ROOT_EXPONENTIAL = 3.3190501422372973
const ROOT_EXPONENTIAL_LOW = -1.2605005345948428e-16

/** What the rounded product a·b lacks, exactly (Dekker 1971, with Veltkamp's splitting). |a|, |b| < 2^996. */
function productError(a: number, b: number, product: number): number {
  const aShifted = a * 134217729
  const aHigh = aShifted - (aShifted - a)
  const bShifted = b * 134217729
  const bHigh = bShifted - (bShifted - b)
  const aLow = a - aHigh
  const bLow = b - bHigh
  return aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow)
}

/** e near its root: v·asinh(v/x) = v·(u + δ) for the root u, and e ≈ −u²·v·δ has no cancellation left. */
function exponentNearRoot(order: number, argument: number, radius: number): number {
  const orderSquare = order * order
  const argumentSquare = argument * argument
  const squares = orderSquare + argumentSquare
  // ROOT_… is near 1.2: order > argument here, so that Fast2Sum holds.
  const squaresLow = argumentSquare - (squares - orderSquare)
  const radiusSquare = radius * radius
  const radiusLow =
    (squares -
      radiusSquare +
      (squaresLow +
        productError(order, order, orderSquare) +
        productError(argument, argument, argumentSquare) -
        productError(radius, radius, radiusSquare))) /
    (2 * radius)

  const scaled = argument * ROOT_EXPONENTIAL
  const scaledLow = productError(argument, ROOT_EXPONENTIAL, scaled) + argument * ROOT_EXPONENTIAL_LOW
  const sum = radius + order
  const sumLow = order - (sum - radius)
  const delta = Math.log1p((sum - scaled + (sumLow + radiusLow - scaledLow)) / scaled)

  const product = order * ROOT
  const productLow = productError(order, ROOT, product) + order * ROOT_LOW
  return radius - product + (radiusLow - productLow) - order * delta
}

/** √(v² + x²) without overflow. */
export function radiusOf(order: number, argument: number): number {
  const squares = order * order + argument * argument
  return squares < Number.MAX_VALUE ? Math.sqrt(squares) : Math.hypot(order, argument)
}

/** e = r − v·asinh(v/x). */
function exponent(order: number, argument: number, radius: number): number {
  if (order === 0) return radius
  let area: number
  if (order < argument) area = Math.log1p((order + order * (order / (radius + argument))) / argument)
  else {
    const ratio = (order + radius) / argument
    area = ratio < Number.MAX_VALUE ? Math.log(ratio) : Math.log(order + radius) - Math.log(argument)
  }
  const plain = radius - order * area
  return Math.abs(plain) < 0.2 * radius && radius < 1e150 ? exponentNearRoot(order, argument, radius) : plain
}

/** log(1 + s) for |s| ≤ 0.006, which the sum of the corrections never exceeds here: the next term is below 2^-54. */
function logOfSum(s: number): number {
  return s * (1 - s * (1 / 2 - s * (1 / 3 - s * (1 / 4 - s * (1 / 5 - s * (1 / 6))))))
}

/** log I_v(x) for v ≥ 0, x > 0 and `radius` = √(v² + x²) ≥ {@link LEAST_RADIUS}. */
export function logBesselIUniform(order: number, argument: number, radius: number): number {
  const inverse = 1 / radius
  const w = order * inverse * (order * inverse)
  const sum = radius >= 335 ? fourTerms(w, inverse) : manyTerms(w, inverse)
  return exponent(order, argument, radius) - 0.5 * Math.log(2 * Math.PI * radius) + logOfSum(sum)
}

/** log K_v(x) for v ≥ 0, x > 0 and `radius` = √(v² + x²) ≥ {@link LEAST_RADIUS}. */
export function logBesselKUniform(order: number, argument: number, radius: number): number {
  const inverse = 1 / radius
  const w = order * inverse * (order * inverse)
  const sum = radius >= 335 ? fourTerms(w, -inverse) : manyTerms(w, -inverse)
  return 0.5 * Math.log(0.5 * Math.PI * inverse) - exponent(order, argument, radius) + logOfSum(sum)
}

/**
 * I_{v+1}(x)/I_v(x) for v ≥ 0, x > 0 and `radius` ≥ {@link LEAST_RADIUS}, to a few units in the last place: the expansion
 * of the derivative (10.41(iii)) less v/x, with all that cancels taken out by hand:
 * x·(1/(r + v) − Σ_k Q_k(t²)/r^k / (r²·Σ_k P_k(t²)/r^k)), where Q_k has the coefficients (½ + k + 2i)·P_{k,i}.
 */
export function besselIRatioUniform(order: number, argument: number, radius: number): number {
  const cosine = order / radius
  const square = cosine * cosine
  const inverse = 1 / radius
  let sum = 0
  let weighted = 0
  for (let k = termsAt(radius); k >= 0; k--) {
    const row = (k * (k + 1)) / 2
    let p = 0
    let q = 0
    for (let i = k; i >= 0; i--) {
      const coefficient = COEFFICIENTS[row + i]!
      p = p * square + coefficient
      q = q * square + (0.5 + k + 2 * i) * coefficient
    }
    sum = sum * inverse + p
    weighted = weighted * inverse + q
  }
  return argument * (1 / (radius + order) - (weighted / sum) * inverse * inverse)
}
