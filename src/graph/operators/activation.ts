/**
 * Smooth functions of one element: exponentials, logarithms and the activations made of them. Computed in double, without
 * overflow where the result has none, and rounded once at the output. Source: onnx/docs/Operators.md.
 */
import {
  exponential,
  exponentialLessOne,
  hyperbolicTangent,
  logarithm,
  logarithmOfOneAnd,
  logistic,
  power,
} from '../../num/elementary.ts'
import type { Operator } from '../operator.ts'
import { numberAttribute, refuse, stringAttribute } from './context.ts'
import { unary } from './elementwise.ts'

/** ln(1 + e^x). */
function softplusOf(x: number): number {
  return Math.max(x, 0) + logarithmOfOneAnd(exponential(-Math.abs(x)))
}

/** 2/√π · e^(−x²) · Σ 2ⁿ·x^(2n+1) / (1·3·…·(2n+1)): no term cancels another. Beyond 6 it is ±1 in double. */
function erfOf(x: number): number {
  if (!(Math.abs(x) < 6)) return Math.sign(x)
  let term = x
  let sum = x
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1)
    sum += term
  }
  return (2 / Math.sqrt(Math.PI)) * exponential(-x * x) * sum
}

/** ONNX Exp. */
export const exp: Operator = unary('Exp', [6, 13], {}, () => exponential)

/** ONNX Log. */
export const log: Operator = unary('Log', [6, 13], {}, () => logarithm)

/** ONNX Erf. */
export const erf: Operator = unary('Erf', [9, 13], {}, () => erfOf)

/** ONNX Sigmoid. */
export const sigmoid: Operator = unary('Sigmoid', [6, 13], {}, () => logistic)

/** ONNX Tanh. */
export const tanh: Operator = unary('Tanh', [6, 13], {}, () => hyperbolicTangent)

/** ONNX Softplus: ln(1 + e^x). */
export const softplus: Operator = unary('Softplus', [1, 22], {}, () => softplusOf)

/** ONNX Softsign: x / (1 + |x|). */
export const softsign: Operator = unary('Softsign', [1, 22], {}, () => (x) => x / (1 + Math.abs(x)))

/** ONNX Elu: x where x ≥ 0, alpha · (e^x − 1) below. */
export const elu: Operator = unary('Elu', [6, 22], { alpha: { kind: 'float', default: 1 } }, (attributes) => {
  const alpha = numberAttribute(attributes, 'alpha')
  return (x) => (x < 0 ? alpha * exponentialLessOne(x) : x)
})

/** ONNX Selu: gamma · x where x > 0, gamma · alpha · (e^x − 1) elsewhere. */
export const selu: Operator = unary(
  'Selu',
  [6, 22],
  {
    alpha: { kind: 'float', default: Math.fround(1.6732632) },
    gamma: { kind: 'float', default: Math.fround(1.050701) },
  },
  (attributes) => {
    const alpha = numberAttribute(attributes, 'alpha')
    const gamma = numberAttribute(attributes, 'gamma')
    return (x) => gamma * (x > 0 ? x : alpha * exponentialLessOne(x))
  },
)

/** ONNX Celu: x where x ≥ 0, alpha · (e^(x/alpha) − 1) below. */
export const celu: Operator = unary('Celu', [12, 28], { alpha: { kind: 'float', default: 1 } }, (attributes) => {
  const alpha = numberAttribute(attributes, 'alpha')
  return (x) => Math.max(0, x) + Math.min(0, alpha * exponentialLessOne(x / alpha))
})

/** ONNX Swish: x · sigmoid(alpha · x). Files have it from opset 24 on; `simplify` makes it of Mul and Sigmoid. */
export const swish: Operator = unary('Swish', [24], { alpha: { kind: 'float', default: 1 } }, (attributes) => {
  const alpha = numberAttribute(attributes, 'alpha')
  return (x) => x * logistic(alpha * x)
})

/** ONNX Mish: x · tanh(softplus(x)). */
export const mish: Operator = unary('Mish', [18, 22], {}, () => (x) => x * hyperbolicTangent(softplusOf(x)))

/** Gelu without the check of its attribute. */
const gelus = unary('Gelu', [20], { approximate: { kind: 'string', default: 'none' } }, (attributes) =>
  stringAttribute(attributes, 'approximate') === 'tanh'
    ? (x) => 0.5 * x * (1 + hyperbolicTangent(Math.sqrt(2 / Math.PI) * (x + 0.044715 * power(x, 3))))
    : (x) => 0.5 * x * (1 + erfOf(x / Math.SQRT2)),
)

/** ONNX Gelu: x · Φ(x), or its form with tanh where `approximate` is "tanh". */
export const gelu: Operator = {
  ...gelus,
  infer: (context) => {
    const approximate = stringAttribute(context.attributes, 'approximate')
    if (approximate !== 'none' && approximate !== 'tanh')
      refuse(context.node, 'the attribute approximate of Gelu is neither "none" nor "tanh"')
    return gelus.infer(context)
  },
}
