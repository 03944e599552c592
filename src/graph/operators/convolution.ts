/**
 * Convolution over any number of spatial axes. Shapes: x (N, C, S…), w (M, C / group, K…), b (M), y (N, M, O…).
 * Zero padding; sums in double, in channel-major order, rounded once at the output.
 */
import type { InferContext, InferredValue, Operator } from '../operator.ts'
import { allocate, elementCount } from '../tensor.ts'
import { floatResult, numberAttribute, numbersAttribute, numbersOf, operand, refuse } from './context.ts'
import { type ResolvedWindow, resolveWindow, visitWindows } from './window.ts'

/** The window of a `Conv` or `dyadic.Conv` node, from its attributes and the shapes of x and w. */
export function convolutionWindow(
  node: string,
  attributes: InferContext['attributes'],
  x: readonly number[],
  w: readonly number[],
): ResolvedWindow {
  return resolveWindow(node, attributes, x.slice(2), w.slice(2))
}

/** Shape of a convolution's output; checks x, w, b, group and kernel_shape against each other. */
export function convolutionShape(context: InferContext): number[] {
  const x = operand(context, 0).shape
  const w = operand(context, 1).shape
  const b = context.inputs[2]?.shape
  const { node, attributes } = context
  if (x.length < 3) refuse(node, `convolution input has shape [${x}]; batch, channels and a spatial axis are needed`)
  if (w.length !== x.length) refuse(node, `weights of shape [${w}] do not match an input of shape [${x}]`)
  const group = numberAttribute(attributes, 'group')
  if (group < 1 || w[0] % group !== 0) refuse(node, `${w[0]} output channels do not divide into ${group} groups`)
  if (w[1] * group !== x[1])
    refuse(
      node,
      `weights of shape [${w}] in ${group} groups need ${w[1] * group} input channels; the input has ${x[1]}`,
    )
  const kernel = numbersAttribute(attributes, 'kernel_shape')
  if (kernel !== undefined && String(kernel) !== String(w.slice(2)))
    refuse(node, `kernel_shape [${kernel}] contradicts weights of shape [${w}]`)
  if (b !== undefined && (b.length !== 1 || b[0] !== w[0])) refuse(node, `bias of shape [${b}] is not [${w[0]}]`)
  return [x[0], w[0], ...convolutionWindow(node, attributes, x, w).output]
}

/** Multiply-accumulates of a convolution: every output element meets a whole kernel. */
export function convolutionMacs(context: InferContext, outputs: readonly InferredValue[]): number {
  const w = operand(context, 1).shape
  return elementCount(outputs[0].shape) * elementCount(w.slice(1))
}

/** The sums of a convolution without bias, as doubles in the output's layout. */
export function convolve(
  x: ArrayLike<number>,
  xShape: readonly number[],
  w: ArrayLike<number>,
  wShape: readonly number[],
  group: number,
  window: ResolvedWindow,
): Float64Array {
  const [batch, channels] = xShape
  const [filters, depth] = wShape
  const plane = elementCount(xShape.slice(2))
  const taps = elementCount(wShape.slice(2))
  const positions = elementCount(window.output)
  const sums = new Float64Array(batch * filters * positions)
  visitWindows(window, xShape.slice(2), (at) => {
    for (let n = 0; n < batch; n++) {
      for (let m = 0; m < filters; m++) {
        const first = n * channels + Math.floor(m / (filters / group)) * depth
        let sum = 0
        for (let c = 0; c < depth; c++) {
          const input = (first + c) * plane
          const weight = (m * depth + c) * taps
          for (let t = 0; t < at.count; t++) sum += x[input + at.offsets[t]] * w[weight + at.taps[t]]
        }
        sums[(n * filters + m) * positions + at.position] = sum
      }
    }
  })
  return sums
}

/** ONNX Conv. */
export const conv: Operator = {
  name: 'Conv',
  since: [1, 11, 22],
  inputs: [2, 3],
  outputs: [1, 1],
  attributes: {
    auto_pad: { kind: 'string', default: 'NOTSET' },
    dilations: { kind: 'ints' },
    group: { kind: 'int', default: 1 },
    kernel_shape: { kind: 'ints' },
    pads: { kind: 'ints' },
    strides: { kind: 'ints' },
  },
  integer: 'accumulate',
  infer: (context) => [{ type: floatResult(context), shape: convolutionShape(context) }],
  evaluate: ({ node, inputs, attributes, outputs }) => {
    const [x, w, b] = inputs
    const values = numbersOf(x, node)
    const weights = numbersOf(w, node)
    const bias = b && numbersOf(b, node)
    const window = convolutionWindow(node, attributes, x!.shape, w!.shape)
    const sums = convolve(values, x!.shape, weights, w!.shape, numberAttribute(attributes, 'group'), window)
    const [{ type, shape }] = outputs
    const data = allocate(type, sums.length)
    const positions = elementCount(window.output)
    for (let i = 0; i < sums.length; i++) data[i] = sums[i] + (bias ? bias[Math.floor(i / positions) % shape[1]] : 0)
    return [{ type, shape, data }]
  },
  macs: convolutionMacs,
}
