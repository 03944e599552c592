/**
 * What lowering knows about one value of the graph: the stored tensor that holds it, where in it ONNX's elements lie, and how
 * integers mean reals; and what of a plan it needs.
 */
import { DyadicError, quoted } from '../error.ts'
import type { Graph, Node } from '../graph/graph.ts'
import { INT8, INT16, type Interval, intersect, interval } from '../num/interval.ts'
import { clamp } from '../num/requantize.ts'
import { formatRange, type Plan, type TensorPlan, type WeightPlan } from '../quantize/plan.ts'
import type { Instruction, IntegerTensor, StorageFormat } from './integer-graph.ts'
import type { View } from './view.ts'

export interface QuantisedValue {
  readonly tensor: IntegerTensor
  /** Format the outside sees; `u8` is stored as s8 − 128. */
  readonly format: TensorPlan['format']
  /** Real = scale[c] × (outside integer − zeroPoint[c]) in stored channel c; one entry, or one per channel. */
  readonly scale: readonly number[]
  readonly zeroPoint: readonly number[]
  /** Where ONNX's elements lie in the tensor. */
  readonly view: View
  /** What code − stored zero point of a pixel's channels adds up to at most, where all are ≥ 0: probabilities. */
  readonly rowSum?: number
}

/** What the lowering of one node may use. */
export interface LoweringContext {
  readonly plan: Plan
  readonly node: Node
  readonly constants: Graph['constants']
  /** Name and shape of the node's first output value. */
  readonly outputName: string
  readonly outputShape: readonly number[]
  readonly outputShapes: readonly (readonly number[])[]
  input(index: number): QuantisedValue
  /** ONNX shape of an input. */
  inputShape(index: number): readonly number[]
  hasInput(index: number): boolean
  /** A constant input's numbers and shape; refused when it is not a constant. */
  constant(index: number): { values: ArrayLike<number>; shape: readonly number[] }
  /** Whether the input is a constant. */
  isConstant(index: number): boolean
  attribute<T>(name: string): T | undefined
  /** A new stored tensor. */
  tensor(description: Omit<IntegerTensor, 'id'>): IntegerTensor
  emit(instruction: Instruction): void
  /** The nodes that read the node's first output; none where the outside reads it, too. */
  readers(): readonly Node[]
  /** A name for an instruction and tensor that no graph value has: the node's output and a number. */
  fresh(): string
}

/** How codes of a format are stored. */
export function storageFormat(format: TensorPlan['format']): StorageFormat {
  return format === 's16' || format === 's32' ? format : 's8'
}

/** Stored zero point of an 8-bit value: unsigned codes are stored 128 lower. */
export function storedOffset(format: TensorPlan['format']): number {
  return format === 'u8' ? 128 : 0
}

/** The value's one scale and stored zero point; refused where channels have scales of their own. */
export function uniform(value: QuantisedValue, node: Node): { scale: number; zeroPoint: number } {
  const zeroPoint = value.zeroPoint[0] - storedOffset(value.format)
  if (
    value.scale.some((scale) => scale !== value.scale[0]) ||
    value.zeroPoint.some((point) => point !== value.zeroPoint[0]) ||
    !Number.isInteger(zeroPoint)
  )
    throw new DyadicError(
      'unsupported',
      `node ${quoted(node.name)} (${node.operator}) reads ${quoted(value.tensor.name)}, which has a scale for each channel or a fractional zero point; only convolutions and dense layers can read that: give it one scale (edit its entry of the plan)`,
    )
  return { scale: value.scale[0], zeroPoint }
}

/** What every operator but an export reads: 8 or 16 bits. */
export function demandNarrow(value: QuantisedValue, node: Node): void {
  if (value.tensor.format === 's32')
    throw new DyadicError(
      'unsupported',
      `node ${quoted(node.name)} (${node.operator}) reads ${quoted(value.tensor.name)}, which the plan stores as ${value.format}; only network outputs may be wider than 16 bits: change its format in the plan to s16, s8 or u8`,
    )
}

/** Codes that fit a stored format of at most 16 bits. */
export function storedRange(format: StorageFormat): Interval {
  return format === 's8' ? INT8 : INT16
}

/** The plan's entry for an output of at most 16 bits with one scale; refused otherwise. */
export function narrowPlan(context: LoweringContext): TensorPlan {
  const { node, outputName } = context
  const entry = tensorPlan(context.plan, outputName, node)
  if (entry.format === 's32' || entry.channelScales !== undefined)
    throw new DyadicError(
      'unsupported',
      `node ${quoted(node.name)} (${node.operator}) cannot store ${entry.format === 's32' ? 's32' : 'a scale for each channel'}; only convolutions and dense layers can: change the entry of ${quoted(outputName)} in the plan`,
    )
  return entry
}

/** Refuses a zero point that is no code of its format: kernels keep zero points in as many bits as codes. */
function demandCode(zeroPoint: number, format: TensorPlan['format'] | WeightPlan['format'], where: string): void {
  const { low, high } = formatRange(format)
  if (zeroPoint < low || zeroPoint > high)
    throw new DyadicError(
      'refused',
      `${where} of the plan has zero point ${zeroPoint}, which is no ${format} code; give one in ${low}..${high}`,
    )
}

/** The plan's entry for an activation; refused when it is missing or its zero point is no code. */
export function tensorPlan(plan: Plan, name: string, node: Node): TensorPlan {
  if (!Object.hasOwn(plan.tensors, name))
    throw new DyadicError(
      'refused',
      `the plan has no entry "tensors" for ${quoted(name)}, the output of node ${quoted(node.name)} (${node.operator}); make the plan with this model, or add the entry`,
    )
  const entry = plan.tensors[name]
  demandCode(entry.zeroPoint, entry.format, `"tensors" ${quoted(name)}`)
  return entry
}

/** The plan's entry for a layer's weights; refused when it is missing, has the wrong number of scales or wrong zero points. */
export function weightPlan(plan: Plan, name: string, outputs: number, node: Node): WeightPlan {
  if (!Object.hasOwn(plan.weights, name))
    throw new DyadicError(
      'refused',
      `the plan has no entry "weights" for layer ${quoted(name)} (node ${quoted(node.name)}, ${node.operator}); make the plan with this model, or add the entry`,
    )
  const entry = plan.weights[name]
  for (const [field, list] of [
    ['scale', entry.scale],
    ['zeroPoint', entry.zeroPoint],
  ] as const)
    if (list.length !== 1 && list.length !== outputs)
      throw new DyadicError(
        'refused',
        `"weights" ${quoted(name)} of the plan has ${list.length} values in "${field}", the layer has ${outputs} output channels; give 1 or ${outputs}`,
      )
  for (const zeroPoint of entry.zeroPoint) demandCode(zeroPoint, entry.format, `"weights" ${quoted(name)}`)
  return entry
}

/**
 * Codes allowed at the output: the format's range cut by the fused activation's bounds (half up, R1). Refused where bounds
 * other than 0 mean other codes in other channels.
 */
export function clampInterval(context: LoweringContext, target: TensorPlan): { low: number; high: number } {
  const range = formatRange(target.format)
  const offset = storedOffset(target.format)
  const code = (bound: 'low' | 'high', absent: number): number => {
    const value = context.attribute<number>(bound)
    if (value === undefined) return absent
    const codes = (target.channelScales ?? [1]).map((channel) =>
      clamp(Math.floor(value / (target.scale * channel) + target.zeroPoint + 0.5), range.low, range.high),
    )
    if (codes.some((other) => other !== codes[0]))
      throw new DyadicError(
        'unsupported',
        `node ${quoted(context.node.name)} clips at ${value}, which is another code in other channels of ${quoted(context.outputName)}; leave "channelScales" out of its entry in the plan, or choose them so that every channel's range ends within the bound`,
      )
    return codes[0]
  }
  const low = code('low', range.low)
  const high = code('high', range.high)
  return intersect(interval(range.low - offset, range.high - offset), interval(low - offset, high - offset))
}

/** Codes that can be stored: the requantised interval moved by the zero point, cut by the clamp. */
export function reached(
  requantised: { low: number; high: number },
  zeroPoint: number,
  limits: { low: number; high: number },
): { low: number; high: number } {
  return interval(
    clamp(requantised.low + zeroPoint, limits.low, limits.high),
    clamp(requantised.high + zeroPoint, limits.low, limits.high),
  )
}
