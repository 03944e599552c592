/**
 * Gives activations that a file writes out in several nodes their own operator: HardSigmoid, HardSwish, Swish, Mish,
 * PRelu and LeakyRelu. Only the last node changes; those before it are dead where nothing else reads them. Constants are compared
 * with the exact ones within float32 rounding.
 */
import type { AttributeValue, Graph, Node, Value } from '../graph.ts'
import { broadcastShapes } from '../operators/layout.ts'
import { addConstant, indexProducers, type MutableConstants, rebuild } from '../rewrite.ts'
import { elementCount, makeConstant, readNumbers } from '../tensor.ts'

export function recogniseActivations(graph: Graph): Graph {
  const view = new View(graph)
  let changed = false
  const nodes = graph.nodes.map((node) => {
    const found = PATTERNS[node.operator]?.reduce<Partial<Node> | undefined>(
      (sofar, match) => sofar ?? match(view, node),
      undefined,
    )
    if (found === undefined) return node
    changed = true
    return { ...node, attributes: new Map<string, AttributeValue>(), ...found }
  })
  return changed ? rebuild(graph, { nodes, constants: view.constants }) : graph
}

type Pattern = (view: View, node: Node) => Partial<Node> | undefined

const PATTERNS: Readonly<Record<string, readonly Pattern[]>> = {
  Mul: [hardSigmoid, scaledHardSwish, gated],
  Add: [parametricRelu],
  Max: [leakyMaximum],
}

/** A graph as patterns ask for it. */
class View {
  readonly graph: Graph
  readonly constants: MutableConstants
  readonly #producers: ReadonlyMap<string, number>

  constructor(graph: Graph) {
    this.graph = graph
    this.constants = new Map(graph.constants)
    this.#producers = indexProducers(graph)
  }

  /** The node that computes a value, when it is of this operator. */
  node(name: string, operator: string): Node | undefined {
    const found = this.graph.nodes[this.#producers.get(name) ?? -1]
    return found?.operator === operator ? found : undefined
  }

  /** Both orders of a node's two operands. */
  orders(node: Node): [string, string][] {
    const [a, b] = node.inputs
    return [
      [a, b],
      [b, a],
    ]
  }

  /** The operand beside a constant, and the constant's numbers, of a node of this operator. */
  withConstant(name: string, operator: string): { value: string; constant: string; numbers: number[] } | undefined {
    const node = this.node(name, operator)
    for (const [value, other] of node ? this.orders(node) : []) {
      const constant = this.graph.constants.get(other)
      if (constant !== undefined) return { value, constant: other, numbers: readNumbers(constant) }
    }
    return undefined
  }

  /** The only number of a constant. */
  scalar(name: string | undefined): number | undefined {
    const constant = this.graph.constants.get(name ?? '')
    return constant && elementCount(constant.shape) === 1 ? readNumbers(constant)[0] : undefined
  }

  shape(name: string): readonly number[] {
    return (this.graph.values.get(name) as Value).shape
  }

  /** Whether two values have one shape: a constant of shape [1, 1] may have widened one of them. */
  alike(a: string, b: string): boolean {
    return String(this.shape(a)) === String(this.shape(b))
  }
}

function near(found: number | undefined, wanted: number): boolean {
  return found !== undefined && Math.abs(found - wanted) <= 1e-6 * Math.abs(wanted)
}

/** What `Clip(x + shift, 0, high)` is made of. */
function shiftedClip(view: View, name: string): { x: string; shift: number; high: number } | undefined {
  const clip = view.node(name, 'Clip')
  const sum = clip && view.withConstant(clip.inputs[0], 'Add')
  const high = view.scalar(clip?.inputs[2])
  if (sum?.numbers.length !== 1 || high === undefined || high <= 0 || view.scalar(clip?.inputs[1]) !== 0)
    return undefined
  return { x: sum.value, shift: sum.numbers[0], high }
}

/** Clip(x + shift, 0, high) · 1/high. */
function hardSigmoid(view: View, node: Node): Partial<Node> | undefined {
  for (const [value, factor] of view.orders(node)) {
    const clip = shiftedClip(view, value)
    if (clip === undefined || !near(view.scalar(factor), 1 / clip.high) || !view.alike(clip.x, node.outputs[0]))
      continue
    const attributes = new Map([
      ['alpha', 1 / clip.high],
      ['beta', clip.shift / clip.high],
    ])
    return { operator: 'HardSigmoid', inputs: [clip.x], attributes }
  }
  return undefined
}

/** x · Clip(x + 3, 0, 6) · 1/6. */
function scaledHardSwish(view: View, node: Node): Partial<Node> | undefined {
  const x = scaledProduct(view, node, 1 / 6, (gate, value) => {
    const clip = shiftedClip(view, gate)
    return clip?.x === value && clip.shift === 3 && clip.high === 6
  })
  return x === undefined ? undefined : { operator: 'HardSwish', inputs: [x] }
}

/** x where the node is x · gate · factor, with the factor multiplied last or first, to x or to the gate. */
function scaledProduct(
  view: View,
  node: Node,
  factor: number,
  isGate: (gate: string, x: string) => boolean,
): string | undefined {
  const fits = (x: string, gate: string) => isGate(gate, x) && view.alike(x, node.outputs[0])
  for (const [left, right] of view.orders(node)) {
    const product = near(view.scalar(right), factor) ? view.node(left, 'Mul') : undefined
    for (const [x, gate] of product ? view.orders(product) : []) if (fits(x, gate)) return x
    const scaled = view.withConstant(left, 'Mul')
    if (scaled?.numbers.length !== 1 || !near(scaled.numbers[0], factor)) continue
    if (fits(scaled.value, right)) return scaled.value
    if (fits(right, scaled.value)) return right
  }
  return undefined
}

/** x · gate(x): Swish, HardSwish and Mish. */
function gated(view: View, node: Node): Partial<Node> | undefined {
  for (const [x, gate] of view.orders(node)) {
    const sigmoid = view.node(gate, 'Sigmoid')
    if (sigmoid?.inputs[0] === x) return { operator: 'Swish', inputs: [x] }
    const scaled = sigmoid && view.withConstant(sigmoid.inputs[0], 'Mul')
    if (scaled?.value === x && scaled.numbers.length === 1 && view.alike(x, node.outputs[0]))
      return { operator: 'Swish', inputs: [x], attributes: new Map([['alpha', scaled.numbers[0]]]) }
    const hard = view.node(gate, 'HardSigmoid')
    if (hard?.inputs[0] === x && near(hard.attributes.get('alpha') as number, 1 / 6))
      if (hard.attributes.get('beta') === 0.5) return { operator: 'HardSwish', inputs: [x] }
    const softplus = view.node(view.node(gate, 'Tanh')?.inputs[0] ?? '', 'Softplus')
    if (softplus?.inputs[0] === x) return { operator: 'Mish', inputs: [x] }
  }
  return undefined
}

/** Relu(x) − slope · Relu(−x) or Relu(x) + slope · Min(x, 0), with a constant slope that broadcasts to x. */
function parametricRelu(view: View, node: Node): Partial<Node> | undefined {
  for (const [left, right] of view.orders(node)) {
    const x = view.node(left, 'Relu')?.inputs[0]
    const product = view.withConstant(right, 'Mul')
    if (x === undefined || product === undefined || !isSlope(view, product.constant, x)) continue
    const negative = view.node(view.node(product.value, 'Relu')?.inputs[0] ?? '', 'Neg')
    const least = view.node(product.value, 'Min')
    const isLeast = least && view.orders(least).some(([value, zero]) => value === x && view.scalar(zero) === 0)
    const sign = negative?.inputs[0] === x ? -1 : isLeast ? 1 : 0
    if (sign === 0) continue
    const { type, shape } = view.graph.constants.get(product.constant)!
    const slopes = makeConstant(
      type,
      shape,
      product.numbers.map((value) => sign * value),
    )
    const slope = addConstant(view.graph, view.constants, `${node.outputs[0]}:slope`, slopes)
    return { operator: 'PRelu', inputs: [x, slope] }
  }
  return undefined
}

/** Max(x, slope · x) with constant slopes from 0 to 1. */
function leakyMaximum(view: View, node: Node): Partial<Node> | undefined {
  if (node.inputs.length !== 2) return undefined
  for (const [x, other] of view.orders(node)) {
    const product = view.withConstant(other, 'Mul')
    if (product?.value !== x || product.numbers.some((value) => !(value >= 0 && value <= 1))) continue
    if (!isSlope(view, product.constant, x)) continue
    if (product.numbers.length === 1)
      return { operator: 'LeakyRelu', inputs: [x], attributes: new Map([['alpha', product.numbers[0]]]) }
    return { operator: 'PRelu', inputs: [x, product.constant] }
  }
  return undefined
}

/** Whether a constant broadcasts to a value's shape without widening it. */
function isSlope(view: View, constant: string, x: string): boolean {
  return String(broadcastShapes(view.shape(constant), view.shape(x))) === String(view.shape(x))
}
