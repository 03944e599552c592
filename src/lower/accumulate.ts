/**
 * Convolutions and dense layers to integers: weights and bias become codes, scales become multipliers, and the interval
 * proof runs over the codes that are really stored. A dense layer is a convolution with a kernel as large as its input.
 */
import { DyadicError, quoted } from '../error.ts'
import { channelStride } from '../kernels/scalar/geometry.ts'
import { dyadicAtShift, dyadicRatios, roundHalfEven } from '../num/dyadic.ts'
import { INT32 } from '../num/interval.ts'
import { clamp } from '../num/requantize.ts'
import { decodeCodes, decodeWeightCodes } from '../quantize/base64-codes.ts'
import { codeBytes, formatRange, type TensorPlan, type WeightPlan } from '../quantize/plan.ts'
import { proveConvolution } from './bounds.ts'
import { rescale } from './elementwise.ts'
import type { ConvolutionInstruction, Residual, WeightGroups, Window } from './integer-graph.ts'
import { imageInput, moveTo, rowsInput, wholeInput } from './place.ts'
import {
  clampInterval,
  demandNarrow,
  type LoweringContext,
  type QuantisedValue,
  reached,
  storageFormat,
  storedOffset,
  tensorPlan,
  uniform,
  weightPlan,
} from './quantised-value.ts'
import {
  type Assignment,
  assign,
  coversTensor,
  imageAssignment,
  type Storage,
  sameView,
  type View,
  viewLoops,
  viewPositions,
} from './view.ts'

/** `dyadic.Conv`, two- or one-dimensional: weights are ONNX's [output][input / groups][kernelHeight][kernelWidth]. */
export function lowerConvolution(context: LoweringContext): QuantisedValue {
  const input = imageInput(context, 0)
  const { values, shape } = context.constant(1)
  const [outputs, inputs] = shape
  const [kernelHeight, kernelWidth] = planar(context, shape.slice(2), 1)
  const taps = kernelHeight * kernelWidth
  const order = new Int32Array(values.length)
  for (let o = 0; o < outputs; o++)
    for (let c = 0; c < inputs; c++)
      for (let t = 0; t < taps; t++) order[(o * taps + t) * inputs + c] = (o * inputs + c) * taps + t
  const list = (name: string): readonly number[] => context.attribute<readonly number[]>(name) as readonly number[]
  const pads = list('pads')
  const half = pads.length / 2
  const place = assign(context.outputShape, imageAssignment(context.outputShape))
  return accumulate(context, input, place, { values, order }, context.attribute<number>('group') ?? 1, {
    kernel: [kernelHeight, kernelWidth],
    strides: planar(context, list('strides'), 1),
    dilations: planar(context, list('dilations'), 1),
    pads: [...planar(context, pads.slice(0, half), 0), ...planar(context, pads.slice(half), 0)],
  })
}

/** Sizes along height and width; one dimension lies along the width, with `absent` along the height. */
function planar(context: LoweringContext, sizes: readonly number[], absent: number): [number, number] {
  if (sizes.length === 1) return [absent, sizes[0]]
  if (sizes.length === 2) return [sizes[0], sizes[1]]
  throw new DyadicError(
    'unsupported',
    `node ${quoted(context.node.name)} (${context.node.operator}) works along ${sizes.length} axes; dyadic compiles one and two`,
  )
}

/**
 * `dyadic.Dense`: weights [output][input]. A single row may be a whole tensor in any order: its weights are permuted instead.
 * Several rows, over all leading dimensions, are pixels of their own.
 */
export function lowerDense(context: LoweringContext): QuantisedValue {
  const { values, shape } = context.constant(1)
  const [outputs, inputs] = shape
  const last = context.outputShape.length - 1
  const single = context.outputShape.slice(0, last).every((size) => size === 1)
  const input = single ? wholeInput(context, 0) : rowsFor(context)
  const { tensor } = input
  const [height, width] = single ? [tensor.height, tensor.width] : [1, 1]
  const stride = channelStride(tensor.channels)
  const { dimensions } = input.view
  const positions = viewPositions(single ? input.view : { start: 0, dimensions: [dimensions[last]] })
  const order = new Int32Array(values.length)
  positions.forEach((position, index) => {
    const channel = position % stride
    const place = ((position - channel) / stride) * tensor.channels + channel
    for (let o = 0; o < outputs; o++) order[o * inputs + place] = o * inputs + index
  })
  const place = single ? assign(context.outputShape, rowsAssignment(last + 1)) : rowsBeside(input, outputs)
  return accumulate(context, input, place, { values, order }, 1, {
    kernel: [height, width],
    strides: [1, 1],
    dilations: [1, 1],
    pads: [0, 0, 0, 0],
  })
}

/** Where a value is stored. */
interface Place {
  readonly storage: Storage
  readonly view: View
}

/** The rows of a dense layer's input, in whatever order they are stored; in ONNX order where a residual is added. */
function rowsFor(context: LoweringContext): QuantisedValue {
  const last = context.outputShape.length - 1
  const input = rowsInput(context, 0, [last])
  if (!context.hasInput(3)) return input
  const { dimensions } = input.view
  const step = channelStride(input.tensor.channels)
  const rows = viewLoops({ start: 0, dimensions: dimensions.slice(0, last) })
  return rows.length === 1 && rows[0].step === step ? input : moveTo(context, input, rowsAssignment(last + 1))
}

/** Rows of other channels, stored in the order of the input's rows. */
function rowsBeside({ tensor, view }: QuantisedValue, channels: number): Place {
  const { height, width } = tensor
  const [from, to] = [channelStride(tensor.channels), channelStride(channels)]
  const dimensions = view.dimensions.map((axes, dimension) =>
    dimension < view.dimensions.length - 1
      ? axes.map(({ count, step }) => ({ count, step: (step / from) * to }))
      : channels === 1
        ? []
        : [{ count: channels, step: 1 }],
  )
  return { storage: { height, width, channels }, view: { start: 0, dimensions } }
}

/** How rows are stored: the last dimension as channels, all others as width. */
function rowsAssignment(rank: number): Assignment {
  const last = rank - 1
  return { height: [], width: Array.from({ length: last }, (_, dimension) => dimension), channels: [last] }
}

/** Real weights as ONNX has them, and the ONNX index of each weight in stored order: [output][kernel row][column][input]. */
interface OrderedWeights {
  readonly values: ArrayLike<number>
  readonly order: Int32Array
}

function accumulate(
  context: LoweringContext,
  input: QuantisedValue,
  { storage, view }: Place,
  { values, order }: OrderedWeights,
  groups: number,
  window: Window,
): QuantisedValue {
  const { plan, node, outputName } = context
  const outputs = storage.channels
  const taps = values.length / outputs
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

  const planned = plannedCodes(weightEntry, values.length, outputName)
  const channelScales = outputScales(target, outputs, outputName)
  const weightGroups = plannedGroups(weightEntry, outputs, taps, outputName)
  const factor = (o: number, t: number): number =>
    weightGroups === undefined
      ? 1
      : weightGroups.factors[o * Math.ceil(taps / weightGroups.size) + Math.floor(t / weightGroups.size)]
  const weights = codeBytes(weightEntry.format) === 1 ? new Int8Array(values.length) : new Int16Array(values.length)
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
      const index = order[o * taps + t]
      const code =
        planned === undefined
          ? clamp(
              roundHalfEven((values[index] * channelScale(c)) / (scale * factor(o, t))) + zeroPoint,
              weightRange.low,
              weightRange.high,
            )
          : planned[index]
      weights[o * taps + t] = code - weightOffset
      fractions += (code - zeroPoint) * factor(o, t) * (roundHalfEven(channelZero(c)) - channelZero(c))
    }
    const accumulatorScale = commonScale * scale
    const rounded = roundHalfEven((biasValues === undefined ? 0 : biasValues[o]) / accumulatorScale + fractions)
    if (rounded < INT32.low || rounded > INT32.high)
      throw new DyadicError(
        'limit',
        `layer ${quoted(outputName)}: the bias of output channel ${o} is ${rounded} accumulator units, beyond int32; raise the channel's weight scale in the plan`,
      )
    bias[o] = rounded
    ratios[o] = accumulatorScale / (target.scale * (channelScales?.[o] ?? 1))
  }

  const format = storageFormat(target.format)
  const requantisation = dyadicRatios(ratios, `layer ${quoted(outputName)}`)
  const outputZeroPoint = target.zeroPoint - storedOffset(target.format)
  const limits = clampInterval(context, target)
  const residual = context.hasInput(3) ? residualOf(context, target, view, requantisation.shift) : undefined
  if (residual && (format === 's32' || channelScales !== undefined))
    throw new DyadicError(
      'unsupported',
      `layer ${quoted(outputName)} adds a residual and is stored ${channelScales ? 'with a scale for each channel' : `as ${target.format}`}; choose s16, s8 or u8 with one scale in the plan`,
    )
  const bounds = proveConvolution({
    where: outputName,
    weights,
    weightZeroPoints,
    weightGroups,
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
    format,
    ...storage,
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
    weightGroups,
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
  const scale = channelScales?.map((channel) => target.scale * channel) ?? [target.scale]
  return { tensor: output, format: target.format, scale, zeroPoint: [target.zeroPoint], view }
}

/** Codes that the plan gives in place of the nearest ones, in ONNX order; refused when they are not the layer's. */
function plannedCodes(entry: WeightPlan, count: number, layer: string): ArrayLike<number> | undefined {
  if (entry.codes === undefined) return undefined
  const codes = decodeWeightCodes(entry.format, entry.codes)
  const { low, high } = formatRange(entry.format)
  const wrong = codes.find((code) => code < low || code > high)
  if (codes.length !== count || wrong !== undefined)
    throw new DyadicError(
      'refused',
      `"weights" ${quoted(layer)} of the plan has ${wrong === undefined ? `${codes.length} codes, the layer has ${count} weights` : `the code ${wrong}, outside ${entry.format}`}; make the plan with this model, or leave "codes" out`,
    )
  return codes
}

/** The plan's factors of weight groups; refused when they are not the layer's. */
function plannedGroups(entry: WeightPlan, outputs: number, taps: number, layer: string): WeightGroups | undefined {
  if (entry.groups === undefined) return undefined
  const { size } = entry.groups
  const factors = decodeCodes(entry.groups.factors)
  const count = outputs * Math.ceil(taps / size)
  if (factors.length !== count || factors.includes(0))
    throw new DyadicError(
      'refused',
      `"weights" ${quoted(layer)} of the plan has ${factors.length} group factors; groups of ${size} in ${outputs} × ${taps} weights need ${count} factors from 1 to 255`,
    )
  return { size, factors }
}

/** The relative scales of a layer's output channels; refused unless there is one for each. */
function outputScales(target: TensorPlan, outputs: number, layer: string): readonly number[] | undefined {
  const { channelScales } = target
  if (channelScales !== undefined && channelScales.length !== outputs)
    throw new DyadicError(
      'refused',
      `"tensors" ${quoted(layer)} of the plan has ${channelScales.length} values in "channelScales", the layer has ${outputs} output channels; give one for each`,
    )
  return channelScales
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

function residualOf(context: LoweringContext, target: TensorPlan, view: View, shift: number): Residual {
  const given = context.node.operator === 'dyadic.Dense' ? residualRows(context, view) : imageInput(context, 3)
  const value = storageFormat(target.format) === given.tensor.format ? given : widened(context, given, target)
  const { scale, zeroPoint } = uniform(value, context.node)
  if (!sameView(value.view, view))
    throw new DyadicError('refused', `the residual of layer ${quoted(context.outputName)} is stored in another order`)
  return {
    input: value.tensor,
    zeroPoint,
    ...dyadicAtShift(
      scale / target.scale,
      shift,
      value.tensor.format === 's8' ? 256 : 2 ** 16,
      `the residual of layer ${quoted(context.outputName)}`,
    ),
  }
}

/** The residual of a dense layer as it stands, or as rows in ONNX order. */
function residualRows(context: LoweringContext, view: View): QuantisedValue {
  const value = context.input(3)
  demandNarrow(value, context.node)
  const fits = sameView(value.view, view) && coversTensor(view, value.tensor)
  return fits ? value : moveTo(context, value, rowsAssignment(view.dimensions.length))
}

/** A residual in the storage of the sum: s8 becomes s16 exactly, s16 becomes s8 in the scale of the sum. */
function widened(context: LoweringContext, value: QuantisedValue, target: TensorPlan): QuantisedValue {
  const { scale } = uniform(value, context.node)
  const plan: TensorPlan =
    target.format === 's16'
      ? { format: 's16', scale: scale / 64, zeroPoint: 0 }
      : { ...target, channelScales: undefined }
  return rescale(context, value, plan, context.fresh())
}
