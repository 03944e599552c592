/**
 * The registry: every operator dyadic knows, by name. What is not here is reported as unsupported when a graph is made.
 */
import type { Operator } from '../operator.ts'
import { celu, elu, erf, exp, gelu, log, mish, selu, sigmoid, softplus, softsign, swish, tanh } from './activation.ts'
import { add, div, max, mean, min, mod, mul, pow, pRelu, sub, sum } from './arithmetic.ts'
import { depthToSpace, gather, shapeOf, spaceToDepth, split } from './arrange.ts'
import { attention } from './attention.ts'
import { bitCast, cast, castLike } from './cast.ts'
import { compress, nonZero, topK, trilu } from './choose.ts'
import {
  and,
  bitShift,
  bitwiseAnd,
  bitwiseNot,
  bitwiseOr,
  bitwiseXor,
  greater,
  greaterOrEqual,
  isInfinite,
  isNotNumber,
  less,
  lessOrEqual,
  or,
  xor,
} from './comparisons.ts'
import { conv } from './convolution.ts'
import { cumProd, cumSum } from './cumulate.ts'
import { einsum } from './einsum.ts'
import {
  abs,
  ceil,
  clip,
  floor,
  hardSigmoid,
  hardSwish,
  leakyRelu,
  neg,
  reciprocal,
  relu,
  round,
  shrink,
  sign,
  sqrt,
  thresholdedRelu,
} from './elementwise.ts'
import { argMax, argMin } from './extreme-index.ts'
import {
  groupNormalization,
  instanceNormalization,
  lpNormalization,
  lrn,
  meanVarianceNormalization,
} from './feature-normalization.ts'
import { fusedAdd, fusedConv, fusedDense, fusedMatMul } from './fused.ts'
import { gatherElements, gatherND, scatterElements, scatterND } from './gather-scatter.ts'
import { constantOfShape, range, sizeOf } from './generate.ts'
import { gridSample } from './grid-sample.ts'
import { convInteger, matMulInteger, qLinearConv, qLinearMatMul } from './integer-products.ts'
import { layerNormalization, rmsNormalization } from './layer-normalization.ts'
import { gemm, matMul } from './linear.ts'
import { equal, not, where } from './logic.ts'
import { lookup } from './lookup.ts'
import { magnitude } from './magnitude.ts'
import { batchNormalization } from './normalization.ts'
import { averagePool, globalAveragePool, globalLpPool, globalMaxPool, lpPool, maxPool } from './pooling.ts'
import { eyeLike, oneHot } from './positions.ts'
import { dequantizeLinear, dynamicQuantizeLinear, quantizeLinear } from './quantization.ts'
import { centerCropPad, col2Im, reverseSequence } from './rearrange.ts'
import { gru, lstm } from './recurrent.ts'
import {
  reduceL1,
  reduceL2,
  reduceLogSum,
  reduceLogSumExp,
  reduceMax,
  reduceMean,
  reduceMin,
  reduceProd,
  reduceSum,
  reduceSumSquare,
} from './reduce.ts'
import { expand, tile } from './repeat.ts'
import { resize } from './resize.ts'
import { rotaryEmbedding } from './rotary-embedding.ts'
import { concat, pad, slice } from './select.ts'
import { dropout, flatten, identity, reshape, squeeze, transpose, unsqueeze } from './shape.ts'
import { hardmax, logSoftmax, softmax } from './softmax-forms.ts'
import { convTranspose } from './transposed-convolution.ts'
import { acos, acosh, asin, asinh, atan, atanh, cos, cosh, sin, sinh, tan } from './trigonometry.ts'

/** Operators by name: ONNX names for the default domain, `dyadic.Name` for fused forms. */
export const operators: ReadonlyMap<string, Operator> = new Map(
  [
    abs,
    add,
    averagePool,
    batchNormalization,
    cast,
    ceil,
    clip,
    concat,
    conv,
    depthToSpace,
    dequantizeLinear,
    div,
    dropout,
    elu,
    erf,
    exp,
    expand,
    flatten,
    floor,
    fusedAdd,
    fusedConv,
    fusedDense,
    fusedMatMul,
    gather,
    gelu,
    gemm,
    globalAveragePool,
    globalMaxPool,
    hardSigmoid,
    hardSwish,
    identity,
    leakyRelu,
    log,
    matMul,
    max,
    maxPool,
    min,
    mish,
    mul,
    neg,
    pad,
    pow,
    pRelu,
    quantizeLinear,
    reciprocal,
    reduceMax,
    reduceMean,
    reduceMin,
    reduceSum,
    relu,
    reshape,
    resize,
    round,
    selu,
    shapeOf,
    sigmoid,
    sign,
    slice,
    softmax,
    softplus,
    softsign,
    spaceToDepth,
    split,
    sqrt,
    squeeze,
    sub,
    swish,
    tanh,
    thresholdedRelu,
    tile,
    transpose,
    unsqueeze,
    bitCast,
    castLike,
    sin,
    cos,
    tan,
    asin,
    acos,
    atan,
    sinh,
    cosh,
    asinh,
    acosh,
    atanh,
    greater,
    greaterOrEqual,
    less,
    lessOrEqual,
    and,
    or,
    xor,
    bitwiseAnd,
    bitwiseOr,
    bitwiseXor,
    bitwiseNot,
    bitShift,
    isNotNumber,
    isInfinite,
    sum,
    mean,
    mod,
    reduceProd,
    reduceSumSquare,
    reduceL1,
    reduceL2,
    reduceLogSum,
    reduceLogSumExp,
    argMax,
    argMin,
    gatherElements,
    gatherND,
    scatterElements,
    scatterND,
    cumSum,
    cumProd,
    topK,
    compress,
    nonZero,
    trilu,
    eyeLike,
    oneHot,
    dynamicQuantizeLinear,
    matMulInteger,
    convInteger,
    qLinearMatMul,
    qLinearConv,
    celu,
    shrink,
    convTranspose,
    instanceNormalization,
    groupNormalization,
    meanVarianceNormalization,
    lpNormalization,
    lrn,
    logSoftmax,
    hardmax,
    lpPool,
    globalLpPool,
    einsum,
    gridSample,
    rotaryEmbedding,
    reverseSequence,
    centerCropPad,
    col2Im,
    attention,
    constantOfShape,
    range,
    sizeOf,
    layerNormalization,
    rmsNormalization,
    equal,
    not,
    where,
    gru,
    lstm,
    lookup,
    magnitude,
  ].map((operator) => [operator.name, operator]),
)
