/**
 * Which format each layer's weights and each stored value get: one for all, and exceptions by pattern. A pattern is a
 * JavaScript regular expression for a whole name, of a node or of the value it makes; `@first` and `@last` stand for the
 * first and the last layer with weights. Of several that match, the last one counts.
 */
import { DyadicError, quoted } from '../error.ts'
import type { Graph, Node } from '../graph/graph.ts'
import { operators } from '../graph/operators/index.ts'
import type { StatePair, WeightFormat } from './plan.ts'
import type { InnerFormat } from './scales.ts'
import { ownsScale } from './stored-values.ts'
import { narrowOperands, structuralValues } from './structural-formats.ts'

/** What `keep` may ask for: a format of activations, or a width of weights. */
export const keptFormats = ['u4', 's4', 'u8', 's8', 's16', 'w2', 'w3', 'w4', 'w5', 'w6', 'w7', 'w8', 'w16'] as const
export type KeptFormat = (typeof keptFormats)[number]

/** An exception: everything whose name the pattern matches has this format. */
export interface KeepRule {
  readonly pattern: string
  readonly format: KeptFormat
}

/** Formats by the name of the value a node makes. */
export interface FormatChoice {
  weights(name: string): WeightFormat
  activations(name: string): InnerFormat
  /** Whether the value has 16 bits by the network's structure. */
  isStructural(name: string): boolean
  /** Whether a rule names the value's format, which then holds for a network output too. */
  isKept(name: string): boolean
  /** Whether a rule names the layer's weights. */
  keepsWeights(name: string): boolean
}

/** Whether a node multiplies by weights. */
export function isWeighted(node: Node): boolean {
  return operators.get(node.operator)?.integer === 'accumulate'
}

/**
 * The formats of a fused graph: the common ones, others where its structure and its states ask for them, and what the rules say. Throws
 * `refused` for a pattern that is no regular expression or matches nothing that could have its format.
 */
export function chooseFormats(
  graph: Graph,
  common: { readonly weights: WeightFormat; readonly activations: InnerFormat },
  rules: readonly KeepRule[] = [],
  states: readonly StatePair[] = [],
): FormatChoice {
  const weights = new Map<string, WeightFormat>()
  const activations = new Map<string, InnerFormat>()
  for (const rule of rules) {
    const ofWeights = rule.format[0] === 'w'
    const candidates = graph.nodes.filter((node) => (ofWeights ? isWeighted(node) : ownsScale(node)))
    const chosen = matching(graph, candidates, rule)
    if (chosen.length === 0)
      throw new DyadicError(
        'refused',
        `the pattern ${quoted(rule.pattern)} of ${quoted(`${rule.pattern}:${rule.format}`)} matches no ${ofWeights ? 'layer with weights' : 'stored value'}; there are ${candidates
          .slice(0, 6)
          .map((node) => quoted(node.outputs[0]))
          .join(', ')}${candidates.length > 6 ? ` and ${candidates.length - 6} more` : ''}, and @first and @last`,
      )
    for (const { outputs } of chosen)
      if (ofWeights) weights.set(outputs[0], `s${rule.format.slice(1)}` as WeightFormat)
      else activations.set(outputs[0], rule.format as InnerFormat)
  }
  const structural = structuralValues(graph, states)
  const ordinary = (name: string): InnerFormat =>
    graph.outputs.includes(name) ? outputFormat(common.activations) : common.activations
  const wanted = (name: string): InnerFormat => activations.get(name) ?? (structural.has(name) ? 's16' : ordinary(name))
  const narrow = narrowOperands(graph, (name) => wanted(name) === 's16')
  const chosen = (name: string): InnerFormat => (narrow.has(name) ? (activations.get(name) ?? 'u8') : wanted(name))
  return {
    weights: (name) => weights.get(name) ?? common.weights,
    activations: chosen,
    isStructural: (name) => structural.has(name) && !activations.has(name) && !narrow.has(name),
    isKept: (name) => activations.has(name),
    keepsWeights: (name) => weights.has(name),
  }
}

/** Network outputs keep 8 bits: nothing is saved by storing scores in fewer. */
function outputFormat(format: InnerFormat): InnerFormat {
  return format === 'u4' ? 'u8' : format === 's4' ? 's8' : format
}

function matching(graph: Graph, candidates: readonly Node[], { pattern }: KeepRule): readonly Node[] {
  if (pattern === '@first' || pattern === '@last') {
    const layer = graph.nodes.filter(isWeighted).at(pattern === '@first' ? 0 : -1)
    return candidates.filter((node) => node === layer)
  }
  let expression: RegExp
  try {
    expression = new RegExp(`^(?:${pattern})$`, 'u')
  } catch (cause) {
    throw new DyadicError(
      'refused',
      `the pattern ${quoted(pattern)} is no regular expression: ${cause instanceof Error ? cause.message : cause}`,
      { cause },
    )
  }
  return candidates.filter((node) => [node.name, ...node.outputs].some((name) => expression.test(name)))
}
