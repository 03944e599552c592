/**
 * A small product of two computed matrices for each family of tiled products: two products side by side, more rows and columns
 * than the largest tile has, an inner count that ends within a word, and zero points that count.
 */
import { type ProductOperands, productFamily } from '../kernels/gpu/product-tiled.ts'
import { channelStride } from '../kernels/scalar/geometry.ts'
import type { IntegerGraph, IntegerTensor, ProductInstruction } from '../lower/integer-graph.ts'
import { dyadicRatios } from '../num/dyadic.ts'
import { interval } from '../num/interval.ts'

const ROWS = 70
const COLUMNS = 75
const INNER = 77
const PRODUCTS = 2
/** Standard deviation of a product of two uniform bytes. */
const DEVIATION = 74 * 74

/** The operands of a family of tiled products; undefined for other families. */
export function productOperands(family: string): ProductOperands | undefined {
  for (const left of [8, 16] as const)
    for (const right of [8, 16] as const)
      for (const along of ['rows', 'columns'] as const)
        if (productFamily({ left, right, along }) === family) return { left, right, along }
  return undefined
}

/** Both products of constants; `codes(stream, count)` gives random bytes. */
export function productProbe(
  { left, right, along }: ProductOperands,
  codes: (stream: number, count: number) => Int8Array,
): IntegerGraph {
  const tensor = (id: number, bits: 8 | 16, height: number, width: number, channels: number): IntegerTensor => ({
    id,
    name: `t${id}`,
    format: bits === 16 ? 's16' : 's8',
    height,
    width,
    channels,
    scale: 1,
    zeroPoint: 0,
    range: bits === 16 ? interval(-32768, 32767) : interval(-128, 127),
  })
  const [lines, across] = along === 'rows' ? [COLUMNS, INNER] : [INNER, COLUMNS]
  const a = tensor(0, left, PRODUCTS, ROWS, INNER)
  const b = tensor(1, right, PRODUCTS, lines, across)
  const output = tensor(2, 8, PRODUCTS, ROWS, COLUMNS)
  // Codes of the whole range where the sums of products still fit.
  const factors = [left === 16 ? 256 : 1, right === 8 ? 1 : left === 16 ? 4 : 256] as const
  const filled = ({ format, height, width, channels }: IntegerTensor, stream: 0 | 1): Int8Array | Int16Array => {
    const bytes = codes(stream, height * width * channels)
    const factor = factors[stream]
    return format === 's8' ? bytes : Int16Array.from(bytes, (code) => code * factor + ((code * 7) & (factor - 1)))
  }
  const ratio = 50 / (DEVIATION * Math.sqrt(INNER) * factors[0] * factors[1])
  const { multipliers, shift } = dyadicRatios([ratio], 'probe')
  const full = interval(-(2 ** 31), 2 ** 31 - 1)
  const step = channelStride(across)
  const product: ProductInstruction = {
    kind: 'product',
    name: 'probe',
    left: a,
    right: b,
    output,
    leftStart: 0,
    rightStart: 0,
    outputStart: 0,
    batches: [
      {
        count: PRODUCTS,
        leftStep: ROWS * channelStride(INNER),
        rightStep: lines * step,
        outputStep: ROWS * channelStride(COLUMNS),
      },
    ],
    rows: ROWS,
    inner: INNER,
    columns: COLUMNS,
    leftSteps: { row: channelStride(INNER), inner: 1 },
    rightSteps: along === 'rows' ? { inner: 1, column: step } : { inner: step, column: 1 },
    outputSteps: { row: channelStride(COLUMNS), column: 1 },
    leftZeroPoint: 3,
    rightZeroPoint: -7,
    multiplier: multipliers[0] as number,
    shift,
    leftShift: 0,
    outputZeroPoint: -5,
    clamp: interval(-120, 127),
    bounds: { accumulator: full, biased: full, requantised: full },
  }
  const count = PRODUCTS * ROWS * COLUMNS
  return {
    name: 'probe',
    inputs: [],
    outputs: [
      { name: 'y', shape: [1, PRODUCTS, ROWS, COLUMNS], format: 's8', layout: 'nhwc', scale: [1], zeroPoint: [0] },
    ],
    tensors: [a, b, output],
    instructions: [
      { kind: 'constant', name: 'a', output: a, codes: filled(a, 0) },
      { kind: 'constant', name: 'b', output: b, codes: filled(b, 1) },
      product,
      {
        kind: 'export',
        name: 'y',
        input: output,
        outputName: 'y',
        format: 's8',
        start: 0,
        loops: [
          { count: count / COLUMNS, step: channelStride(COLUMNS) },
          { count: COLUMNS, step: 1 },
        ],
      },
    ],
  }
}
