/** Operators that put elements elsewhere: ReverseSequence, CenterCropPad, and Col2Im, which adds up overlapping blocks. */
import { isInteger } from '../element-conversion.ts'
import type { InferContext, Operator } from '../operator.ts'
import { allocate, elementCount, type Tensor } from '../tensor.ts'
import { constantNumbers, numberAttribute, numbersAttribute, numbersOf, operand, refuse } from './context.ts'
import { copyStrided, normalizeAxes, rowMajorStrides } from './layout.ts'

/** ONNX ReverseSequence: the first `sequence_lens[b]` elements along the time axis of sample b in reverse order. */
export const reverseSequence: Operator = {
  name: 'ReverseSequence',
  since: [10],
  inputs: [2, 2],
  outputs: [1, 1],
  attributes: { batch_axis: { kind: 'int', default: 1 }, time_axis: { kind: 'int', default: 0 } },
  integer: 'none',
  infer: (context) => {
    const { node, attributes } = context
    const { type, shape } = operand(context, 0)
    const lengths = operand(context, 1)
    const [batch, time] = [numberAttribute(attributes, 'batch_axis'), numberAttribute(attributes, 'time_axis')]
    if (shape.length < 2 || batch + time !== 1 || batch * time !== 0)
      refuse(node, `batch_axis ${batch} and time_axis ${time} of shape [${shape}] must be 0 and 1`)
    if (lengths.type !== 'int64' || String(lengths.shape) !== String([shape[batch]]))
      refuse(node, `sequence_lens is ${lengths.type}[${lengths.shape}]; int64[${shape[batch]}] is needed`)
    return [{ type, shape }]
  },
  evaluate: ({ node, inputs, attributes, outputs }) => {
    const [x, lengths] = inputs as [Tensor, Tensor]
    const [{ type, shape }] = outputs
    const [batch, time] = [numberAttribute(attributes, 'batch_axis'), numberAttribute(attributes, 'time_axis')]
    const inner = elementCount(shape.slice(2))
    const data = allocate(type, x.data.length)
    const strides = rowMajorStrides(shape)
    for (let b = 0; b < shape[batch]; b++) {
      const length = Number(lengths.data[b])
      if (length < 0 || length > shape[time]) refuse(node, `sequence ${b} has length ${length} of ${shape[time]}`)
      for (let t = 0; t < shape[time]; t++) {
        const from = (t < length ? length - 1 - t : t) * strides[time] + b * strides[batch]
        for (let i = 0; i < inner; i++) data[t * strides[time] + b * strides[batch] + i] = x.data[from + i]
      }
    }
    return [{ type, shape, data }]
  },
}

function croppedAxes(node: string, attributes: InferContext['attributes'], rank: number): number[] {
  const axes = numbersAttribute(attributes, 'axes') ?? Array.from({ length: rank }, (_, axis) => axis)
  return normalizeAxes(axes, rank, node)
}

/** ONNX CenterCropPad: axes cropped or padded with zeros to constant sizes, the odd element at the end. */
export const centerCropPad: Operator = {
  name: 'CenterCropPad',
  since: [18],
  inputs: [2, 2],
  outputs: [1, 1],
  attributes: { axes: { kind: 'ints' } },
  integer: 'none',
  infer: (context) => {
    const { node } = context
    const { type, shape } = operand(context, 0)
    const axes = croppedAxes(node, context.attributes, shape.length)
    const sizes = constantNumbers(context, 1, 'sizes') as number[]
    if (sizes.length !== axes.length || sizes.some((size) => size < 0))
      refuse(node, `sizes [${sizes}] for axes [${axes}]`)
    return [{ type, shape: shape.map((size, axis) => (axes.includes(axis) ? sizes[axes.indexOf(axis)] : size)) }]
  },
  evaluate: ({ inputs, outputs }) => {
    const x = inputs[0]!
    const [{ type, shape }] = outputs
    const data = allocate(type, elementCount(shape))
    const [own, strides] = [rowMajorStrides(x.shape), rowMajorStrides(shape)]
    const begin = (larger: readonly number[], smaller: readonly number[], steps: readonly number[]): number =>
      steps.reduce((sum, step, axis) => sum + step * Math.floor(Math.max(0, larger[axis] - smaller[axis]) / 2), 0)
    copyStrided(
      shape.map((size, axis) => Math.min(size, x.shape[axis])),
      { data: x.data, offset: begin(x.shape, shape, own), strides: own },
      { data, offset: begin(shape, x.shape, strides), strides },
    )
    return [{ type, shape, data }]
  },
}

/** ONNX Col2Im: columns (N, C·block, L) of blocks added up to an image (N, C, sizes…); sizes are constants. */
export const col2Im: Operator = {
  name: 'Col2Im',
  since: [18],
  inputs: [3, 3],
  outputs: [1, 1],
  attributes: { dilations: { kind: 'ints' }, pads: { kind: 'ints' }, strides: { kind: 'ints' } },
  integer: 'none',
  infer: (context) => {
    const { node } = context
    const { type, shape } = operand(context, 0)
    if (isInteger(type) || type === 'bool') refuse(node, `Col2Im of ${type}; a float tensor is needed`)
    const image = constantNumbers(context, 1, 'image sizes') as number[]
    const block = constantNumbers(context, 2, 'block sizes') as number[]
    const { counts } = blocks(node, context.attributes, image, block)
    if (shape.length !== 3 || shape[1] % elementCount(block) !== 0 || shape[2] !== elementCount(counts))
      refuse(
        node,
        `columns of shape [${shape}] are no ${elementCount(counts)} blocks [${block}] of an image [${image}]`,
      )
    return [{ type, shape: [shape[0], shape[1] / elementCount(block), ...image] }]
  },
  evaluate: ({ node, inputs, attributes, outputs }) => {
    const x = numbersOf(inputs[0], node)
    const block = Array.from(inputs[2]!.data as ArrayLike<number | bigint>, Number)
    const [{ type, shape }] = outputs
    const image = shape.slice(2)
    const { counts, strides, dilations, pads } = blocks(node, attributes, image, block)
    const [taps, positions, plane] = [elementCount(block), elementCount(counts), elementCount(image)]
    const [perTap, perPosition, steps] = [rowMajorStrides(block), rowMajorStrides(counts), rowMajorStrides(image)]
    const sums = new Float64Array(elementCount(shape))
    for (let i = 0; i < x.length; i++) {
      const position = i % positions
      const tap = Math.floor(i / positions) % taps
      let offset = Math.floor(i / (positions * taps)) * plane
      const inside = image.every((size, axis) => {
        const from = Math.floor(position / perPosition[axis]) % counts[axis]
        const at = from * strides[axis] + (Math.floor(tap / perTap[axis]) % block[axis]) * dilations[axis] - pads[axis]
        offset += at * steps[axis]
        return at >= 0 && at < size
      })
      if (inside) sums[offset] += x[i]
    }
    const data = allocate(type, sums.length)
    for (let i = 0; i < sums.length; i++) data[i] = sums[i]
    return [{ type, shape, data }]
  },
}

/** How blocks lie in an image: their count along each axis. Throws `refused` where lists and sizes contradict. */
function blocks(
  node: string,
  attributes: InferContext['attributes'],
  image: readonly number[],
  block: readonly number[],
) {
  const rank = image.length
  const list = (name: string, length: number, least: number): readonly number[] => {
    const values = numbersAttribute(attributes, name) ?? new Array<number>(length).fill(least)
    if (values.length !== length || values.some((value) => value < least))
      refuse(node, `${name} [${values}] is not ${length} numbers from ${least} on`)
    return values
  }
  if (block.length !== rank || rank < 1) refuse(node, `blocks [${block}] of an image [${image}]`)
  const [strides, dilations, pads] = [list('strides', rank, 1), list('dilations', rank, 1), list('pads', 2 * rank, 0)]
  const counts = image.map((size, axis) => {
    const extent = (block[axis] - 1) * dilations[axis] + 1
    return Math.floor((size + pads[axis] + pads[axis + rank] - extent) / strides[axis]) + 1
  })
  if (counts.some((count) => !(count >= 1))) refuse(node, `blocks [${block}] do not fit an image [${image}]`)
  return { counts, strides, dilations, pads }
}
