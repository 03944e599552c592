/** The public surface of `dyadic/functions`: elementary functions without a math library, and products by addition. */

export { fillLogBesselI, fillLogBesselK, logBesselI, logBesselK } from './bessel-logarithm.ts'
export { besselIRatio } from './bessel-ratio.ts'
export * from './fixed-point.ts'
export * from './half-even-requantisation.ts'
export * from './l-mul.ts'
export * from './l-mul-energy.ts'
export * from './polynomial-exponential.ts'
export * from './polynomial-gelu.ts'
export * from './polynomial-layer-norm.ts'
export * from './polynomial-softmax.ts'
export * from './product-arithmetic.ts'
export * from './product-error.ts'
export * from './reciprocal.ts'
export * from './shift-exponential.ts'
export * from './shift-gelu.ts'
export * from './shift-layer-norm.ts'
export * from './shift-softmax.ts'
export { createSoftmax, type ExtendedSum, type Softmax, type SoftmaxAlgorithm } from './softmax-instance.ts'
export { logSumExpReference, softmaxReference } from './softmax-reference.ts'
export * from './square-root.ts'
export * from './table.ts'
export {
  type ConcentrationFit,
  fitConcentration,
  fitVonMisesFisher,
  meanResultant,
  type VonMisesFisherFit,
  vonMisesFisherLogDensity,
} from './von-mises-fisher.ts'
