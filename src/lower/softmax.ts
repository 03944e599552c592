/** Softmax over one dimension (R13). */
import { DyadicError, quoted } from '../error.ts'
import { exponential } from '../num/elementary.ts'
import { interval } from '../num/interval.ts'
import { clamp } from '../num/requantize.ts'
import type { TensorPlan } from '../quantize/plan.ts'
import { plannedTensor, plannedValue } from './elementwise.ts'
import type { FamilySoftmaxInstruction } from './integer-graph.ts'
import { rowsInput } from './place.ts'
import {
  clampInterval,
  type LoweringContext,
  narrowPlan,
  type QuantisedValue,
  storedOffset,
  uniform,
} from './quantised-value.ts'

/** Fractions of 15 bits: 2^15 is one. */
const ONE = 2 ** 15
const MOST_CHANNELS = 2 ** 16
/** Places of the finest results of a family. */
const MOST_PLACES = 16

/** Softmax with any axis: the axis becomes the channels. */
export function lowerSoftmax(context: LoweringContext): QuantisedValue {
  const target = narrowPlan(context)
  const rank = context.outputShape.length
  const given = context.attribute<number>('axis') ?? -1
  const input = rowsInput(context, 0, [given < 0 ? given + rank : given])
  if (input.tensor.channels > MOST_CHANNELS)
    throw new DyadicError(
      'unsupported',
      `node ${quoted(context.node.name)} (Softmax) runs over ${input.tensor.channels} values; dyadic compiles up to ${MOST_CHANNELS}`,
    )
  const { scale } = uniform(input, context.node)
  const family = context.plan.nonlinear ?? 'default'
  if (family !== 'default') return lowerFamilySoftmax(context, family, input, target)
  const share = (distance: number): number => Math.floor(ONE * exponential(-distance * scale) + 0.5)
  const one = Math.floor(1 / target.scale + 0.5)
  if (one < 1 || one > ONE)
    throw new DyadicError(
      'refused',
      `node ${quoted(context.node.name)} (Softmax): the scale of ${quoted(context.outputName)} is ${target.scale}; give it one from 2^−15 to 1 in the plan`,
    )
  const limits = clampInterval(context, target)
  const zeroPoint = target.zeroPoint - storedOffset(target.format)
  const range = interval(clamp(zeroPoint, limits.low, limits.high), clamp(zeroPoint + one, limits.low, limits.high))
  const output = plannedTensor(context, target, input.tensor, range)
  context.emit({
    kind: 'softmax',
    name: context.node.name,
    output,
    input: input.tensor,
    coarse: Int32Array.from({ length: 256 }, (_, index) => share(256 * index)),
    fine: Int32Array.from({ length: 256 }, (_, index) => share(index)),
    one,
    outputZeroPoint: zeroPoint,
    clamp: limits,
  })
  // Each code is half a unit too large at most.
  return { ...plannedValue(output, target, input.view), rowSum: one + input.tensor.channels }
}

/** R17: what the family computes is the code itself, so the output's scale is the family's. */
function lowerFamilySoftmax(
  context: LoweringContext,
  rule: FamilySoftmaxInstruction['rule'],
  input: QuantisedValue,
  target: TensorPlan,
): QuantisedValue {
  const { scale } = uniform(input, context.node)
  const zeroPoint = target.zeroPoint - storedOffset(target.format)
  let places = 0
  while (places < MOST_PLACES && 2 ** -places > target.scale) places++
  const limits = clampInterval(context, target)
  const bits = rule === 'poly' ? places : places + 1
  if (target.scale !== 2 ** -places || bits < 2 || bits > 16)
    throw new DyadicError(
      'refused',
      `node ${quoted(context.node.name)} (Softmax): the family ${quoted(rule)} gives multiples of powers of two; the scale of ${quoted(context.outputName)} in the plan is ${target.scale}: give it 2^−15 (s16) or 2^−7 (8 bits), or 2^−8 for poly with u8`,
    )
  const range = interval(
    clamp(zeroPoint, limits.low, limits.high),
    clamp(zeroPoint + 2 ** places, limits.low, limits.high),
  )
  const output = plannedTensor(context, target, input.tensor, range)
  context.emit({
    kind: 'family-softmax',
    name: context.node.name,
    output,
    input: input.tensor,
    rule,
    scale,
    bits,
    outputZeroPoint: zeroPoint,
    clamp: limits,
  })
  return { ...plannedValue(output, target, input.view), rowSum: 2 ** places + input.tensor.channels }
}
