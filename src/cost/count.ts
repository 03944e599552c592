/**
 * What a network costs, in exact integers: parameters, multiply-accumulates (MACs), bit operations (BOPs) and bytes, per
 * node and in all. The rules:
 *
 * - A MAC is one multiplication with its addition. Convolution: N·M·H·W·(C/groups)·KH·KW, taps on padding included; dense:
 *   rows·inputs·outputs; a product of two computed matrices: batch·rows·depth·columns. Bias, normalisation, activation,
 *   pooling and addition have none.
 * - BOPs = MACs × bits of a weight × bits of an input value (of both operands in a product), as in HAWQ-V3 (Yao et al. 2021).
 * - A constant that several nodes read counts once among the parameters and each time in bytes, as a program stores it.
 */
import { DyadicError, quoted } from '../error.ts'
import type { Graph, Node } from '../graph/graph.ts'
import { nodeMacs } from '../graph/infer.ts'
import { operators } from '../graph/operators/index.ts'
import { elementCount } from '../graph/tensor.ts'
import type { BitWidths } from './bit-widths.ts'

/** `product` multiplies two computed tensors; `other` multiplies nothing with weights. */
export const layerKinds = ['convolution', 'depthwise', 'grouped', 'dense', 'product', 'other'] as const
export type LayerKind = (typeof layerKinds)[number]

export interface LayerCount {
  /** The node's first output value, by which plans name a layer. */
  readonly name: string
  readonly operator: string
  readonly kind: LayerKind
  /** Shapes in ONNX order, with the batch axis. */
  readonly inputShape: readonly number[]
  /** Shape of the weights (of the second operand in a product); undefined for `other`. */
  readonly weightShape: readonly number[] | undefined
  readonly outputShape: readonly number[]
  readonly weights: number
  readonly biases: number
  /** Elements of other constants: normalisation, slopes, embeddings that are added, tables of positions. */
  readonly otherParameters: number
  readonly macs: number
  /** Bits of the multiplied operands; 0 where nothing is multiplied. */
  readonly weightBits: number
  readonly inputBits: number
  readonly bops: number
  /** Weights packed without gaps, rounded up to a byte. */
  readonly weightBytes: number
  /** Biases at 32 bits. */
  readonly biasBytes: number
  /** Elements of the outputs. */
  readonly activations: number
  readonly activationBytes: number
}

export interface NetworkCount {
  readonly layers: readonly LayerCount[]
  readonly totals: {
    readonly weights: number
    readonly biases: number
    readonly otherParameters: number
    /** Sum of the three. */
    readonly parameters: number
    readonly macs: number
    readonly bops: number
    readonly weightBytes: number
    readonly biasBytes: number
    /** Output elements of convolutions and dense layers. */
    readonly activations: number
    /** Output bytes of all nodes. */
    readonly activationBytes: number
    /** Elements of the largest output of a convolution or dense layer. */
    readonly largestActivation: number
  }
}

/** Constants of these operators are settings, not parameters. */
const SETTINGS = new Set(['Clip', 'Pad', 'Resize', 'Slice', 'QuantizeLinear', 'DequantizeLinear'])
const BIAS_BYTES = 4

interface Roles {
  readonly weight: string | undefined
  readonly bias: string | undefined
  readonly others: readonly string[]
}

/** Which constants of a node are what. A scalar is never a parameter. */
function rolesOf(graph: Graph, node: Node): Roles {
  const real = node.inputs.filter((name) => /^float/.test(graph.constants.get(name)?.type ?? ''))
  if (operators.get(node.operator)?.macs === undefined) {
    const others = SETTINGS.has(node.operator)
      ? []
      : real.filter((name) => (graph.constants.get(name)?.shape.length ?? 0) > 0)
    return { weight: undefined, bias: undefined, others }
  }
  // Matrix products may have their weights on either side.
  const weight = [node.inputs[1], node.inputs[0]].find((name) => real.includes(name))
  const bias = real.includes(node.inputs[2]) ? node.inputs[2] : undefined
  return { weight, bias, others: real.filter((name) => name !== weight && name !== bias) }
}

function kindOf(graph: Graph, node: Node, weight: string | undefined): LayerKind {
  if (operators.get(node.operator)?.macs === undefined) return 'other'
  if (weight === undefined) return 'product'
  const groups = node.attributes.get('group')
  if (typeof groups !== 'number') return 'dense'
  if (groups === 1) return 'convolution'
  return groups === graph.values.get(node.inputs[0])?.shape[1] ? 'depthwise' : 'grouped'
}

function countLayer(graph: Graph, node: Node, roles: Roles, bits: BitWidths): LayerCount {
  const shapeOf = (name: string | undefined): readonly number[] => graph.values.get(name ?? '')?.shape ?? []
  const size = (name: string | undefined): number => (name === undefined ? 0 : elementCount(shapeOf(name)))
  const kind = kindOf(graph, node, roles.weight)
  const [name] = node.outputs
  const multiplies = kind !== 'other'
  const input = roles.weight !== undefined && roles.weight === node.inputs[0] ? node.inputs[1] : node.inputs[0]
  const macs = nodeMacs(graph, node)
  const inputBits = multiplies ? bits.value(input) : 0
  const weightBits = kind === 'product' ? bits.value(node.inputs[1]) : multiplies ? bits.weight(name) : 0
  const weights = size(roles.weight)
  const outputs = node.outputs.filter((output) => output !== '')
  const biases = size(roles.bias)
  return {
    name,
    operator: node.operator,
    kind,
    inputShape: shapeOf(input),
    weightShape: multiplies ? shapeOf(roles.weight ?? node.inputs[1]) : undefined,
    outputShape: shapeOf(name),
    weights,
    biases,
    otherParameters: roles.others.reduce((sum, other) => sum + size(other), 0),
    macs,
    weightBits,
    inputBits,
    bops: macs * weightBits * inputBits,
    weightBytes: Math.ceil((weights * weightBits) / 8),
    biasBytes: biases * BIAS_BYTES,
    activations: outputs.reduce((sum, output) => sum + size(output), 0),
    activationBytes: outputs.reduce((sum, output) => sum + Math.ceil((size(output) * bits.value(output)) / 8), 0),
  }
}

/**
 * Counts a graph at its batch size. A simplified or fused graph gives what runs (normalisation is folded: one bias per output
 * channel); any other is counted as it stands. Throws `limit` naming the count that leaves 53 bits, and as `bits`.
 */
export function countNetwork(graph: Graph, bits: BitWidths): NetworkCount {
  const roles = graph.nodes.map((node) => rolesOf(graph, node))
  const layers = graph.nodes.map((node, index) => countLayer(graph, node, roles[index], bits))
  const distinct = (names: readonly (string | undefined)[]): number =>
    [...new Set(names)].reduce((sum, name) => sum + elementCount(graph.constants.get(name ?? '')?.shape ?? [0]), 0)
  const sum = (field: 'macs' | 'bops' | 'weightBytes' | 'biasBytes' | 'activations' | 'activationBytes', of = layers) =>
    of.reduce((total, layer) => total + layer[field], 0)
  const weighted = layers.filter(({ kind }) => kind !== 'other' && kind !== 'product')
  const weights = distinct(roles.map(({ weight }) => weight))
  const biases = distinct(roles.map(({ bias }) => bias))
  const otherParameters = distinct(roles.flatMap(({ others }) => others))
  const totals: NetworkCount['totals'] = {
    weights,
    biases,
    otherParameters,
    parameters: weights + biases + otherParameters,
    macs: sum('macs'),
    bops: sum('bops'),
    weightBytes: sum('weightBytes'),
    biasBytes: sum('biasBytes'),
    activations: sum('activations', weighted),
    activationBytes: sum('activationBytes'),
    largestActivation: weighted.reduce((largest, { activations }) => Math.max(largest, activations), 0),
  }
  for (const [field, value] of Object.entries(totals))
    if (!Number.isSafeInteger(value))
      throw new DyadicError('limit', `network ${quoted(graph.name)}: its ${field} are beyond 2^53`)
  return { layers, totals }
}
