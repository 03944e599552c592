/**
 * A layer with weights as methods see it: where its input comes from, the factors folded into its weights before these are
 * rounded, its codes, and what they mean.
 */
import { DyadicError, quoted } from '../error.ts'
import type { Graph, Node } from '../graph/graph.ts'
import { producerOf } from '../graph/producers.ts'
import { type Constant, readConstant } from '../graph/tensor.ts'
import { roundHalfEven } from '../num/dyadic.ts'
import { clamp } from '../num/requantize.ts'
import { decodeCodes, decodeWeightCodes, encodeWeightCodes } from './base64-codes.ts'
import { isWeighted } from './format-choice.ts'
import { formatRange, type Plan, type WeightPlan } from './plan.ts'

/** One layer of a fused graph under a plan. */
export interface Layer {
  readonly node: Node
  /** Name of the layer's value, under which the plan has its entries. */
  readonly name: string
  readonly outputs: number
  readonly groups: number
  /** Input channels of one group; for a dense layer those of the value its input has its numbers from. */
  readonly channels: number
  /** Weights that one input channel has in one output channel. */
  readonly area: number
  /** Real weights, in ONNX order: [output][channel][area]. */
  readonly weights: Float64Array
  readonly bias: ArrayLike<number> | undefined
  /** Factor of each input channel (of all groups) that its weights are multiplied by before they become codes. */
  readonly inputScales: readonly number[] | undefined
  /** Simulated value of each input channel for one folded unit (what codes × weight scale multiply); 1 where undefined. */
  readonly units: readonly number[] | undefined
}

/** The layers of a fused graph in its order, or those among some of its nodes. Throws `unsupported` where weights are computed. */
export function layersOf(graph: Graph, plan: Plan, nodes: readonly Node[] = graph.nodes): Layer[] {
  return nodes.filter(isWeighted).map((node) => layerOf(graph, plan, node))
}

function layerOf(graph: Graph, plan: Plan, node: Node): Layer {
  const constant = graph.constants.get(node.inputs[1])
  if (constant === undefined)
    throw new DyadicError(
      'unsupported',
      `node ${quoted(node.name)} (${node.operator}) multiplies two computed tensors; its weights must be constant`,
    )
  const bias = graph.constants.get(node.inputs[2] ?? '')
  const weights = numbersOf(constant)
  const [outputs, inputs] = constant.shape
  const source = sourceOf(graph, plan, node.inputs[0])
  const readsInput = graph.inputs.includes(source)
  const entry = readsInput ? undefined : plan.tensors[source]
  const scales = readsInput ? plan.inputs[source]?.scale : entry?.channelScales?.map((factor) => factor * entry.scale)
  const inputScales = scales && (scales.length > 1 || !readsInput) ? scales : undefined
  // Network inputs are simulated as reals, values with channel scales are already divided by these.
  const units = inputScales && (entry ? inputScales.map(() => entry.scale) : inputScales)
  const dense = node.operator !== 'dyadic.Conv'
  const channels = dense ? channelsOf(graph, node, inputs) : inputs
  const groups = dense ? 1 : ((node.attributes.get('group') as number | undefined) ?? 1)
  const area = weights.length / outputs / channels
  const shared = { node, name: node.outputs[0], outputs, groups, channels, area }
  return { ...shared, weights, bias: bias && numbersOf(bias), inputScales, units }
}

function numbersOf(constant: Constant): Float64Array {
  return Float64Array.from(readConstant(constant) as ArrayLike<number>)
}

/** Channels of an image of which a dense layer reads all elements; one element each where it reads a vector. */
function channelsOf(graph: Graph, node: Node, inputs: number): number {
  if (rowsOf(graph, node.inputs[0]) > 1) return inputs
  const { shape = [] } = graph.values.get(observedInput(graph, node)) ?? {}
  return shape.length === 4 && shape[0] === 1 && shape[1] * shape[2] * shape[3] === inputs ? shape[1] : inputs
}

/** The value whose numbers a value has: itself or, where it only moves others, its source. */
export function sourceOf(graph: Graph, plan: Plan, name: string): string {
  let source = name
  while (!Object.hasOwn(plan.tensors, source)) {
    const producer = producerOf(graph, source)
    if (producer === undefined) break
    source = producer.inputs[0]
  }
  return source
}

/**
 * The value to observe for a layer's input. A dense layer of one row may read a flattened image, whose elements executors
 * report in an order of their own: there it is the image.
 */
export function observedInput(graph: Graph, node: Node): string {
  let [name] = node.inputs
  if (node.operator === 'dyadic.Conv' || rowsOf(graph, name) > 1) return name
  for (;;) {
    const producer = producerOf(graph, name)
    if (producer === undefined || !['Reshape', 'Flatten', 'Squeeze', 'Unsqueeze'].includes(producer.operator))
      return name
    name = producer.inputs[0]
  }
}

/** Rows of a value: how many vectors along its last axis it holds. */
export function rowsOf(graph: Graph, name: string): number {
  return (graph.values.get(name)?.shape ?? []).slice(0, -1).reduce((product, size) => product * size, 1)
}

/** Weights of one output channel. */
export function tapsOf({ channels, area }: Layer): number {
  return channels * area
}

/** The factor folded into weight `t` of output channel `o`. */
export function inputScaleAt(layer: Layer, o: number, t: number): number {
  return layer.inputScales === undefined ? 1 : layer.inputScales[inputChannelAt(layer, o, t)]
}

/** The simulated value of a folded unit at weight `t` of output channel `o`. */
export function unitAt(layer: Layer, o: number, t: number): number {
  return layer.units === undefined ? 1 : layer.units[inputChannelAt(layer, o, t)]
}

/** The input channel (of all groups) that weight `t` of output channel `o` multiplies. */
export function inputChannelAt({ groups, outputs, channels, area }: Layer, o: number, t: number): number {
  return Math.floor(o / (outputs / groups)) * channels + Math.floor(t / area)
}

/** Weights with the factors of their input channels: what codes approximate. */
export function foldedWeights(layer: Layer): Float64Array {
  const taps = tapsOf(layer)
  return layer.inputScales === undefined
    ? layer.weights
    : layer.weights.map((weight, i) => weight * inputScaleAt(layer, Math.floor(i / taps), i % taps))
}

/** Scale and zero point of every weight, in ONNX order: those of its output channel, the scale times its group's factor. */
export function weightGrid(layer: Layer, entry: WeightPlan): { scales: Float64Array; zeroPoints: Int16Array } {
  const { outputs, channels, area, weights, name } = layer
  const taps = tapsOf(layer)
  const { scale, zeroPoint, groups } = entry
  const factors = groups && decodeCodes(groups.factors)
  const perChannel = groups ? Math.ceil(taps / groups.size) : 0
  if (factors && factors.length !== outputs * perChannel)
    throw new DyadicError(
      'refused',
      `"weights" ${quoted(name)} of the plan has ${factors.length} group factors, the layer needs ${outputs * perChannel}`,
    )
  const scales = new Float64Array(weights.length)
  const zeroPoints = new Int16Array(weights.length)
  for (let i = 0; i < weights.length; i++) {
    const o = Math.floor(i / taps)
    const t = i % taps
    // Groups run in stored order: input channels are innermost.
    const stored = (t % area) * channels + Math.floor(t / area)
    const factor = groups && factors ? factors[o * perChannel + Math.floor(stored / groups.size)] : 1
    scales[i] = scale[scale.length > 1 ? o : 0] * factor
    zeroPoints[i] = zeroPoint[zeroPoint.length > 1 ? o : 0]
  }
  return { scales, zeroPoints }
}

/** A layer's codes: the plan's, else the nearest ones. */
export function codesOf(layer: Layer, entry: WeightPlan): Int16Array {
  if (entry.codes !== undefined) return Int16Array.from(decodeWeightCodes(entry.format, entry.codes))
  const { low, high } = formatRange(entry.format)
  const { scales, zeroPoints } = weightGrid(layer, entry)
  return Int16Array.from(foldedWeights(layer), (weight, i) =>
    clamp(roundHalfEven(weight / scales[i]) + zeroPoints[i], low, high),
  )
}

/** What a layer's codes mean, in folded units. */
export function storedWeights(layer: Layer, entry: WeightPlan): Float64Array {
  const { scales, zeroPoints } = weightGrid(layer, entry)
  return Float64Array.from(codesOf(layer, entry), (code, i) => (code - zeroPoints[i]) * scales[i])
}

/** A layer's entry of a plan with other codes. */
export function withCodes(entry: WeightPlan, codes: ArrayLike<number>): WeightPlan {
  return { ...entry, codes: encodeWeightCodes(entry.format, codes) }
}

/** Real biases under a plan; zeros without any. */
export function biasesOf(layer: Layer, plan: Plan): ArrayLike<number> {
  const { name, bias, outputs } = layer
  return plan.biases !== undefined && Object.hasOwn(plan.biases, name)
    ? plan.biases[name]
    : (bias ?? new Float64Array(outputs))
}

/** Scale of a layer's input in folded units: with a weight's scale, one unit of the accumulator. */
export function inputStep(graph: Graph, plan: Plan, layer: Layer): number {
  if (layer.inputScales !== undefined) return 1
  const source = sourceOf(graph, plan, layer.node.inputs[0])
  return graph.inputs.includes(source) ? plan.inputs[source].scale[0] : (plan.tensors[source]?.scale ?? 1)
}
