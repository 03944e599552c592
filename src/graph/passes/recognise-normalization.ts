/**
 * Gives normalisations that a file writes out their own operator: (x − mean) / √(variance + ε) over the last axes becomes
 * LayerNormalization, x / √(mean square + ε) RMSNormalization; constants that multiply or shift the result over these axes
 * become its parameters. Division, Reciprocal and a power of −1/2 are all understood. Only the last node changes.
 */
import type { AttributeValue, Graph, Node, Value } from '../graph.ts'
import { broadcastShapes, broadcastStrides, copyStrided, rowMajorStrides } from '../operators/layout.ts'
import { reducedAxes } from '../operators/reduce.ts'
import { addConstant, countUses, indexProducers, type MutableConstants, rebuild } from '../rewrite.ts'
import { type Constant, elementCount, makeConstant, readNumbers } from '../tensor.ts'

export function recogniseNormalization(graph: Graph): Graph {
  const producers = indexProducers(graph)
  const uses = countUses(graph)
  const constants = new Map(graph.constants)
  const view: View = {
    graph,
    constants,
    node: (name) => graph.nodes[producers.get(name) ?? -1],
    only: (name) => uses.get(name) === 1,
  }
  let changed = false
  const nodes = graph.nodes.map((node) => {
    const found = normalised(view, node) ?? withParameter(view, node)
    if (found === undefined) return node
    changed = true
    return { ...node, ...found }
  })
  return changed ? rebuild(graph, { nodes, constants }) : graph
}

interface View {
  readonly graph: Graph
  readonly constants: MutableConstants
  /** The node that computes a value. */
  node(name: string): Node | undefined
  /** Whether a value has one reader, graph outputs counted. */
  only(name: string): boolean
}

type Found = Pick<Node, 'operator' | 'inputs' | 'attributes'>

const shapeOf = ({ graph }: View, name: string): readonly number[] => (graph.values.get(name) as Value).shape

/** The only number of a constant. */
function scalar({ graph }: View, name: string): number | undefined {
  const constant = graph.constants.get(name)
  return constant && elementCount(constant.shape) === 1 ? readNumbers(constant)[0] : undefined
}

/** Both orders of a node's two operands. */
const orders = ([a, b]: readonly string[]): [string, string][] => [
  [a, b],
  [b, a],
]

/** What stands under the root where a node is value / √(what). */
function ratio(view: View, node: Node): { value: string; radicand: string } | undefined {
  if (node.operator === 'Div') {
    const root = view.node(node.inputs[1])
    return root?.operator === 'Sqrt' ? { value: node.inputs[0], radicand: root.inputs[0] } : undefined
  }
  if (node.operator !== 'Mul') return undefined
  for (const [value, factor] of orders(node.inputs)) {
    const inverse = view.node(factor)
    if (inverse?.operator === 'Pow' && scalar(view, inverse.inputs[1]) === -0.5)
      return { value, radicand: inverse.inputs[0] }
    const inverts =
      inverse?.operator === 'Reciprocal' || (inverse?.operator === 'Div' && scalar(view, inverse.inputs[0]) === 1)
    const root = inverts ? view.node(inverse.inputs[inverse.operator === 'Div' ? 1 : 0]) : undefined
    if (root?.operator === 'Sqrt') return { value, radicand: root.inputs[0] }
  }
  return undefined
}

/** The value whose mean a node takes, and the first of the axes, where these are the last ones (or of length 1). */
function meanOf(view: View, name: string): { value: string; first: number } | undefined {
  const node = view.node(name)
  if (node?.operator !== 'ReduceMean' || node.attributes.get('keepdims') !== 1) return undefined
  const shape = shapeOf(view, node.inputs[0])
  const given = view.graph.constants.get(node.inputs[1] ?? '')
  if (node.inputs[1] && given === undefined) return undefined
  const axes = reducedAxes(node.name, node.attributes, shape.length, given && readNumbers(given))
  const first = Math.min(...axes)
  if (axes.length === 0 || shape.some((size, axis) => axis > first && !axes.includes(axis) && size !== 1))
    return undefined
  return { value: node.inputs[0], first }
}

/** What a node is the square of. */
function squared(view: View, name: string): string | undefined {
  const node = view.node(name)
  return node?.operator === 'Mul' && node.inputs[0] === node.inputs[1] ? node.inputs[0] : undefined
}

/** x and the first of its axes where a value is x − mean(x). */
function centred(view: View, name: string): { value: string; first: number } | undefined {
  const node = view.node(name)
  const mean = node?.operator === 'Sub' ? meanOf(view, node.inputs[1]) : undefined
  return mean?.value === node?.inputs[0] ? mean : undefined
}

function normalised(view: View, node: Node): Found | undefined {
  const found = ratio(view, node)
  const sum = found && view.node(found.radicand)
  if (found === undefined || sum?.operator !== 'Add') return undefined
  const { type } = view.graph.values.get(node.outputs[0]) as Value
  for (const [mean, constant] of orders(sum.inputs)) {
    const epsilon = scalar(view, constant)
    const square = meanOf(view, mean)
    const base = square && squared(view, square.value)
    if (epsilon === undefined || epsilon < 0 || square === undefined || base === undefined) continue
    const x = centred(view, found.value)
    const same = base === found.value || (x && centred(view, base)?.value === x.value)
    if (!same || type !== 'float32') continue
    const layer = x !== undefined && x.first === square.first
    const value = layer ? x.value : found.value
    const shape = shapeOf(view, value)
    const size = shape.slice(square.first)
    if (elementCount(size) === 1 || String(shape) !== String(shapeOf(view, node.outputs[0]))) continue
    const ones = makeConstant('float32', size, new Array<number>(elementCount(size)).fill(1))
    const scale = addConstant(view.graph, view.constants, `${node.outputs[0]}:scale`, ones)
    const attributes = new Map<string, AttributeValue>([
      ['axis', square.first - shape.length],
      ['epsilon', epsilon],
      ['stash_type', 1],
    ])
    return { operator: layer ? 'LayerNormalization' : 'RMSNormalization', inputs: [value, scale], attributes }
  }
  return undefined
}

/** A normalisation whose only reader multiplies by a constant, or adds one, over the normalised axes. */
function withParameter(view: View, node: Node): Found | undefined {
  const multiplies = node.operator === 'Mul'
  if (!multiplies && node.operator !== 'Add') return undefined
  for (const [value, name] of orders(node.inputs)) {
    const before = view.node(value)
    const constant = view.graph.constants.get(name)
    const layer = before?.operator === 'LayerNormalization'
    if (before === undefined || constant === undefined || !view.only(value)) continue
    if (!layer && !(multiplies && before.operator === 'RMSNormalization')) continue
    if (before.outputs.slice(1).some((output) => output !== '')) continue
    const shape = shapeOf(view, value)
    const first = before.attributes.get('axis') as number
    const normal = shape.slice(first < 0 ? first + shape.length : first)
    const [numbers, scale] = [constant, view.graph.constants.get(before.inputs[1])].map((parameter) =>
      expanded(parameter, shape, normal),
    )
    const shift = before.inputs[2] ? expanded(view.graph.constants.get(before.inputs[2]), shape, normal) : undefined
    if (numbers === undefined || scale === undefined || (before.inputs[2] && shift === undefined)) continue
    const keep = (role: string, values: readonly number[]): string =>
      addConstant(view.graph, view.constants, `${node.outputs[0]}:${role}`, makeConstant('float32', normal, values))
    const { attributes, operator } = before
    const [x, oldScale] = before.inputs
    if (!multiplies)
      return {
        operator,
        inputs: [x, oldScale, keep('shift', shift ? shift.map((own, i) => own + numbers[i]) : numbers)],
        attributes,
      }
    const newScale = keep(
      'scale',
      scale.map((own, i) => own * numbers[i]),
    )
    const shifted = shift
      ? [
          keep(
            'shift',
            shift.map((own, i) => own * numbers[i]),
          ),
        ]
      : []
    return { operator, inputs: [x, newScale, ...shifted], attributes }
  }
  return undefined
}

/** A parameter's numbers for each element of the normalised axes; `undefined` where it varies along others or widens. */
function expanded(
  parameter: Constant | undefined,
  shape: readonly number[],
  normal: readonly number[],
): number[] | undefined {
  if (parameter?.type !== 'float32' || String(broadcastShapes(parameter.shape, shape)) !== String(shape))
    return undefined
  const own = parameter.shape.slice(-normal.length)
  if (elementCount(own) !== elementCount(parameter.shape)) return undefined
  const data = new Float64Array(elementCount(normal))
  copyStrided(
    normal,
    { data: Float64Array.from(readNumbers(parameter)), offset: 0, strides: broadcastStrides(own, normal) },
    { data, offset: 0, strides: rowMajorStrides(normal) },
  )
  return Array.from(data)
}
