// The integer kernels of a compiled program. Every export takes i32 pointers and sizes; memory is imported here and
// defined by the linker. No function may use a floating-point instruction: `verify` walks the finished binary.
export { copyCodes, exportWords, transposeCodes } from './integer/rim'
export { widen } from './integer/widen'
export { unpackWeights } from './integer/unpack'
export { convolve, convolveResidual, convolveWide } from './integer/convolution'
export { depthwise } from './integer/depthwise'
export { maxPool, averagePool } from './integer/pooling'
export { add, lookUp } from './integer/elementwise'
export { select } from './integer/movement'
