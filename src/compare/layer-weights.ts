/**
 * The real weights and biases that a program's integers stand for, as float numbers in ONNX order: what a float layer must
 * be given so that only its weights are quantised. Follows the lowering of convolutions and dense layers (R2).
 */
import type { Graph, Node } from '../graph/graph.ts'
import { readConstant } from '../graph/tensor.ts'
import { roundHalfEven } from '../num/dyadic.ts'
import { clamp } from '../num/requantize.ts'
import { decodeCodes, decodeWeightCodes } from '../quantize/base64-codes.ts'
import { formatRange, type Plan, type WeightPlan } from '../quantize/plan.ts'
import { weightScales } from '../quantize/scales.ts'

/** A layer's constants with what the scales of its input do to them. */
export interface Layer {
  readonly node: Node
  /** Weights in ONNX order, [output][…]. */
  readonly weights: Float64Array
  readonly outputs: number
  /** The plan's bias where it has one, else the file's, else zeros. */
  readonly bias: Float64Array
  /** Scale of the input, where it has one for all channels; 1 where the channels' are folded into the weights. */
  readonly inputScale: number
  /** What the weight of each ONNX index is multiplied with before it is rounded; undefined for 1. */
  readonly folded: Float64Array | undefined
  /** Position of each ONNX index among the weights of its output channel in stored order: rows, columns, input channels. */
  readonly storedIndex: (index: number) => number
}

const RESHAPING = new Set(['Reshape', 'Flatten', 'Squeeze', 'Unsqueeze'])

/** Real scales of a value by channel, through operators that keep them; [1] for values without numbers. */
function scalesOf(graph: Graph, plan: Plan, name: string): readonly number[] {
  for (let value = name; ; ) {
    if (Object.hasOwn(plan.inputs, value)) return plan.inputs[value].scale
    if (Object.hasOwn(plan.tensors, value)) {
      const { scale, channelScales = [1] } = plan.tensors[value]
      return channelScales.map((channel) => channel * scale)
    }
    const producer = graph.nodes.find((node) => node.outputs.includes(value))
    if (producer === undefined) return [1]
    value = producer.inputs[0]
  }
}

/** Channels of the image behind a flattened value; of a vector, which several rows are, all its elements. */
function imageChannels(graph: Graph, name: string): number {
  const own = graph.values.get(name)?.shape ?? []
  if (own.slice(0, -1).some((size) => size > 1)) return own.at(-1) ?? 1
  for (let value = name; ; ) {
    const shape = graph.values.get(value)?.shape ?? []
    const producer = graph.nodes.find((node) => node.outputs.includes(value))
    if (shape.length === 4 || producer === undefined || !RESHAPING.has(producer.operator)) return shape[1] ?? 1
    value = producer.inputs[0]
  }
}

/** The layer of a node; undefined unless it multiplies with constant weights. */
export function layerOf(graph: Graph, plan: Plan, node: Node): Layer | undefined {
  const constant = graph.constants.get(node.inputs[1] ?? '')
  if ((node.operator !== 'dyadic.Conv' && node.operator !== 'dyadic.Dense') || constant === undefined) return undefined
  const [name] = node.outputs
  const weights = Float64Array.from(readConstant(constant) as ArrayLike<number>)
  const [outputs, inputs] = constant.shape
  const perOutput = weights.length / outputs
  const stored = graph.constants.get(node.inputs[2] ?? '')
  const given =
    plan.biases && Object.hasOwn(plan.biases, name)
      ? plan.biases[name]
      : stored && (readConstant(stored) as ArrayLike<number>)
  const convolution = node.operator === 'dyadic.Conv'
  const groups = convolution ? ((node.attributes.get('group') as number | undefined) ?? 1) : 1
  const channels = convolution ? inputs : imageChannels(graph, node.inputs[0])
  const taps = perOutput / channels
  const scales = scalesOf(graph, plan, node.inputs[0])
  const several = scales.length > 1
  const foldedTaps = perOutput / (convolution ? inputs : scales.length)
  return {
    node,
    weights,
    outputs,
    bias: given ? Float64Array.from(given) : new Float64Array(outputs),
    inputScale: several ? 1 : scales[0],
    folded: several
      ? weights.map((_, index) => {
          const group = Math.floor(Math.floor(index / perOutput) / (outputs / groups))
          return scales[group * (convolution ? inputs : 0) + Math.floor((index % perOutput) / foldedTaps)]
        })
      : undefined,
    storedIndex: (index) => {
      const within = index % perOutput
      return (within % taps) * channels + Math.floor(within / taps)
    },
  }
}

/** Real weights and biases by an entry of the plan. */
export function quantisedWeights(
  layer: Layer,
  entry: WeightPlan,
): { readonly weights: Float64Array; readonly bias: Float64Array } {
  const { weights, outputs, folded, inputScale, storedIndex } = layer
  const perOutput = weights.length / outputs
  const { low, high } = formatRange(entry.format)
  const codes = entry.codes === undefined ? undefined : decodeWeightCodes(entry.format, entry.codes)
  const factors = entry.groups && decodeCodes(entry.groups.factors)
  const groupsPerOutput = entry.groups ? Math.ceil(perOutput / entry.groups.size) : 0
  const of = (list: readonly number[], output: number): number => list[list.length > 1 ? output : 0]
  const result = new Float64Array(weights.length)
  for (let output = 0; output < outputs; output++) {
    const channelScale = of(entry.scale, output)
    const zeroPoint = of(entry.zeroPoint, output)
    for (let index = output * perOutput; index < (output + 1) * perOutput; index++) {
      const group = factors && entry.groups ? Math.floor(storedIndex(index) / entry.groups.size) : 0
      const scale = channelScale * (factors ? factors[output * groupsPerOutput + group] : 1)
      const fold = folded === undefined ? 1 : folded[index]
      const code =
        codes === undefined
          ? clamp(roundHalfEven((weights[index] * fold) / scale) + zeroPoint, low, high)
          : codes[index]
      result[index] = ((code - zeroPoint) * scale) / fold
    }
  }
  const bias = layer.bias.map((value, output) => {
    const unit = inputScale * of(entry.scale, output)
    return roundHalfEven(value / unit) * unit
  })
  return { weights: result, bias }
}

/** Weights at 8 bits with a scale per output channel, as calibration would choose them. */
export function eightBitWeights({ weights, outputs, bias, folded, inputScale }: Layer): WeightPlan {
  const values = folded === undefined ? weights : weights.map((weight, index) => weight * folded[index])
  return weightScales(values, outputs, bias, inputScale, 's8')
}
