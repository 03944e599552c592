/** Trigonometric and hyperbolic functions of one element and their inverses, in double, rounded once at the output. */
import {
  cosine,
  hyperbolicCosine,
  hyperbolicSine,
  inverseCosine,
  inverseHyperbolicCosine,
  inverseHyperbolicSine,
  inverseHyperbolicTangent,
  inverseSine,
  inverseTangent,
  sine,
  tangent,
} from '../../num/trigonometry.ts'
import type { Operator } from '../operator.ts'
import { unary } from './elementwise.ts'

/** ONNX Sin. */
export const sin: Operator = unary('Sin', [7, 22], {}, () => sine)

/** ONNX Cos. */
export const cos: Operator = unary('Cos', [7, 22], {}, () => cosine)

/** ONNX Tan. */
export const tan: Operator = unary('Tan', [7, 22], {}, () => tangent)

/** ONNX Asin; NaN outside −1 … 1. */
export const asin: Operator = unary('Asin', [7, 22], {}, () => inverseSine)

/** ONNX Acos; NaN outside −1 … 1. */
export const acos: Operator = unary('Acos', [7, 22], {}, () => inverseCosine)

/** ONNX Atan. */
export const atan: Operator = unary('Atan', [7, 22], {}, () => inverseTangent)

/** ONNX Sinh. */
export const sinh: Operator = unary('Sinh', [9, 22], {}, () => hyperbolicSine)

/** ONNX Cosh. */
export const cosh: Operator = unary('Cosh', [9, 22], {}, () => hyperbolicCosine)

/** ONNX Asinh. */
export const asinh: Operator = unary('Asinh', [9, 22], {}, () => inverseHyperbolicSine)

/** ONNX Acosh; NaN below 1. */
export const acosh: Operator = unary('Acosh', [9, 22], {}, () => inverseHyperbolicCosine)

/** ONNX Atanh; NaN outside −1 … 1. */
export const atanh: Operator = unary('Atanh', [9, 22], {}, () => inverseHyperbolicTangent)
