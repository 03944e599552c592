/**
 * The registry: every operator dyadic knows, by name. What is not here is reported as unsupported when a graph is made.
 */
import type { Operator } from '../operator.ts'
import { elu, erf, exp, gelu, log, mish, selu, sigmoid, softplus, softsign, swish, tanh } from './activation.ts'
import { add, div, max, min, mul, pow, pRelu, sub } from './arithmetic.ts'
import { cast, depthToSpace, gather, shapeOf, spaceToDepth, split } from './arrange.ts'
import { conv } from './convolution.ts'
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
  sign,
  sqrt,
  thresholdedRelu,
} from './elementwise.ts'
import { fusedAdd, fusedConv, fusedDense } from './fused.ts'
import { constantOfShape, range, sizeOf } from './generate.ts'
import { layerNormalization, rmsNormalization } from './layer-normalization.ts'
import { gemm, matMul } from './linear.ts'
import { equal, not, where } from './logic.ts'
import { batchNormalization, softmax } from './normalization.ts'
import { averagePool, globalAveragePool, globalMaxPool, maxPool } from './pooling.ts'
import { dequantizeLinear, quantizeLinear } from './quantization.ts'
import { gru, lstm } from './recurrent.ts'
import { reduceMax, reduceMean, reduceMin, reduceSum } from './reduce.ts'
import { expand, tile } from './repeat.ts'
import { resize } from './resize.ts'
import { concat, pad, slice } from './select.ts'
import { dropout, flatten, identity, reshape, squeeze, transpose, unsqueeze } from './shape.ts'

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
    constantOfShape,
    equal,
    gru,
    layerNormalization,
    lstm,
    not,
    range,
    rmsNormalization,
    sizeOf,
    where,
  ].map((operator) => [operator.name, operator]),
)
