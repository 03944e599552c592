/** LayerNormalization and RMSNormalization (R16): the deviation exactly or by the family of the plan, one affine step behind it. */
import { DyadicError, quoted } from '../error.ts'
import { channelStride } from '../kernels/scalar/geometry.ts'
import { dyadicRatios, roundHalfUp } from '../num/dyadic.ts'
import type { NonlinearFamily } from '../quantize/plan.ts'
import { proveNormalize } from './bounds.ts'
import { plannedTensor, plannedValue } from './elementwise.ts'
import type { NormalizeInstruction, NormalizeRule } from './integer-graph.ts'
import { rowsInput } from './place.ts'
import {
  clampInterval,
  type LoweringContext,
  narrowPlan,
  type QuantisedValue,
  storedOffset,
  uniform,
} from './quantised-value.ts'
import { viewPositions } from './view.ts'

/** C · (code − zero point) fits int32 up to here. */
const MOST_CHANNELS = 2 ** 15 - 1
/** The rounding term of the last shift is 2^(shift − 33). */
const LEAST_SHIFT = 33
/** High word of the product, bias and rounding term together stay in int32. */
const LARGEST_BIAS = 2 ** 30 - 1

const RULES: Readonly<Record<NonlinearFamily, NormalizeRule>> = {
  default: 'exact',
  shift: 'shift',
  'shift-deployment': 'shift-deployment',
  poly: 'poly',
}

/** LayerNormalization over the last dimensions. */
export function lowerLayerNormalization(context: LoweringContext): QuantisedValue {
  return lowerNormalization(context, true)
}

/** RMSNormalization over the last dimensions. */
export function lowerRmsNormalization(context: LoweringContext): QuantisedValue {
  return lowerNormalization(context, false)
}

function lowerNormalization(context: LoweringContext, centred: boolean): QuantisedValue {
  const { node, outputName, outputShape } = context
  const target = narrowPlan(context)
  const rank = outputShape.length
  const given = context.attribute<number>('axis') ?? -1
  const first = given < 0 ? given + rank : given
  const input = rowsInput(
    context,
    0,
    outputShape.flatMap((_, axis) => (axis >= first ? [axis] : [])),
  )
  const { scale, zeroPoint } = uniform(input, node)
  const { channels } = input.tensor
  if (channels > MOST_CHANNELS)
    throw new DyadicError(
      'unsupported',
      `node ${quoted(node.name)} (${node.operator}) runs over ${channels} values; dyadic compiles up to ${MOST_CHANNELS}`,
    )
  const rule = RULES[context.plan.nonlinear ?? 'default']
  const fractionBits = rule === 'exact' ? fractionBitsOf(channels) : 0
  const unit = rule === 'exact' ? 2 ** -fractionBits : Math.sqrt(channels) / 2 ** 30
  const epsilon =
    rule === 'exact'
      ? roundHalfUp((channels * channels * (context.attribute<number>('epsilon') ?? 1e-5)) / scale ** 2)
      : 0
  if (!(epsilon < 2 ** 53))
    throw new DyadicError(
      'refused',
      `node ${quoted(node.name)} (${node.operator}): epsilon is ${epsilon} squared units of the input, whose scale is ${scale}; give ${quoted(input.tensor.name)} a larger scale in the plan`,
    )
  const gamma = parameter(context, 1, input, first, 1).map((factor) => (factor * unit) / target.scale)
  const beta = parameter(context, 2, input, first, 0).map((bias) => bias / target.scale)
  const output = plannedTensor(context, target, input.tensor, clampInterval(context, target))
  const instruction: NormalizeInstruction = {
    kind: 'normalize',
    name: node.name,
    output,
    input: input.tensor,
    inputZeroPoint: zeroPoint,
    centred,
    rule,
    epsilon,
    fractionBits,
    squareShift: rule === 'poly' ? squareShift(channels, input.tensor.range.high - input.tensor.range.low) : 0,
    ...affine(gamma, beta, `normalisation ${quoted(outputName)}`),
    outputZeroPoint: target.zeroPoint - storedOffset(target.format),
    clamp: clampInterval(context, target),
  }
  proveNormalize(instruction)
  context.emit(instruction)
  return plannedValue(output, target, input.view)
}

/** A normalised value is below √C: 30 bits less those that √C needs. */
function fractionBitsOf(channels: number): number {
  let bits = 30
  while (4 ** (30 - bits) < channels) bits--
  return bits
}

/** The shift of I-BERT at which no row whatsoever has a sum of squares of 2^32 or more. */
function squareShift(channels: number, width: number): number {
  let shift = 0
  while (channels * (Math.floor(width / 2 ** shift) + 1) ** 2 >= 2 ** 32) shift++
  return shift
}

/** A constant input over the normalised dimensions, in the order of the stored channels. */
function parameter(
  context: LoweringContext,
  index: number,
  input: QuantisedValue,
  first: number,
  absent: number,
): number[] {
  const { channels } = input.tensor
  if (!context.hasInput(index)) return new Array<number>(channels).fill(absent)
  const { values, shape } = context.constant(index)
  const normalised = context.outputShape.slice(first)
  const positions = viewPositions({ start: 0, dimensions: input.view.dimensions.slice(first) })
  const padded = [...new Array<number>(normalised.length - shape.length).fill(1), ...shape]
  const stride = channelStride(channels)
  const result = new Array<number>(channels)
  positions.forEach((position, element) => {
    let rest = element
    let at = 0
    let step = 1
    for (let axis = normalised.length - 1; axis >= 0; axis--) {
      const own = rest % normalised[axis]
      rest = Math.floor(rest / normalised[axis])
      if (padded[axis] > 1) at += own * step
      step *= padded[axis]
    }
    result[position % stride] = Number(values[at])
  })
  return result
}

/** Signed multipliers and biases at the largest common shift at which both fit. */
function affine(
  factors: readonly number[],
  biases: readonly number[],
  where: string,
): Pick<NormalizeInstruction, 'multipliers' | 'biases' | 'shift'> {
  const ratios = dyadicRatios(
    factors.map((factor) => Math.abs(factor)),
    where,
  )
  const largest = biases.reduce((most, bias) => Math.max(most, Math.abs(bias)), 0)
  let { shift } = ratios
  while (largest * 2 ** (shift - 32) > LARGEST_BIAS) shift--
  if (ratios.left > 0 || shift < LEAST_SHIFT)
    throw new DyadicError(
      'refused',
      `${where}: the output scale is too fine for its scale and bias; give it a larger scale in the plan`,
    )
  return {
    multipliers: Int32Array.from(factors, (factor) => Math.sign(factor) * roundHalfUp(Math.abs(factor) * 2 ** shift)),
    biases: Int32Array.from(biases, (bias) => roundHalfUp(bias * 2 ** (shift - 32))),
    shift,
  }
}
