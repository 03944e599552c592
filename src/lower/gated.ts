/**
 * Swish of a value with a scale for each channel: x · sigmoid(alpha · x). A curve (R9) has one grid for all channels, so the
 * sigmoid's argument is brought to one (R10, R9), and the product (R11) keeps the channels' scales of x.
 */
import { DyadicError, quoted } from '../error.ts'
import type { Node } from '../graph/graph.ts'
import { dyadicRatios } from '../num/dyadic.ts'
import type { TensorPlan } from '../quantize/plan.ts'
import { proveMultiply } from './bounds.ts'
import { emitCurve, emitRescale, lowerFunction, plannedTensor, plannedValue } from './elementwise.ts'
import { wholeInput } from './place.ts'
import { clampInterval, type LoweringContext, type QuantisedValue, reached, tensorPlan } from './quantised-value.ts'

/** Arguments beyond are those of a sigmoid that is 0 or 1 to 2^−23. */
const ARGUMENT_REACH = 16
/** How much the ratios of a channel's two scales may differ, as doubles print them. */
const SAME_RATIO = 1e-9

/** `Swish`: as any function, unless the channels of its input have scales of their own. */
export function lowerSwish(context: LoweringContext): QuantisedValue {
  return context.input(0).scale.length > 1 ? lowerGated(context) : lowerFunction(context)
}

function lowerGated(context: LoweringContext): QuantisedValue {
  const { node, outputName } = context
  const input = wholeInput(context, 0)
  const target = tensorPlan(context.plan, outputName, node)
  const scales = input.scale.map((_, c) => target.scale * (target.channelScales?.[c] ?? 1))
  const ratios = input.scale.map((scale, c) => scale / scales[c])
  const alike = ratios.every((ratio) => Math.abs(ratio / ratios[0] - 1) <= SAME_RATIO)
  if (
    input.tensor.format !== 's16' ||
    target.format !== 's16' ||
    input.zeroPoint.some((point) => point !== 0) ||
    !alike
  )
    throw new DyadicError(
      'unsupported',
      `node ${quoted(node.name)} (${node.operator}) reads ${quoted(input.tensor.name)}, which has a scale for each channel; its output must be s16 with the same "channelScales", and both with zero point 0: change the entries in the plan`,
    )
  const alpha = context.attribute<number>('alpha') ?? 1
  const argument: TensorPlan = { format: 's16', scale: ARGUMENT_REACH / 32767, zeroPoint: 0 }
  const factors = input.scale.map((scale) => alpha * scale)
  const scaled = emitRescale(context, { ...input, scale: [1] }, argument, factors, factors, context.fresh())
  const gate = emitCurve(sigmoidOf(context), scaled, { format: 's16', scale: 1 / 32767, zeroPoint: 0 })
  const { multipliers, shift, left } = dyadicRatios([ratios[0] * gate.scale[0]], `product ${quoted(outputName)}`)
  if (left > 0)
    throw new DyadicError(
      'refused',
      `node ${quoted(node.name)}: the output scale ${target.scale} is finer than half a unit of the product; give ${quoted(outputName)} a larger scale in the plan`,
    )
  const bounds = proveMultiply(outputName, input.tensor.range, gate.tensor.range, multipliers[0], shift)
  const limits = clampInterval(context, target)
  const output = plannedTensor(context, target, input.tensor, reached(bounds.requantised, 0, limits))
  context.emit({
    kind: 'multiply',
    name: node.name,
    output,
    left: input.tensor,
    right: gate.tensor,
    leftZeroPoint: 0,
    rightZeroPoint: 0,
    multiplier: multipliers[0],
    shift,
    outputZeroPoint: target.zeroPoint,
    clamp: limits,
    bounds,
  })
  return { ...plannedValue(output, target, input.view), scale: scales }
}

/** The context of a sigmoid under a name of its own. */
function sigmoidOf(context: LoweringContext): LoweringContext {
  const name = context.fresh()
  const node: Node = { name, operator: 'Sigmoid', inputs: [''], outputs: [name], attributes: new Map() }
  return { ...context, node, outputName: name, attribute: () => undefined }
}
