// The integer kernels of a compiled program. Every export takes i32 pointers and sizes; memory is imported here and
// defined by the linker. No function may use a floating-point instruction: `verify` walks the finished binary.
export { copyCodes, transposeCodes } from './integer/rim'
export { widen, widen16 } from './integer/widen'
export { scaleWeights, unpackNibbles, unpackWeights } from './integer/unpack'
export { convolve, convolve16, convolveResidual, convolveResidual16, convolveWide } from './integer/convolution'
export { depthwise, depthwise16, depthwiseResidual, depthwiseResidual16 } from './integer/depthwise'
export { maxPool, maxPool16, averagePool, averagePool16, averagePool8To16, averagePool16To8 } from './integer/pooling'
export { add, addMixed, lookUp, lookUpWide, multiply, multiplyMixed, rescale } from './integer/elementwise'
export { curve1, curve2, curve3, curve4, curve5, curve6, curve7 } from './integer/curve'
export { curve1To8, curve2To8, curve3To8, curve4To8, curve5To8, curve6To8, curve7To8 } from './integer/curve'
export { resize } from './integer/resize'
export { softmax } from './integer/softmax'
export { fillBytes, fillHalves, move } from './integer/movement'
