/** From lists of names to the arithmetics of a study: each format with each kind of product and of sum. */
import { DyadicError } from '../error.ts'
import { type Arithmetic, FLOAT_ARITHMETIC, type LayerRule, printArithmetic, type TensorKind } from './arithmetic.ts'
import type { StudyRange } from './choose-scale.ts'

export interface Sweep {
  /** Formats one after another; none for float32 alone. */
  readonly formats: readonly string[]
  /** Tensors that have the format. */
  readonly kinds: readonly TensorKind[]
  readonly products: readonly string[]
  readonly accumulators: readonly string[]
  /** Products and sums of attention only. */
  readonly attentionOnly: boolean
  readonly exempt: readonly ('first' | 'last')[]
  readonly layers: readonly LayerRule[]
  readonly range: StudyRange
  readonly weightScales: 'channel' | 'tensor'
}

/**
 * The arithmetics of a sweep, each once, in the order formats, products, sums. Throws `usage` when nothing differs from the float
 * network.
 */
export function sweepArithmetics(sweep: Sweep): Arithmetic[] {
  const { formats, kinds, products, accumulators, attentionOnly, exempt, layers, range, weightScales } = sweep
  const or = (names: readonly string[], fallback: string): readonly string[] =>
    names.length === 0 ? [fallback] : names
  const found = new Map<string, Arithmetic>()
  const exemptions = exempt.map(
    (which): LayerRule => ({
      pattern: `@${which}`,
      set: { weights: 'float32', products: 'exact', accumulators: 'float32' },
    }),
  )
  for (const format of or(formats, 'float32'))
    for (const product of or(products, 'exact'))
      for (const sum of or(accumulators, 'float32')) {
        const differs = product !== 'exact' || sum !== 'float32'
        const attention: LayerRule = { pattern: '@attention', set: { products: product, accumulators: sum } }
        const arithmetic: Arithmetic = {
          ...FLOAT_ARITHMETIC,
          ...Object.fromEntries(kinds.map((kind) => [kind, format])),
          ...(!attentionOnly && { products: product, accumulators: sum }),
          ...{ range, weightScales },
          layers: [...(attentionOnly && differs ? [attention] : []), ...exemptions, ...layers],
        }
        found.set(printArithmetic(arithmetic), arithmetic)
      }
  if (formats.length + products.length + accumulators.length + layers.length === 0)
    throw new DyadicError(
      'usage',
      'nothing to study: give --formats, --products, --accumulators, --layer or --arithmetic',
    )
  return [...found.values()]
}
