/**
 * Products and sums that have no kernel, one after the other in JavaScript: L-Mul as its paper prints it (`lMulFormula`), and
 * integer sums that stop at the ends of their bits. Sums go in the order KH, KW, I from the bias on where they are floats, and
 * from 0 where they are integers, whose bias comes last.
 */
import { lMulExponent, reduceMantissa } from '../functions/l-mul.ts'
import type { Node } from '../graph/graph.ts'
import type { EvaluateContext, Operator } from '../graph/operator.ts'
import { convolutionWindow } from '../graph/operators/convolution.ts'
import { visitWindows } from '../graph/operators/window.ts'
import { elementCount, type Tensor } from '../graph/tensor.ts'
import type { WeightRows } from './layers.ts'

/** One factor as two numbers whose meaning the arithmetic knows. */
interface Factors {
  readonly first: Float64Array
  readonly second: Float64Array
}

/** How rows of factors are multiplied and added up. */
export interface ScalarArithmetic {
  factors(values: ArrayLike<number>): Factors
  /** The sum of products of two rows of `count` factors, starting at `from`, for output channel `row`. */
  dot(a: Factors, aStart: number, b: Factors, bStart: number, count: number, row: number, from: number): number
  /** Whether a bias is where sums start. */
  readonly startsAtBias: boolean
}

/**
 * (1 + a + b + 2^−l(m)) × 2^(p+q) of operands truncated to `mantissaBits`; zeros and subnormal numbers give 0. Each addition is
 * rounded to float32 and then half to even to `sumBits`.
 */
export function formulaArithmetic(mantissaBits: number, sumBits: number): ScalarArithmetic {
  const correction = 2 ** -lMulExponent(mantissaBits) - 1
  return {
    startsAtBias: true,
    factors(values) {
      const first = new Float64Array(values.length)
      const second = new Float64Array(values.length)
      for (let i = 0; i < values.length; i++) {
        const reduced = reduceMantissa(values[i]!, mantissaBits, 'truncate')
        const size = Math.abs(reduced)
        // A power of 0 makes every product 0.
        if (size < 2 ** -126) continue
        const power = 2 ** exponentOf(size)
        first[i] = size / power
        second[i] = reduced < 0 ? -power : power
      }
      return { first, second }
    },
    dot(a, aStart, b, bStart, count, _row, from) {
      let sum = from
      for (let k = 0; k < count; k++) {
        const product =
          (a.first[aStart + k]! + b.first[bStart + k]! + correction) * (a.second[aStart + k]! * b.second[bStart + k]!)
        sum = sumBits === 23 ? Math.fround(sum + product) : reduceMantissa(sum + product, sumBits, 'nearest')
      }
      return sum
    },
  }
}

const real = new Float32Array(1)
const pattern = new Int32Array(real.buffer)

/** The exponent of a normal float32 number. */
function exponentOf(size: number): number {
  real[0] = size
  return (pattern[0]! >>> 23) - 127
}

/**
 * Exact products of codes, added in integers of `bits` bits that saturate. `units` is what a product of two codes of 1 means, for
 * each output channel, or once for all.
 */
export function integerArithmetic(bits: number, units: ArrayLike<number>): ScalarArithmetic {
  const [low, high] = [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1]
  return {
    startsAtBias: false,
    factors: (values) => ({ first: Float64Array.from(values), second: new Float64Array(0) }),
    dot(a, aStart, b, bStart, count, row, from) {
      const unit = units[units.length > 1 ? row : 0]!
      let sum = 0
      for (let k = 0; k < count; k++)
        sum = Math.min(high, Math.max(low, sum + Math.round((a.first[aStart + k]! * b.first[bStart + k]!) / unit)))
      return sum * unit + from
    },
  }
}

/** a (rows, inner) times b (inner, columns) of arrays, row-major. */
export function multiplyScalars(
  arithmetic: ScalarArithmetic,
  a: Float32Array,
  b: Float32Array,
  { rows, inner, columns }: { readonly rows: number; readonly inner: number; readonly columns: number },
): Float32Array {
  const left = arithmetic.factors(a)
  const transposed = new Float32Array(b.length)
  for (let k = 0; k < inner; k++)
    for (let column = 0; column < columns; column++) transposed[column * inner + k] = b[k * columns + column]!
  const right = arithmetic.factors(transposed)
  const result = new Float32Array(rows * columns)
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      result[row * columns + column] = arithmetic.dot(left, row * inner, right, column * inner, inner, column, 0)
  return result
}

const numbers = (tensor: Tensor | undefined): Float32Array | undefined =>
  tensor && Float32Array.from(tensor.data as Float32Array)

/** clip(sum + residual), where sums begin at or end with the bias. */
function finish(node: Node, sum: number, residual: number): number {
  const [low, high] = ['low', 'high'].map((name) => node.attributes.get(name) as number | undefined)
  return Math.min(high ?? Infinity, Math.max(low ?? -Infinity, sum + residual))
}

/** A fused convolution or dense layer: `rows` is the order of its weights. */
export function scalarEvaluation(node: Node, rows: WeightRows, arithmetic: ScalarArithmetic): Operator['evaluate'] {
  let weights: { readonly of: Tensor; readonly factors: Factors } | undefined
  const factorsOf = (tensor: Tensor): Factors => {
    if (weights?.of !== tensor) {
      const values = Float32Array.from(rows.order, (index) => tensor.data[index] as number)
      weights = { of: tensor, factors: arithmetic.factors(values) }
    }
    return weights.factors
  }
  return (context) => {
    const [x, w] = context.inputs as readonly [Tensor, Tensor]
    return node.operator === 'dyadic.Dense'
      ? denseRows(node, context, x, factorsOf(w), rows, arithmetic)
      : convolveRows(node, context, [x, w], factorsOf(w), rows, arithmetic)
  }
}

function denseRows(
  node: Node,
  { inputs, outputs }: EvaluateContext,
  x: Tensor,
  weights: Factors,
  { rows, length }: WeightRows,
  arithmetic: ScalarArithmetic,
): Tensor[] {
  const [bias, residual] = [numbers(inputs[2]), numbers(inputs[3])]
  const values = arithmetic.factors(x.data as Float32Array)
  const shape = outputs[0]!.shape
  const data = new Float32Array(elementCount(shape))
  for (let i = 0; i < data.length; i++) {
    const row = i % rows
    const start = Math.floor(i / rows) * length
    const sum = arithmetic.dot(values, start, weights, row * length, length, row, bias?.[row] ?? 0)
    data[i] = finish(node, sum, residual?.[i] ?? 0)
  }
  return [{ type: 'float32', shape, data }]
}

function convolveRows(
  node: Node,
  { inputs, outputs, attributes }: EvaluateContext,
  [x, w]: readonly [Tensor, Tensor],
  weights: Factors,
  { rows, length }: WeightRows,
  arithmetic: ScalarArithmetic,
): Tensor[] {
  const [bias, residual] = [numbers(inputs[2]), numbers(inputs[3])]
  const values = x.data as Float32Array
  const [batch = 1, channels = 1] = x.shape
  const spatial = x.shape.slice(2)
  const plane = elementCount(spatial)
  const depth = w.shape[1] as number
  const groups = channels / depth
  const perGroup = rows / groups
  const window = convolutionWindow(node.name, attributes, x.shape, w.shape)
  const positions = elementCount(window.output)
  const shape = outputs[0]!.shape
  const data = new Float32Array(elementCount(shape))
  const patch = new Float32Array(length)
  visitWindows(window, spatial, ({ position, count, offsets, taps }) => {
    for (let sample = 0; sample < batch; sample++)
      for (let group = 0; group < groups; group++) {
        patch.fill(0)
        const first = (sample * channels + group * depth) * plane
        for (let tap = 0; tap < count; tap++)
          for (let channel = 0; channel < depth; channel++)
            patch[taps[tap]! * depth + channel] = values[first + channel * plane + offsets[tap]!]!
        const factors = arithmetic.factors(patch)
        for (let row = group * perGroup; row < (group + 1) * perGroup; row++) {
          const at = (sample * rows + row) * positions + position
          const sum = arithmetic.dot(factors, 0, weights, row * length, length, row, bias?.[row] ?? 0)
          data[at] = finish(node, sum, residual?.[at] ?? 0)
        }
      }
  })
  return [{ type: 'float32', shape, data }]
}
