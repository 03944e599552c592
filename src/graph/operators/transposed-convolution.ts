/**
 * ConvTranspose over any number of spatial axes: each input element is spread over the output by the kernel. Shapes:
 * x (N, C, S…), w (C, M / group, K…), b (M), y (N, M, O…) with O = stride·(S − 1) + output_padding + extent − pads. Sums in
 * double, rounded once at the output. Source: onnx/docs/Operators.md, ConvTranspose.
 */
import type { InferContext, Operator } from '../operator.ts'
import { allocate, elementCount } from '../tensor.ts'
import { floatResult, numberAttribute, numbersAttribute, numbersOf, operand, refuse } from './context.ts'
import { rowMajorStrides } from './layout.ts'

interface Spread {
  readonly strides: readonly number[]
  readonly dilations: readonly number[]
  /** Elements cut from the beginning of every axis. */
  readonly begins: readonly number[]
  readonly output: readonly number[]
}

/** Strides, dilations, pads and output sizes with nothing left implicit. Throws `refused` where they contradict. */
function resolveSpread(
  node: string,
  attributes: InferContext['attributes'],
  spatial: readonly number[],
  kernel: readonly number[],
): Spread {
  const rank = spatial.length
  const list = (name: string, length: number, least: number, absent: number): readonly number[] => {
    const values = numbersAttribute(attributes, name) ?? new Array<number>(length).fill(absent)
    if (values.length !== length || values.some((value) => value < least))
      refuse(node, `${name} [${values}] is not ${length} numbers from ${least} on`)
    return values
  }
  const strides = list('strides', rank, 1, 1)
  const dilations = list('dilations', rank, 1, 1)
  const given = list('pads', 2 * rank, 0, 0)
  const extra = list('output_padding', rank, 0, 0)
  const mode = (attributes.get('auto_pad') as string | undefined) ?? 'NOTSET'
  if (!['NOTSET', 'VALID', 'SAME_UPPER', 'SAME_LOWER'].includes(mode))
    refuse(node, 'auto_pad is not one of NOTSET, VALID, SAME_UPPER and SAME_LOWER')
  // Some files give batch and channels, too.
  const wished = numbersAttribute(attributes, 'output_shape')?.slice(-rank)
  if (wished !== undefined && (wished.length !== rank || wished.some((size) => size < 1)))
    refuse(node, `output_shape [${wished}] does not fit ${rank} spatial axes`)
  const same = mode === 'SAME_UPPER' || mode === 'SAME_LOWER'
  const begins: number[] = []
  const output = spatial.map((size, axis) => {
    const full = strides[axis] * (size - 1) + extra[axis] + (kernel[axis] - 1) * dilations[axis] + 1
    const target = wished?.[axis] ?? (same ? size * strides[axis] : undefined)
    if (target === undefined) {
      const cut = mode === 'VALID' ? [0, 0] : [given[axis], given[axis + rank]]
      begins.push(cut[0])
      return full - cut[0] - cut[1]
    }
    const total = Math.max(0, full - target)
    begins.push(mode === 'SAME_UPPER' ? Math.floor(total / 2) : total - Math.floor(total / 2))
    return target
  })
  if (output.some((size) => !(size >= 1))) refuse(node, `the output would have spatial shape [${output}]`)
  return { strides, dilations, begins, output }
}

/** ONNX ConvTranspose. */
export const convTranspose: Operator = {
  name: 'ConvTranspose',
  since: [1, 11, 22],
  inputs: [2, 3],
  outputs: [1, 1],
  attributes: {
    auto_pad: { kind: 'string', default: 'NOTSET' },
    dilations: { kind: 'ints' },
    group: { kind: 'int', default: 1 },
    kernel_shape: { kind: 'ints' },
    output_padding: { kind: 'ints' },
    output_shape: { kind: 'ints' },
    pads: { kind: 'ints' },
    strides: { kind: 'ints' },
  },
  integer: 'none',
  infer: (context) => {
    const { node, attributes } = context
    const x = operand(context, 0).shape
    const w = operand(context, 1).shape
    const b = context.inputs[2]?.shape
    const group = numberAttribute(attributes, 'group')
    if (x.length < 3 || w.length !== x.length) refuse(node, `weights of shape [${w}] do not match an input of [${x}]`)
    if (group < 1 || x[1] % group !== 0 || w[0] !== x[1])
      refuse(node, `weights of shape [${w}] in ${group} groups do not fit ${x[1]} input channels`)
    const kernel = numbersAttribute(attributes, 'kernel_shape')
    if (kernel !== undefined && String(kernel) !== String(w.slice(2)))
      refuse(node, `kernel_shape [${kernel}] contradicts weights of shape [${w}]`)
    const channels = w[1] * group
    if (b !== undefined && (b.length !== 1 || b[0] !== channels))
      refuse(node, `bias of shape [${b}] is not [${channels}]`)
    return [
      {
        type: floatResult(context),
        shape: [x[0], channels, ...resolveSpread(node, attributes, x.slice(2), w.slice(2)).output],
      },
    ]
  },
  evaluate: ({ node, inputs, attributes, outputs }) => {
    const [x, w, b] = inputs
    const values = numbersOf(x, node)
    const weights = numbersOf(w, node)
    const bias = b && numbersOf(b, node)
    const [batch, channels, ...spatial] = x!.shape
    const [, depth, ...kernel] = w!.shape
    const perGroup = channels / numberAttribute(attributes, 'group')
    const { strides, dilations, begins, output } = resolveSpread(node, attributes, spatial, kernel)
    const [{ type, shape }] = outputs
    const [plane, taps, positions] = [elementCount(spatial), elementCount(kernel), elementCount(output)]
    const sums = new Float64Array(elementCount(shape))
    visitSpread(spatial, kernel, output, strides, dilations, begins, (from, tap, to) => {
      for (let n = 0; n < batch; n++)
        for (let c = 0; c < channels; c++) {
          const value = values[(n * channels + c) * plane + from]
          const first = n * shape[1] + Math.floor(c / perGroup) * depth
          for (let m = 0; m < depth; m++)
            sums[(first + m) * positions + to] += value * weights[(c * depth + m) * taps + tap]
        }
    })
    const data = allocate(type, sums.length)
    for (let i = 0; i < sums.length; i++) data[i] = sums[i] + (bias ? bias[Math.floor(i / positions) % shape[1]] : 0)
    return [{ type, shape, data }]
  },
  macs: (context) => elementCount(operand(context, 0).shape) * elementCount(operand(context, 1).shape.slice(1)),
}

/** Visits every triple of input position, tap and output position that meet, all row-major. */
function visitSpread(
  spatial: readonly number[],
  kernel: readonly number[],
  output: readonly number[],
  strides: readonly number[],
  dilations: readonly number[],
  begins: readonly number[],
  visit: (from: number, tap: number, to: number) => void,
): void {
  const steps = rowMajorStrides(output)
  const walk = (axis: number, from: number, tap: number, to: number): void => {
    if (axis === spatial.length) {
      visit(from, tap, to)
      return
    }
    for (let i = 0; i < spatial[axis]; i++)
      for (let k = 0; k < kernel[axis]; k++) {
        const at = i * strides[axis] + k * dilations[axis] - begins[axis]
        if (at >= 0 && at < output[axis])
          walk(axis + 1, from * spatial[axis] + i, tap * kernel[axis] + k, to + at * steps[axis])
      }
  }
  walk(0, 0, 0, 0)
}
