/**
 * What a node becomes when its transposed inputs are read before their transposition: the same operator with axes and
 * constants renamed, and the transposition that its result then still needs. Knows every operator that commutes with it.
 */
import type { Graph, Node, Value } from '../graph.ts'
import { optionalNumber } from '../operators/context.ts'
import { normalizeAxes, normalizeAxis } from '../operators/layout.ts'
import { reducedAxes } from '../operators/reduce.ts'
import { resolvePads } from '../operators/select.ts'
import { transpose } from '../operators/shape.ts'
import { constantOf } from '../rewrite.ts'
import { type Constant, makeConstant, readConstant, readNumbers } from '../tensor.ts'

/** A value that is `Transpose(from, order)`. */
export interface Transposed {
  readonly from: string
  readonly order: readonly number[]
}

/** The node's new inputs and attributes, in place of its own, and the order in which its result is then transposed. */
export interface Untransposed {
  readonly inputs: readonly string[]
  readonly attributes: Node['attributes']
  readonly order: readonly number[]
}

/** Adds a constant under a free name made from `base` and returns the name. */
export type AddConstant = (base: string, constant: Constant) => string

/** Functions of one element of input 0; what else they read are scalars. */
const UNARY: ReadonlySet<string> = new Set([
  ...['Abs', 'Ceil', 'Clip', 'Elu', 'Erf', 'Exp', 'Floor', 'Gelu', 'HardSigmoid', 'HardSwish', 'LeakyRelu', 'Log'],
  ...['Mish', 'Neg', 'Reciprocal', 'Relu', 'Round', 'Selu', 'Sigmoid', 'Sign', 'Softplus', 'Softsign', 'Sqrt', 'Swish'],
  ...['Tanh', 'ThresholdedRelu'],
])

const BROADCASTING: ReadonlySet<string> = new Set(['Add', 'Div', 'Max', 'Min', 'Mul', 'Pow', 'PRelu', 'Sub'])

const REDUCING: ReadonlySet<string> = new Set(['ReduceMax', 'ReduceMean', 'ReduceMin', 'ReduceSum'])

/** The node without its inputs' common transposition, or `undefined` where it has none or does not commute with it. */
export function untransposed(
  graph: Graph,
  node: Node,
  transposed: ReadonlyMap<string, Transposed>,
  add: AddConstant,
): Untransposed | undefined {
  const first = node.inputs.map((name) => transposed.get(name)).find((found) => found !== undefined)
  if (first === undefined || node.outputs.length !== 1) return undefined
  const { order } = first
  const rank = order.length
  const same = (name: string) => String(transposed.get(name)?.order) === String(order)
  const numbers = (index: number): number[] | undefined => {
    const constant = graph.constants.get(node.inputs[index] ?? '')
    return constant && readNumbers(constant)
  }
  /** The operands with the first `count` read before their transposition; constants are transposed back. */
  const before = (count: number): string[] | undefined => {
    const inputs = node.inputs.map((name, index) => {
      if (index >= count) return name
      if (same(name)) return transposed.get(name)?.from
      const constant = graph.constants.get(name)
      return constant && constantBefore(constant, name, order, add)
    })
    return inputs.some((name) => name === undefined) ? undefined : (inputs as string[])
  }
  const result = (
    inputs: readonly string[] | undefined,
    attributes: Node['attributes'] = node.attributes,
    left: readonly number[] = order,
  ): Untransposed | undefined => inputs && { inputs, attributes, order: left }
  const axisOf = (axis: number) => order[normalizeAxis(axis, rank, node.name)]
  const list = (values: readonly number[]) =>
    add(`${node.outputs[0]}:axes`, makeConstant('int64', [values.length], values))

  if (UNARY.has(node.operator)) return result(before(1))
  if (BROADCASTING.has(node.operator)) return result(before(node.inputs.length))
  if (node.operator === 'Concat' || node.operator === 'Softmax') {
    const axis = axisOf(optionalNumber(node.attributes, 'axis') ?? -1)
    return result(before(node.inputs.length), new Map(node.attributes).set('axis', axis))
  }
  if (!same(node.inputs[0])) return undefined
  const rest = node.inputs.slice(1)
  if (node.operator === 'Pad') {
    const given = numbers(1)
    if (given === undefined || (node.inputs[3] && numbers(3) === undefined)) return undefined
    const pads = resolvePads(node.name, rank, given, numbers(3))
    const moved = new Array<number>(2 * rank)
    order.forEach((axis, k) => {
      moved[axis] = pads[k]
      moved[axis + rank] = pads[k + rank]
    })
    const constant = add(`${node.outputs[0]}:pads`, makeConstant('int64', [2 * rank], moved))
    return result([first.from, constant, ...(node.inputs[2] ? [node.inputs[2]] : [])])
  }
  if (node.operator === 'Slice') {
    const count = graph.constants.get(node.inputs[1])?.shape[0] ?? 0
    const axes = node.inputs[3] ? numbers(3) : Array.from({ length: count }, (_, axis) => axis)
    if (axes === undefined) return undefined
    const moved = list(normalizeAxes(axes, rank, node.name).map((axis) => order[axis]))
    return result([first.from, node.inputs[1], node.inputs[2], moved, ...node.inputs.slice(4)])
  }
  if (REDUCING.has(node.operator)) {
    const given = node.inputs[1] ? numbers(1) : []
    if (given === undefined) return undefined
    const axes = reducedAxes(node.name, node.attributes, rank, given)
    if (axes.length === 0) return result([first.from, ...rest])
    const inputs = [first.from, list(axes.map((axis) => order[axis]))]
    if (node.attributes.get('keepdims') !== 0) return result(inputs)
    const kept = order.filter((_, axis) => !axes.includes(axis))
    const sorted = kept.toSorted((a, b) => a - b)
    return result(
      inputs,
      node.attributes,
      kept.map((axis) => sorted.indexOf(axis)),
    )
  }
  return undefined
}

/** A constant as it would stand before the transposition; scalars stay. Missing leading axes are added first. */
function constantBefore(
  constant: Constant,
  name: string,
  order: readonly number[],
  add: AddConstant,
): string | undefined {
  const { type } = constant
  if (constant.shape.every((size) => size === 1) && constant.shape.length <= 1) return name
  if (constant.shape.length > order.length) return undefined
  const shape = [...new Array<number>(order.length - constant.shape.length).fill(1), ...constant.shape]
  const inverse = order.map((_, axis) => order.indexOf(axis))
  const [result] = transpose.evaluate({
    node: name,
    inputs: [{ type, shape, data: readConstant(constant) }],
    attributes: new Map([['perm', inverse]]),
    outputs: [{ type, shape: inverse.map((axis) => shape[axis]) }],
  })
  return add(`${name}:untransposed`, constantOf(result))
}

/** Order of a Transpose node's axes, with ONNX's default filled in. */
export function orderOf(graph: Graph, node: Node): readonly number[] {
  const rank = (graph.values.get(node.inputs[0]) as Value).shape.length
  const given = node.attributes.get('perm') as readonly number[] | undefined
  return given ?? Array.from({ length: rank }, (_, axis) => rank - 1 - axis)
}
