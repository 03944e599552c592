/**
 * How random networks use each operator: given a source of choices, a node on values that are there, or `undefined` where
 * none fits. `bits` says what the result needs to be exact (`value-kinds.mjs`). Forms are those of opset 21.
 */
import {
  averagePool,
  batchNormalisation,
  convolution,
  dense,
  dequantise,
  integerConvolution,
  integerProduct,
  matrixProduct,
  maxPool,
  normalisation,
  quantise,
  quantisedConvolution,
  quantisedProduct,
  resize,
} from './layer-cases.mjs'
import { INEXACT, isExact, isFloat, isImage, isInteger, isNumber, log2, MANTISSA, product } from './value-kinds.mjs'

/** Any value that moves: the output keeps its bits. */
const moved = (draw, make, filter = () => true) => {
  const x = draw.value(filter)
  return x && { ...make(x), bits: x.bits }
}

const unary =
  (attributes, exact, filter = isFloat) =>
  (draw) => {
    const x = draw.value(filter)
    return x && { inputs: [x.name], attributes: attributes(draw), bits: exact ? x.bits : INEXACT }
  }

const plain = () => ({})
const jump = (draw) => draw.value(isExact)

/** A value of the type and shape of `x`, exact where that is, or a constant that can be broadcast to it. */
const partner = (draw, x, positive = false) => {
  const fits = ({ type, shape, bits }) =>
    type === x.type && String(shape) === String(x.shape) && (bits <= MANTISSA || x.bits > MANTISSA)
  const like = draw.below(3) > 0 && draw.value(fits)
  if (like && !positive) return like
  const shape = x.shape.map((size) => (draw.below(3) === 0 ? 1 : size)).slice(draw.below(x.shape.length + 1))
  return draw.constant(x.type, shape, positive)
}

const binary =
  (bitsOf, filter = isNumber, positive = false) =>
  (draw) => {
    const x = draw.value(filter)
    if (!x) return undefined
    const y = partner(draw, x, positive)
    const swap = !positive && draw.below(2) === 1
    return { inputs: swap ? [y.name, x.name] : [x.name, y.name], bits: bitsOf(x.bits, y.bits) }
  }

const compare = (filter) => (draw) => {
  const x = draw.value(filter)
  return x && { inputs: [x.name, partner(draw, x).name], bits: 1 }
}

const reduce =
  (bitsOf, filter = isFloat) =>
  (draw) => {
    const x = draw.value(filter)
    if (!x || x.shape.length === 0) return undefined
    const axes = draw.some(x.shape.map((_, axis) => axis))
    const count = product(axes.length === 0 ? x.shape : axes.map((axis) => x.shape[axis]))
    return {
      inputs: axes.length === 0 ? [x.name] : [x.name, draw.integers(axes).name],
      attributes: { keepdims: BigInt(draw.below(2)) },
      bits: bitsOf(x.bits, count),
    }
  }

const reshape = (draw) =>
  moved(draw, (x) => {
    const rest = [...x.shape]
    const at = draw.below(rest.length + 1)
    const shape =
      draw.below(3) === 0
        ? [-1]
        : draw.below(2) === 0
          ? [...rest.slice(0, at), 1, ...rest.slice(at)]
          : [0, -1].slice(rest.length > 0 ? 0 : 1)
    return { inputs: [x.name, draw.integers(shape).name] }
  })

const slice = (draw) =>
  moved(
    draw,
    (x) => {
      const axis = draw.below(x.shape.length)
      const size = x.shape[axis]
      const back = draw.below(4) === 0
      const start = draw.below(size)
      const numbers = back
        ? [[start], [-size - 1], [axis], [-1 - draw.below(2)]]
        : [[start - (draw.below(2) === 0 ? size : 0)], [size + draw.below(3)], [axis], [1 + draw.below(2)]]
      return { inputs: [x.name, ...numbers.map((list) => draw.integers(list).name)] }
    },
    ({ shape }) => shape.length > 0,
  )

const joined = (draw) => {
  const x = draw.value(({ shape }) => shape.length > 0)
  if (!x) return undefined
  const y = draw.value((one) => one.type === x.type && String(one.shape) === String(x.shape)) ?? x
  return {
    inputs: [x.name, y.name],
    attributes: { axis: BigInt(draw.below(x.shape.length)) },
    bits: Math.max(x.bits, y.bits),
  }
}

const split = (draw) =>
  moved(
    draw,
    (x) => {
      const axis = x.shape.findIndex((size) => size > 1)
      const first = 1 + draw.below(x.shape[axis] - 1)
      const sizes = draw.integers([first, x.shape[axis] - first])
      return { inputs: [x.name, sizes.name], attributes: { axis: BigInt(axis) }, outputs: 2 }
    },
    ({ shape }) => shape.some((size) => size > 1),
  )

const gather = (draw) =>
  moved(
    draw,
    (x) => {
      const axis = draw.below(x.shape.length)
      const size = x.shape[axis]
      const indices = Array.from({ length: 1 + draw.below(3) }, () => draw.below(2 * size) - size)
      return { inputs: [x.name, draw.integers(indices).name], attributes: { axis: BigInt(axis) } }
    },
    ({ shape }) => shape.length > 0,
  )

const where = (draw) => {
  const condition = draw.value(({ type }) => type === 'bool')
  const x = condition && draw.value((one) => isFloat(one) && String(one.shape) === String(condition.shape))
  if (!x) return undefined
  const y = partner(draw, x)
  return { inputs: [condition.name, x.name, y.name], bits: Math.max(x.bits, y.bits) }
}

const topK = (draw) => {
  const x = draw.value((one) => isExact(one) && one.shape.length > 0 && one.shape.at(-1) > 0)
  if (!x) return undefined
  return {
    inputs: [x.name, draw.integers([1 + draw.below(x.shape.at(-1))]).name],
    attributes: { axis: -1n, largest: BigInt(draw.below(2)) },
    outputs: 2,
    bits: x.bits,
  }
}

const pad = (draw) =>
  moved(
    draw,
    (x) => {
      const amounts = Array.from({ length: 2 * x.shape.length }, () => draw.below(2))
      const inner = x.shape.every((size) => size > 1)
      return {
        inputs: [x.name, draw.integers(amounts).name],
        attributes: { mode: draw.pick(inner ? ['constant', 'edge', 'reflect'] : ['constant', 'edge']) },
      }
    },
    (one) => isFloat(one) && one.shape.length > 0,
  )

const clip = (draw) => {
  const x = draw.value(isFloat)
  return (
    x && {
      inputs: [x.name, draw.constant('float32', [], false, -1).name, draw.constant('float32', [], false, 2).name],
      bits: x.bits,
    }
  )
}

const most = (a, b) => Math.max(a, b)
const sum = (a, b) => Math.max(a, b) + 1
const times = (a, b) => a + b
const never = () => INEXACT
const axisOf = (draw, x) => BigInt(draw.below(x.shape.length) - (draw.below(2) === 0 ? 0 : x.shape.length))
const alongAxis =
  (filter, exact, more = plain) =>
  (draw) => {
    const x = draw.value((one) => filter(one) && one.shape.length > 0)
    return x && { inputs: [x.name], attributes: { axis: axisOf(draw, x), ...more(draw) }, bits: exact ? 8 : INEXACT }
  }

/** Makers of nodes by operator. */
export const operatorCases = {
  Abs: unary(plain, true, isNumber),
  Add: binary(sum),
  And: binary(most, ({ type }) => type === 'bool'),
  ArgMax: alongAxis(isExact, true, (draw) => ({ keepdims: BigInt(draw.below(2)) })),
  ArgMin: alongAxis(isExact, true, (draw) => ({ select_last_index: BigInt(draw.below(2)) })),
  AveragePool: averagePool,
  BatchNormalization: batchNormalisation,
  Cast: (draw) => {
    const x = draw.value((one) => one.type !== 'float32' || one.bits <= MANTISSA)
    return x && { inputs: [x.name], attributes: { to: draw.pick([1n, 6n, 7n, 9n]) }, bits: x.bits }
  },
  Ceil: (draw) => moved(draw, (x) => ({ inputs: [x.name] }), isExact),
  Celu: unary((draw) => ({ alpha: draw.pick([0.5, 1]) }), false),
  Clip: clip,
  Concat: joined,
  Conv: convolution,
  ConvInteger: integerConvolution,
  DepthToSpace: (draw) =>
    moved(
      draw,
      (x) => ({ inputs: [x.name], attributes: { blocksize: 2n, mode: draw.pick(['DCR', 'CRD']) } }),
      (one) => isImage(one) && one.shape[1] % 4 === 0,
    ),
  DequantizeLinear: dequantise,
  Div: binary(never, isFloat, true),
  DynamicQuantizeLinear: (draw) => {
    const x = jump(draw)
    return x && { inputs: [x.name], outputs: 3, bits: INEXACT }
  },
  Elu: unary((draw) => ({ alpha: draw.pick([0.5, 1]) }), false),
  Equal: compare((one) => one.type !== 'float32' || isExact(one)),
  Erf: unary(plain, false),
  Exp: (draw) => {
    const x = draw.value((one) => isFloat(one) && one.small)
    return x && { inputs: [x.name], bits: INEXACT }
  },
  Expand: (draw) =>
    moved(draw, (x) => ({
      inputs: [x.name, draw.integers([2, ...x.shape.map((size) => (size === 1 ? 2 : size))]).name],
    })),
  Flatten: (draw) =>
    moved(draw, (x) => ({ inputs: [x.name], attributes: { axis: BigInt(draw.below(x.shape.length + 1)) } })),
  Floor: (draw) => moved(draw, (x) => ({ inputs: [x.name] }), isExact),
  Gather: gather,
  Gelu: unary((draw) => ({ approximate: draw.pick(['none', 'tanh']) }), false),
  Gemm: dense,
  GlobalAveragePool: unary(plain, false, isImage),
  GlobalMaxPool: unary(plain, true, isImage),
  Greater: compare((one) => isNumber(one) && (!isFloat(one) || isExact(one))),
  HardSigmoid: unary(plain, false),
  HardSwish: unary(plain, false),
  Identity: unary(plain, true, () => true),
  LayerNormalization: normalisation,
  LeakyRelu: unary((draw) => ({ alpha: draw.pick([0.25, 0.01]) }), false),
  Less: compare((one) => isNumber(one) && (!isFloat(one) || isExact(one))),
  LogSoftmax: alongAxis(isFloat, false),
  MatMul: matrixProduct,
  MatMulInteger: integerProduct,
  Max: binary(most),
  MaxPool: maxPool,
  Min: binary(most),
  Mish: unary(plain, false),
  Mod: binary(most, isInteger, true),
  Mul: binary(times),
  Neg: unary(plain, true, (one) => isNumber(one) && one.type !== 'uint8'),
  Not: unary(plain, true, ({ type }) => type === 'bool'),
  OneHot: (draw) => {
    // The peer refuses a single index.
    const x = draw.value((one) => isInteger(one) && one.shape.length > 0)
    const values = draw.constant('float32', [2])
    return x && { inputs: [x.name, draw.integers([5]).name, values.name], attributes: { axis: -1n }, bits: values.bits }
  },
  Or: binary(most, ({ type }) => type === 'bool'),
  PRelu: (draw) => {
    const x = draw.value(isImage)
    const slope = x && draw.constant('float32', [x.shape[1], 1, 1])
    return x && { inputs: [x.name, slope.name], bits: x.bits + slope.bits }
  },
  Pad: pad,
  QLinearConv: quantisedConvolution,
  QLinearMatMul: quantisedProduct,
  QuantizeLinear: quantise,
  ReduceMax: reduce((bits) => bits),
  ReduceMean: reduce(never),
  ReduceMin: reduce((bits) => bits),
  ReduceSum: reduce((bits, count) => bits + log2(count)),
  ReduceL1: reduce((bits, count) => bits + log2(count)),
  ReduceL2: reduce(never),
  ReduceSumSquare: reduce((bits, count) => 2 * bits + log2(count)),
  Relu: unary(plain, true),
  Reshape: reshape,
  Resize: resize,
  Round: (draw) => moved(draw, (x) => ({ inputs: [x.name] }), isExact),
  Selu: unary(plain, false),
  Shape: unary(plain, true, () => true),
  Sigmoid: unary(plain, false),
  Sign: unary(plain, true, isExact),
  Slice: slice,
  Softmax: alongAxis(isFloat, false),
  Softplus: unary(plain, false),
  Softsign: unary(plain, false),
  SpaceToDepth: (draw) =>
    moved(
      draw,
      (x) => ({ inputs: [x.name], attributes: { blocksize: 2n } }),
      (one) => isImage(one) && one.shape[2] % 2 === 0 && one.shape[3] % 2 === 0,
    ),
  Split: split,
  Squeeze: (draw) =>
    moved(
      draw,
      (x) => ({ inputs: [x.name] }),
      ({ shape }) => shape.includes(1),
    ),
  Sub: binary(sum),
  Tanh: unary(plain, false),
  ThresholdedRelu: unary(() => ({ alpha: 0.5 }), true, isExact),
  Tile: (draw) =>
    moved(draw, (x) => ({ inputs: [x.name, draw.integers(x.shape.map(() => 1 + draw.below(2))).name] }), isFloat),
  TopK: topK,
  Transpose: (draw) =>
    moved(
      draw,
      (x) => ({ inputs: [x.name], attributes: { perm: draw.shuffled(x.shape.length) } }),
      ({ shape }) => shape.length > 1,
    ),
  Trilu: (draw) =>
    moved(
      draw,
      (x) => ({ inputs: [x.name], attributes: { upper: BigInt(draw.below(2)) } }),
      (one) => isFloat(one) && one.shape.length >= 2,
    ),
  Unsqueeze: (draw) => moved(draw, (x) => ({ inputs: [x.name, draw.integers([draw.below(x.shape.length + 1)]).name] })),
  Where: where,
  Xor: binary(most, ({ type }) => type === 'bool'),
}
