/**
 * Energy of multiply-accumulates by the table of `l-mul-energy.ts` (45 nm): picojoules of the product plus those of the addition,
 * times how often. What the table has no figure for has none here: it is unknown, not guessed. Memory traffic is not counted.
 *
 * Factors, in this order: L-Mul adds two 32-bit patterns, an `int32 add`. Two integers by a scale have the `int8 multiply` at 8
 * bits, at most that below, at most the `int32 multiply` above. Where one factor is a float32 number (or the network's own input),
 * the other is decoded to one: `float32 multiply`. Two float16 have the `float16 multiply`. Everything else is unknown.
 *
 * Sums: products of integers are added as `int32`, others by what the sums are: `float32 add`, `float16 add`, integers at most
 * `int32 add`, everything else unknown.
 */
import { OPERATION_PICOJOULES, type Operation } from '../functions/l-mul-energy.ts'
import { type HeldTensor, STORED } from './held-tensor.ts'
import { accumulatorNamed, productNamed } from './product-name.ts'
import type { ResolvedLayer } from './resolve.ts'

/** Picojoules of one multiply-accumulate, or of all; `bound`: the figure is that of a wider unit, which computes it. */
export interface Energy {
  readonly picojoules: number
  readonly bound: boolean
}

const figure = (operation: Operation, bound = false): Energy => ({
  picojoules: OPERATION_PICOJOULES[operation],
  bound,
})

const isFloat = (tensor: HeldTensor, name: string): boolean => tensor.format === name

function productEnergy({ weight, input, products }: ResolvedLayer): Energy | undefined {
  const rule = productNamed(products)
  if (rule.kind === 'l-mul') return rule.variant === 'formula' ? undefined : figure('int32 add', rule.mantissaBits < 23)
  if (rule.kind === 'rounded') return products === 'float16' ? figure('float16 multiply') : undefined
  if (weight.integer && input.integer) {
    const bits = Math.max(weight.elementBits, input.elementBits)
    if (bits <= 8) return figure('int8 multiply', weight.elementBits < 8 || input.elementBits < 8)
    return bits <= 32 ? figure('int32 multiply', true) : undefined
  }
  if ([weight, input].some((factor) => isFloat(factor, 'float32') || factor.format === STORED))
    return figure('float32 multiply')
  if (isFloat(weight, 'float16') && isFloat(input, 'float16')) return figure('float16 multiply')
  return undefined
}

function sumEnergy({ weight, input, products, accumulators }: ResolvedLayer): Energy | undefined {
  const rule = accumulatorNamed(accumulators)
  if (rule.kind === 'integer') return figure('int32 add', rule.bits < 32)
  // Integer products are added as integers.
  const integers = weight.integer && input.integer && productNamed(products).kind === 'exact'
  if (integers && accumulators === 'float32') return figure('int32 add')
  if (accumulators === 'float32') return figure('float32 add')
  return accumulators === 'float16' ? figure('float16 add') : undefined
}

/** One multiply-accumulate of a layer; undefined where the table has no figure for it. */
export function layerEnergy(layer: ResolvedLayer): Energy | undefined {
  const product = productEnergy(layer)
  const sum = sumEnergy(layer)
  if (product === undefined || sum === undefined) return undefined
  return { picojoules: product.picojoules + sum.picojoules, bound: product.bound || sum.bound }
}

/** All multiply-accumulates of one inference. `unknownMacs` are those without a figure; they are in no sum. */
export interface NetworkEnergy {
  readonly picojoules: number
  readonly bound: boolean
  readonly unknownMacs: number
}

/** The sum over layers of MACs × picojoules. */
export function networkEnergy(layers: readonly ResolvedLayer[]): NetworkEnergy {
  let picojoules = 0
  let bound = false
  let unknownMacs = 0
  for (const layer of layers) {
    const energy = layerEnergy(layer)
    if (energy === undefined) unknownMacs += layer.macs
    else {
      picojoules += layer.macs * energy.picojoules
      bound ||= energy.bound && layer.macs > 0
    }
  }
  return { picojoules, bound, unknownMacs }
}
