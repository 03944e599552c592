/**
 * The registry: every operator dyadic knows, by name. What is not here is reported as unsupported when a graph is made.
 */
import type { Operator } from '../operator.ts'
import { add, div, max, min, mul, pow, pRelu, sub } from './arithmetic.ts'
import { cast, depthToSpace, gather, shapeOf, spaceToDepth, split } from './arrange.ts'
import { conv } from './convolution.ts'
import { clip, exp, hardSigmoid, hardSwish, leakyRelu, neg, relu, sigmoid, sqrt, tanh } from './elementwise.ts'
import { fusedAdd, fusedConv, fusedDense } from './fused.ts'
import { gemm, matMul } from './linear.ts'
import { batchNormalization, softmax } from './normalization.ts'
import { averagePool, globalAveragePool, globalMaxPool, maxPool } from './pooling.ts'
import { dequantizeLinear, quantizeLinear } from './quantization.ts'
import { reduceMax, reduceMean, reduceSum } from './reduce.ts'
import { resize } from './resize.ts'
import { concat, pad, slice } from './select.ts'
import { dropout, flatten, identity, reshape, squeeze, transpose, unsqueeze } from './shape.ts'

/** Operators by name: ONNX names for the default domain, `dyadic.Name` for fused forms. */
export const operators: ReadonlyMap<string, Operator> = new Map(
  [
    add,
    averagePool,
    batchNormalization,
    cast,
    clip,
    concat,
    conv,
    depthToSpace,
    dequantizeLinear,
    div,
    dropout,
    exp,
    flatten,
    fusedAdd,
    fusedConv,
    fusedDense,
    gather,
    gemm,
    globalAveragePool,
    globalMaxPool,
    hardSigmoid,
    hardSwish,
    identity,
    leakyRelu,
    matMul,
    max,
    maxPool,
    min,
    mul,
    neg,
    pad,
    pow,
    pRelu,
    quantizeLinear,
    reduceMax,
    reduceMean,
    reduceSum,
    relu,
    reshape,
    resize,
    shapeOf,
    sigmoid,
    slice,
    softmax,
    spaceToDepth,
    split,
    sqrt,
    squeeze,
    sub,
    tanh,
    transpose,
    unsqueeze,
  ].map((operator) => [operator.name, operator]),
)
