/** The float32 kernel module of the fast float executor. */
export { convolve } from './float/convolve'
export { copyBlock, fillRows } from './float/copy'
export { depthwise } from './float/depthwise'
export { add, clamp, fakeQuantise, hardSigmoid, leakyRelu, multiply, scale } from './float/elementwise'
export { erf, gelu } from './float/error-function'
export { averagePool, maxPool } from './float/pool'
export { normaliseRows, softmaxRows } from './float/rows'
