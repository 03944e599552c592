/**
 * Weights in blocks: com.microsoft's MatMulNBits multiplies by a matrix [N][K] whose rows hold 4-bit or 8-bit codes in blocks
 * of `block_size`, each with a scale and a zero point of its own. It is read as MatMul with the numbers that the codes mean,
 * code − zero point times scale, rounded to float32. `accuracy_level`, which lets a runtime round the other operand, changes
 * no meaning and is passed over.
 *
 * Source: onnxruntime's docs/ContribOperators.md (com.microsoft.MatMulNBits, version 1); the order of codes within a byte, of
 * padding and of zero points is checked against onnxruntime in `rewrite-blocks.test.ts`.
 */
import { quoted } from '../error.ts'
import type { Node } from '../graph/graph.ts'
import { type Constant, elementCount, makeConstant, readConstant } from '../graph/tensor.ts'
import type { Rewriting } from './rewriting.ts'

const LEAST_BLOCK = 16
/** A matrix of more weights would not fit a tensor, whatever its bytes. */
const MOST_WEIGHTS = 2 ** 31 - 1

interface BlockForm {
  readonly rows: number
  readonly columns: number
  readonly bits: 4 | 8
  readonly block: number
  /** Blocks of a row; the last may reach beyond its end. */
  readonly blocks: number
}

/** Inputs A, B, scales, zero points, group indices, bias. */
export function rewriteBlockProduct(one: Rewriting): Node[] {
  const form = formOf(one)
  const codes = codesOf(one, 1, 'weights', form.rows * form.blocks, form.block, form.bits)
  const scales = one.numbers(2, 'scales')
  const zeros = one.input(3) === '' ? undefined : codesOf(one, 3, 'zero points', form.rows, form.blocks, form.bits)
  if (one.input(4) !== '')
    one.unsupported(
      'orders its weights by group indices (input 4); quantise the model without reordering (no act-order)',
    )
  if (scales.length !== form.rows * form.blocks)
    one.refuse(
      `has ${scales.length} scales; ${form.rows} rows of ${form.blocks} blocks need ${form.rows * form.blocks}`,
    )
  const reals = realsOf(form, codes, scales, zeros)
  if (!reals.every(Number.isFinite)) one.refuse('has scales that take its weights beyond float32')
  const weights = makeConstant('float32', [form.columns, form.rows], reals)
  const product = [one.input(0), one.constant('weights', weights)]
  return one.input(5) === '' ? one.last('MatMul', product) : one.last('Add', [one.add('MatMul', product), one.input(5)])
}

/** The attributes. Throws `refused` where one is missing or impossible, `unsupported` for other widths. */
function formOf(one: Rewriting): BlockForm {
  const { attributes } = one.node
  const known = ['K', 'N', 'bits', 'block_size', 'accuracy_level']
  for (const name of attributes.keys())
    if (!known.includes(name)) one.unsupported(`has the attribute ${quoted(name)}, which is not read`)
  const positive = (name: string, absent?: number): number => {
    const value = attributes.get(name) ?? absent
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 1)
      return one.refuse(`needs the attribute "${name}", an integer above 0`)
    return value
  }
  const [columns, rows, block, bits] = [positive('K'), positive('N'), positive('block_size'), positive('bits', 4)]
  if (bits !== 4 && bits !== 8) one.unsupported(`has weights of ${bits} bits; 4 and 8 are read`)
  let power = LEAST_BLOCK
  while (power < block) power *= 2
  if (power !== block) one.refuse(`has blocks of ${block} weights; a power of two from ${LEAST_BLOCK} on is needed`)
  const blocks = Math.ceil(columns / block)
  if (rows * blocks * block > MOST_WEIGHTS) one.refuse(`has ${rows} × ${columns} weights, more than a tensor can have`)
  return { rows, columns, bits: bits as 4 | 8, block, blocks }
}

/** Packed codes of a constant, the low bits of a byte first; every row begins at a byte. */
function codesOf(one: Rewriting, index: number, what: string, rows: number, length: number, bits: 4 | 8): Uint8Array {
  const constant: Constant | undefined = one.known(one.input(index))
  if (constant === undefined)
    one.unsupported(`computes its ${what} (input ${index}) at run time; they must be constant`)
  const { type, shape } = constant as Constant
  if (type !== 'uint8') one.unsupported(`has ${what} of type ${type}; packed codes in uint8 are read`)
  const perRow = Math.ceil((length * bits) / 8)
  if (elementCount(shape) !== rows * perRow)
    one.refuse(`has ${what} of shape [${shape}]; ${rows} × ${perRow} bytes are needed`)
  const bytes = readConstant(constant as Constant) as Uint8Array
  if (bits === 8) return bytes
  return Uint8Array.from({ length: rows * length }, (_, i) => {
    const at = i % length
    const byte = bytes[Math.floor(i / length) * perRow + (at >> 1)] as number
    return at % 2 === 0 ? byte & 15 : byte >> 4
  })
}

/** [K][N]: the transposed matrix. */
function realsOf(
  { rows, columns, bits, block, blocks }: BlockForm,
  codes: Uint8Array,
  scales: readonly number[],
  zeros: Uint8Array | undefined,
): Float32Array {
  const reals = new Float32Array(rows * columns)
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      const at = row * blocks + Math.floor(column / block)
      const zero = zeros === undefined ? 2 ** (bits - 1) : (zeros[at] as number)
      const code = codes[at * block + (column % block)] as number
      reals[column * rows + row] = (code - zero) * (scales[at] as number)
    }
  return reals
}
