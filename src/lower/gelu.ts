/** GELU by the family of the plan: as any function (R7, R9), by ShiftGELU over rows (R18), or by i-GELU as a table (R7). */
import { quoted } from '../error.ts'
import { polynomialGelu, polynomialGeluAt } from '../functions/polynomial-gelu.ts'
import { shiftGeluAt } from '../functions/shift-gelu.ts'
import { dyadicRatios } from '../num/dyadic.ts'
import { INT16, interval } from '../num/interval.ts'
import { formatRange, type TensorPlan } from '../quantize/plan.ts'
import { proveMultiply } from './bounds.ts'
import { emitTable, lowerFunction, plannedTensor, plannedValue, rescale } from './elementwise.ts'
import { rowsInput, wholeInput } from './place.ts'
import {
  clampInterval,
  type LoweringContext,
  narrowPlan,
  type QuantisedValue,
  reached,
  storedOffset,
  uniform,
} from './quantised-value.ts'

/** k of I-ViT: sigmoids of 7 bits. */
const SIGMOID_BITS = 8
/** Bits of the erf's unit that i-GELU keeps at the least, so that its 1 is no coarser than a code of 8 bits. */
const KEPT_BITS = 10
/** What the published code drops. */
const MOST_DROPPED_BITS = 14

/** `Gelu`, both approximations of it: the families have one form for either. */
export function lowerGelu(context: LoweringContext): QuantisedValue {
  switch (context.plan.nonlinear ?? 'default') {
    case 'shift':
      return lowerShiftGelu(context, 'training')
    case 'shift-deployment':
      return lowerShiftGelu(context, 'deployment')
    case 'poly':
      return lowerPolynomialGelu(context)
    default:
      return lowerFunction(context)
  }
}

/** I-ViT's graph has 8 bits before GELU; 16 are brought to 8 over the codes that can occur. */
function narrowed(context: LoweringContext, value: QuantisedValue): QuantisedValue {
  if (value.tensor.format === 's8') return value
  const { scale, zeroPoint } = uniform(value, context.node)
  const { low, high } = value.tensor.range
  const reach = Math.max(zeroPoint - low, high - zeroPoint, 1)
  const { high: most } = formatRange('s8')
  const target: TensorPlan = { format: 's8', scale: (scale * reach) / most, zeroPoint: 0 }
  return rescale(context, value, target, context.fresh())
}

function lowerShiftGelu(context: LoweringContext, variant: 'training' | 'deployment'): QuantisedValue {
  const { node, outputName } = context
  const target = narrowPlan(context)
  const rank = context.outputShape.length
  // Over the last dimension, as the published code has it; of an image over its channels.
  const axis = rank === 4 && context.outputShape[0] === 1 ? 1 : rank - 1
  const input = narrowed(context, rowsInput(context, 0, [axis]))
  const { scale, zeroPoint } = uniform(input, node)
  const gelu = shiftGeluAt(scale, SIGMOID_BITS, variant)
  // R18 does not shift left: finer codes than half the product's units come from a step behind it.
  const direct = target.scale > 2 * gelu.outputScale
  const own: TensorPlan = direct ? target : { format: 's16', scale: 2.5 * gelu.outputScale, zeroPoint: 0 }
  const { multipliers, shift } = dyadicRatios([gelu.outputScale / own.scale], `GELU ${quoted(outputName)}`)
  const { range } = input.tensor
  const bounds = proveMultiply(
    outputName,
    interval(range.low - zeroPoint, range.high - zeroPoint),
    interval(0, 2 ** (SIGMOID_BITS - 1)),
    multipliers[0],
    shift,
  )
  const limits = direct ? clampInterval(context, target) : INT16
  const outputZeroPoint = own.zeroPoint - storedOffset(own.format)
  const name = direct ? outputName : context.fresh()
  const output = plannedTensor(context, own, input.tensor, reached(bounds.requantised, outputZeroPoint, limits), name)
  context.emit({
    kind: 'shift-gelu',
    name: direct ? node.name : name,
    output,
    input: input.tensor,
    inputZeroPoint: zeroPoint,
    variant,
    scale,
    bits: SIGMOID_BITS,
    multiplier: multipliers[0],
    shift,
    outputZeroPoint,
    clamp: limits,
    bounds,
  })
  const value = plannedValue(output, own, input.view)
  return direct ? value : rescale(context, value, target)
}

function lowerPolynomialGelu(context: LoweringContext): QuantisedValue {
  const target = narrowPlan(context)
  const input = narrowed(context, wholeInput(context, 0))
  const { scale, zeroPoint } = uniform(input, context.node)
  const gelu = polynomialGeluAt(scale, droppedBits(scale))
  return emitTable(context, input, target, (code) => polynomialGelu(code - zeroPoint, gelu) * gelu.outputScale)
}

/** The bits to drop of an erf over inputs of this scale: 14 as published, fewer for coarse scales. */
function droppedBits(scale: number): number {
  const one = -polynomialGeluAt(scale, 0).erf.constant
  let dropped = 0
  while (dropped < MOST_DROPPED_BITS && one >= 2 ** (dropped + 1 + KEPT_BITS)) dropped++
  return dropped
}
