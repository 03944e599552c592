/**
 * What lowering knows about one value of the graph: the stored tensor that holds it, how integers mean reals, and whether
 * ONNX sees it flattened. Flattening moves nothing: the next dense layer permutes its weights instead.
 */
import { DyadicError, quoted } from '../error.ts'
import type { Node } from '../graph/graph.ts'
import { formatRange, type Plan, type TensorPlan, type WeightPlan } from '../quantize/plan.ts'
import type { Instruction, IntegerTensor } from './integer-graph.ts'

export interface QuantisedValue {
  readonly tensor: IntegerTensor
  /** Format the outside sees; `u8` is stored as s8 − 128, `s16` and `s32` as s32. */
  readonly format: TensorPlan['format']
  /** Real = scale[c] × (outside integer − zeroPoint[c]); one entry unless it is a network input. */
  readonly scale: readonly number[]
  readonly zeroPoint: readonly number[]
  /** True when ONNX sees [1, C·H·W] of a tensor with H·W > 1, in NCHW order. */
  readonly flat: boolean
}

/** What the lowering of one node may use. */
export interface LoweringContext {
  readonly plan: Plan
  readonly node: Node
  /** Name of the node's (only) output value. */
  readonly outputName: string
  readonly outputShape: readonly number[]
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
}

/** Height, width and channels of a value: an image [1, C, H, W], or rows of vectors [N, C] as N pixels. */
export function storedShape(shape: readonly number[]): { height: number; width: number; channels: number } {
  if (shape.length === 2) return { height: 1, width: shape[0], channels: shape[1] }
  const [, channels, height = 1, width = 1] = shape
  return { height, width, channels }
}

/** Stored zero point of an 8-bit value: unsigned codes are stored 128 lower. */
export function storedOffset(format: TensorPlan['format']): number {
  return format === 'u8' ? 128 : 0
}

/** The value's one scale and stored zero point; refused for per-channel network inputs. */
export function uniform(value: QuantisedValue, node: Node): { scale: number; zeroPoint: number } {
  const zeroPoint = value.zeroPoint[0] - storedOffset(value.format)
  if (
    value.scale.some((scale) => scale !== value.scale[0]) ||
    value.zeroPoint.some((point) => point !== value.zeroPoint[0]) ||
    !Number.isInteger(zeroPoint)
  )
    throw new DyadicError(
      'unsupported',
      `node ${quoted(node.name)} (${node.operator}) reads ${quoted(value.tensor.name)}, a network input with per-channel scales or a fractional zero point; only convolutions and dense layers can: quantise the input with one scale (edit "inputs" of the plan)`,
    )
  return { scale: value.scale[0], zeroPoint }
}

/** The 8-bit tensors every operator but a last layer reads. */
export function demand8Bit(value: QuantisedValue, node: Node): void {
  if (value.tensor.format !== 's8')
    throw new DyadicError(
      'unsupported',
      `node ${quoted(node.name)} (${node.operator}) reads ${quoted(value.tensor.name)}, which the plan stores as ${value.format}; only network outputs may be wider than 8 bits: change its format in the plan to s8 or u8`,
    )
}

/** Operators that look at height and width cannot read a flattened tensor: its elements are stored in another order. */
export function demandImage(value: QuantisedValue, node: Node): void {
  if (value.flat)
    throw new DyadicError(
      'unsupported',
      `node ${quoted(node.name)} (${node.operator}) reads ${quoted(value.tensor.name)} after a flattening; dyadic compiles this operator on the unflattened image only: move it before the flattening`,
    )
}

/** Operands that are combined element by element must be stored in one order. */
export function demandSameStorage(
  a: QuantisedValue,
  b: Pick<IntegerTensor, 'height' | 'width' | 'channels'>,
  node: Node,
): void {
  const { height, width, channels } = a.tensor
  if (height !== b.height || width !== b.width || channels !== b.channels)
    throw new DyadicError(
      'unsupported',
      `node ${quoted(node.name)} (${node.operator}) combines ${quoted(a.tensor.name)}, stored as ${height}×${width}×${channels}, with a tensor stored as ${b.height}×${b.width}×${b.channels}: one of them is a flattened image; combine them before the flattening`,
    )
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
