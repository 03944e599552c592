/**
 * Convolutions and dense layers to integers: weights and bias become codes, scales become multipliers, and the interval
 * proof runs over the codes that are really stored. A dense layer is a convolution with a kernel as large as its input.
 */
import { DyadicError, quoted } from '../error.ts'
import { dyadicAtShift, dyadicRatios, roundHalfEven } from '../num/dyadic.ts'
import { INT32, intersect, interval } from '../num/interval.ts'
import { clamp } from '../num/requantize.ts'
import { formatRange, type TensorPlan } from '../quantize/plan.ts'
import { proveConvolution } from './bounds.ts'
import type { ConvolutionInstruction, Residual, Window } from './integer-graph.ts'
import {
  demand8Bit,
  demandImage,
  demandSameStorage,
  type LoweringContext,
  type QuantisedValue,
  storedOffset,
  storedShape,
  tensorPlan,
  uniform,
  weightPlan,
} from './quantised-value.ts'

/** `dyadic.Conv`: weights are ONNX's [output][input / groups][kernelHeight][kernelWidth]. */
export function lowerConvolution(context: LoweringContext): QuantisedValue {
  demandImage(context.input(0), context.node)
  const { values, shape } = context.constant(1)
  const [outputs, inputs, kernelHeight, kernelWidth] = shape
  const real = new Float64Array(values.length)
  for (let o = 0; o < outputs; o++)
    for (let c = 0; c < inputs; c++)
      for (let t = 0; t < kernelHeight * kernelWidth; t++)
        real[(o * kernelHeight * kernelWidth + t) * inputs + c] =
          values[(o * inputs + c) * kernelHeight * kernelWidth + t]
  const pair = (name: string): [number, number] => context.attribute<readonly number[]>(name) as [number, number]
  return accumulate(context, real, context.attribute<number>('group') ?? 1, {
    kernel: [kernelHeight, kernelWidth],
    strides: pair('strides'),
    dilations: pair('dilations'),
    pads: context.attribute<readonly number[]>('pads') as unknown as [number, number, number, number],
  })
}

/** `dyadic.Dense`: weights [output][input], inputs in the NCHW order of the flattened tensor. */
export function lowerDense(context: LoweringContext): QuantisedValue {
  const { values, shape } = context.constant(1)
  const [outputs, inputs] = shape
  const { tensor } = context.input(0)
  const { channels } = tensor
  // Several rows of vectors are pixels of their own; a single row may be a whole flattened image.
  const [height, width] = context.outputShape[0] > 1 ? [1, 1] : [tensor.height, tensor.width]
  const pixels = height * width
  if (pixels * channels !== inputs)
    throw new DyadicError(
      'refused',
      `dense layer ${quoted(context.node.name)} has ${inputs} inputs, its tensor ${height}×${width}×${channels}`,
    )
  const real = new Float64Array(values.length)
  for (let o = 0; o < outputs; o++)
    for (let c = 0; c < channels; c++)
      for (let p = 0; p < pixels; p++) real[(o * pixels + p) * channels + c] = values[o * inputs + c * pixels + p]
  return accumulate(context, real, 1, {
    kernel: [height, width],
    strides: [1, 1],
    dilations: [1, 1],
    pads: [0, 0, 0, 0],
  })
}

/** Real weights are [output][kernelHeight][kernelWidth][input / groups]. */
function accumulate(context: LoweringContext, real: Float64Array, groups: number, window: Window): QuantisedValue {
  const { plan, node, outputName } = context
  const input = context.input(0)
  demand8Bit(input, node)
  const { height: outputHeight, width: outputWidth, channels: outputs } = storedShape(context.outputShape)
  const taps = real.length / outputs
  const inputsPerGroup = input.tensor.channels / groups
  const target = tensorPlan(plan, outputName, node)
  const weightEntry = weightPlan(plan, outputName, outputs, node)
  const weightRange = formatRange(weightEntry.format)
  const weightOffset = weightEntry.format === 'u8' ? 128 : 0

  // A network input may have a scale and a fractional zero point per channel: the scale goes into the weights, the integer
  // part of the zero point is subtracted from the codes, and its fraction becomes part of the bias.
  const perChannel = input.scale.length > 1
  const channelScale = (c: number): number => (perChannel ? input.scale[c] : 1)
  const commonScale = perChannel ? 1 : input.scale[0]
  const channelZero = (c: number): number => input.zeroPoint[input.zeroPoint.length > 1 ? c : 0]
  const inputZeroPoints = Int32Array.from({ length: input.tensor.channels }, (_, c) =>
    // Far beyond int16 the proof refuses; the clamp only keeps the number from wrapping on its way there.
    clamp(roundHalfEven(channelZero(c)) - storedOffset(input.format), -(2 ** 20), 2 ** 20),
  )

  const weights = new Int8Array(real.length)
  const weightZeroPoints = new Int16Array(outputs)
  const bias = new Int32Array(outputs)
  const ratios = new Float64Array(outputs)
  const biasValues = realBias(context, outputs)
  for (let o = 0; o < outputs; o++) {
    const scale = weightEntry.scale[weightEntry.scale.length > 1 ? o : 0]
    const zeroPoint = weightEntry.zeroPoint[weightEntry.zeroPoint.length > 1 ? o : 0]
    weightZeroPoints[o] = zeroPoint - weightOffset
    const firstChannel = Math.floor(o / (outputs / groups)) * inputsPerGroup
    let fractions = 0
    for (let t = 0; t < taps; t++) {
      const c = firstChannel + (t % inputsPerGroup)
      const code = clamp(
        roundHalfEven((real[o * taps + t] * channelScale(c)) / scale) + zeroPoint,
        weightRange.low,
        weightRange.high,
      )
      weights[o * taps + t] = code - weightOffset
      fractions += (code - zeroPoint) * (roundHalfEven(channelZero(c)) - channelZero(c))
    }
    const accumulatorScale = commonScale * scale
    const rounded = roundHalfEven((biasValues === undefined ? 0 : biasValues[o]) / accumulatorScale + fractions)
    if (rounded < INT32.low || rounded > INT32.high)
      throw new DyadicError(
        'limit',
        `layer ${quoted(outputName)}: the bias of output channel ${o} is ${rounded} accumulator units, beyond int32; raise the channel's weight scale in the plan`,
      )
    bias[o] = rounded
    ratios[o] = accumulatorScale / target.scale
  }

  const wide = target.format === 's16' || target.format === 's32'
  const requantisation = dyadicRatios(ratios, `layer ${quoted(outputName)}`)
  const outputZeroPoint = target.zeroPoint - storedOffset(target.format)
  const limits = clampInterval(context, target)
  const residual = context.hasInput(3) ? residualOf(context, target, requantisation.shift) : undefined
  if (residual && wide)
    throw new DyadicError(
      'unsupported',
      `layer ${quoted(outputName)} adds a residual and is stored as ${target.format}; choose s8 or u8 in the plan`,
    )
  const bounds = proveConvolution({
    where: outputName,
    weights,
    weightZeroPoints,
    outputs,
    groups,
    inputChannels: input.tensor.channels,
    inputRange: input.tensor.range,
    inputZeroPoints,
    padded: window.pads.some((pad) => pad > 0),
    bias,
    requantisation,
    residual,
  })
  const output = context.tensor({
    name: outputName,
    format: wide ? 's32' : 's8',
    height: outputHeight,
    width: outputWidth,
    channels: outputs,
    scale: target.scale,
    zeroPoint: outputZeroPoint,
    range: reached(bounds.requantised, outputZeroPoint, limits),
  })
  const instruction: ConvolutionInstruction = {
    kind: groups > 1 && groups === outputs && inputsPerGroup === 1 ? 'depthwise' : 'convolution',
    name: node.name,
    output,
    input: input.tensor,
    window,
    groups,
    weights,
    weightZeroPoints,
    weightFormat: weightEntry.format,
    bias,
    inputZeroPoints: Int16Array.from(inputZeroPoints),
    requantisation,
    outputZeroPoint,
    clamp: limits,
    residual,
    bounds,
  }
  context.emit(instruction)
  return { tensor: output, format: target.format, scale: [target.scale], zeroPoint: [target.zeroPoint], flat: false }
}

/** The plan's bias where it has one, otherwise the file's; refused where it has another length. */
function realBias(context: LoweringContext, outputs: number): ArrayLike<number> | undefined {
  const { plan, outputName } = context
  if (plan.biases === undefined || !Object.hasOwn(plan.biases, outputName))
    return context.hasInput(2) ? context.constant(2).values : undefined
  const bias = plan.biases[outputName]
  if (bias.length !== outputs)
    throw new DyadicError(
      'refused',
      `"biases" ${quoted(outputName)} of the plan has ${bias.length} values, the layer has ${outputs} output channels; give one for each`,
    )
  return bias
}

/** Codes allowed at the output: the format's range cut by the fused activation's bounds (half up, R1). */
export function clampInterval(context: LoweringContext, target: TensorPlan): { low: number; high: number } {
  const range = formatRange(target.format)
  const offset = storedOffset(target.format)
  const code = (value: number | undefined, absent: number): number =>
    value === undefined
      ? absent
      : clamp(Math.floor(value / target.scale + target.zeroPoint + 0.5), range.low, range.high)
  const low = code(context.attribute<number>('low'), range.low)
  const high = code(context.attribute<number>('high'), range.high)
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

function residualOf(context: LoweringContext, target: TensorPlan, shift: number): Residual {
  const value = context.input(3)
  demand8Bit(value, context.node)
  const [, channels, height = 1, width = 1] = context.outputShape
  demandSameStorage(value, { height, width, channels }, context.node)
  const { scale, zeroPoint } = uniform(value, context.node)
  return {
    input: value.tensor,
    zeroPoint,
    ...dyadicAtShift(scale / target.scale, shift, 256, `the residual of layer ${quoted(context.outputName)}`),
  }
}
