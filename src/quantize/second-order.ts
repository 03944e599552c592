/**
 * What second-order rounding needs of a Hessian: dampening, and the Cholesky factor of its inverse. Square matrices are row-major doubles.
 */
import { DyadicError } from '../error.ts'

/** Adds a share of the mean of the diagonal to the diagonal; a dead input's entry becomes 1. Gives the dead inputs. */
export function dampen(hessian: Float64Array, size: number, share: number): number[] {
  const dead: number[] = []
  let mean = 0
  for (let i = 0; i < size; i++) {
    if (hessian[i * size + i] === 0) {
      hessian[i * size + i] = 1
      dead.push(i)
    }
    mean += hessian[i * size + i] / size
  }
  for (let i = 0; i < size; i++) hessian[i * size + i] += share * mean
  return dead
}

/** The lower triangle L with matrix = L · Lᵀ. Throws `refused` when the matrix is not positive definite. */
export function cholesky(matrix: Float64Array, size: number): Float64Array {
  const lower = new Float64Array(size * size)
  for (let i = 0; i < size; i++) {
    const row = i * size
    for (let j = 0; j <= i; j++) {
      const other = j * size
      let sum = matrix[row + j]
      for (let k = 0; k < j; k++) sum -= lower[row + k] * lower[other + k]
      if (i !== j) lower[row + j] = sum / lower[other + j]
      else if (sum > 0) lower[row + i] = Math.sqrt(sum)
      else
        throw new DyadicError(
          'refused',
          `a matrix of ${size} layer inputs is singular at input ${i}; use more calibration samples or more dampening`,
        )
    }
  }
  return lower
}

/** The upper triangle U with inverse(matrix) = Uᵀ · U: row i leads the inverse over the inputs from i on. */
export function upperFactorOfInverse(matrix: Float64Array, size: number): Float64Array {
  // With the order of rows and columns reversed, U is the inverse of the Cholesky factor, reversed again.
  const reversed = matrix.slice().reverse()
  const lower = cholesky(reversed, size)
  const inverse = new Float64Array(size * size)
  for (let i = 0; i < size; i++) {
    const row = i * size
    for (let k = 0; k < i; k++) {
      const factor = lower[row + k]
      for (let j = 0; j <= k; j++) inverse[row + j] -= factor * inverse[k * size + j]
    }
    inverse[row + i] = 1
    for (let j = 0; j <= i; j++) inverse[row + j] /= lower[row + i]
  }
  return inverse.reverse()
}
