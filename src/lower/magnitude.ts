/** √(a² + b²) (R20) of two values of one scale, or brought to one. */
import { quoted } from '../error.ts'
import { dyadicRatios } from '../num/dyadic.ts'
import { interval } from '../num/interval.ts'
import { proveMagnitude } from './bounds.ts'
import { plannedTensor, plannedValue, rescale } from './elementwise.ts'
import { moveLike, wholeInput } from './place.ts'
import {
  clampInterval,
  type LoweringContext,
  narrowPlan,
  type QuantisedValue,
  reached,
  storedOffset,
  uniform,
} from './quantised-value.ts'
import { sameView } from './view.ts'

/** `dyadic.Magnitude`. */
export function lowerMagnitude(context: LoweringContext): QuantisedValue {
  const { node, outputName } = context
  const target = narrowPlan(context)
  const left = wholeInput(context, 0)
  const right = alike(context, wholeInput(context, 1), left)
  const [a, b] = [uniform(left, node), uniform(right, node)]
  const {
    multipliers,
    shift,
    left: leftShift,
  } = dyadicRatios([a.scale / target.scale], `magnitude ${quoted(outputName)}`)
  const bounds = proveMagnitude(
    outputName,
    interval(left.tensor.range.low - a.zeroPoint, left.tensor.range.high - a.zeroPoint),
    interval(right.tensor.range.low - b.zeroPoint, right.tensor.range.high - b.zeroPoint),
    multipliers[0],
    shift,
    leftShift,
  )
  const limits = clampInterval(context, target)
  const outputZeroPoint = target.zeroPoint - storedOffset(target.format)
  const output = plannedTensor(context, target, left.tensor, reached(bounds.requantised, outputZeroPoint, limits))
  context.emit({
    kind: 'magnitude',
    name: node.name,
    output,
    left: left.tensor,
    right: right.tensor,
    leftZeroPoint: a.zeroPoint,
    rightZeroPoint: b.zeroPoint,
    multiplier: multipliers[0],
    shift,
    leftShift,
    outputZeroPoint,
    clamp: limits,
    bounds,
  })
  return plannedValue(output, target, left.view)
}

/** The second component in the scale and the storage of the first. */
function alike(context: LoweringContext, value: QuantisedValue, like: QuantisedValue): QuantisedValue {
  const [own, wanted] = [uniform(value, context.node), uniform(like, context.node)]
  const scaled =
    own.scale === wanted.scale && value.tensor.format === like.tensor.format
      ? value
      : rescale(
          context,
          value,
          { format: like.format, scale: wanted.scale, zeroPoint: like.zeroPoint[0] },
          context.fresh(),
        )
  const { height, width, channels } = like.tensor
  const same = scaled.tensor.height === height && scaled.tensor.width === width && scaled.tensor.channels === channels
  return same && sameView(scaled.view, like.view) ? scaled : moveLike(context, scaled, like)
}
