/**
 * Weights of four bits for the kernels of few rows (src/kernels/gpu/gemv.ts): which products take them, and how they lie. A
 * network with more rows than that is bound by its products, which the kernels for bytes make faster, so it keeps bytes.
 */
import type { ConvolutionInstruction } from '../lower/integer-graph.ts'

/** Rows of one image up to which reading the weights takes longer than multiplying them. */
const MOST_ROWS = 8
/** The kernels hold sixteen times a sum of products of a byte and four bits in 32 bits. */
const MOST_DEPTH = 2 ** 17 - 1

/** Whether a dense product of `depth` keeps its effective weights, whatever their format, in four bits each. */
export function takesNibbles({ output }: ConvolutionInstruction, weights: Int16Array, depth: number): boolean {
  return (
    output.height * output.width <= MOST_ROWS &&
    depth <= MOST_DEPTH &&
    weights.every((weight) => weight >= -8 && weight <= 7)
  )
}

/**
 * Rows of a multiple of 32 weights in −8 … 7 → half as many bytes: of eight words of four weights, word j holds word 2j in the
 * high halves of its bytes and word 2j + 1 in the low ones.
 */
export function packNibbles(rows: Int8Array): Uint8Array {
  const packed = new Uint8Array(rows.length / 2)
  for (let at = 0; at < packed.length; at++) {
    const from = 8 * (at >> 2) + (at & 3)
    packed[at] = (rows[from] << 4) | (rows[from + 4] & 15)
  }
  return packed
}
