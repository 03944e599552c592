/**
 * ONNX Resize by constant scales or sizes: nearest with every rounding, linear and cubic (separable, edges repeated), with
 * every coordinate transformation; wider kernels stand in resize-kernels.ts. Coordinates are computed in float32, as ONNX
 * Runtime does, because a nearest mode can turn on their last bit; samples are blended in double and rounded once.
 * Source: onnx/docs/Operators.md, Resize.
 */
import type { EvaluateContext, InferContext, Operator } from '../operator.ts'
import { allocate, elementCount, readNumbers, type Tensor, type TypedArray } from '../tensor.ts'
import {
  constantNumbers,
  isFloat,
  numberAttribute,
  numbersAttribute,
  numbersOf,
  operand,
  refuse,
  stringAttribute,
  unsupported,
} from './context.ts'
import { normalizeAxes } from './layout.ts'
import { cubicKernel, type Kernel, type KernelTap, kernelTap, linearKernel, resample } from './resize-kernels.ts'

/** How one axis is resized: `scale` may differ from output/input where the size was rounded down. */
export interface ResizeAxis {
  readonly input: number
  readonly output: number
  readonly scale: number
  /** Length of the resized axis before it is rounded down to `output`. */
  readonly length: number
  /** Start and end of the region, in lengths of the axis; only `tf_crop_and_resize` reads them. */
  readonly region: readonly [number, number]
}

type Attributes = InferContext['attributes']
type Numbers = readonly number[]

const COORDINATES: ReadonlyMap<string, (x: number, axis: ResizeAxis) => number> = new Map([
  ['half_pixel', (x, { scale }) => f(f((x + 0.5) / scale) - 0.5)],
  [
    'half_pixel_symmetric',
    (x, { scale, input, output }) => {
      const adjustment = f(output / f(scale * input))
      const offset = f((input / 2) * f(1 - adjustment))
      return f(f(offset + f((x + 0.5) / scale)) - 0.5)
    },
  ],
  ['pytorch_half_pixel', (x, { scale, output }) => (output > 1 ? f(f((x + 0.5) / scale) - 0.5) : 0)],
  // The length here is the one before rounding down, as in ONNX's reference; PyTorch and ONNX Runtime take the output's.
  ['align_corners', (x, { input, length }) => (length === 1 ? 0 : f(f(x * (input - 1)) / f(length - 1)))],
  ['asymmetric', (x, { scale }) => f(x / scale)],
  ['tf_half_pixel_for_nn', (x, { scale }) => f((x + 0.5) / scale)],
  [
    'tf_crop_and_resize',
    (x, { input, output, region: [start, end] }) =>
      output > 1
        ? f(f(start * (input - 1)) + f(f(x * f(f(end - start) * (input - 1))) / (output - 1)))
        : f(0.5 * f(start + end) * (input - 1)),
  ],
])

const ROUNDINGS: ReadonlyMap<string, (x: number) => number> = new Map([
  ['round_prefer_floor', (x) => Math.ceil(x - 0.5)],
  ['round_prefer_ceil', (x) => Math.floor(x + 0.5)],
  ['floor', Math.floor],
  ['ceil', Math.ceil],
])

function f(x: number): number {
  return Math.fround(x)
}

/**
 * Every axis of a Resize of `shape`. Lists are those of the node's inputs: exactly one of `scales` and `sizes` is not
 * empty. Throws `refused` where they do not fit the shape.
 */
export function resolveResize(
  node: string,
  attributes: Attributes,
  shape: Numbers,
  region: Numbers | undefined,
  scales: Numbers | undefined,
  sizes: Numbers | undefined,
): ResizeAxis[] {
  const named = numbersAttribute(attributes, 'axes')
  const axes = named === undefined ? shape.map((_, axis) => axis) : normalizeAxes(named, shape.length, node)
  const byScale = scales !== undefined && scales.length > 0
  const bySize = sizes !== undefined && sizes.length > 0
  if (byScale === bySize) refuse(node, `Resize needs scales or sizes, and ${byScale ? 'has both' : 'has neither'}`)
  const list = (byScale ? scales : sizes) as Numbers
  const crops = stringAttribute(attributes, 'coordinate_transformation_mode') === 'tf_crop_and_resize'
  if (list.length !== axes.length) refuse(node, `${list.length} scales or sizes for ${axes.length} axes`)
  if (crops && region?.length !== 2 * axes.length)
    refuse(node, `tf_crop_and_resize needs a region of ${2 * axes.length} numbers, not ${region?.length ?? 0}`)
  if (list.some((value) => !(value > 0 && value < 2 ** 31)))
    refuse(node, `a scale or size of [${list}] is not above 0 and below 2^31`)
  const fitting = byScale ? undefined : commonScale(node, attributes, shape, axes, list)
  const result: ResizeAxis[] = shape.map((size) => ({
    input: size,
    output: size,
    scale: 1,
    length: size,
    region: [0, 1],
  }))
  axes.forEach((axis, i) => {
    const input = shape[axis]
    const scale = byScale ? list[i] : (fitting ?? f(list[i] / input))
    const output = byScale
      ? Math.floor(f(f(input) * scale))
      : fitting === undefined
        ? list[i]
        : Math.floor(input * fitting + 0.5)
    const length = byScale ? f(f(input) * scale) : output
    result[axis] = { input, output, scale, length, region: crops ? [region![i], region![i + axes.length]] : [0, 1] }
  })
  return result
}

/** The one scale of all axes that a policy of keeping the aspect ratio gives; `undefined` for "stretch". */
function commonScale(node: string, attributes: Attributes, shape: Numbers, axes: Numbers, sizes: Numbers) {
  const policy = stringAttribute(attributes, 'keep_aspect_ratio_policy')
  const scales = sizes.map((size, i) => f(size / shape[axes[i]]))
  if (policy === 'stretch') return undefined
  if (policy === 'not_larger') return Math.min(...scales)
  if (policy === 'not_smaller') return Math.max(...scales)
  return refuse(node, 'keep_aspect_ratio_policy is none of stretch, not_larger, not_smaller')
}

/** One output position of an axis: the two samples it blends, and the weight of the second. */
export interface Tap {
  readonly first: number
  readonly second: number
  readonly weight: number
  /** Whether the position lies in the input; only `tf_crop_and_resize` leaves it. */
  readonly inside: boolean
}

/** Whether a Resize chooses or blends two samples along each axis: {@link tapsOf} then says which. */
export function blendsPairs(attributes: Attributes): boolean {
  return kernelOf(attributes) === undefined
}

/** The kernel of a Resize that needs more than two samples. */
function kernelOf(attributes: Attributes): Kernel | undefined {
  const mode = stringAttribute(attributes, 'mode')
  if (mode === 'cubic') return cubicKernel(numberAttribute(attributes, 'cubic_coeff_a'))
  const plain = numberAttribute(attributes, 'antialias') === 0 && numberAttribute(attributes, 'exclude_outside') === 0
  return mode === 'nearest' || plain ? undefined : linearKernel
}

/** The samples of every output position of an axis, for a kernel. */
function kernelTaps(attributes: Attributes, axis: ResizeAxis, kernel: Kernel): KernelTap[] {
  const mode = stringAttribute(attributes, 'coordinate_transformation_mode')
  const locate = COORDINATES.get(mode) as (x: number, axis: ResizeAxis) => number
  const excludes = numberAttribute(attributes, 'exclude_outside') !== 0
  const stretch = numberAttribute(attributes, 'antialias') === 0 ? 1 : Math.max(1, 1 / axis.scale)
  return Array.from({ length: axis.output }, (_, position) => {
    const x = locate(position, axis)
    const inside = mode !== 'tf_crop_and_resize' || (x >= 0 && x <= axis.input - 1)
    return { ...kernelTap(kernel, x, axis.input, stretch, excludes), inside }
  })
}

/**
 * The samples of every output position of an axis; `attributes` are a Resize node's with their defaults. Throws
 * `unsupported`, naming `node`, where a position needs more than two.
 */
export function tapsOf(node: string, attributes: Attributes, axis: ResizeAxis): Tap[] {
  if (!blendsPairs(attributes))
    unsupported(
      node,
      'Resize in mode "cubic", with antialiasing or exclude_outside is not compiled; export it as "linear" or "nearest"',
    )
  const mode = stringAttribute(attributes, 'coordinate_transformation_mode')
  const locate = COORDINATES.get(mode) as (x: number, axis: ResizeAxis) => number
  const round = ROUNDINGS.get(stringAttribute(attributes, 'nearest_mode')) as (x: number) => number
  const nearest = stringAttribute(attributes, 'mode') === 'nearest'
  const last = axis.input - 1
  const within = (index: number): number => Math.min(last, Math.max(0, index))
  return Array.from({ length: axis.output }, (_, position) => {
    // Float32 rounding may move x off the grid where nothing is resized.
    const untouched = mode !== 'tf_crop_and_resize' && axis.scale === 1 && axis.output === axis.input
    const x = untouched ? position : locate(position, axis)
    const inside = mode !== 'tf_crop_and_resize' || (x >= 0 && x <= last)
    const first = nearest && !untouched ? round(x) : Math.floor(x)
    const weight = nearest || untouched ? 0 : x - first
    return { first: within(first), second: within(first + 1), weight, inside }
  })
}

/** Resizes the axis in the middle of (outer, axis, inner). */
function resizeAxis(values: TypedArray, inner: number, input: number, taps: readonly Tap[], fill: number): TypedArray {
  const outer = values.length / (inner * input)
  const blends = taps.some((tap) => tap.weight !== 0)
  const Made = blends ? Float64Array : (values.constructor as Float64ArrayConstructor)
  const result = new Made(outer * taps.length * inner)
  const from = values as Float64Array
  for (let o = 0; o < outer; o++)
    taps.forEach(({ first, second, weight, inside }, position) => {
      const target = (o * taps.length + position) * inner
      const a = (o * input + first) * inner
      const b = (o * input + second) * inner
      if (!inside) result.fill(fill, target, target + inner)
      else if (weight === 0) result.set(from.subarray(a, a + inner), target)
      else for (let i = 0; i < inner; i++) result[target + i] = (1 - weight) * from[a + i] + weight * from[b + i]
    })
  return result
}

function evaluateResize({ node, inputs, attributes, outputs }: EvaluateContext): Tensor[] {
  const [x, ...lists] = inputs
  const [region, scales, sizes] = lists.map(
    (list) => list && Array.from(list.data as ArrayLike<number | bigint>, Number),
  )
  const [{ type, shape }] = outputs
  const fill = numberAttribute(attributes, 'extrapolation_value')
  const axes = resolveResize(node, attributes, x!.shape, region, scales, sizes)
  const kernel = kernelOf(attributes)
  if (kernel !== undefined) {
    let samples = numbersOf(x, node)
    const now = [...x!.shape]
    axes.forEach((axis, i) => {
      if (axis.output === axis.input && axis.scale === 1) return
      samples = resample(samples, now, i, kernelTaps(attributes, axis, kernel), fill)
      now[i] = axis.output
    })
    const result = allocate(type, samples.length)
    ;(result as Float32Array).set(samples)
    return [{ type, shape, data: result }]
  }
  const taps = axes.map((axis) => tapsOf(node, attributes, axis))
  const sizesNow = [...x!.shape]
  let values = x!.data
  // Axes that shrink come first, so that nothing in between is larger than both input and output.
  const order = axes.map((_, axis) => axis)
  order.sort((a, b) => axes[a].output / axes[a].input - axes[b].output / axes[b].input)
  for (const axis of order) {
    const { input, output } = axes[axis]
    const changes = output !== input || taps[axis].some((tap, i) => tap.first !== i || tap.weight !== 0 || !tap.inside)
    if (changes) values = resizeAxis(values, elementCount(sizesNow.slice(axis + 1)), input, taps[axis], fill)
    sizesNow[axis] = output
  }
  const data = allocate(type, values.length)
  ;(data as Float32Array).set(values as Float32Array)
  return [{ type, shape, data }]
}

function floatConstant(context: InferContext, index: number, what: string): number[] | undefined {
  const input = context.inputs[index]
  if (input === undefined || elementCount(input.shape) === 0) return undefined
  const constant = context.constant(index)
  if (constant === undefined)
    unsupported(context.node, `its ${what} (input ${index}) are computed at run time; shapes must be static`)
  if (!isFloat(constant.type)) refuse(context.node, `its ${what} (input ${index}) have type ${constant.type}`)
  return readNumbers(constant)
}

/** ONNX Resize: inputs x, region?, scales?, sizes?; of any element type, floats only where samples are blended. */
export const resize: Operator = {
  name: 'Resize',
  since: [10, 11, 13, 18, 19],
  inputs: [1, 4],
  outputs: [1, 1],
  attributes: {
    antialias: { kind: 'int', flag: true, default: 0 },
    axes: { kind: 'ints' },
    coordinate_transformation_mode: { kind: 'string', default: 'half_pixel' },
    cubic_coeff_a: { kind: 'float', default: -0.75 },
    exclude_outside: { kind: 'int', flag: true, default: 0 },
    extrapolation_value: { kind: 'float', default: 0 },
    keep_aspect_ratio_policy: { kind: 'string', default: 'stretch' },
    mode: { kind: 'string', default: 'nearest' },
    nearest_mode: { kind: 'string', default: 'round_prefer_floor' },
  },
  integer: 'same-scale',
  infer: (context) => {
    const { node, attributes } = context
    const { type, shape } = operand(context, 0)
    const mode = stringAttribute(attributes, 'mode')
    if (!['nearest', 'linear', 'cubic'].includes(mode))
      refuse(node, 'the mode of Resize is none of nearest, linear, cubic')
    if (mode !== 'nearest' && !isFloat(type)) unsupported(node, `Resize of ${type} in mode "${mode}" is not done`)
    if (!COORDINATES.has(stringAttribute(attributes, 'coordinate_transformation_mode')))
      refuse(node, 'the coordinate_transformation_mode of Resize is none that ONNX defines')
    if (!ROUNDINGS.has(stringAttribute(attributes, 'nearest_mode')))
      refuse(node, 'the nearest_mode of Resize is none that ONNX defines')
    const axes = resolveResize(
      node,
      attributes,
      shape,
      floatConstant(context, 1, 'region bounds'),
      floatConstant(context, 2, 'scales'),
      constantNumbers(context, 3, 'sizes'),
    )
    const resized = axes.map((axis) => axis.output)
    if (resized.some((size) => size < 1)) refuse(node, `Resize of [${shape}] to [${resized}], which holds no elements`)
    return [{ type, shape: resized }]
  },
  evaluate: evaluateResize,
}
