/** Lowerings of the operators with weights: convolution, dense layer, batch normalisation. */
import type { Node } from '../../graph/graph.ts'
import { convolutionWindow } from '../../graph/operators/convolution.ts'
import { attributeOr } from './attributes.ts'
import { emitConvolution } from './convolution.ts'
import { laneCount, laneStrides, makeLayout, matrixStrides, sameLayout } from './layout.ts'
import type { Lowering, Planner, Stored } from './planner.ts'
import { type Strides, stridedCopy } from './strided.ts'
import { planarWindow, type Window, wholeWindow } from './window.ts'

/** Clip limits of a fused node. */
export function limits(node: Node): { readonly low: number; readonly high: number } {
  return {
    low: attributeOr(node, 'low', Number.NEGATIVE_INFINITY),
    high: attributeOr(node, 'high', Number.POSITIVE_INFINITY),
  }
}

/** Weights and bias of a node when both are constants (or the bias is omitted). */
export function constantWeights(
  planner: Planner,
  node: Node,
):
  | { readonly weights: Float32Array; readonly bias: Float32Array | undefined; readonly shape: readonly number[] }
  | undefined {
  const weights = planner.floats(node.inputs[1])
  const bias = planner.floats(node.inputs[2])
  if (!weights || (node.inputs[2] && !bias)) return undefined
  return { weights, bias, shape: planner.graph.constants.get(node.inputs[1])?.shape ?? [] }
}

/** `Conv` and `dyadic.Conv` along one axis: (N, C, L) is brought to a map of height 1, and the result back. */
const convolutionOfLines: Lowering = (node, planner) => {
  const input = planner.matrix(node.inputs[0])
  const layout = planner.matrixLayout(node.outputs[0])
  const constants = constantWeights(planner, node)
  if (!input || !layout || !constants || node.inputs[3]) return false
  const [shape, outputShape] = [node.inputs[0], node.outputs[0]].map((name) => planner.shape(name))
  const line = convolutionWindow(node.name, node.attributes, shape, constants.shape)
  const window: Window = {
    kernel: [1, line.kernel[0]],
    strides: [1, line.strides[0]],
    dilations: [1, line.dilations[0]],
    pads: [0, line.pads[0], 0, line.pads[1]],
  }
  const [from, to] = [shape, outputShape].map(([n, c, length]): Stored => {
    const map = makeLayout(n, 1, length, c)
    return { layout: map, buffer: planner.scratch(laneCount(map)), matrix: false }
  })
  const output = planner.defineMatrix(node.outputs[0], layout)
  const axes = (map: Stored): Strides => [0, 1, 3].map((axis) => laneStrides(map.layout)[axis])
  const bring = stridedCopy(shape, matrixStrides(shape, input.layout), axes(from))
  const back = stridedCopy(outputShape, axes(to), matrixStrides(outputShape, layout))
  planner.emit(({ kernels }) => bring(kernels, input.buffer.address, from.buffer.address))
  const groups = attributeOr(node, 'group', 1)
  emitConvolution(planner, {
    ...{ input: from, output: to, window, groups, residual: undefined },
    ...constants,
    ...limits(node),
  })
  planner.emit(({ kernels }) => back(kernels, to.buffer.address, output.buffer.address))
  return true
}

/** `Conv` and `dyadic.Conv`: clip(conv(x, w) + b + residual). */
export const convolution: Lowering = (node, planner) => {
  if (planner.shape(node.inputs[0]).length === 3) return convolutionOfLines(node, planner)
  const input = planner.stored(node.inputs[0])
  const layout = planner.layout(node.outputs[0])
  const constants = constantWeights(planner, node)
  if (!input || !layout || !constants || constants.shape.length !== 4) return false
  const inputShape = planner.shape(node.inputs[0])
  const window = planarWindow(convolutionWindow(node.name, node.attributes, inputShape, constants.shape))
  const residual = planner.stored(node.inputs[3])
  if (!window || (node.inputs[3] && !(residual && sameLayout(residual.layout, layout)))) return false
  const output = planner.define(node.outputs[0], layout)
  const groups = attributeOr(node, 'group', 1)
  emitConvolution(planner, { input, output, window, groups, ...constants, residual, ...limits(node) })
  return true
}

/** `dyadic.Dense`: clip(x · wᵀ + b + residual) of the rows of x, which may be a map whose flattening was left out. */
export const dense: Lowering = (node, planner) => {
  const isMatrix = planner.shape(node.inputs[0]).length === 2
  const stored = (name: string | undefined) => (isMatrix ? planner.stored(name) : planner.matrix(name))
  const [input, residual] = [stored(node.inputs[0]), stored(node.inputs[3])]
  const layout = planner.matrixLayout(node.outputs[0])
  const constants = constantWeights(planner, node)
  if (!input || !layout || !constants || constants.shape.length !== 2) return false
  if (node.inputs[3] && !(residual && sameLayout(residual.layout, layout))) return false
  const output = isMatrix ? planner.define(node.outputs[0], layout) : planner.defineMatrix(node.outputs[0], layout)
  const window = wholeWindow(input.layout)
  emitConvolution(planner, { input, output, window, groups: 1, ...constants, residual, ...limits(node) })
  return true
}

/** Inference form of `BatchNormalization`: a depthwise 1 × 1 convolution. */
export const batchNormalization: Lowering = (node, planner) => {
  if (attributeOr(node, 'training_mode', 0) !== 0) return false
  const input = planner.stored(node.inputs[0])
  const layout = planner.layout(node.outputs[0])
  const [scale, shift, mean, variance] = [1, 2, 3, 4].map((index) => planner.floats(node.inputs[index]))
  if (!input || !layout || !scale || !shift || !mean || !variance) return false
  const epsilon = attributeOr(node, 'epsilon', 1e-5)
  const weights = scale.map((value, channel) => value / Math.sqrt(variance[channel] + epsilon))
  const bias = shift.map((value, channel) => value - mean[channel] * weights[channel])
  const output = planner.define(node.outputs[0], layout)
  const window: Window = { kernel: [1, 1], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] }
  const shared = { input, output, window, groups: layout.c, weights, bias, residual: undefined }
  emitConvolution(planner, { ...shared, low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY })
  return true
}
