/** A constant as a stored tensor: codes of a given grid, known at compile time. */
import { DyadicError, quoted } from '../error.ts'
import { channelStride } from '../kernels/scalar/geometry.ts'
import { interval } from '../num/interval.ts'
import { clamp } from '../num/requantize.ts'
import { formatRange, type TensorPlan } from '../quantize/plan.ts'
import { type LoweringContext, type QuantisedValue, storageFormat, storedOffset } from './quantised-value.ts'
import { assign, defaultAssignment, viewPositions } from './view.ts'

/** The constant input of a node in the grid of `target`, rounded half up (R1). */
export function storedConstant(context: LoweringContext, index: number, target: TensorPlan): QuantisedValue {
  const { values, shape } = context.constant(index)
  const { storage, view } = assign(shape, defaultAssignment(shape))
  const { height, width, channels } = storage
  const { low, high } = formatRange(target.format)
  const offset = storedOffset(target.format)
  const count = height * width * channels
  const codes = storageFormat(target.format) === 's16' ? new Int16Array(count) : new Int8Array(count)
  const stride = channelStride(channels)
  const range = { low: Infinity, high: -Infinity }
  viewPositions(view).forEach((position, element) => {
    const real = Number(values[element])
    if (Number.isNaN(real))
      throw new DyadicError(
        'unsupported',
        `node ${quoted(context.node.name)} (${context.node.operator}): constant ${quoted(context.node.inputs[index])} holds NaN`,
      )
    const code = clamp(Math.floor(real / target.scale + target.zeroPoint + 0.5), low, high) - offset
    const channel = position % stride
    codes[((position - channel) / stride) * channels + channel] = code
    range.low = Math.min(range.low, code)
    range.high = Math.max(range.high, code)
  })
  const name = context.fresh()
  const tensor = context.tensor({
    name,
    format: storageFormat(target.format),
    ...storage,
    scale: target.scale,
    zeroPoint: target.zeroPoint - offset,
    range: interval(range.low, range.high),
  })
  context.emit({ kind: 'constant', name, output: tensor, codes })
  return { tensor, format: target.format, scale: [target.scale], zeroPoint: [target.zeroPoint], view }
}
