/**
 * The functions inside recurrent operators, chosen by name with up to two parameters. Attribute `activations` is one string
 * here, names separated by commas: the reader joins ONNX's list. Source: onnx/docs/Operators.md, LSTM.
 */
import {
  exponential,
  exponentialLessOne,
  hyperbolicTangent,
  logarithmOfOneAnd,
  logistic,
} from '../../num/elementary.ts'
import type { AttributeValue } from '../graph.ts'
import { numbersAttribute, unsupported } from './context.ts'

/** A function of one number; `alpha` and `beta` default as ONNX says. */
type Make = (alpha: number, beta: number) => (x: number) => number

interface Choice {
  readonly alpha?: number
  readonly beta?: number
  readonly make: Make
}

/** Names are compared without case, as ONNX does. */
const FUNCTIONS: ReadonlyMap<string, Choice> = new Map<string, Choice>([
  ['relu', { make: () => (x) => Math.max(0, x) }],
  ['tanh', { make: () => hyperbolicTangent }],
  ['sigmoid', { make: () => logistic }],
  ['affine', { alpha: 1, beta: 0, make: (alpha, beta) => (x) => alpha * x + beta }],
  ['leakyrelu', { alpha: Math.fround(0.01), make: (alpha) => (x) => (x >= 0 ? x : alpha * x) }],
  ['thresholdedrelu', { alpha: 1, make: (alpha) => (x) => (x > alpha ? x : 0) }],
  ['scaledtanh', { alpha: 1, beta: 1, make: (alpha, beta) => (x) => alpha * hyperbolicTangent(beta * x) }],
  [
    'hardsigmoid',
    { alpha: Math.fround(0.2), beta: 0.5, make: (alpha, beta) => (x) => Math.min(1, Math.max(0, alpha * x + beta)) },
  ],
  ['elu', { alpha: 1, make: (alpha) => (x) => (x >= 0 ? x : alpha * exponentialLessOne(x)) }],
  ['softsign', { make: () => (x) => x / (1 + Math.abs(x)) }],
  ['softplus', { make: () => (x) => Math.max(x, 0) + logarithmOfOneAnd(exponential(-Math.abs(x))) }],
])

/**
 * The functions of a recurrent node: `defaults` for each direction unless the node names others. Throws `unsupported` for
 * an unknown name and a number of names that does not fit.
 */
export function recurrentActivations(
  node: string,
  attributes: ReadonlyMap<string, AttributeValue>,
  defaults: readonly string[],
  directions: number,
): ((x: number) => number)[][] {
  const given = attributes.get('activations') as string | undefined
  const names = given === undefined ? undefined : given.split(',')
  const count = defaults.length * directions
  if (names !== undefined && names.length !== count)
    unsupported(node, `${names.length} activations are named; ${count} are needed`)
  const alphas = [...(numbersAttribute(attributes, 'activation_alpha') ?? [])]
  const betas = [...(numbersAttribute(attributes, 'activation_beta') ?? [])]
  const functions = Array.from({ length: count }, (_, i) => {
    const name = (names ?? defaults)[i % (names?.length ?? defaults.length)] as string
    const choice = FUNCTIONS.get(name.toLowerCase())
    if (choice === undefined) unsupported(node, `activation "${name.slice(0, 40)}" is not known`)
    // Parameters are listed for those functions only that have them, in order.
    const alpha = choice.alpha === undefined ? 0 : (alphas.shift() ?? choice.alpha)
    const beta = choice.beta === undefined ? 0 : (betas.shift() ?? choice.beta)
    return choice.make(alpha, beta)
  })
  return Array.from({ length: directions }, (_, d) => functions.slice(d * defaults.length, (d + 1) * defaults.length))
}
