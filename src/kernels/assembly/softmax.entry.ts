/** The float32 kernel module of softmax over long vectors. */
export { storeNear, storeShared } from './float/softmax-blocked'
export { extendedExponential } from './float/exponential'
export { maximum, multiply, scaleBelow, storeBelow, sumBelow } from './float/softmax-three-pass'
export { scaleExtended, sumExtended } from './float/softmax-two-pass'
