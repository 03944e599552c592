/**
 * The von Mises–Fisher distribution on the unit sphere of dimension p: density e^(κ·mean·x) times κ^v/((2π)^(p/2)·I_v(κ)) with
 * v = p/2 − 1, and its fit by maximum likelihood in any dimension, as in Plesner, Sørensen and Hauberg (2024).
 *
 * The concentration κ solves A(κ) = R, where R is the length of the samples' mean and A(κ) = I_{v+1}(κ)/I_v(κ). The start is
 * that of Banerjee et al. (2005), "Clustering on the unit hypersphere using von Mises–Fisher distributions"; Newton's steps
 * follow Sra (2012), "A short note on parameter approximation for von Mises–Fisher distributions", held inside the bounds
 * R(p − 2)/(1 − R²) ≤ κ ≤ Rp/(1 − R²) of the same note.
 */
import { DyadicError } from '../error.ts'
import { logBesselI } from './bessel-logarithm.ts'
import { besselIRatio } from './bessel-ratio.ts'

/** A concentration by maximum likelihood, and how it was found. */
export interface ConcentrationFit {
  /** The closed first guess R(p − R²)/(1 − R²). */
  readonly start: number
  readonly concentration: number
  /** Newton steps made. */
  readonly steps: number
  /** |A(κ) − R|. */
  readonly residual: number
}

/** A distribution that was fitted to samples. */
export interface VonMisesFisherFit extends ConcentrationFit {
  /** Unit vector; the first axis when the samples' mean is exactly 0. */
  readonly mean: Float64Array
  /** R: length of the mean of the samples, 0 to 1. */
  readonly resultant: number
}

/** More steps never change anything: Newton's method doubles the digits of a start that has three. */
const MOST_STEPS = 30

function requireDimension(dimension: number): void {
  if (!Number.isInteger(dimension) || dimension < 2)
    throw new DyadicError(
      'usage',
      `a von Mises–Fisher distribution in ${dimension} dimensions; give an integer from 2 up`,
    )
}

/** A(κ): the length of the mean that concentration κ ≥ 0 has in so many dimensions. NaN for a negative κ or none. */
export function meanResultant(dimension: number, concentration: number): number {
  requireDimension(dimension)
  return besselIRatio(dimension / 2 - 1, concentration)
}

/**
 * κ from the mean resultant length: the start and then at most `steps` Newton steps (until nothing changes when left out).
 * Throws `usage` unless 0 ≤ resultant < 1: at 1 all samples are one point and κ has no finite value.
 */
export function fitConcentration(
  dimension: number,
  resultant: number,
  { steps = MOST_STEPS }: { readonly steps?: number } = {},
): ConcentrationFit {
  requireDimension(dimension)
  if (!(resultant >= 0 && resultant < 1))
    throw new DyadicError('usage', `a mean resultant length of ${resultant}; it must be from 0 to below 1`)
  const rest = (1 - resultant) * (1 + resultant)
  const start = (resultant * (dimension - resultant * resultant)) / rest
  const low = (resultant * (dimension - 2)) / rest
  const high = (resultant * dimension) / rest
  let concentration = start
  let made = 0
  while (concentration > 0 && made < steps) {
    const ratio = meanResultant(dimension, concentration)
    const slope = (1 - ratio) * (1 + ratio) - ((dimension - 1) * ratio) / concentration
    const next = Math.min(high, Math.max(low, concentration - (ratio - resultant) / slope))
    made++
    const change = Math.abs(next - concentration)
    // Beside R = 1 the slope is all rounding.
    if (!(change > 0)) break
    concentration = next
    if (change < 1e-15 * concentration) break
  }
  const residual = Math.abs(meanResultant(dimension, concentration) - resultant)
  return { start, concentration, steps: made, residual }
}

/**
 * Fits mean direction and concentration to unit vectors, row after row in `directions` (n × p). Throws `usage` for a length
 * that is no multiple of the dimension or 0, and `refused` for a row whose length is not 1 within 1e-4 or when all rows are one
 * point.
 */
export function fitVonMisesFisher(directions: ArrayLike<number>, dimension: number): VonMisesFisherFit {
  requireDimension(dimension)
  const rows = directions.length / dimension
  if (!Number.isInteger(rows) || rows === 0)
    throw new DyadicError(
      'usage',
      `${directions.length} numbers are no rows of ${dimension}; give one or more whole rows`,
    )
  const mean = new Float64Array(dimension)
  for (let row = 0; row < rows; row++) {
    let square = 0
    for (let i = 0; i < dimension; i++) {
      const value = directions[row * dimension + i]!
      square += value * value
      mean[i] += value
    }
    if (!(Math.abs(Math.sqrt(square) - 1) <= 1e-4))
      throw new DyadicError(
        'refused',
        `row ${row} has length ${Math.sqrt(square)}; divide each row by its length first`,
      )
  }
  const resultant = Math.sqrt(mean.reduce((sum, value) => sum + value * value, 0)) / rows
  if (resultant >= 1 - 1e-15)
    throw new DyadicError('refused', `all ${rows} rows are one point: the concentration has no finite value`)
  const length = resultant * rows
  for (let i = 0; i < dimension; i++) mean[i] = length > 0 ? mean[i]! / length : Number(i === 0)
  return { mean, resultant, ...fitConcentration(dimension, resultant) }
}

/**
 * Log density at a unit vector: (p/2 − 1)·log κ − (p/2)·log 2π − log I_{p/2−1}(κ) + κ·mean·x. κ = 0 is the uniform
 * distribution. Throws `usage` for vectors of different lengths and for a κ that is negative or not finite.
 */
export function vonMisesFisherLogDensity(
  mean: ArrayLike<number>,
  concentration: number,
  direction: ArrayLike<number>,
): number {
  const dimension = mean.length
  requireDimension(dimension)
  if (direction.length !== dimension || !(concentration >= 0 && concentration < Infinity))
    throw new DyadicError(
      'usage',
      `a density in ${dimension} dimensions at a vector of ${direction.length} with concentration ${concentration}; ` +
        'give vectors of one length and a finite concentration from 0 up',
    )
  let cosine = 0
  for (let i = 0; i < dimension; i++) cosine += mean[i]! * direction[i]!
  const order = dimension / 2 - 1
  // The limit at 0 is reached to the last bit well before the two logarithms lose digits against each other.
  const held = Math.max(concentration, 1e-10)
  const norm = order * Math.log(held) - logBesselI(order, held)
  return norm - (dimension / 2) * Math.log(2 * Math.PI) + concentration * cosine
}
