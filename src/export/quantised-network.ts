/**
 * A fused graph and its plan as exports need them: the grid of every value, and every layer's codes with the scales that an
 * exported file gives them.
 *
 * Values with a scale for each channel are exported in their own units (real value / channel scale), network inputs with
 * scales of their own in codes: layers take these factors into the scales of their weights, exactly as the program does.
 * The biases are those of the integer graph, so that nothing is rounded in two places.
 */
import { DyadicError, quoted } from '../error.ts'
import type { Graph, Node } from '../graph/graph.ts'
import { type Constant, elementCount } from '../graph/tensor.ts'
import type { ConvolutionInstruction, IntegerGraph, Port } from '../lower/integer-graph.ts'
import { lower } from '../lower/lower.ts'
import { roundHalfEven } from '../num/dyadic.ts'
import { decodeCodes } from '../quantize/base64-codes.ts'
import { codesOf, inputStep, type Layer, layersOf, sourceOf } from '../quantize/layer.ts'
import { type ActivationFormat, formatRange, type Plan, type WeightFormat } from '../quantize/plan.ts'

/** How a value's codes mean exported reals: scale × (code − zeroPoint). */
export interface Grid {
  readonly format: Exclude<ActivationFormat, 's32'>
  readonly scale: number
  /** One, or for a network input one per channel. */
  readonly zeroPoint: readonly number[]
}

/** How a network input becomes what the first layer reads: codes of `grid` of `factor[c] × real + offset[c]`. */
export interface ExportedInput {
  readonly grid: Grid
  /** One per channel, or none where it is 1. */
  readonly factor?: readonly number[]
  /** One per channel or one for all, or none where it is 0. */
  readonly offset?: readonly number[]
  /** Dimension of the channels. */
  readonly axis: number
}

/** Scales of consecutive weights along dimension 1: [output][block][…kernel]. */
export interface WeightBlocks {
  readonly size: number
  readonly shape: readonly number[]
  readonly scales: Float64Array
}

export interface ExportedLayer {
  readonly name: string
  /** Of the ONNX weights: [output][input][…kernel], or [output][input]. */
  readonly shape: readonly number[]
  readonly format: WeightFormat
  /** In the order of the ONNX weights. */
  readonly codes: Int16Array
  /** Exported weight = scale × (code − zeroPoint), times the factor of its block; one, or one per output channel. */
  readonly scale: readonly number[]
  readonly zeroPoint: readonly number[]
  readonly blocks?: WeightBlocks
  /** In units of `biasScale`; undefined where the layer has none. */
  readonly bias?: Int32Array
  readonly biasScale: readonly number[]
  /** Codes the output may have, as the outside sees them. */
  readonly clamp: { readonly low: number; readonly high: number }
}

export interface QuantisedNetwork {
  readonly graph: Graph
  readonly integers: IntegerGraph
  readonly inputs: ReadonlyMap<string, ExportedInput>
  /** Undefined for a value that stays wider than 16 bits. */
  grid(name: string): Grid | undefined
  /** Whether the value is rounded to its grid anew, as opposed to keeping the codes of what it moves. */
  isRounded(name: string): boolean
  /** Relative scales of the channels of a value, where it is exported in units of its own. */
  channelScales(name: string): readonly number[] | undefined
  layer(node: Node): ExportedLayer
}

/** A fused graph by its plan. Throws as `lower` does, so that what cannot be compiled is not exported either. */
export function quantisedNetwork(graph: Graph, plan: Plan): QuantisedNetwork {
  const integers = lower(graph, plan)
  const inputs = new Map(integers.inputs.map((port) => [port.name, exportedInput(port, plan)]))
  const producers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)))
  const grids = new Map<string, Grid | undefined>()
  const tied = tiedAverages(integers)
  for (const [name, { grid }] of inputs) grids.set(name, grid)
  for (const node of graph.nodes)
    for (const name of node.outputs) {
      const entry = Object.hasOwn(plan.tensors, name) && node.outputs.length === 1 ? plan.tensors[name] : undefined
      if (entry === undefined) grids.set(name, grids.get(node.inputs[0]))
      else if (entry.format === 's32') grids.set(name, undefined)
      else {
        const scale = tied.has(name) ? float32Below(entry.scale) : entry.scale
        grids.set(name, { format: entry.format, scale, zeroPoint: [entry.zeroPoint] })
      }
    }
  const layers = new Map(layersOf(graph, plan).map((layer) => [layer.name, layer]))
  const instructions = new Map(
    integers.instructions.flatMap((one) =>
      one.kind === 'convolution' || one.kind === 'depthwise' ? [[one.output.name, one] as const] : [],
    ),
  )
  return {
    graph,
    integers,
    inputs,
    grid: (name) => grids.get(name),
    isRounded: (name) =>
      Object.hasOwn(plan.tensors, name) && producers.get(name)?.outputs.length === 1 && grids.get(name) !== undefined,
    channelScales: (name) => plan.tensors[sourceOf(graph, plan, name)]?.channelScales,
    layer: (node) => {
      const [name] = node.outputs
      const layer = layers.get(name) as Layer
      const instruction = instructions.get(name) as ConvolutionInstruction
      const constant = graph.constants.get(node.inputs[1]) as Constant
      const source = grids.get(node.inputs[0]) as Grid
      return exportedLayer(graph, plan, layer, instruction, constant, source)
    },
  }
}

/**
 * Averages of codes that keep their scale and are never negative: their sums fall half-way between two codes, which programs
 * round up and ONNX rounds to even. With the next smaller scale every such tie is a little above the half.
 */
function tiedAverages({ instructions }: IntegerGraph): ReadonlySet<string> {
  return new Set(
    instructions.flatMap((one) =>
      one.kind === 'average-pool' &&
      Math.fround(one.input.scale) === Math.fround(one.output.scale) &&
      one.input.range.low >= one.inputZeroPoint
        ? [one.output.name]
        : [],
    ),
  )
}

/** The float32 before that of a positive number. */
function float32Below(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer)
  bits[0] -= 1
  return new Float32Array(bits.buffer)[0]
}

function exportedInput({ name, shape, scale, zeroPoint, channelAxis = 1 }: Port, plan: Plan): ExportedInput {
  const { format } = plan.inputs[name]
  if (format === 's32')
    throw new DyadicError(
      'unsupported',
      `input ${quoted(name)} holds indices of a table, which exports do not have yet; compile the network instead`,
    )
  const { low, high } = formatRange(format)
  const points = zeroPoint.map(roundHalfEven)
  const wrong = points.find((point) => point < low || point > high)
  if (wrong !== undefined)
    throw new DyadicError(
      'unsupported',
      `input ${quoted(name)} has zero point ${wrong}, which is no ${format} code; ONNX has no such quantisation: give the input another offset in the data card`,
    )
  const folded = scale.length > 1
  const unit = folded ? 1 : scale[0]
  const rest = zeroPoint.map((point, c) => (point - points[c]) * unit)
  const axis = shape.length > 1 ? channelAxis : 0
  return {
    grid: { format, scale: unit, zeroPoint: points.every((point) => point === points[0]) ? [points[0]] : points },
    ...(folded && { factor: scale.map((step) => 1 / step) }),
    ...(rest.some((offset) => offset !== 0) && { offset: rest }),
    axis,
  }
}

function exportedLayer(
  graph: Graph,
  plan: Plan,
  layer: Layer,
  instruction: ConvolutionInstruction,
  constant: Constant,
  source: Grid,
): ExportedLayer {
  const { name, outputs } = layer
  const entry = plan.weights[name]
  const target = plan.tensors[name]
  const step = inputStep(graph, plan, layer)
  const share = (o: number): number => 1 / (target.channelScales?.[o] ?? 1)
  const list = entry.scale.length > 1 || target.channelScales !== undefined
  const perOutput = <T>(make: (o: number) => T): T[] =>
    list ? Array.from({ length: outputs }, (_, o) => make(o)) : [make(0)]
  const own = (o: number): number => entry.scale[entry.scale.length > 1 ? o : 0]
  const scale = perOutput((o) => (own(o) * share(o) * step) / source.scale)
  const offset = target.format === 'u8' ? 128 : 0
  const hasBias = layer.bias !== undefined || instruction.bias.some((value) => value !== 0)
  return {
    name,
    shape: constant.shape,
    format: entry.format,
    codes: codesOf(layer, entry),
    scale,
    zeroPoint: entry.zeroPoint,
    ...(entry.groups && { blocks: weightBlocks(layer, entry.groups, constant.shape, scale) }),
    ...(hasBias && { bias: instruction.bias }),
    biasScale: perOutput((o) => own(o) * share(o) * step),
    clamp: { low: instruction.clamp.low + offset, high: instruction.clamp.high + offset },
  }
}

/** Factors of groups as blocks along the input channels; refused where groups cross the kernel's positions. */
function weightBlocks(
  { name, channels, area, outputs }: Layer,
  { size, factors }: { size: number; factors: string },
  shape: readonly number[],
  scale: readonly number[],
): WeightBlocks {
  if (area > 1 && (shape.length === 2 || channels % size !== 0))
    throw new DyadicError(
      'unsupported',
      `layer ${quoted(name)} has groups of ${size} weights that cross the positions of its kernel (${channels} input channels); ONNX has blocks along one dimension only: quantise it without --group, or keep the layer with --keep`,
    )
  const bytes = decodeCodes(factors)
  const blocks = Math.ceil(channels / size)
  const scales = new Float64Array(outputs * blocks * area)
  const perOutput = blocks * area
  for (let o = 0; o < outputs; o++)
    for (let block = 0; block < blocks; block++)
      for (let position = 0; position < area; position++)
        scales[(o * blocks + block) * area + position] =
          bytes[o * perOutput + position * blocks + block] * scale[scale.length > 1 ? o : 0]
  const blockShape = [shape[0], blocks, ...shape.slice(2)]
  if (elementCount(blockShape) !== scales.length)
    throw new DyadicError('refused', `layer ${quoted(name)} has weights of shape [${shape}], not of its groups`)
  return { size, shape: blockShape, scales }
}
