/**
 * What of a network an arithmetic can change: its multiplying nodes, their weights as rows of what one output sums up, the
 * values that are stored with numbers of their own, and which of them a rule means.
 */
import { DyadicError, quoted } from '../error.ts'
import type { Graph, Node } from '../graph/graph.ts'
import { nodeMacs } from '../graph/infer.ts'
import { operators } from '../graph/operators/index.ts'
import { elementCount } from '../graph/tensor.ts'
import type { Arithmetic, LayerField } from './arithmetic.ts'

/** A node that multiplies. */
export interface StudyLayer {
  readonly node: Node
  /** Its (first) output value, by which layers are named. */
  readonly name: string
  /** Which input holds the weights; undefined for a product of two computed tensors. */
  readonly weight: { readonly index: 0 | 1; readonly constant: string } | undefined
  readonly macs: number
}

/** All nodes that multiply, in the graph's order. */
export function layersOf(graph: Graph): StudyLayer[] {
  const isWeight = (name: string | undefined): boolean => /^float/.test(graph.constants.get(name ?? '')?.type ?? '')
  return graph.nodes
    .filter((node) => operators.get(node.operator)?.macs !== undefined)
    .map((node) => {
      const index = ([1, 0] as const).find((position) => isWeight(node.inputs[position]))
      const weight = index === undefined ? undefined : { index, constant: node.inputs[index] as string }
      return { node, name: node.outputs[0] as string, weight, macs: nodeMacs(graph, node) }
    })
}

/** How a weight tensor's elements stand as rows: element `order[i]` of the constant is element i of the rows. */
export interface WeightRows {
  /** One per output channel. */
  readonly rows: number
  readonly length: number
  readonly order: Int32Array
}

/**
 * Rows of what one output channel sums up, in the order KH, KW, I of convolutions and K of matrix products: the axis along which
 * blocks lie. A batch of matrices has the rows of all of them.
 */
export function weightRows({ node, weight }: StudyLayer, shape: readonly number[]): WeightRows {
  const count = elementCount(shape)
  const order = new Int32Array(count)
  if (/Conv$/.test(node.operator)) {
    const [rows = 1, depth = 1] = shape
    const area = elementCount(shape.slice(2))
    for (let row = 0; row < rows; row++)
      for (let position = 0; position < area; position++)
        for (let input = 0; input < depth; input++)
          order[(row * area + position) * depth + input] = (row * depth + input) * area + position
    return { rows, length: depth * area, order }
  }
  const columns = shape.at(-1) ?? 1
  const height = shape.length > 1 ? (shape.at(-2) as number) : 1
  const transposed = node.attributes.get(weight?.index === 0 ? 'transA' : 'transB') === 1
  const isRowMajor = node.operator === 'dyadic.Dense' || (weight?.index === 0) !== transposed
  if (isRowMajor || shape.length < 2) {
    for (let i = 0; i < count; i++) order[i] = i
    return { rows: count / columns, length: columns, order }
  }
  const matrix = height * columns
  for (let i = 0; i < count; i++) {
    const within = i % matrix
    order[i] = i - within + (within % height) * columns + Math.floor(within / height)
  }
  return { rows: count / height, length: height, order }
}

/** Whether a node computes numbers, as opposed to moving, selecting or renaming them. */
function computes({ operator }: Node): boolean {
  const meaning = operators.get(operator)?.integer
  return meaning !== 'same-scale' && meaning !== 'boundary' && operator !== 'Cast' && operator !== 'Shape'
}

/** Names of the values that nodes store with numbers of their own; others only move what is stored. */
export function storedValues(graph: Graph): string[] {
  const isReal = (name: string): boolean => /^float/.test(graph.values.get(name)?.type ?? '')
  return graph.nodes.filter(computes).flatMap(({ outputs: [name] }) => (name && isReal(name) ? [name] : []))
}

/** The stored value or network input whose numbers a value has: through reshapes, transposes, pooling of maxima. */
export function sourceOf(graph: Graph, name: string): string {
  const producers = new Map(graph.nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)))
  let current = name
  for (;;) {
    const node = producers.get(current)
    if (node === undefined || computes(node)) return current
    const [input] = node.inputs
    if (input === undefined || input === '' || graph.constants.has(input)) return current
    current = input
  }
}

/** What each node and each value has under the rules of an arithmetic. */
export interface LayerChoice {
  /** The name that holds for a field of a node, by the node's first output. */
  of(field: LayerField, name: string): string
}

/**
 * Which name holds where. Throws `usage` for a pattern that is no regular expression, and for one that matches nothing its
 * fields could mean, with names that there are.
 */
export function chooseByLayer(graph: Graph, arithmetic: Arithmetic): LayerChoice {
  const layers = layersOf(graph)
  const stored = new Set(storedValues(graph))
  const chosen = new Map<LayerField, Map<string, string>>()
  const weighted = layers.filter(({ weight }) => weight !== undefined).map(({ node }) => node)
  const attention = layers.filter(({ weight }) => weight === undefined).map(({ node }) => node)
  const candidates: Readonly<Record<LayerField, readonly Node[]>> = {
    weights: weighted,
    activations: graph.nodes.filter(({ outputs: [name] }) => name !== undefined && stored.has(name)),
    operands: attention,
    products: layers.map(({ node }) => node),
    accumulators: layers.map(({ node }) => node),
  }
  const attentionSet = new Set(attention)
  for (const { pattern, set } of arithmetic.layers) {
    const matches = matcher(pattern, weighted, attentionSet)
    for (const [field, name] of Object.entries(set) as [LayerField, string][]) {
      const found = candidates[field].filter(matches)
      if (found.length === 0) throw matchesNothing(pattern, field, candidates[field])
      const names = chosen.get(field) ?? new Map<string, string>()
      chosen.set(field, names)
      for (const { outputs } of found) names.set(outputs[0] as string, name)
    }
  }
  return { of: (field, name) => chosen.get(field)?.get(name) ?? arithmetic[field] }
}

function matcher(pattern: string, weighted: readonly Node[], attention: ReadonlySet<Node>): (node: Node) => boolean {
  if (pattern === '@attention') return (node) => attention.has(node)
  if (pattern === '@first' || pattern === '@last') {
    const layer = weighted.at(pattern === '@first' ? 0 : -1)
    return (node) => node === layer
  }
  try {
    const expression = new RegExp(`^(?:${pattern})$`, 'u')
    return ({ name, outputs }) => [name, ...outputs].some((one) => expression.test(one))
  } catch (cause) {
    throw new DyadicError(
      'usage',
      `the pattern ${quoted(pattern)} is no regular expression: ${cause instanceof Error ? cause.message : cause}`,
      { cause },
    )
  }
}

function matchesNothing(pattern: string, field: LayerField, candidates: readonly Node[]): DyadicError {
  const names = candidates.slice(0, 6).map(({ outputs }) => quoted(outputs[0] as string))
  const more = candidates.length > 6 ? ` and ${candidates.length - 6} more` : ''
  if (pattern === '@attention')
    return new DyadicError('usage', 'the network has no product of two computed tensors, which attention would be')
  const there = candidates.length === 0 ? 'there is none in this network' : `there are ${names.join(', ')}${more}`
  return new DyadicError(
    'usage',
    `the pattern ${quoted(pattern)} matches nothing that has ${field}; ${there}, and @first, @last, @attention`,
  )
}
