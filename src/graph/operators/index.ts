/**
 * The registry: every operator dyadic knows, by name. What is not here is reported as unsupported when a graph is made.
 */
import type { Operator } from '../operator.ts'
import { conv } from './convolution.ts'
import { add, clip, hardSigmoid, hardSwish, leakyRelu, mul, relu, sigmoid, tanh } from './elementwise.ts'
import { fusedAdd, fusedConv, fusedDense } from './fused.ts'
import { gemm, matMul } from './linear.ts'
import { batchNormalization, softmax } from './normalization.ts'
import { averagePool, globalAveragePool, globalMaxPool, maxPool } from './pooling.ts'
import { dequantizeLinear, quantizeLinear } from './quantization.ts'
import { concat, pad, slice } from './select.ts'
import { dropout, flatten, identity, reshape, squeeze, transpose, unsqueeze } from './shape.ts'

/** Operators by name: ONNX names for the default domain, `dyadic.Name` for fused forms. */
export const operators: ReadonlyMap<string, Operator> = new Map(
  [
    add,
    averagePool,
    batchNormalization,
    clip,
    concat,
    conv,
    dequantizeLinear,
    dropout,
    flatten,
    fusedAdd,
    fusedConv,
    fusedDense,
    gemm,
    globalAveragePool,
    globalMaxPool,
    hardSigmoid,
    hardSwish,
    identity,
    leakyRelu,
    matMul,
    maxPool,
    mul,
    pad,
    quantizeLinear,
    relu,
    reshape,
    sigmoid,
    slice,
    softmax,
    squeeze,
    tanh,
    transpose,
    unsqueeze,
  ].map((operator) => [operator.name, operator]),
)
