/**
 * Nodes as operators on codes: QLinearConv of ONNX, the QLinear operators that ONNX Runtime adds to it, and movements of
 * codes. Each rounds once, in float32, to the plan's grid. A node for which there is none is left to the float step.
 *
 * Sources: ONNX QLinearConv (opset 10); onnxruntime's docs/ContribOperators.md (domain com.microsoft).
 */

import { quoted } from '../error.ts'
import type { AttributeValue, Node } from '../graph/graph.ts'
import { operators } from '../graph/operators/index.ts'
import { type ActivationFormat, formatRange } from '../quantize/plan.ts'
import type { ExportedValues } from './exported-values.ts'
import { convolutionAttributes } from './float-step.ts'
import type { Domain } from './model-writer.ts'
import { type StoredType, storeConstant, storeNumbers } from './onnx-tensor.ts'
import type { ExportedLayer } from './quantised-network.ts'

type Step = (values: ExportedValues, node: Node) => boolean

const CONTRIBUTED: { readonly domain: Domain } = { domain: 'com.microsoft' }

/** Operators that only move codes and that ONNX Runtime has for 8-bit integers. */
const MOVEMENTS = ['Flatten', 'Gather', 'MaxPool', 'Reshape', 'Slice', 'Squeeze', 'Transpose', 'Unsqueeze']

const steps: ReadonlyMap<string, Step> = new Map<string, Step>([
  ['dyadic.Conv', convolution],
  ['dyadic.Dense', dense],
  ['dyadic.Add', (values, node) => binary(values, node, 'QLinearAdd')],
  ['Add', (values, node) => binary(values, node, 'QLinearAdd')],
  ['Mul', (values, node) => binary(values, node, 'QLinearMul')],
  ['Concat', concat],
  ['GlobalAveragePool', (values, node) => unary(values, node, 'QLinearGlobalAveragePool', { channels_last: 0 })],
  ['AveragePool', (values, node) => unary(values, node, 'QLinearAveragePool', poolAttributes(node))],
  [
    'LeakyRelu',
    (values, node) => unary(values, node, 'QLinearLeakyRelu', { alpha: node.attributes.get('alpha') ?? 0.01 }),
  ],
  ['Sigmoid', (values, node) => unary(values, node, 'QLinearSigmoid')],
  ...MOVEMENTS.map((name): [string, Step] => [name, movement]),
])

/** Writes the node on codes; false, with nothing written, where it has no such form. */
export function exportIntegerStep(values: ExportedValues, node: Node): boolean {
  return steps.get(node.operator)?.(values, node) ?? false
}

/** The one 8-bit format of all these values, each with one zero point; undefined where there is none. */
function commonFormat(values: ExportedValues, names: readonly string[]): 'u8' | 's8' | undefined {
  const formats = new Set<ActivationFormat | undefined>(
    names.map((name) => {
      const grid = values.network.grid(name)
      return grid?.zeroPoint.length === 1 ? grid.format : undefined
    }),
  )
  const [format] = formats
  return formats.size === 1 && (format === 'u8' || format === 's8') ? format : undefined
}

/** Codes, scale and zero point of a value, as QLinear operators take them. */
function operand(values: ExportedValues, name: string): string[] {
  const { scale, zeroPoint } = values.gridConstants(name)
  return [values.codes(name) as string, scale, zeroPoint]
}

function target(values: ExportedValues, name: string): string[] {
  const { scale, zeroPoint } = values.gridConstants(name)
  return [scale, zeroPoint]
}

/** Stores the codes of a node, limited further where the node's bounds are narrower than its format. */
function store(values: ExportedValues, node: Node, write: (output: string) => void): true {
  const [name] = node.outputs
  const clamp = codeBounds(values, node)
  const codes = values.writer.free(`${name}.codes`)
  if (clamp === undefined) write(codes)
  else {
    const unlimited = values.writer.free(`${name}.unlimited`)
    write(unlimited)
    const type: StoredType = values.network.grid(name)?.format === 'u8' ? 'uint8' : 'int8'
    const bounds = [clamp.low, clamp.high].map((code) => values.writer.scalar(`${name}.bound`, type, code))
    values.writer.node('Clip', [unlimited, ...bounds], codes)
  }
  values.storeCodes(name, codes)
  return true
}

/** The codes between a fused node's bounds (R1), or undefined where these are all of its format. */
function codeBounds(values: ExportedValues, node: Node): { low: number; high: number } | undefined {
  const grid = values.network.grid(node.outputs[0])
  if (grid === undefined) return undefined
  const range = formatRange(grid.format)
  const code = (end: 'low' | 'high'): number => {
    const real = node.attributes.get(end) as number | undefined
    if (real === undefined) return range[end]
    return Math.min(range.high, Math.max(range.low, Math.floor(real / grid.scale + grid.zeroPoint[0] + 0.5)))
  }
  const [low, high] = node.operator.startsWith('dyadic.') ? [code('low'), code('high')] : [range.low, range.high]
  return low === range.low && high === range.high ? undefined : { low, high }
}

/** Weights and bias of a layer as codes; undefined where they are in groups or of a type the input's does not go with. */
function layerOperands(
  values: ExportedValues,
  layer: ExportedLayer,
  format: 'u8' | 's8',
): { weights: string[]; bias: string[] } | undefined {
  const { name, shape, codes, scale, zeroPoint, blocks, bias } = layer
  const type: StoredType = layer.format === 'u8' ? 'uint8' : 'int8'
  if (blocks || (type === 'uint8' && format === 's8')) return undefined
  const [outputs] = shape
  const vector = scale.length > 1 || zeroPoint.length > 1
  const sizes = vector ? [outputs] : []
  const list = (given: readonly number[]): readonly number[] =>
    vector ? Array.from({ length: outputs }, (_, o) => given[given.length > 1 ? o : 0]) : given
  const { writer } = values
  return {
    weights: [
      writer.constant(`${name}.weights.codes`, storeNumbers(type, shape, codes)),
      writer.constant(`${name}.weights.scale`, storeNumbers('float32', sizes, list(scale))),
      writer.constant(`${name}.weights.zero_point`, storeNumbers(type, sizes, list(zeroPoint))),
    ],
    bias: bias ? [writer.constant(`${name}.bias.codes`, storeNumbers('int32', [outputs], bias))] : [],
  }
}

/** QLinearConv: input, weights and output in 8 bits of one signedness, no residual. */
function convolution(values: ExportedValues, node: Node): boolean {
  const [input, , , residual] = node.inputs
  const [name] = node.outputs
  const format = commonFormat(values, [input, name])
  const layer = values.network.layer(node)
  if (format === undefined || residual || values.network.channelScales(name)) return false
  const own = layerOperands(values, layer, format)
  if (own === undefined) return false
  const inputs = [...operand(values, input), ...own.weights, ...target(values, name), ...own.bias]
  return store(values, node, (output) => values.writer.node('QLinearConv', inputs, output, convolutionAttributes(node)))
}

/** ONNX Runtime's QGemm of matrices, without residual; without an output scale it gives reals: outputs of 16 bits. */
function dense(values: ExportedValues, node: Node): boolean {
  const [input, , , residual] = node.inputs
  if (residual || values.network.graph.values.get(input)?.shape.length !== 2) return false
  const [name] = node.outputs
  const format = commonFormat(values, [input])
  const layer = values.network.layer(node)
  const narrow = commonFormat(values, [input, name]) !== undefined
  if (format === undefined || values.network.channelScales(name)) return false
  if (!narrow && (node.attributes.has('low') || node.attributes.has('high'))) return false
  const own = layerOperands(values, layer, format)
  if (own === undefined) return false
  const inputs = [...operand(values, input), ...own.weights, own.bias[0] ?? '']
  const options = { ...CONTRIBUTED, kinds: { alpha: { kind: 'float' as const } } }
  const write = (outputs: readonly string[], output: string): void =>
    values.writer.node('QGemm', [...inputs, ...outputs], output, { alpha: 1, transA: 0, transB: 1 }, options)
  if (narrow) return store(values, node, (output) => write(target(values, name), output))
  const raw = values.rawName(name)
  write([], raw)
  values.storeReal(name, raw)
  return true
}

/** Two computed operands of one format. */
function binary(values: ExportedValues, node: Node, operator: string): boolean {
  const [name] = node.outputs
  if (node.inputs.some((input) => values.network.graph.constants.has(input))) return false
  if (commonFormat(values, [...node.inputs, name]) === undefined) return false
  const inputs = [...node.inputs.flatMap((input) => operand(values, input)), ...target(values, name)]
  return store(values, node, (output) => values.writer.node(operator, inputs, output, {}, CONTRIBUTED))
}

function unary(
  values: ExportedValues,
  node: Node,
  operator: string,
  attributes: Readonly<Record<string, AttributeValue>> = {},
): boolean {
  const [input] = node.inputs
  const [name] = node.outputs
  if (commonFormat(values, [input, name]) === undefined || !values.network.isRounded(name)) return false
  const inputs = [...operand(values, input), ...target(values, name)]
  const options = { ...CONTRIBUTED, kinds: { alpha: { kind: 'float' as const } } }
  return store(values, node, (output) => values.writer.node(operator, inputs, output, attributes, options))
}

function poolAttributes({ attributes }: Node): Record<string, AttributeValue> {
  const known = ['auto_pad', 'ceil_mode', 'count_include_pad', 'kernel_shape', 'pads', 'strides']
  return Object.fromEntries([...attributes].filter(([name]) => known.includes(name)))
}

function concat(values: ExportedValues, node: Node): boolean {
  const [name] = node.outputs
  if (node.inputs.some((input) => values.network.graph.constants.has(input))) return false
  if (commonFormat(values, [...node.inputs, name]) === undefined) return false
  const inputs = [...target(values, name), ...node.inputs.flatMap((input) => operand(values, input))]
  return store(values, node, (output) =>
    values.writer.node('QLinearConcat', inputs, output, { axis: node.attributes.get('axis') ?? 0 }, CONTRIBUTED),
  )
}

/** The operator itself on codes; not where the plan gives the moved value another grid. */
function movement(values: ExportedValues, node: Node): boolean {
  const [input, ...others] = node.inputs
  const [name] = node.outputs
  if (commonFormat(values, [input, name]) === undefined || node.outputs.length !== 1) return false
  if (values.network.isRounded(name) && !sameGrid(values, input, name)) return false
  const { graph } = values.network
  const constants = others.map((other) => {
    const constant = graph.constants.get(other)
    return constant && values.writer.graphConstant(other, () => storeConstant(constant, `value ${quoted(other)}`))
  })
  if (constants.some((constant, index) => constant === undefined && others[index] !== '')) return false
  const kinds = operators.get(node.operator)?.attributes ?? {}
  const inputs = [values.codes(input) as string, ...constants.map((constant) => constant ?? '')]
  return store(values, node, (output) => values.writer.node(node.operator, inputs, output, node.attributes, { kinds }))
}

function sameGrid(values: ExportedValues, a: string, b: string): boolean {
  const [left, right] = [values.network.grid(a), values.network.grid(b)]
  return left?.format === right?.format && left?.scale === right?.scale && left?.zeroPoint[0] === right?.zeroPoint[0]
}
