/**
 * Quantised operators of other styles than QDQ, brought to it while a file is read: every codes-to-codes operator becomes
 * DequantizeLinear, the float operator and QuantizeLinear with exactly the file's numbers, so that absorption takes them like
 * those of a QDQ file. Dynamic quantisation, whose scales exist at run time only, becomes the float network that it
 * approximates, to be calibrated; its weights keep their codes.
 *
 * Sources: ONNX QLinearConv, QLinearMatMul, ConvInteger, MatMulInteger, DynamicQuantizeLinear (opset 10, 11);
 * onnxruntime's docs/ContribOperators.md (com.microsoft); QONNX's operator pages (`rewrite-qonnx.ts`).
 */
import type { Node } from '../graph/graph.ts'
import { operators } from '../graph/operators/index.ts'
import { makeConstant, readNumbers } from '../graph/tensor.ts'
import { replaceNode, type Surroundings } from './replace-node.ts'
import { rewriteBlockProduct } from './rewrite-blocks.ts'
import { rewriteBipolarQuant, rewriteQuant, rewriteTrunc } from './rewrite-qonnx.ts'
import { Rewriting } from './rewriting.ts'

/** Domains of the operators below; QONNX's has had three names. */
const MICROSOFT = 'com.microsoft'
const QONNX = ['qonnx.custom_op.general', 'onnx.brevitas', 'finn.custom_op.general']

type Rewrite = (rewriting: Rewriting, dynamic: Set<string>, around: Surroundings) => Node[]

const standard: ReadonlyMap<string, Rewrite> = new Map<string, Rewrite>([
  ['QLinearConv', convolution],
  ['QLinearMatMul', matrixProduct],
  ['ConvInteger', integerConvolution],
  ['MatMulInteger', integerProduct],
  ['DynamicQuantizeLinear', dynamicQuantization],
])

const contributed: ReadonlyMap<string, Rewrite> = new Map<string, Rewrite>([
  ['QLinearAdd', (one) => binary(one, 'Add')],
  ['QLinearMul', (one) => binary(one, 'Mul')],
  ['QLinearConcat', concatenation],
  ['QLinearAveragePool', (one) => pooling(one, 'AveragePool')],
  ['QLinearGlobalAveragePool', (one) => pooling(one, 'GlobalAveragePool')],
  ['QLinearSigmoid', (one) => unary(one, 'Sigmoid')],
  ['QLinearLeakyRelu', (one) => unary(one, 'LeakyRelu')],
  ['QLinearSoftmax', softmax],
  ['QLinearReduceMean', reduction],
  ['QLinearConv', convolution],
  ['QGemm', product],
  ['MatMulNBits', rewriteBlockProduct],
  ['QuantizeLinear', (one) => one.last('QuantizeLinear', one.node.inputs, one.node.attributes)],
  ['DequantizeLinear', (one) => one.last('DequantizeLinear', one.node.inputs, one.node.attributes)],
])

const qonnx: ReadonlyMap<string, Rewrite> = new Map<string, Rewrite>([
  ['Quant', rewriteQuant],
  ['BipolarQuant', rewriteBipolarQuant],
  ['Trunc', rewriteTrunc],
])

function isDefaultDomain(domain: string): boolean {
  return domain === '' || domain === 'ai.onnx'
}

function rewriteOf(domain: string, operator: string): Rewrite | undefined {
  if (isDefaultDomain(domain)) return standard.get(operator)
  if (domain === MICROSOFT) return contributed.get(operator)
  return QONNX.includes(domain) ? qonnx.get(operator) : undefined
}

/** Whether a file may hold the operator although the graph does not know it. */
export function isRewritten(domain: string, operator: string): boolean {
  return rewriteOf(domain, operator) !== undefined
}

/**
 * A function that gives the nodes in place of a quantised one, or undefined for any other; nodes must come in the file's
 * order; `keep` leaves those that the graph has an operator for. Throws `refused` on contradictions, and `unsupported` naming the node where there is no such form.
 */
export function createRewriter(
  around: Surroundings,
  quantised: 'rewrite' | 'keep' = 'rewrite',
): (node: Node, domain: string) => Node[] | undefined {
  const dynamic = new Set<string>()
  return (node, domain) => {
    const kept = quantised === 'keep' && isDefaultDomain(domain) && operators.has(node.operator)
    return kept ? undefined : rewriteOf(domain, node.operator)?.(new Rewriting(node, around), dynamic, around)
  }
}

/** x, its scale and zero point, weights, theirs, the output's, and a bias in units of the product of scales. */
function convolution(one: Rewriting): Node[] {
  if (one.node.attributes.get('channels_last')) one.unsupported('has its channels last; export the model with NCHW')
  const inputs = [one.real(0, 1, 2), one.real(3, 4, 5, 0)]
  if (one.input(8) !== '') inputs.push(one.realsOfSum(8, [one.numbers(1, 'scale'), one.numbers(4, 'weight scale')]))
  return one.quantize(one.add('Conv', inputs, one.attributesBut('channels_last')), 6, 7)
}

function matrixProduct(one: Rewriting): Node[] {
  const rank = one.known(one.input(3))?.shape.length
  const axis = rank === undefined ? undefined : Math.max(0, rank - 1)
  return one.quantize(one.add('MatMul', [one.real(0, 1, 2), one.real(3, 4, 5, axis)]), 6, 7)
}

/** ONNX Runtime's QGemm: a real result where the output has no scale. */
function product(one: Rewriting): Node[] {
  const { attributes } = one.node
  const alpha = (attributes.get('alpha') as number | undefined) ?? 1
  const outputFirst = attributes.get('transB') === 1
  const inputs = [one.real(0, 1, 2), one.real(3, 4, 5, outputFirst ? 0 : 1)]
  if (one.input(6) !== '')
    inputs.push(one.realsOfSum(6, [one.numbers(1, 'scale'), one.numbers(4, 'weight scale'), [alpha]]))
  return one.input(7) === ''
    ? one.last('Gemm', inputs, attributes)
    : one.quantize(one.add('Gemm', inputs, attributes), 7, 8)
}

function binary(one: Rewriting, operator: string): Node[] {
  return one.quantize(one.add(operator, [one.real(0, 1, 2), one.real(3, 4, 5)]), 6, 7)
}

/** The output's scale and zero point, then three inputs for each operand. */
function concatenation(one: Rewriting): Node[] {
  const count = (one.node.inputs.length - 2) / 3
  if (!Number.isInteger(count) || count < 1)
    one.refuse(`has ${one.node.inputs.length} inputs; 2 and 3 for each operand are needed`)
  const reals = Array.from({ length: count }, (_, index) => one.real(2 + 3 * index, 3 + 3 * index, 4 + 3 * index))
  return one.quantize(one.add('Concat', reals, one.node.attributes), 0, 1)
}

function pooling(one: Rewriting, operator: string): Node[] {
  if (one.node.attributes.get('channels_last')) one.unsupported('has its channels last; export the model with NCHW')
  return one.quantize(one.add(operator, [one.real(0, 1, 2)], one.attributesBut('channels_last')), 3, 4)
}

function unary(one: Rewriting, operator: string): Node[] {
  return one.quantize(one.add(operator, [one.real(0, 1, 2)], one.node.attributes), 3, 4)
}

/** Its attribute `opset` says which Softmax is meant. */
function softmax(one: Rewriting, _: Set<string>, around: Surroundings): Node[] {
  const real = one.add('Softmax', [one.real(0, 1, 2)], one.attributesBut('opset'))
  const opset = (one.node.attributes.get('opset') as number | undefined) ?? 13
  const [float] = one.nodes.splice(-1)
  one.nodes.push(...replaceNode(float as Node, opset, around))
  return one.quantize(real, 3, 4)
}

function reduction(one: Rewriting): Node[] {
  const axes = one.node.attributes.get('axes') as readonly number[] | undefined
  const inputs = [one.real(0, 1, 2)]
  if (axes !== undefined) inputs.push(one.constant('axes', makeConstant('int64', [axes.length], axes)))
  return one.quantize(one.add('ReduceMean', inputs, one.attributesBut('axes')), 3, 4)
}

/** The value itself, with scale 1 and zero point 0: what is computed from all three is then the float network. */
function dynamicQuantization(one: Rewriting, dynamic: Set<string>): Node[] {
  const [codes, scale, zeroPoint] = one.node.outputs
  if (codes) {
    dynamic.add(codes)
    one.last('Identity', [one.input(0)])
  }
  if (scale) one.give(scale, one.constant('scale', makeConstant('float32', [], [1])))
  if (zeroPoint) one.give(zeroPoint, one.constant('zero_point', makeConstant('uint8', [], [0])))
  return one.nodes
}

function integerConvolution(one: Rewriting, dynamic: Set<string>): Node[] {
  return one.last('Conv', integerOperands(one, dynamic, 0), one.node.attributes)
}

function integerProduct(one: Rewriting, dynamic: Set<string>): Node[] {
  const rank = one.known(one.input(1))?.shape.length ?? 2
  return one.last('MatMul', integerOperands(one, dynamic, Math.max(0, rank - 1)))
}

/** Differences from the zero points: of dynamic codes the value they stand for, of constants codes with scale 1. */
function integerOperands(one: Rewriting, dynamic: Set<string>, axis: number): string[] {
  const unit = (index: number): string => {
    const zero = one.known(one.input(index))
    const count = zero === undefined ? 1 : readNumbers(zero).length
    return one.constant('unit', makeConstant('float32', count > 1 ? [count] : [], new Array<number>(count).fill(1)))
  }
  return [0, 1].map((index) => {
    const name = one.input(index)
    if (dynamic.has(name)) return name
    if (one.known(name) === undefined && one.known(one.input(1)) === undefined)
      one.unsupported('multiplies two computed tensors of codes; quantise the model with constant scales (QDQ)')
    return one.dequantize(name, unit(2 + index), one.input(2 + index), index === 1 ? axis : undefined)
  })
}
