/**
 * Matrix products and convolutions under a simulated arithmetic. A rule says what a product is and how sums are rounded; it is a
 * record in the memory (layout: assembly/simulation/product-rule.ts). `productKernels` has the signatures of the fast float
 * executor's kernels, so that a whole network runs under a rule; `multiplyMatrices` is the plain product.
 *
 * Sums go up the inner index, start at the bias (0 without), and are rounded to float32 after every addition, then half to even
 * to `accumulatorBits`. Under L-Mul this is `productOfMatrices` of src/functions/product-arithmetic.ts, bit for bit.
 */
import { DyadicError } from '../error.ts'
import { createSimulation, type Simulation } from './simulation.ts'

/** What a product of two float32 numbers is. */
export type SimulatedProduct =
  /** Rounded to float32: exact where both have at most 12 significant bits and the product is no subnormal number. */
  | { readonly kind: 'float32' }
  /**
   * Patterns added. `mantissaBits` of the operands are kept, `correction` is 2^−l(m) for L-Mul and 0 for Mitchell: a multiple of
   * 2^−23 in [0, 1). Operands that the kernel `reduceMantissas` has rounded before give under `truncate` what `nearest` gives,
   * faster. Zeros, subnormal numbers, specials and overflow as `addLogarithms` of src/functions/l-mul.ts has them.
   */
  | {
      readonly kind: 'logarithms'
      readonly mantissaBits: number
      readonly operands: 'truncate' | 'nearest'
      readonly correction: number
    }
  /** The float32 product rounded half to even to `mantissaBits`, below 2^leastExponent (−126 … −1) to the spacing there. */
  | { readonly kind: 'rounded'; readonly mantissaBits: number; readonly leastExponent: number }

/** A product and the mantissa bits of sums: 23 for float32, 7 bfloat16, 3 E4M3. */
export interface ProductRule {
  readonly product: SimulatedProduct
  readonly accumulatorBits: number
}

const RULE_BYTES = 32

function requireBits(what: string, bits: number): void {
  if (!Number.isInteger(bits) || bits < 1 || bits > 23)
    throw new DyadicError('refused', `${what} of ${bits} mantissa bits: take 1 to 23`)
}

/**
 * Writes the record of a rule into newly allocated memory and gives its address. Throws `refused` for bits, corrections and
 * exponents out of range.
 */
export function writeRule(simulation: Simulation, { product, accumulatorBits }: ProductRule): number {
  requireBits('sums', accumulatorBits)
  if (product.kind !== 'float32')
    requireBits(product.kind === 'rounded' ? 'products' : 'operands', product.mantissaBits)
  const words = new Int32Array(RULE_BYTES / 4)
  words[1] = -1
  words[5] = 23 - accumulatorBits
  if (product.kind === 'logarithms') {
    const { mantissaBits, operands, correction } = product
    if (!(correction >= 0 && correction < 1) || !Number.isInteger(correction * 2 ** 23))
      throw new DyadicError('refused', `a correction of ${correction}: take a multiple of 2^−23 in [0, 1)`)
    const dropped = 23 - mantissaBits
    const rounds = operands === 'nearest' && dropped > 0
    words.set([1, -1 << dropped, rounds ? 2 ** (dropped - 1) - 1 : 0, rounds ? dropped : 0])
    words[4] = 0x3f800000 - correction * 2 ** 23
  } else if (product.kind === 'rounded') {
    const { mantissaBits, leastExponent } = product
    if (!Number.isInteger(leastExponent) || leastExponent < -126 || leastExponent > -1)
      throw new DyadicError('refused', `products of least exponent ${leastExponent}: take −126 to −1`)
    words[0] = 2
    words[6] = 23 - mantissaBits
    new Float32Array(words.buffer)[7] = 2 ** leastExponent
  }
  const address = simulation.allocate(RULE_BYTES)
  new Int32Array(simulation.memory.buffer, address, words.length).set(words)
  return address
}

/** `convolve` and `depthwise` of the fast executor under a rule; same arguments, same layouts. */
export interface ProductKernels {
  convolve(...parameters: number[]): void
  depthwise(...parameters: number[]): void
}

/** The two kernels under a rule, over the simulation's memory. */
export function productKernels(simulation: Simulation, rule: ProductRule): ProductKernels {
  const { kernels } = simulation
  const record = writeRule(simulation, rule)
  return {
    convolve: (...parameters) => kernels.convolveProducts(...parameters, record),
    depthwise: (...parameters) => kernels.depthwiseProducts(...parameters, record),
  }
}

/** Where the operands of a product lie: addresses and strides in bytes, sizes in floats. */
export interface MatrixOperands {
  /** a (rows, inner): floats of a row lie together. */
  readonly a: number
  readonly aRowStride: number
  /** b (inner, columns), anyhow: a transposed one has columnStride > rowStride. */
  readonly b: number
  readonly bRowStride: number
  readonly bColumnStride: number
  /** c (rows, columns): floats of a row lie together. It must overlap neither a nor b. */
  readonly c: number
  readonly cRowStride: number
  readonly rows: number
  readonly inner: number
  readonly columns: number
}

/** Floats that {@link createMatrixProduct} packs b into. */
function panelFloats(inner: number, columns: number): number {
  return Math.ceil(columns / 8) * 8 * inner
}

/**
 * A function that computes c = a × b under a rule. Its room (b packed, a table of rows) is allocated here for products up to
 * the sizes given; it may be called again and again. It throws `usage` for a larger product.
 */
export function createMatrixProduct(
  simulation: Simulation,
  rule: ProductRule,
  most: { readonly rows: number; readonly inner: number; readonly columns: number },
): (operands: MatrixOperands) => void {
  const { kernels } = simulation
  const record = writeRule(simulation, rule)
  const room = panelFloats(most.inner, most.columns)
  const panels = simulation.allocate(4 * room)
  // One segment, at 0, then the offsets of rows.
  const table = simulation.allocate(4 * (most.rows + 1))
  return ({ a, aRowStride, b, bRowStride, bColumnStride, c, cRowStride, rows, inner, columns }) => {
    if (rows > most.rows || panelFloats(inner, columns) > room)
      throw new DyadicError(
        'usage',
        `a product of ${rows} × ${inner} times ${inner} × ${columns} in room for ${most.rows} × ${most.inner} times ${most.inner} × ${most.columns}`,
      )
    const words = new Int32Array(simulation.memory.buffer, table, rows + 1)
    for (let row = 0; row < rows; row++) words[row + 1] = row * aRowStride
    kernels.packPanels(b, panels, inner, columns, bRowStride, bColumnStride)
    kernels.convolveProducts(
      ...[a, table + 4, rows, table, 1, inner * 4, panels, 0, c, cRowStride, columns],
      ...[0, 0, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, record],
    )
  }
}

/**
 * a (rows, inner) times b (inner, columns) of JavaScript arrays, row-major, gives (rows, columns). Throws `refused` for arrays
 * of other lengths. For many products {@link createMatrixProduct} copies nothing.
 */
export function multiplyMatrices(
  rule: ProductRule,
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  shape: { readonly rows: number; readonly inner: number; readonly columns: number },
): Float32Array {
  const { rows, inner, columns } = shape
  if (a.length !== rows * inner || b.length !== inner * columns)
    throw new DyadicError(
      'refused',
      `product of matrices: ${a.length} and ${b.length} numbers for ${rows} × ${inner} times ${inner} × ${columns}`,
    )
  const simulation = createSimulation()
  const multiply = createMatrixProduct(simulation, rule, shape)
  const [left, right, result] = [a.length, b.length, rows * columns].map((count) => simulation.allocate(4 * count))
  const { buffer } = simulation.memory
  new Float32Array(buffer, left, a.length).set(a)
  new Float32Array(buffer, right, b.length).set(b)
  multiply({
    ...{ a: left!, aRowStride: inner * 4, b: right!, bRowStride: columns * 4, bColumnStride: 4 },
    ...{ c: result!, cRowStride: columns * 4, rows, inner, columns },
  })
  return new Float32Array(buffer, result, rows * columns).slice()
}
