/**
 * Arithmetic with constants in few forms: a constant divisor becomes a factor, a constant subtrahend an addend, and
 * constants that are added (or multiplied) one after the other become one. Computed in double; results are float32 unless
 * a number they are made from is float64.
 */
import type { Graph, Node } from '../graph.ts'
import { isFloat } from '../operators/context.ts'
import { broadcastShapes, broadcastStrides, copyStrided, rowMajorStrides } from '../operators/layout.ts'
import { addConstant, countUses, rebuild } from '../rewrite.ts'
import { type Constant, elementCount, makeConstant, readNumbers } from '../tensor.ts'

/** A node that adds a constant to a value or multiplies it by one. */
interface Term {
  readonly value: string
  readonly constant: Constant
}

export function mergeArithmetic(graph: Graph): Graph {
  const uses = countUses(graph)
  const constants = new Map(graph.constants)
  const current = new Map<string, Node>()
  let changed = false
  const nodes = graph.nodes.map((node) => {
    const plain = inverted(graph, constants, node)
    const merged = chained(graph, constants, plain, current, uses)
    if (merged !== node) changed = true
    current.set(node.outputs[0], merged)
    return merged
  })
  return changed ? rebuild(graph, { nodes, constants }) : graph
}

/** Div by a constant as Mul, Sub of one as Add; any other node as it is. */
function inverted(graph: Graph, constants: Map<string, Constant>, node: Node): Node {
  const divides = node.operator === 'Div'
  if (!divides && node.operator !== 'Sub') return node
  const constant = constants.get(node.inputs[1])
  if (constant === undefined || !isFloat(constant.type) || constants.has(node.inputs[0])) return node
  const numbers = readNumbers(constant).map((value) => (divides ? 1 / value : -value))
  // The reciprocal of a tiny number may be too large for float32.
  if (numbers.some((value) => !Number.isFinite(Math.fround(value)))) return node
  const name = `${node.inputs[1]}:${divides ? 'reciprocal' : 'negative'}`
  const inverse = addConstant(graph, constants, name, makeConstant(constant.type, constant.shape, numbers))
  return { ...node, operator: divides ? 'Mul' : 'Add', inputs: [node.inputs[0], inverse] }
}

function termOf(constants: ReadonlyMap<string, Constant>, node: Node | undefined): Term | undefined {
  if (node?.operator !== 'Add' && node?.operator !== 'Mul') return undefined
  const side = constants.has(node.inputs[1]) ? 1 : 0
  const constant = constants.get(node.inputs[side])
  const value = node.inputs[1 - side]
  return constant && isFloat(constant.type) && !constants.has(value) ? { value, constant } : undefined
}

/** The node with the constant of the node before it in its own, where nothing else reads that node's result. */
function chained(
  graph: Graph,
  constants: Map<string, Constant>,
  node: Node,
  current: ReadonlyMap<string, Node>,
  uses: ReadonlyMap<string, number>,
): Node {
  const outer = termOf(constants, node)
  const before = outer && current.get(outer.value)
  const inner = before?.operator === node.operator ? termOf(constants, before) : undefined
  if (outer === undefined || inner === undefined || uses.get(outer.value) !== 1) return node
  const shape = broadcastShapes(outer.constant.shape, inner.constant.shape)
  const [a, b] = [outer.constant, inner.constant].map(({ shape: own }) => elementCount(own))
  // Where both would grow, two small constants say the same in less.
  if (shape === undefined || elementCount(shape) > Math.max(a, b)) return node
  const [left, right] = [outer.constant, inner.constant].map((constant) => expanded(constant, shape))
  const numbers = left.map((value, i) => (node.operator === 'Mul' ? value * right[i] : value + right[i]))
  const type = [outer.constant, inner.constant].some((constant) => constant.type === 'float64') ? 'float64' : 'float32'
  const name = addConstant(graph, constants, `${node.outputs[0]}:constant`, makeConstant(type, shape, numbers))
  return { ...node, inputs: [inner.value, name] }
}

/** A constant's numbers repeated to a shape. */
function expanded(constant: Constant, shape: readonly number[]): Float64Array {
  const data = new Float64Array(elementCount(shape))
  copyStrided(
    shape,
    { data: Float64Array.from(readNumbers(constant)), offset: 0, strides: broadcastStrides(constant.shape, shape) },
    { data, offset: 0, strides: rowMajorStrides(shape) },
  )
  return data
}
