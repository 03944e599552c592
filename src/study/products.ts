/**
 * How layers multiply and add up. Fused layers run on the kernels of the executor with a rule in place; what has no kernel is
 * evaluated one product after the other; products of two computed tensors go matrix by matrix. Factors of a small float, and
 * operands that have a format of their own, are rounded when they are read: a copy stands between the value and the layer.
 */
import { DyadicError, quoted } from '../error.ts'
import type { ElementFormat } from '../formats/element-format.ts'
import { minifloatFormat } from '../formats/minifloats.ts'
import { lMulExponent } from '../functions/l-mul.ts'
import type { EvaluateContext, Operator } from '../graph/operator.ts'
import { elementCount, type Tensor } from '../graph/tensor.ts'
import { type ProductRule as KernelRule, multiplyMatrices } from '../kernels/simulation-products.ts'
import type { HeldTensor } from './held-tensor.ts'
import { type LayerChoice, type StudyLayer, weightRows } from './layers.ts'
import { type AccumulatorRule, accumulatorNamed, type ProductRule, productNamed } from './product-name.ts'
import {
  formulaArithmetic,
  integerArithmetic,
  multiplyScalars,
  type ScalarArithmetic,
  scalarEvaluation,
} from './scalar-products.ts'
import { roundingFormat, type StudyFormat } from './study-format.ts'

/** How a layer multiplies and adds up. */
export interface ProductWay {
  readonly products: ProductRule
  readonly accumulators: AccumulatorRule
  /** What kernels know of it; undefined for float32 products and sums, and for what has no kernel. */
  readonly rule: KernelRule | undefined
  /** What factors are rounded to. */
  readonly factor: ElementFormat | undefined
  /** What computed operands of a product are rounded to. */
  readonly operands: StudyFormat | undefined
}

/** Whether a layer is one of the fused forms, which the executor has kernels for. */
export function isFused({ node }: StudyLayer): boolean {
  return node.operator === 'dyadic.Conv' || node.operator === 'dyadic.Dense'
}

function kernelRule(products: ProductRule, accumulators: AccumulatorRule): KernelRule | undefined {
  if (accumulators.kind === 'integer' || (products.kind === 'l-mul' && products.variant === 'formula')) return undefined
  const accumulatorBits = accumulators.mantissaBits
  if (products.kind === 'l-mul') {
    const { mantissaBits, variant } = products
    const operands = variant === 'nearest' ? 'nearest' : 'truncate'
    return {
      product: { kind: 'logarithms', mantissaBits, operands, correction: 2 ** -lMulExponent(mantissaBits) },
      accumulatorBits,
    }
  }
  if (products.kind === 'rounded' && products.products) {
    const { mantissaBits, leastExponent } = products
    return { product: { kind: 'rounded', mantissaBits, leastExponent }, accumulatorBits }
  }
  return accumulatorBits === 23 ? undefined : { product: { kind: 'float32' }, accumulatorBits }
}

/** Made once, as everything that is prepared for a record. */
const factors = new Map<string, ElementFormat>()

/** A small float without an upper end. */
function factorFormat(products: ProductRule): ElementFormat | undefined {
  if (products.kind !== 'rounded') return undefined
  const { mantissaBits, leastExponent } = products
  const key = `${mantissaBits} ${leastExponent}`
  const format =
    factors.get(key) ??
    minifloatFormat({ exponentBits: 8, mantissaBits, bias: 1 - leastExponent, convention: 'finite' })
  factors.set(key, format)
  return format
}

/**
 * The way of a layer under an arithmetic; `shared` keeps rules by name, so that an executor has each once. Throws `usage` for
 * integer sums of anything but exact products, `unsupported` for other nodes than convolutions, dense layers and `MatMul`.
 */
export function productWay(choice: LayerChoice, layer: StudyLayer, shared: Map<string, KernelRule>): ProductWay {
  const { name, node, weight } = layer
  const [productName, sumName] = [choice.of('products', name), choice.of('accumulators', name)]
  const [products, accumulators] = [productNamed(productName), accumulatorNamed(sumName)]
  if (accumulators.kind === 'integer' && products.kind !== 'exact')
    throw new DyadicError('usage', `layer ${quoted(name)}: ${sumName} sums are of exact products, not ${productName}`)
  const key = `${productName} ${sumName}`
  const rule = shared.get(key) ?? kernelRule(products, accumulators)
  if (rule !== undefined) shared.set(key, rule)
  const operands = weight === undefined ? roundingFormat(choice.of('operands', name)) : undefined
  const way = { products, accumulators, rule, factor: factorFormat(products), operands }
  const isMatrixProduct = node.operator === 'MatMul' || node.operator === 'dyadic.MatMul'
  if (!isExact(way) && !isFused(layer) && !isMatrixProduct)
    throw new DyadicError(
      'unsupported',
      `node ${quoted(node.name)} (${node.operator}) multiplies exactly here; other products are for convolutions, dense layers and MatMul`,
    )
  return way
}

/** Whether the executor's own product is meant, apart from rounded factors. */
export function isExact({ products, accumulators, rule }: ProductWay): boolean {
  return rule === undefined && accumulators.kind === 'float' && !(products.kind === 'l-mul')
}

/** What one by one evaluates products without a kernel. */
function scalarArithmetic(
  { products, accumulators }: ProductWay,
  weight: HeldTensor,
  input: HeldTensor,
  name: string,
): ScalarArithmetic {
  if (accumulators.kind === 'float' && products.kind === 'l-mul')
    return formulaArithmetic(products.mantissaBits, accumulators.mantissaBits)
  const [scale] = input.scales ?? []
  if (
    accumulators.kind !== 'integer' ||
    scale === undefined ||
    weight.scales === undefined ||
    !input.integer ||
    !weight.integer
  )
    throw integerFactors(name)
  return integerArithmetic(
    accumulators.bits,
    weight.scales.map((one) => one * scale),
  )
}

/** What a layer with integer sums needs and has not. */
export function integerFactors(name: string): DyadicError {
  return new DyadicError(
    'usage',
    `layer ${quoted(name)}: integer sums need integer weights and an integer input; give such formats --for weights,activations,inputs`,
  )
}

/**
 * How a layer is evaluated in place of its own meaning; undefined where a kernel or the executor does it. `matrices` says that
 * both operands have two axes or more, which kernels want.
 */
export function layerEvaluation(
  layer: StudyLayer,
  way: ProductWay,
  weight: HeldTensor,
  input: HeldTensor,
  weightShape: readonly number[],
  matrices: boolean,
): Operator['evaluate'] | undefined {
  if (isExact(way) || (way.rule !== undefined && (isFused(layer) || matrices))) return undefined
  const { rule } = way
  if (rule !== undefined)
    return (context) => multiplyStacks(context, (a, b, shape) => multiplyMatrices(rule, a, b, shape))
  const arithmetic = scalarArithmetic(way, weight, input, layer.name)
  if (isFused(layer)) return scalarEvaluation(layer.node, weightRows(layer, weightShape), arithmetic)
  return (context) => multiplyStacks(context, (a, b, shape) => multiplyScalars(arithmetic, a, b, shape))
}

/** The matrices of a stack, by the strides of its batch axes; size 1 repeats. */
function matrixAt(index: number, batch: readonly number[], own: readonly number[]): number {
  let rest = index
  let at = 0
  let stride = 1
  for (let axis = batch.length - 1; axis >= 0; axis--) {
    const position = rest % (batch[axis] as number)
    rest = Math.floor(rest / (batch[axis] as number))
    const size = own[axis - batch.length + own.length] ?? 1
    if (size > 1) at += position * stride
    stride *= size
  }
  return at
}

/** a (rows, inner) times b (inner, columns), row-major. */
type MultiplyMatrices = (
  a: Float32Array,
  b: Float32Array,
  shape: { readonly rows: number; readonly inner: number; readonly columns: number },
) => Float32Array

/** `MatMul` and `dyadic.MatMul` of stacks of matrices. */
function multiplyStacks({ inputs, outputs, attributes }: EvaluateContext, multiply: MultiplyMatrices): Tensor[] {
  const [left, right] = inputs as readonly [Tensor, Tensor]
  const [{ type, shape }] = outputs as [{ type: 'float32'; shape: readonly number[] }]
  const inner = left.shape.at(-1) as number
  const rows = left.shape.length > 1 ? (left.shape.at(-2) as number) : 1
  const columns = right.shape.length > 1 ? (right.shape.at(-1) as number) : 1
  const batch = shape.slice(0, shape.length - (left.shape.length > 1 ? 1 : 0) - (right.shape.length > 1 ? 1 : 0))
  const data = new Float32Array(elementCount(shape))
  const a = Float32Array.from(left.data as Float32Array)
  const b = Float32Array.from(right.data as Float32Array)
  for (let matrix = 0; matrix < elementCount(batch); matrix++) {
    const aStart = matrixAt(matrix, batch, left.shape.slice(0, -2)) * rows * inner
    const bStart = matrixAt(matrix, batch, right.shape.slice(0, -2)) * inner * columns
    data.set(
      multiply(a.subarray(aStart, aStart + rows * inner), b.subarray(bStart, bStart + inner * columns), {
        ...{ rows, inner, columns },
      }),
      matrix * rows * columns,
    )
  }
  const factor = attributes.get('factor') as number | undefined
  return [{ type, shape, data: factor === undefined ? data : data.map((sum) => sum * factor) }]
}
