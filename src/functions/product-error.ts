/** How far a product of two numbers is from the exact one, over all pairs of mantissas: the error table of a multiplier. */
export interface ProductError {
  /** Means over the pairs of (product − exact) / exact, of its absolute value, and the root of the mean of its square. */
  readonly mean: number
  readonly meanAbsolute: number
  readonly rootMeanSquare: number
  readonly largest: number
}

/**
 * The relative error of `product` for x and y independent and uniform in [1, 2), by the midpoint rule with `points` points on
 * each side. Float32 products take points up to 2^22 exactly.
 */
export function productError(product: (x: number, y: number) => number, points: number): ProductError {
  let sum = 0
  let absolute = 0
  let squares = 0
  let largest = 0
  for (let i = 0; i < points; i++) {
    const x = 1 + (i + 0.5) / points
    for (let j = 0; j < points; j++) {
      const y = 1 + (j + 0.5) / points
      const error = product(x, y) / (x * y) - 1
      const size = Math.abs(error)
      sum += error
      absolute += size
      squares += error * error
      if (size > largest) largest = size
    }
  }
  const count = points * points
  return {
    mean: sum / count,
    meanAbsolute: absolute / count,
    rootMeanSquare: Math.sqrt(squares / count),
    largest,
  }
}
