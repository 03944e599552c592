/** Nodes of random networks that have weights, windows or parameters: convolutions, products, pools, normalisations. */
import { INEXACT, isCode, isExact, isFloat, isImage, log2, product } from './value-kinds.mjs'

const pads = (draw, most) => Array.from({ length: 4 }, () => draw.below(most + 1))

/** Attributes of a window that fits an image. */
const window = (draw, x, mayRound = false) => {
  const sizes = x.shape.slice(2)
  const kernel = sizes.map((size) => 1 + draw.below(Math.min(3, size)))
  const strides = sizes.map(() => 1 + draw.below(2))
  const around = pads(draw, Math.min(...kernel) - 1)
  // Of a last window that starts in the padding the peer expects a result that it does not give (docs/deviations.md, D16).
  const starts = (axis) =>
    Math.ceil((sizes[axis] + around[axis] + around[axis + 2] - kernel[axis]) / strides[axis]) * strides[axis]
  const inside = sizes.every((size, axis) => starts(axis) < size + around[axis])
  const rounded = mayRound && inside && draw.below(4) === 0
  return { kernel_shape: kernel, strides, pads: around, ...(rounded && { ceil_mode: 1n }) }
}

export const convolution = (draw) => {
  const x = draw.value(isImage)
  if (!x) return undefined
  const [, channels] = x.shape
  const group = draw.below(2) === 0 ? 1 : channels
  const outputs = group * (1 + draw.below(3))
  const attributes = window(draw, x)
  const weights = draw.constant('float32', [outputs, channels / group, ...attributes.kernel_shape])
  const bias = draw.below(2) === 0 ? [draw.constant('float32', [outputs]).name] : []
  const taps = (channels / group) * product(attributes.kernel_shape)
  return {
    inputs: [x.name, weights.name, ...bias],
    attributes: { ...attributes, group: BigInt(group), ...(draw.below(4) === 0 && { dilations: [1, 1] }) },
    bits: x.bits + weights.bits + log2(taps + 1),
  }
}

export const matrixProduct = (draw) => {
  const x = draw.value((one) => isFloat(one) && one.shape.length >= 2)
  if (!x) return undefined
  const inner = x.shape.at(-1)
  const y = draw.constant('float32', [inner, 1 + draw.below(5)])
  return { inputs: [x.name, y.name], bits: x.bits + y.bits + log2(inner) }
}

export const dense = (draw) => {
  const x = draw.value((one) => isFloat(one) && one.shape.length === 2)
  if (!x) return undefined
  const transA = draw.below(2)
  const transB = draw.below(2)
  const inner = x.shape[transA ? 0 : 1]
  const outputs = 1 + draw.below(5)
  const y = draw.constant('float32', transB ? [outputs, inner] : [inner, outputs])
  const bias = draw.below(2) === 0 ? [draw.constant('float32', [outputs]).name] : []
  return {
    inputs: [x.name, y.name, ...bias],
    attributes: { transA: BigInt(transA), transB: BigInt(transB), alpha: draw.pick([1, 0.5, 2]), beta: 1 },
    bits: x.bits + y.bits + log2(inner + 1) + 2,
  }
}

export const quantise = (draw) => {
  const x = draw.value(isExact)
  const type = draw.pick(['uint8', 'int8'])
  return x && { inputs: [x.name, draw.scale().name, draw.zero(type).name], bits: 8 }
}

export const dequantise = (draw) => {
  const x = draw.value(isCode)
  return x && { inputs: [x.name, draw.scale().name, draw.zero(x.type).name], bits: 12 }
}

/** Codes, scale and zero point of a constant with powers of two as scales: what is rounded is then exact. */
const codes = (draw, type, shape) => [draw.constant(type, shape).name, draw.scale().name, draw.zero(type).name]

export const quantisedConvolution = (draw) => {
  const x = draw.value((one) => isCode(one) && one.shape.length === 4)
  if (!x) return undefined
  const attributes = window(draw, x)
  const outputs = 1 + draw.below(3)
  const [weights, scale] = codes(draw, 'int8', [outputs, x.shape[1], ...attributes.kernel_shape])
  const zero = draw.constant('int8', [], false, 0)
  const own = [x.name, draw.scale().name, draw.zero(x.type).name]
  const bias = draw.below(2) === 0 ? [draw.constant('int32', [outputs]).name] : []
  return {
    inputs: [...own, weights, scale, zero.name, draw.scale().name, draw.zero(x.type).name, ...bias],
    attributes,
    bits: 8,
  }
}

export const quantisedProduct = (draw) => {
  const x = draw.value((one) => isCode(one) && one.shape.length === 2)
  if (!x) return undefined
  const own = [x.name, draw.scale().name, draw.zero(x.type).name]
  const other = codes(draw, draw.pick(['int8', x.type]), [x.shape[1], 1 + draw.below(4)])
  return { inputs: [...own, ...other, draw.scale().name, draw.zero(x.type).name], bits: 8 }
}

export const integerProduct = (draw) => {
  const x = draw.value((one) => isCode(one) && one.shape.length >= 2)
  if (!x) return undefined
  const weights = draw.constant(draw.pick(['int8', 'uint8']), [x.shape.at(-1), 1 + draw.below(4)])
  const zeros = draw.below(2) === 0 ? [draw.zero(x.type).name, draw.zero(weights.type).name] : []
  return { inputs: [x.name, weights.name, ...zeros], bits: INEXACT }
}

export const integerConvolution = (draw) => {
  const x = draw.value((one) => one.type === 'uint8' && one.shape.length === 4)
  if (!x) return undefined
  const attributes = window(draw, x)
  const weights = draw.constant('uint8', [1 + draw.below(3), x.shape[1], ...attributes.kernel_shape])
  const zeros = draw.below(2) === 0 ? [draw.zero('uint8').name] : []
  return { inputs: [x.name, weights.name, ...zeros], attributes, bits: INEXACT }
}

export const normalisation = (draw) => {
  const x = draw.value((one) => isFloat(one) && one.shape.length >= 2)
  if (!x) return undefined
  const size = [x.shape.at(-1)]
  return {
    inputs: [x.name, draw.constant('float32', size).name, draw.constant('float32', size).name],
    attributes: { axis: -1n, epsilon: 0.125 },
    bits: INEXACT,
  }
}

export const batchNormalisation = (draw) => {
  const x = draw.value((one) => isFloat(one) && one.shape.length >= 2)
  if (!x) return undefined
  const size = [x.shape[1]]
  const [scale, bias, mean] = [0, 1, 2].map(() => draw.constant('float32', size).name)
  const variance = draw.constant('float32', size, true).name
  return { inputs: [x.name, scale, bias, mean, variance], attributes: { epsilon: 0.125 }, bits: INEXACT }
}

export const resize = (draw) => {
  const x = draw.value(isImage)
  if (!x) return undefined
  const scales = [1, 1, draw.pick([1, 2, 0.5]), draw.pick([1, 2, 3])]
  const mode = draw.pick(['nearest', 'linear'])
  const name = draw.tensor({ dataType: 1, dims: [4n], rawData: new Uint8Array(Float32Array.from(scales).buffer) })
  return {
    inputs: [x.name, '', name],
    attributes: {
      mode,
      coordinate_transformation_mode: draw.pick(['asymmetric', 'half_pixel']),
      ...(mode === 'nearest' && { nearest_mode: draw.pick(['floor', 'round_prefer_floor']) }),
    },
    bits: mode === 'nearest' ? x.bits : INEXACT,
  }
}

export const averagePool = (draw) => {
  const x = draw.value(isImage)
  return (
    x && {
      inputs: [x.name],
      attributes: { ...window(draw, x, true), count_include_pad: BigInt(draw.below(2)) },
      bits: INEXACT,
    }
  )
}

export const maxPool = (draw) => {
  const x = draw.value(isImage)
  return x && { inputs: [x.name], attributes: window(draw, x, true), bits: x.bits }
}
