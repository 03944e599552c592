/**
 * Takes QuantizeLinear and DequantizeLinear out of a graph: activations' pairs become entries of a plan under the name of the
 * value they quantise, and quantised constants become exact doubles whose grid is remembered. What remains is a float graph
 * that lowers with the file's own scales.
 */
import { DyadicError, quoted } from '../error.ts'
import type { Graph, Node, Value } from '../graph/graph.ts'
import { inferGraph } from '../graph/infer.ts'
import { type Constant, elementCount, makeConstant, readNumbers } from '../graph/tensor.ts'
import type { TensorPlan } from './plan.ts'

/** The grid of a constant that the file stores as integers. */
export interface ConstantGrid {
  readonly type: 'int8' | 'uint8' | 'int32'
  /** One, or one per index of axis 0. */
  readonly scale: readonly number[]
  readonly zeroPoint: readonly number[]
}

export interface AbsorbedGraph {
  readonly graph: Graph
  /** Quantisation of activations, by value name; graph inputs included. */
  readonly tensors: ReadonlyMap<string, TensorPlan>
  /** Grids of constants, by the name of the dequantised value. */
  readonly grids: ReadonlyMap<string, ConstantGrid>
}

/** Whether a graph holds quantisation operators at all. */
export function isQuantised(graph: Graph): boolean {
  return graph.nodes.some((node) => node.operator === 'QuantizeLinear' || node.operator === 'DequantizeLinear')
}

/** The graph without quantisation operators. Throws `unsupported` on forms that have no 8-bit integer meaning here. */
export function absorbQuantisation(graph: Graph): AbsorbedGraph {
  const constants = new Map(graph.constants)
  const tensors = new Map<string, TensorPlan>()
  const grids = new Map<string, ConstantGrid>()
  // Value before any quantisation, for every value that only passed through quantisation operators.
  const source = new Map<string, string>()
  const current = (name: string): string => source.get(name) ?? name
  const nodes: Node[] = []
  const quantisedInputs = new Set<string>()

  for (const node of graph.nodes) {
    const [input, output] = [node.inputs[0], node.outputs[0]]
    if (node.operator === 'DequantizeLinear' && graph.constants.has(input)) {
      const { constant, grid } = dequantiseConstant(graph, node)
      constants.set(output, constant)
      grids.set(output, grid)
    } else if (node.operator === 'QuantizeLinear' || node.operator === 'DequantizeLinear') {
      const value = current(input)
      if (constants.has(value))
        throw new DyadicError(
          'unsupported',
          `node ${quoted(node.name)} quantises the constant ${quoted(value)} at run time; store the quantised integers in the file instead`,
        )
      remember(tensors, value, activationGrid(graph, node), node)
      if (node.operator === 'DequantizeLinear' && graph.inputs.includes(input)) quantisedInputs.add(input)
      source.set(output, value)
    } else nodes.push({ ...node, inputs: node.inputs.map((name) => (name === '' ? '' : current(name))) })
  }

  // A graph output behind quantisation operators keeps its name: the value before them is renamed.
  const renamed = new Map<string, string>()
  for (const output of graph.outputs) {
    const value = current(output)
    if (value === output) continue
    if (graph.inputs.includes(value) || graph.outputs.includes(value) || renamed.has(value))
      throw new DyadicError(
        'unsupported',
        `output ${quoted(output)} is only a quantised copy of ${quoted(value)}, which is a graph input or output itself; remove one of them`,
      )
    renamed.set(value, output)
  }
  const rename = (name: string): string => renamed.get(name) ?? name
  const inputs = graph.inputs.map((name): Value => {
    const value = graph.values.get(name) as Value
    return quantisedInputs.has(name) ? { ...value, type: 'float32' } : value
  })
  return {
    graph: inferGraph({
      name: graph.name,
      opset: graph.opset,
      inputs,
      outputs: graph.outputs,
      nodes: nodes.map((node) => ({ ...node, inputs: node.inputs.map(rename), outputs: node.outputs.map(rename) })),
      constants,
    }),
    tensors: new Map([...tensors].map(([name, plan]) => [rename(name), plan])),
    grids,
  }
}

function remember(tensors: Map<string, TensorPlan>, value: string, plan: TensorPlan, node: Node): void {
  const known = tensors.get(value)
  if (known && (known.format !== plan.format || known.scale !== plan.scale || known.zeroPoint !== plan.zeroPoint))
    throw new DyadicError(
      'unsupported',
      `node ${quoted(node.name)} quantises ${quoted(value)} with scale ${plan.scale} and zero point ${plan.zeroPoint}, another node with ${known.scale} and ${known.zeroPoint}; one value can have one quantisation`,
    )
  tensors.set(value, plan)
}

/** Scale and zero point of a node as numbers; refuses scales that are not positive and finite. */
function parameters(graph: Graph, node: Node): { scale: number[]; zeroPoint: number[]; type: string } {
  const read = (index: number): Constant | undefined => graph.constants.get(node.inputs[index] ?? '')
  if ((node.attributes.get('block_size') ?? 0) !== 0)
    throw new DyadicError(
      'unsupported',
      `node ${quoted(node.name)} has a scale per block (block_size); dyadic compiles one per tensor or channel`,
    )
  const scaleConstant = read(1)
  if (scaleConstant === undefined)
    throw new DyadicError(
      'unsupported',
      `node ${quoted(node.name)} has a scale computed at run time; it must be a constant`,
    )
  const scale = readNumbers(scaleConstant)
  const zero = read(2)
  const zeroPoint = zero ? readNumbers(zero) : scale.map(() => 0)
  for (const value of scale)
    if (!(value > 0) || !Number.isFinite(value))
      throw new DyadicError(
        'refused',
        `node ${quoted(node.name)} has scale ${value}; scales must be positive and finite`,
      )
  const quantised = node.operator === 'DequantizeLinear' ? node.inputs[0] : node.outputs[0]
  return { scale, zeroPoint, type: graph.values.get(quantised)?.type ?? 'unknown' }
}

function activationGrid(graph: Graph, node: Node): TensorPlan {
  const { scale, zeroPoint, type } = parameters(graph, node)
  if (type !== 'int8' && type !== 'uint8')
    throw new DyadicError(
      'unsupported',
      `node ${quoted(node.name)} quantises to ${type}; dyadic compiles int8 and uint8 activations`,
    )
  if (scale.length !== 1)
    throw new DyadicError(
      'unsupported',
      `node ${quoted(node.name)} quantises an activation per channel; dyadic compiles one scale per activation`,
    )
  return { format: type === 'uint8' ? 'u8' : 's8', scale: scale[0], zeroPoint: zeroPoint[0] }
}

function dequantiseConstant(graph: Graph, node: Node): { constant: Constant; grid: ConstantGrid } {
  const { scale, zeroPoint, type } = parameters(graph, node)
  const integers = graph.constants.get(node.inputs[0]) as Constant
  if (type !== 'int8' && type !== 'uint8' && type !== 'int32')
    throw new DyadicError(
      'unsupported',
      `node ${quoted(node.name)} dequantises ${type}; dyadic compiles int8, uint8 and int32 constants`,
    )
  const rank = integers.shape.length
  const axis = ((node.attributes.get('axis') as number | undefined) ?? 1) + 0
  const positive = axis < 0 ? axis + rank : axis
  const inner = scale.length === 1 ? 1 : elementCount(integers.shape.slice(positive + 1))
  const codes = readNumbers(integers)
  const at = (index: number): number => (scale.length === 1 ? 0 : Math.floor(index / inner) % scale.length)
  const reals = Float64Array.from(codes, (code, index) => (code - zeroPoint[at(index)]) * scale[at(index)])
  // Scalars are arguments such as the fill of a Pad, whose type must be that of the data.
  const realType = integers.shape.length === 0 ? 'float32' : 'float64'
  return {
    constant: makeConstant(realType, integers.shape, reals),
    grid: scale.length === 1 || positive === 0 ? { type, scale, zeroPoint } : { type, scale: [], zeroPoint: [] },
  }
}
