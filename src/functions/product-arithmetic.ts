/**
 * Matrix products and attention under a chosen arithmetic of products: exact, L-Mul, or factors rounded as an fp8 unit has
 * them. Everything is held in float32 numbers. What adds the products up is chosen separately.
 *
 * This simulates arithmetic, and slowly: an L-Mul in software takes longer than a multiplication. What L-Mul saves is gates
 * and energy (see `l-mul-energy.ts`).
 */
import { DyadicError } from '../error.ts'
import { roundHalfEven } from '../num/dyadic.ts'
import { lMul, lMulExponent, type MantissaReduction, reduceMantissa } from './l-mul.ts'

/** How two numbers are multiplied. */
export type ProductArithmetic =
  /** Products of float32 numbers in double precision. */
  | { readonly kind: 'exact' }
  /** Operands reduced to `mantissaBits`, multiplied by the bit-level adder. */
  | { readonly kind: 'l-mul'; readonly mantissaBits: number; readonly operands: MantissaReduction }
  /**
   * Operands rounded half to even to `mantissaBits`, multiplied exactly, products rounded likewise where asked. Below
   * 2^leastExponent (−6 of e4m3, −14 of e5m2, −126 of bfloat16) numbers are subnormal, with the spacing that is there;
   * there is no largest number.
   */
  | {
      readonly kind: 'rounded'
      readonly mantissaBits: number
      readonly leastExponent: number
      readonly products: boolean
    }

/**
 * Mantissa bits of the running sum: 52 double, 23 float32, 7 bfloat16, 3 e4m3. Below 52 each addition is rounded to float32
 * and then half to even to these bits.
 */
export type AccumulatorBits = number

/** A product of matrices: (rows, inner) times (inner, columns). */
export interface MatrixShape {
  readonly rows: number
  readonly inner: number
  readonly columns: number
}

/**
 * a (rows, inner) times b (inner, columns), sums in ascending order of the inner index; gives (rows, columns). Throws
 * `refused` for mantissa bits out of range (1 … 23, rounded factors 1 … 11 so that their products are exact, sums 1 … 23 or
 * 52) and for arrays whose lengths are not those of the shape.
 */
export function productOfMatrices(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  { rows, inner, columns }: MatrixShape,
  arithmetic: ProductArithmetic,
  accumulatorBits: AccumulatorBits,
): Float64Array {
  if (a.length !== rows * inner || b.length !== inner * columns)
    throw new DyadicError(
      'refused',
      `product of matrices: ${a.length} and ${b.length} numbers for ${rows} × ${inner} times ${inner} × ${columns}`,
    )
  requireBits(arithmetic, accumulatorBits)
  const left = reduceOperands(a, arithmetic)
  const right = reduceOperands(b, arithmetic)
  const addRow =
    arithmetic.kind === 'l-mul' ? lMulRow(left, right, arithmetic.mantissaBits) : exactRow(left, right, arithmetic)
  const sums = new Float64Array(rows * columns)
  const products = new Float64Array(columns)
  for (let i = 0; i < rows; i++) {
    const sum = sums.subarray(i * columns, (i + 1) * columns)
    for (let k = 0; k < inner; k++) {
      addRow(i * inner + k, k * columns, products)
      if (accumulatorBits === 52) for (let j = 0; j < columns; j++) sum[j] += products[j]
      else for (let j = 0; j < columns; j++) sum[j] = reduceMantissa(sum[j] + products[j], accumulatorBits, 'nearest')
    }
  }
  return sums
}

/** Numbers of positions and width of a head. */
export interface AttentionShape {
  readonly positions: number
  readonly width: number
}

/**
 * softmax(q kᵀ / √width) v for q, k and v of (positions, width), with both products under the arithmetic. The softmax is in
 * double precision and its probabilities become float32.
 */
export function attention(
  q: ArrayLike<number>,
  k: ArrayLike<number>,
  v: ArrayLike<number>,
  { positions, width }: AttentionShape,
  arithmetic: ProductArithmetic,
  accumulatorBits: AccumulatorBits,
): Float64Array {
  const transposed = Float32Array.from(
    { length: k.length },
    (_, i) => k[(i % positions) * width + Math.floor(i / positions)],
  )
  const shape = { rows: positions, inner: width, columns: positions }
  const scores = productOfMatrices(q, transposed, shape, arithmetic, accumulatorBits)
  const probabilities = new Float32Array(positions * positions)
  const unit = 1 / Math.sqrt(width)
  for (let row = 0; row < probabilities.length; row += positions) {
    let largest = -Infinity
    for (let j = row; j < row + positions; j++) largest = Math.max(largest, scores[j])
    let sum = 0
    for (let j = row; j < row + positions; j++) sum += Math.exp((scores[j] - largest) * unit)
    for (let j = row; j < row + positions; j++) probabilities[j] = Math.exp((scores[j] - largest) * unit) / sum
  }
  const second = { rows: positions, inner: positions, columns: width }
  return productOfMatrices(probabilities, v, second, arithmetic, accumulatorBits)
}

function requireBits(arithmetic: ProductArithmetic, accumulatorBits: AccumulatorBits): void {
  const within = (bits: number, most: number): boolean => Number.isInteger(bits) && bits >= 1 && bits <= most
  if (!within(accumulatorBits, 23) && accumulatorBits !== 52)
    throw new DyadicError('refused', `sums of ${accumulatorBits} mantissa bits: take 1 to 23, or 52`)
  if (arithmetic.kind === 'l-mul') lMulExponent(arithmetic.mantissaBits)
  if (arithmetic.kind !== 'rounded') return
  if (!within(arithmetic.mantissaBits, 11))
    throw new DyadicError('refused', `factors of ${arithmetic.mantissaBits} mantissa bits: take 1 to 11`)
  if (!within(-arithmetic.leastExponent, 126))
    throw new DyadicError('refused', `a least exponent of ${arithmetic.leastExponent}: take −126 to −1`)
}

/** Rounds half to even to `mantissaBits`, below 2^leastExponent to multiples of the spacing that is there. */
function factorRounding(mantissaBits: number, leastExponent: number): (value: number) => number {
  const least = 2 ** leastExponent
  const spacing = 2 ** (leastExponent - mantissaBits)
  return (value) =>
    Math.abs(value) < least ? roundHalfEven(value / spacing) * spacing : reduceMantissa(value, mantissaBits, 'nearest')
}

function reduceOperands(values: ArrayLike<number>, arithmetic: ProductArithmetic): Float32Array {
  const operands = Float32Array.from(values)
  if (arithmetic.kind === 'exact') return operands
  if (arithmetic.kind === 'l-mul')
    return operands.map((value) => reduceMantissa(value, arithmetic.mantissaBits, arithmetic.operands))
  return operands.map(factorRounding(arithmetic.mantissaBits, arithmetic.leastExponent))
}

/** Writes the products of one number of the left with a row of the right, from their indices. */
type RowProduct = (at: number, row: number, products: Float64Array) => void

function exactRow(left: Float32Array, right: Float32Array, arithmetic: ProductArithmetic): RowProduct {
  const round =
    arithmetic.kind === 'rounded' && arithmetic.products
      ? factorRounding(arithmetic.mantissaBits, arithmetic.leastExponent)
      : undefined
  return (at, row, products) => {
    const factor = left[at]
    for (let j = 0; j < products.length; j++) {
      const product = factor * right[row + j]
      products[j] = round === undefined ? product : round(product)
    }
  }
}

/** {@link lMul} with the patterns of all operands taken beforehand; the same numbers, bit for bit. */
function lMulRow(left: Float32Array, right: Float32Array, mantissaBits: number): RowProduct {
  const leftBits = new Int32Array(left.buffer)
  const rightBits = new Int32Array(right.buffer)
  const offset = 0x3f800000 - 2 ** (23 - lMulExponent(mantissaBits))
  const product = new Float32Array(1)
  const productBits = new Int32Array(product.buffer)
  const ordinary = (bits: number): boolean => (bits & 0x7fffffff) >= 0x800000 && (bits & 0x7f800000) !== 0x7f800000
  const allOrdinary = rightBits.every(ordinary)
  return (at, row, products) => {
    const a = leftBits[at]
    if (!allOrdinary || !ordinary(a)) {
      for (let j = 0; j < products.length; j++) products[j] = lMul(left[at], right[row + j], mantissaBits)
      return
    }
    const magnitude = (a & 0x7fffffff) - offset
    for (let j = 0; j < products.length; j++) {
      const b = rightBits[row + j]
      const sum = magnitude + (b & 0x7fffffff)
      productBits[0] = ((a ^ b) & -0x80000000) | (sum < 0x800000 ? 0 : Math.min(sum, 0x7f800000))
      products[j] = product[0]
    }
  }
}
