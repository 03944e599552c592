/**
 * An arithmetic: which formats and products a network is run in. A plain record of names, the same in JSON, on the command line
 * and in results; what the names mean is resolved for a network elsewhere (`resolve.ts`).
 */
import { DyadicError, quoted } from '../error.ts'
import type { StudyRange } from './choose-scale.ts'
import { accumulatorNamed, productNamed } from './product-name.ts'
import { roundingFormat } from './study-format.ts'

/** Kinds of tensors that a format can be chosen for. */
export const tensorKinds = ['weights', 'activations', 'inputs', 'outputs', 'operands'] as const
export type TensorKind = (typeof tensorKinds)[number]

/** What a rule may say about a layer. */
export const layerFields = ['weights', 'activations', 'operands', 'products', 'accumulators'] as const
export type LayerField = (typeof layerFields)[number]

/** Layers whose name matches, and what is different there. */
export interface LayerRule {
  /** A regular expression for a whole name, of a node or of the value it makes, or `@first`, `@last`, `@attention`. */
  readonly pattern: string
  readonly set: Readonly<Partial<Record<LayerField, string>>>
}

/** Names of formats by kind of tensor, of products and of sums; `float32` and `exact` change nothing. */
export interface Arithmetic {
  /** Constants that a convolution or a dense layer multiplies with. */
  readonly weights: string
  /** Values between layers, as stored: after bias, residual and activation function. */
  readonly activations: string
  /** Inputs of the network. */
  readonly inputs: string
  /** Outputs of the network. */
  readonly outputs: string
  /** Both factors of a product of two computed tensors, when they are read: attention. */
  readonly operands: string
  readonly products: string
  readonly accumulators: string
  /** How scales are chosen. */
  readonly range: StudyRange
  /** Whether weights have one scale for each output channel, or one. */
  readonly weightScales: 'channel' | 'tensor'
  /** Exceptions; of several that match and say something about the same field, the last counts. */
  readonly layers: readonly LayerRule[]
}

/** The network as it is. */
export const FLOAT_ARITHMETIC: Arithmetic = {
  ...{ weights: 'float32', activations: 'float32', inputs: 'float32', outputs: 'float32', operands: 'float32' },
  ...{ products: 'exact', accumulators: 'float32', range: 'mse', weightScales: 'channel', layers: [] },
}

/** Checks a name for what it is used as. */
function checkName(field: TensorKind | LayerField, name: string): void {
  if (field === 'products') productNamed(name)
  else if (field === 'accumulators') accumulatorNamed(name)
  else roundingFormat(name)
}

function wrong(where: string, what: string): DyadicError {
  return new DyadicError('usage', `${where}: ${what}`)
}

/**
 * A rule as it is written on the command line: `conv1.*:weights=e4m3,activations=int8`. Throws `usage` for another form, unknown
 * fields and unknown names.
 */
export function parseLayerRule(text: string): LayerRule {
  const at = text.lastIndexOf(':')
  const settings = text.slice(at + 1).split(',')
  const set = new Map<LayerField, string>()
  for (const setting of at < 1 ? [''] : settings) {
    const [field, name, more] = setting.split('=')
    if (name === undefined || more !== undefined || !(layerFields as readonly string[]).includes(field as string))
      throw wrong(
        `layer rule ${quoted(text)}`,
        `write pattern:field=name,… such as 'conv1.*:weights=e4m3,activations=int8'; fields are ${layerFields.join(', ')}`,
      )
    checkName(field as LayerField, name)
    set.set(field as LayerField, name)
  }
  return { pattern: text.slice(0, at), set: Object.fromEntries(set) }
}

const has = (json: object, key: string): boolean => Object.hasOwn(json, key)

/**
 * An arithmetic from JSON; what is left out is as in the float network. Throws `usage` naming the field for everything that is
 * none.
 */
export function parseArithmetic(json: unknown, where = 'the arithmetic'): Arithmetic {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw wrong(where, 'it is no JSON object')
  const given = json as Record<string, unknown>
  const known = Object.keys(FLOAT_ARITHMETIC)
  const strange = Object.keys(given).find((key) => !known.includes(key))
  if (strange !== undefined) throw wrong(where, `no field is called ${quoted(strange)}; there are ${known.join(', ')}`)
  const text = (field: TensorKind | 'products' | 'accumulators'): string => {
    const name = has(given, field) ? given[field] : FLOAT_ARITHMETIC[field]
    if (typeof name !== 'string') throw wrong(where, `"${field}" is no text`)
    checkName(field, name)
    return name
  }
  const oneOf = <Name extends string>(field: string, names: readonly Name[], fallback: Name): Name => {
    const name = has(given, field) ? given[field] : fallback
    if (!names.includes(name as Name)) throw wrong(where, `"${field}" is one of ${names.join(', ')}`)
    return name as Name
  }
  const layers = has(given, 'layers') ? given.layers : []
  if (!Array.isArray(layers)) throw wrong(where, '"layers" is no list')
  return {
    ...{ weights: text('weights'), activations: text('activations'), inputs: text('inputs'), outputs: text('outputs') },
    ...{ operands: text('operands'), products: text('products'), accumulators: text('accumulators') },
    range: oneOf('range', ['minmax', 'mse'], FLOAT_ARITHMETIC.range),
    weightScales: oneOf('weightScales', ['channel', 'tensor'], FLOAT_ARITHMETIC.weightScales),
    layers: layers.map((rule: unknown, index) => parseRule(rule, `${where}, rule ${index + 1}`)),
  }
}

function parseRule(rule: unknown, where: string): LayerRule {
  const { pattern, set } = (rule ?? {}) as { pattern?: unknown; set?: unknown }
  if (typeof pattern !== 'string' || typeof set !== 'object' || set === null)
    throw wrong(where, 'a rule has a "pattern" and a "set"')
  return parseLayerRule(
    `${pattern}:${Object.entries(set)
      .map(([field, name]) => `${field}=${name}`)
      .join(',')}`,
  )
}

/** Canonical JSON: all fields, in order. Equal arithmetics have equal texts. */
export function printArithmetic(arithmetic: Arithmetic): string {
  return JSON.stringify({
    ...Object.fromEntries(Object.keys(FLOAT_ARITHMETIC).map((key) => [key, arithmetic[key as keyof Arithmetic]])),
    layers: arithmetic.layers.map(({ pattern, set }) => ({
      pattern,
      set: Object.fromEntries(layerFields.flatMap((field) => (set[field] === undefined ? [] : [[field, set[field]]]))),
    })),
  })
}

/** What is not as in the float network, for people: `weights int4, activations int8, @first weights float32`. */
export function describeArithmetic(arithmetic: Arithmetic): string {
  const parts: string[] = []
  const byName = new Map<string, string[]>()
  for (const kind of tensorKinds)
    if (arithmetic[kind] !== 'float32') byName.set(arithmetic[kind], [...(byName.get(arithmetic[kind]) ?? []), kind])
  for (const [name, kinds] of byName)
    parts.push(`${[...kinds.slice(0, -2), kinds.slice(-2).join(' and ')].join(', ')} ${name}`)
  if (arithmetic.products !== 'exact') parts.push(`products ${arithmetic.products}`)
  if (arithmetic.accumulators !== 'float32') parts.push(`sums ${arithmetic.accumulators}`)
  if (parts.length > 0 && arithmetic.range !== FLOAT_ARITHMETIC.range) parts.push(`ranges ${arithmetic.range}`)
  if (arithmetic.weights !== 'float32' && arithmetic.weightScales !== FLOAT_ARITHMETIC.weightScales)
    parts.push('one scale per weight tensor')
  for (const { pattern, set } of arithmetic.layers)
    parts.push(
      `${pattern} ${layerFields.flatMap((field) => (set[field] === undefined ? [] : [`${field} ${set[field]}`])).join(', ')}`,
    )
  return parts.join(', ') || 'float32'
}
