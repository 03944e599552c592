/**
 * Takes QuantizeLinear and DequantizeLinear out of a graph: activations' pairs become entries of a plan under the name of the
 * value they quantise, and quantised constants become exact doubles whose grid is remembered. What remains is a float graph
 * that lowers with the file's own scales.
 */
import { DyadicError, quoted } from '../error.ts'
import type { Graph, Node, Value } from '../graph/graph.ts'
import { inferGraph } from '../graph/infer.ts'
import { type Constant, elementCount, makeConstant, readNumbers } from '../graph/tensor.ts'
import type { InputPlan, TensorPlan } from './plan.ts'

/** The grid of a constant that the file stores as integers. */
export interface ConstantGrid {
  readonly type: string
  /** One, or one per output channel; none where the numbers lie on no such grid (another axis, blocks, small floats). */
  readonly scale: readonly number[]
  readonly zeroPoint: readonly number[]
}

export interface AbsorbedGraph {
  readonly graph: Graph
  /** Quantisation of activations, by value name; graph inputs included. */
  readonly tensors: ReadonlyMap<string, TensorPlan>
  /** Quantisation of graph inputs, by name: these may have a zero point for each channel. */
  readonly inputs: ReadonlyMap<string, InputPlan>
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
  const inputPlans = new Map<string, InputPlan>()
  // Values that are codes in the file, and their grids.
  const codes = new Map<string, ActivationGrid>()

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
      const grid = activationGrid(graph, node)
      const moved = codes.get(input)
      if (moved && !sameGrid(moved, grid)) refuseSecond(node, value, grid, moved)
      if (graph.inputs.includes(value)) rememberInput(inputPlans, value, inputPlan(graph, value, grid, node), node)
      else remember(tensors, value, singleGrid(grid, node), node)
      if (node.operator === 'DequantizeLinear' && graph.inputs.includes(input)) quantisedInputs.add(input)
      source.set(output, value)
      if (node.operator === 'QuantizeLinear') codes.set(output, grid)
    } else {
      const kept = onCodes(graph, node, codes, constants)
      nodes.push({ ...kept, inputs: kept.inputs.map((name) => (name === '' ? '' : current(name))) })
    }
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
    inputs: inputPlans,
    grids,
  }
}

function remember(tensors: Map<string, TensorPlan>, value: string, plan: TensorPlan, node: Node): void {
  const known = tensors.get(value)
  if (known && (known.format !== plan.format || known.scale !== plan.scale || known.zeroPoint !== plan.zeroPoint))
    refuseSecond(node, value, plan, known)
  tensors.set(value, plan)
}

function rememberInput(inputs: Map<string, InputPlan>, value: string, plan: InputPlan, node: Node): void {
  const known = inputs.get(value)
  if (
    known &&
    (known.format !== plan.format || `${known.scale}/${known.zeroPoint}` !== `${plan.scale}/${plan.zeroPoint}`)
  )
    refuseSecond(node, value, plan, known)
  inputs.set(value, plan)
}

/** A quantisation of whatever kind. */
interface Quantisation {
  readonly scale: number | readonly number[]
  readonly zeroPoint: number | readonly number[]
}

function refuseSecond(node: Node, value: string, plan: Quantisation, known: Quantisation): never {
  throw new DyadicError(
    'unsupported',
    `node ${quoted(node.name)} quantises ${quoted(value)} with scale ${plan.scale} and zero point ${plan.zeroPoint}, another node with ${known.scale} and ${known.zeroPoint}; one value can have one quantisation`,
  )
}

/** Scale and zero point of a node as numbers; refuses scales that are not positive and finite. */
function parameters(graph: Graph, node: Node): { scale: number[]; zeroPoint: number[]; type: string } {
  const read = (index: number): Constant | undefined => graph.constants.get(node.inputs[index] ?? '')
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

/** How a node's codes mean reals: one scale, and one zero point or one for each index of `axis`. */
interface ActivationGrid {
  readonly format: TensorPlan['format']
  readonly scale: number
  readonly zeroPoint: readonly number[]
  readonly axis: number
}

const ACTIVATION_FORMATS: ReadonlyMap<string, TensorPlan['format']> = new Map<string, TensorPlan['format']>([
  ['uint8', 'u8'],
  ['int8', 's8'],
  ['int16', 's16'],
  ['uint4', 'u4'],
  ['int4', 's4'],
])

function activationGrid(graph: Graph, node: Node): ActivationGrid {
  const { scale, zeroPoint, type } = parameters(graph, node)
  const format = ACTIVATION_FORMATS.get(type)
  if (format === undefined)
    throw new DyadicError(
      'unsupported',
      `node ${quoted(node.name)} quantises to ${type}; dyadic compiles ${[...ACTIVATION_FORMATS.keys()].join(', ')} activations`,
    )
  if (scale.some((step) => step !== scale[0]) || ((node.attributes.get('block_size') as number | undefined) ?? 0) !== 0)
    throw new DyadicError(
      'unsupported',
      `node ${quoted(node.name)} quantises an activation per channel; dyadic compiles one scale per activation`,
    )
  const same = zeroPoint.every((point) => point === zeroPoint[0])
  const axis = (node.attributes.get('axis') as number | undefined) ?? 1
  return { format, scale: scale[0], zeroPoint: same ? [zeroPoint[0]] : zeroPoint, axis }
}

function sameGrid(a: ActivationGrid, b: ActivationGrid): boolean {
  return a.format === b.format && a.scale === b.scale && String(a.zeroPoint) === String(b.zeroPoint)
}

/** Operators that only move or choose values, so that they are the same on codes and on reals. */
const MOVEMENTS: ReadonlySet<string> = new Set([
  ...['DepthToSpace', 'Dropout', 'Expand', 'Flatten', 'Gather', 'GlobalMaxPool', 'Identity', 'MaxPool', 'ReduceMax'],
  ...['Reshape', 'Slice', 'SpaceToDepth', 'Split', 'Squeeze', 'Tile', 'Transpose', 'Unsqueeze'],
])

/** A node as it is on reals. Throws `unsupported` where it computes with codes what would be something else on reals. */
function onCodes(graph: Graph, node: Node, codes: Map<string, ActivationGrid>, constants: Map<string, Constant>): Node {
  const grids = node.inputs.flatMap((name) => codes.get(name) ?? [])
  const [grid] = grids
  if (grid === undefined) return node
  const joins = node.operator === 'Concat' && grids.length === node.inputs.length
  if (
    (!MOVEMENTS.has(node.operator) && node.operator !== 'Clip' && !joins) ||
    !grids.every((other) => sameGrid(other, grid))
  )
    throw new DyadicError(
      'unsupported',
      `node ${quoted(node.name)} (${node.operator}) computes with quantised codes; dyadic reads operators on codes that only move them, and Clip: dequantise before it`,
    )
  for (const name of node.outputs) codes.set(name, grid)
  if (node.operator !== 'Clip') return node
  const [zeroPoint] = grid.zeroPoint
  const bound = (index: number): string => {
    const constant = graph.constants.get(node.inputs[index] ?? '')
    if (constant === undefined) return node.inputs[index] ?? ''
    const name = `${node.inputs[index]}:real:${node.name}`
    constants.set(name, makeConstant('float32', [], [(readNumbers(constant)[0] - zeroPoint) * grid.scale]))
    return name
  }
  return { ...node, inputs: [node.inputs[0], bound(1), bound(2)] }
}

function singleGrid({ format, scale, zeroPoint }: ActivationGrid, node: Node): TensorPlan {
  if (zeroPoint.length !== 1)
    throw new DyadicError(
      'unsupported',
      `node ${quoted(node.name)} quantises an activation per channel; only network inputs may have a zero point for each`,
    )
  return { format, scale, zeroPoint: zeroPoint[0] }
}

/** An input's grid; zero points run along the channels, which are its second dimension. */
function inputPlan(
  graph: Graph,
  name: string,
  { format, scale, zeroPoint, axis }: ActivationGrid,
  node: Node,
): InputPlan {
  const rank = graph.values.get(name)?.shape.length ?? 0
  if (format !== 'u8' && format !== 's8' && format !== 's16')
    throw new DyadicError(
      'unsupported',
      `node ${quoted(node.name)} quantises the input ${quoted(name)} to ${format}; inputs have 8 or 16 bits`,
    )
  if (zeroPoint.length > 1 && (axis < 0 ? axis + rank : axis) !== 1)
    throw new DyadicError(
      'unsupported',
      `node ${quoted(node.name)} quantises the input ${quoted(name)} along dimension ${axis}; dyadic compiles zero points along dimension 1`,
    )
  return { format, scale: [scale], zeroPoint: [...zeroPoint], layout: 'nchw' }
}

/** Types of constants; small floats lie on no grid of integers and become reals. */
const CONSTANT_TYPES = /^(?:u?int[48]|int32|float8.*|float4e2m1)$/

function dequantiseConstant(graph: Graph, node: Node): { constant: Constant; grid: ConstantGrid } {
  const { scale, zeroPoint, type } = parameters(graph, node)
  const integers = graph.constants.get(node.inputs[0]) as Constant
  if (!CONSTANT_TYPES.test(type))
    throw new DyadicError(
      'unsupported',
      `node ${quoted(node.name)} dequantises ${type}; dyadic compiles constants of int4, uint4, int8, uint8, int32, float4 and float8`,
    )
  const { shape } = integers
  const given = (node.attributes.get('axis') as number | undefined) ?? 1
  const axis = given < 0 ? given + shape.length : given
  const block = (node.attributes.get('block_size') as number | undefined) ?? 0
  const inner = scale.length === 1 ? 1 : elementCount(shape.slice(axis + 1))
  const along = shape[axis] ?? 1
  const at = (index: number): number => {
    if (scale.length === 1) return 0
    const position = Math.floor(index / inner)
    if (block === 0) return position % scale.length
    const outer = Math.floor(position / along)
    return (outer * Math.ceil(along / block) + Math.floor((position % along) / block)) * inner + (index % inner)
  }
  const codes = readNumbers(integers)
  const reals = Float64Array.from(codes, (code, index) => (code - zeroPoint[at(index)]) * scale[at(index)])
  // Scalars are arguments such as the fill of a Pad, whose type must be that of the data.
  const realType = shape.length === 0 ? 'float32' : 'float64'
  // Along axis 1 lie the output channels of a matrix that a dense layer holds transposed.
  const byOutput = block === 0 && (axis === 0 || (axis === 1 && shape.length === 2))
  const onGrid = !type.startsWith('float') && (scale.length === 1 || byOutput)
  return {
    constant: makeConstant(realType, shape, reals),
    grid: onGrid ? { type, scale, zeroPoint } : { type, scale: [], zeroPoint: [] },
  }
}
