/**
 * Functions of one value, element by element: tables of 8-bit codes (R7), pieces of straight lines over 16-bit codes (R9),
 * and other scales by channel and sign (R10).
 */
import { DyadicError, quoted } from '../error.ts'
import { evaluateFunction } from '../graph/evaluate-function.ts'
import { roundHalfUp } from '../num/dyadic.ts'
import { interval } from '../num/interval.ts'
import { clamp } from '../num/requantize.ts'
import { formatRange, type TensorPlan } from '../quantize/plan.ts'
import { proveRescale } from './bounds.ts'
import type { CurveInstruction, IntegerTensor } from './integer-graph.ts'
import { rowsInput, wholeInput } from './place.ts'
import {
  clampInterval,
  type LoweringContext,
  narrowPlan,
  type QuantisedValue,
  reached,
  storageFormat,
  storedOffset,
  uniform,
} from './quantised-value.ts'

/** Codes between two knots of a curve are 2^bits: from 512 pieces to 8,192, which take 16 KB. */
const MOST_BITS = 7
const LEAST_BITS = 3
/** What knots can hold. */
const KNOTS = interval(-32768, 32767)
/** How far a piece may lie from the function, in codes of the output, before knots and results are rounded. */
const CHORD_ERROR = 2
/** Largest shift of R5 and R10. */
const LARGEST_SHIFT = 30

/** A stored tensor for the planned output, in the storage of another. */
export function plannedTensor(
  context: LoweringContext,
  target: TensorPlan,
  like: Pick<IntegerTensor, 'height' | 'width' | 'channels'>,
  range: { low: number; high: number },
  name = context.outputName,
): IntegerTensor {
  return context.tensor({
    name,
    format: storageFormat(target.format),
    height: like.height,
    width: like.width,
    channels: like.channels,
    scale: target.scale,
    zeroPoint: target.zeroPoint - storedOffset(target.format),
    range,
  })
}

/** The value a stored tensor holds by its plan entry, seen through `view`. */
export function plannedValue(tensor: IntegerTensor, target: TensorPlan, view: QuantisedValue['view']): QuantisedValue {
  return { tensor, format: target.format, scale: [target.scale], zeroPoint: [target.zeroPoint], view }
}

/** Any function of one value: a table of 8-bit codes, a curve of 16-bit codes. Bounds (Relu, Clip) of 16 bits are exact. */
export function lowerFunction(context: LoweringContext): QuantisedValue {
  const input = wholeInput(context, 0)
  const target = narrowPlan(context)
  const { scale, zeroPoint } = uniform(input, context.node)
  if (input.tensor.format === 's8') {
    const points = Float32Array.from({ length: 256 }, (_, index) => (index - 128 - zeroPoint) * scale)
    const reals = evaluateFunction(context.node, context.constants, points)
    return emitTable(context, input, target, (code) => reals[code + 128])
  }
  if (context.node.operator === 'Relu') return emitRescale(context, input, target, [1], [0])
  if (context.node.operator === 'Clip') {
    const bound = (index: number, absent: number): number =>
      context.hasInput(index) ? Number(context.constant(index).values[0]) : absent
    const limits = { low: bound(1, -Infinity), high: bound(2, Infinity) }
    return emitRescale(context, input, target, [1], [1], context.outputName, limits)
  }
  return emitCurve(context, input, target)
}

/** PRelu with a constant slope for each channel, or one. */
export function lowerPRelu(context: LoweringContext): QuantisedValue {
  const { values, shape } = context.constant(1)
  const rank = context.outputShape.length
  const varying = shape.flatMap((size, index) => (size > 1 ? [index + rank - shape.length] : []))
  const target = narrowPlan(context)
  const input = varying.length === 0 ? wholeInput(context, 0) : rowsInput(context, 0, varying)
  const slopes = perChannel(context, input, varying, Array.from(values, Number))
  return emitRescale(
    context,
    input,
    target,
    slopes.map(() => 1),
    slopes,
  )
}

/** LeakyRelu: PRelu with one slope. */
export function lowerLeakyRelu(context: LoweringContext): QuantisedValue {
  return emitRescale(
    context,
    wholeInput(context, 0),
    narrowPlan(context),
    [1],
    [context.attribute<number>('alpha') ?? 0.01],
  )
}

/** Neg, and products with constants of one value or one for each channel: `factors` in ONNX order of the varying dimensions. */
export function lowerFactors(
  context: LoweringContext,
  index: number,
  varying: readonly number[],
  factors: readonly number[],
): QuantisedValue {
  const input = varying.length === 0 ? wholeInput(context, index) : rowsInput(context, index, varying)
  const list = perChannel(context, input, varying, factors)
  return emitRescale(context, input, narrowPlan(context), list, list)
}

/** Constants along the varying dimensions, in the order of the stored channels. */
export function perChannel(
  context: LoweringContext,
  input: QuantisedValue,
  varying: readonly number[],
  values: readonly number[],
): number[] {
  if (varying.length === 0) return [values[0]]
  if (varying.length > 1)
    throw new DyadicError(
      'unsupported',
      `node ${quoted(context.node.name)} (${context.node.operator}) has a constant that varies along ${varying.length} dimensions; dyadic compiles one value, or one for each channel`,
    )
  const [axis] = input.view.dimensions[varying[0]]
  // rowsInput has made this dimension the channels: one run of step 1.
  if (axis.step === 1) return [...values]
  throw new DyadicError('refused', `node ${quoted(context.node.name)}: channels are stored in another order`)
}

/** The same real values in another scale or width. */
export function rescale(
  context: LoweringContext,
  value: QuantisedValue,
  target: TensorPlan,
  name = context.outputName,
): QuantisedValue {
  const { scale, zeroPoint } = uniform(value, context.node)
  if (value.tensor.format === 's8' && storageFormat(target.format) === 's8')
    return emitTable(context, value, target, (code) => (code - zeroPoint) * scale, name)
  return emitRescale(context, value, target, [1], [1], name)
}

/** A table (R7) of `real` over the stored codes of an 8-bit input. */
export function emitTable(
  context: LoweringContext,
  input: QuantisedValue,
  target: TensorPlan,
  real: (code: number) => number,
  name = context.outputName,
): QuantisedValue {
  const code = codeOf(context, input, target)
  const codes = Array.from({ length: 256 }, (_, index) => {
    const stored = index - 128
    return code(real(stored), stored >= input.tensor.range.low && stored <= input.tensor.range.high)
  })
  const reachable = codes.slice(input.tensor.range.low + 128, input.tensor.range.high + 129)
  const range = interval(Math.min(...reachable), Math.max(...reachable))
  const output = plannedTensor(context, target, input.tensor, range, name)
  context.emit({
    kind: 'table',
    name: name === context.outputName ? context.node.name : name,
    output,
    input: input.tensor,
    table: output.format === 's16' ? Int16Array.from(codes) : Int8Array.from(codes),
  })
  return plannedValue(output, target, input.view)
}

/** A curve (R9) of the context's function over 16-bit codes. */
export function emitCurve(context: LoweringContext, input: QuantisedValue, target: TensorPlan): QuantisedValue {
  const { low, high } = input.tensor.range
  const { bits, unitBits } = curvePieces(context, input, target)
  const step = 2 ** bits
  const unit = 2 ** unitBits
  const at = (index: number): number => index * step - 32768
  const offset = storedOffset(target.format)
  const knots = Int16Array.from(realsAt(context, input, 65536 / step + 1, at), (real, index) => {
    const reachable = at(index) > low - step && at(index) < high + step
    if (!isNumber(context, input, real, reachable)) return 0
    return clamp(Math.floor((real / target.scale + target.zeroPoint - offset) / unit + 0.5), KNOTS.low, KNOTS.high)
  })
  const first = Math.floor((low + 32768) / step)
  const last = Math.ceil((high + 32768) / step)
  const reachable = knots.subarray(first, Math.max(first, last) + 1)
  const limits = clampInterval(context, target)
  const range = interval(
    clamp(reachable.reduce((a, b) => Math.min(a, b)) * unit, limits.low, limits.high),
    clamp(reachable.reduce((a, b) => Math.max(a, b)) * unit, limits.low, limits.high),
  )
  const output = plannedTensor(context, target, input.tensor, range)
  context.emit({
    kind: 'curve',
    name: context.node.name,
    output,
    input: input.tensor,
    knots,
    bits,
    ...(unitBits === 1 && { unitBits }),
    clamp: limits,
  })
  return plannedValue(output, target, input.view)
}

/** The function at `count` codes. */
function realsAt(
  context: LoweringContext,
  input: QuantisedValue,
  count: number,
  at: (index: number) => number,
): ArrayLike<number> & Iterable<number> {
  const { scale, zeroPoint } = uniform(input, context.node)
  const points = Float32Array.from({ length: count }, (_, index) => (at(index) - zeroPoint) * scale)
  return Float64Array.from(evaluateFunction(context.node, context.constants, points))
}

/**
 * The longest pieces, as a power of two, that are near enough to the function wherever the input reaches. A function that
 * leaves the output's codes has an edge there, which pieces meet exactly if their knots may lie beyond: in units of two codes.
 */
function curvePieces(
  context: LoweringContext,
  input: QuantisedValue,
  target: TensorPlan,
): Required<Pick<CurveInstruction, 'bits' | 'unitBits'>> {
  const { low, high } = input.tensor.range
  const grain = 2 ** (LEAST_BITS - 1)
  const fine = realsAt(context, input, 65536 / grain + 1, (index) => index * grain - 32768)
  const offset = storedOffset(target.format)
  const format = formatRange(target.format)
  const limit = (code: number): number => clamp(code, format.low - offset, format.high - offset)
  const codes = Float64Array.from(fine, (real) => real / target.scale + target.zeroPoint - offset)
  const isNear = (bits: number, unitBits: number): boolean => {
    const reach = 2 ** bits / grain
    const knot = (index: number): number => clamp(codes[index], KNOTS.low * 2 ** unitBits, KNOTS.high * 2 ** unitBits)
    for (let from = 0; from + reach < codes.length; from += reach) {
      const start = from * grain - 32768
      if (start + 2 ** bits < low || start > high) continue
      const [left, right] = [knot(from), knot(from + reach)]
      for (let i = 1; i < reach; i++) {
        const chord = limit(left + ((right - left) * i) / reach)
        // What is no number is refused later, where it can be reached.
        if (Math.abs(limit(codes[from + i]) - chord) > CHORD_ERROR) return false
      }
    }
    return true
  }
  for (let bits = MOST_BITS; bits > LEAST_BITS; bits--)
    for (const unitBits of [0, 1] as const) if (isNear(bits, unitBits)) return { bits, unitBits }
  return { bits: LEAST_BITS, unitBits: 0 }
}

/** A real value as a stored code (R1); refused where a reachable one is not a number. */
function codeOf(
  context: LoweringContext,
  input: QuantisedValue,
  target: TensorPlan,
): (value: number, reachable: boolean) => number {
  const range = formatRange(target.format)
  const offset = storedOffset(target.format)
  return (value, reachable) =>
    isNumber(context, input, value, reachable)
      ? clamp(Math.floor(value / target.scale + target.zeroPoint + 0.5), range.low, range.high) - offset
      : 0
}

/** Whether a function has a value; refused where it has none and codes of the input reach there. */
function isNumber(context: LoweringContext, input: QuantisedValue, value: number, reachable: boolean): boolean {
  if (!Number.isNaN(value)) return true
  if (!reachable) return false
  throw new DyadicError(
    'unsupported',
    `node ${quoted(context.node.name)} (${context.node.operator}) is not a number for values that ${quoted(input.tensor.name)} can take; limit its range in the plan, or add a Clip before it`,
  )
}

/** R10 with factors for values from zero up and below zero: one, or one for each stored channel. */
export function emitRescale(
  context: LoweringContext,
  input: QuantisedValue,
  target: TensorPlan,
  above: readonly number[],
  below: readonly number[],
  name = context.outputName,
  bounds: { low: number; high: number } = { low: -Infinity, high: Infinity },
): QuantisedValue {
  const { scale, zeroPoint } = uniform(input, context.node)
  const { channels, range } = input.tensor
  const value = interval(range.low - zeroPoint, range.high - zeroPoint)
  const ratios = [above, below].map((factors) =>
    Array.from({ length: channels }, (_, c) => (factors[factors.length > 1 ? c : 0] * scale) / target.scale),
  )
  const magnitude = Math.max(-value.low, value.high, 1)
  const { multipliers, shift } = signedMultipliers(
    ratios.map((list) => ({ ratios: list, magnitude })),
    (a, b) => Math.max(a, b),
    `node ${quoted(context.node.name)}`,
  )
  const [positive, negative] = multipliers.map((list) => Int32Array.from(list))
  const proof = proveRescale(name, value, positive, negative, shift)
  const format = formatRange(target.format)
  const offset = storedOffset(target.format)
  const limit = (real: number): number =>
    clamp(Math.floor(real / target.scale + target.zeroPoint + 0.5), format.low, format.high) - offset
  const limits = interval(limit(bounds.low), limit(bounds.high))
  const outputZeroPoint = target.zeroPoint - offset
  const output = plannedTensor(context, target, input.tensor, reached(proof.requantised, outputZeroPoint, limits), name)
  context.emit({
    kind: 'rescale',
    name: name === context.outputName ? context.node.name : name,
    output,
    input: input.tensor,
    inputZeroPoint: zeroPoint,
    positive,
    negative,
    shift,
    outputZeroPoint,
    clamp: limits,
    bounds: proof,
  })
  return plannedValue(output, target, input.view)
}

/**
 * Integer multipliers of one common shift (R5, R10), as precise as int32 allows: the largest shift up to 30 at which the
 * products, joined by `join` (their sum, or the larger), and the rounding term stay below 2^31. Ratios may be negative.
 */
export function signedMultipliers(
  operands: readonly { readonly ratios: readonly number[]; readonly magnitude: number }[],
  join: (a: number, b: number) => number,
  where: string,
): { multipliers: number[][]; shift: number } {
  for (let shift = LARGEST_SHIFT; shift > 0; shift--) {
    const multipliers = operands.map(({ ratios }) => ratios.map((ratio) => roundHalfUp(ratio * 2 ** shift)))
    const reach = operands
      .map(({ magnitude }, index) => magnitude * multipliers[index].reduce((most, m) => Math.max(most, Math.abs(m)), 0))
      .reduce(join)
    if (reach + 2 ** (shift - 1) < 2 ** 31) return { multipliers, shift }
  }
  throw new DyadicError(
    'refused',
    `${where}: scale ratios ${operands.map(({ ratios }) => ratios[0])} leave no room in int32; check the scales of the plan`,
  )
}
