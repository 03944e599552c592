/** Lowerings of activations that have a kernel, of softmax, and of fake quantisation. */
import { type ElementType, elementCount } from '../../graph/tensor.ts'
import { exponential } from '../../num/elementary.ts'
import { attributeOr, constantInput } from './attributes.ts'
import type { Kernels } from './kernels.ts'
import { type Layout, laneCount } from './layout.ts'
import type { Lowering, Planner, Stored } from './planner.ts'

/** Runs a kernel over all lanes: `call(kernels, input, output, count)`. */
type UnaryCall = (kernels: Kernels, input: number, output: number, count: number) => void

function unary(makeCall: (node: Parameters<Lowering>[0], planner: Planner) => UnaryCall | undefined): Lowering {
  return (node, planner) => {
    const input = planner.view(node.inputs[0])
    const call = input && makeCall(node, planner)
    if (!call || !planner.matrixLayout(node.outputs[0])) return false
    const output = planner.defineOver(node.outputs[0], input)
    const count = laneCount(input.layout)
    planner.emit(({ kernels }) => call(kernels, input.buffer.address, output.buffer.address, count))
    return true
  }
}

export const relu = unary(
  () => (kernels, input, output, count) => kernels.clamp(input, output, count, 0, Number.POSITIVE_INFINITY),
)

/** `Clip` with constant limits. */
export const clip = unary((node, planner) => {
  const low = constantInput(planner.graph, node, 1, [Number.NEGATIVE_INFINITY])?.[0]
  const high = constantInput(planner.graph, node, 2, [Number.POSITIVE_INFINITY])?.[0]
  if (low === undefined || high === undefined) return undefined
  return (kernels, input, output, count) => kernels.clamp(input, output, count, low, high)
})

export const leakyRelu = unary((node) => {
  const slope = attributeOr(node, 'alpha', 0.01)
  return (kernels, input, output, count) => kernels.leakyRelu(input, output, count, slope)
})

export const hardSigmoid = unary((node) => {
  const alpha = attributeOr(node, 'alpha', 0.2)
  const beta = attributeOr(node, 'beta', 0.5)
  return (kernels, input, output, count) => kernels.hardSigmoid(input, output, count, alpha, beta, 0)
})

export const hardSwish = unary(
  () => (kernels, input, output, count) => kernels.hardSigmoid(input, output, count, 1 / 6, 0.5, 1),
)

/** `Erf`. */
export const erf = unary(() => (kernels, input, output, count) => kernels.erf(input, output, count))

/** `Gelu` by the error function. */
export const gelu = unary((node) =>
  node.attributes.get('approximate') === 'tanh'
    ? undefined
    : (kernels, input, output, count) => kernels.gelu(input, output, count),
)

/** `Softmax` over the channels of each pixel. */
export const softmaxOverChannels: Lowering = (node, planner) => {
  const input = planner.stored(node.inputs[0])
  const rank = planner.graph.values.get(node.inputs[0])?.shape.length ?? 0
  const axis = attributeOr(node, 'axis', -1)
  if (!input || !planner.layout(node.outputs[0]) || (axis + rank) % rank !== 1) return false
  const output = planner.defineOver(node.outputs[0], input)
  planner.emit(({ floats }) =>
    forEachPixel(input.layout, (first) => {
      const source = floats.subarray(input.buffer.address / 4 + first).subarray(0, input.layout.c)
      const target = floats.subarray(output.buffer.address / 4 + first).subarray(0, input.layout.c)
      const largest = source.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
      const powers = Float64Array.from(source, (x) => exponential(x - largest))
      const sum = powers.reduce((a, b) => a + b, 0)
      target.set(powers.map((power) => power / sum))
    }),
  )
  return true
}

function forEachPixel(layout: Layout, visit: (firstFloat: number) => void): void {
  const pixels = layout.n * layout.h * layout.w
  for (let pixel = 0; pixel < pixels; pixel++) visit(pixel * layout.lanes)
}

const INTEGER_LIMITS: Partial<Record<ElementType, readonly [least: number, most: number]>> = {
  uint8: [0, 255],
  int8: [-128, 127],
  uint16: [0, 65535],
  int16: [-32768, 32767],
}

/**
 * `QuantizeLinear` whose integers only go to per-tensor `DequantizeLinear` nodes: the whole pair in floats. The
 * integers themselves are never stored.
 */
export const fakeQuantisation: Lowering = (node, planner) => {
  const { graph } = planner
  const integers = node.outputs[0]
  const input = planner.view(node.inputs[0])
  const range = INTEGER_LIMITS[graph.values.get(integers)?.type ?? 'float32']
  const quantise = perTensor(planner, node)
  const followers = planner.consumers.get(integers) ?? []
  if (!input || !range || !quantise || followers.length === 0 || graph.outputs.includes(integers)) return false
  const dequantise = followers.map((follower) =>
    follower.operator === 'DequantizeLinear' && follower.inputs[0] === integers
      ? perTensor(planner, follower)
      : undefined,
  )
  if (dequantise.some((parameters) => parameters === undefined)) return false
  followers.forEach((follower, index) => {
    const { scale, zeroPoint } = dequantise[index] as QuantisationParameters
    const last = index === followers.length - 1
    const output = last
      ? planner.defineOver(follower.outputs[0], input)
      : planner.defineLike(follower.outputs[0], input)
    emitFakeQuantisation(planner, input, output, [
      ...[quantise.scale, range[0] - quantise.zeroPoint, range[1] - quantise.zeroPoint],
      ...[quantise.zeroPoint - zeroPoint, scale],
    ])
    planner.covered.add(follower)
  })
  return true
}

function emitFakeQuantisation(planner: Planner, input: Stored, output: Stored, numbers: readonly number[]): void {
  const count = laneCount(input.layout)
  planner.emit(({ kernels }) => kernels.fakeQuantise(input.buffer.address, output.buffer.address, count, ...numbers))
}

interface QuantisationParameters {
  readonly scale: number
  readonly zeroPoint: number
}

/** Scale and zero point of a (De)QuantizeLinear node when both are single constants. */
function perTensor(planner: Planner, node: Parameters<Lowering>[0]): QuantisationParameters | undefined {
  const scales = planner.floats(node.inputs[1])
  const zeroPoints = constantInput(planner.graph, node, 2, [0])
  const shape = planner.graph.constants.get(node.inputs[1])?.shape ?? []
  if (!scales || !zeroPoints || elementCount(shape) !== 1 || zeroPoints.length !== 1) return undefined
  return { scale: scales[0], zeroPoint: zeroPoints[0] }
}
