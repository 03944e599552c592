/** The float32 kernel module of softmax over long vectors. */
export { extendedExponential } from './float/exponential'
export { maximum, multiplyInPlace, scaleBelow, storeBelow, storeShared, sumBelow } from './float/softmax-three-pass'
export { scaleExtended, sumExtended } from './float/softmax-two-pass'
