/**
 * Names of products and of what adds them up. A product is `exact`, L-Mul on operands of m mantissa bits, or a multiplication of
 * factors rounded as a small float has them; sums are float32 unless something narrower is named.
 */
import { DyadicError, quoted } from '../error.ts'

/** What multiplies two numbers. */
export type ProductRule =
  | { readonly kind: 'exact' }
  /** `bits`: the adder on truncated operands; `nearest`: operands rounded instead; `formula`: as printed, truncated operands. */
  | { readonly kind: 'l-mul'; readonly mantissaBits: number; readonly variant: 'bits' | 'nearest' | 'formula' }
  /** Factors rounded half to even to a float without an upper end; `products`: the product too. */
  | {
      readonly kind: 'rounded'
      readonly mantissaBits: number
      readonly leastExponent: number
      readonly products: boolean
    }

/** What sums are held in. */
export type AccumulatorRule =
  /** Each addition rounded half to even to so many mantissa bits: 23 float32, 10 float16, 7 bfloat16. */
  | { readonly kind: 'float'; readonly mantissaBits: number }
  /** Integers of products of codes, which stop at the ends of so many bits. */
  | { readonly kind: 'integer'; readonly bits: number }

const FLOATS: ReadonlyMap<string, readonly [mantissaBits: number, leastExponent: number]> = new Map([
  ['e4m3', [3, -6]],
  ['e5m2', [2, -14]],
  ['bfloat16', [7, -126]],
  ['float16', [10, -14]],
])

/** The forms of product names. */
export const productForms = `exact, l-mul<bits>, l-mul<bits>-nearest, l-mul<bits>-formula, ${[...FLOATS.keys()].join(', ')}, each of these with -products`
/** The forms of accumulator names. */
export const accumulatorForms =
  'float32, float16, bfloat16, mantissa<bits> with 1 to 23 bits, int<bits> with 8 to 32 bits'

/** Throws `usage` with the forms for a name that is none. */
export function productNamed(name: string): ProductRule {
  if (name === 'exact') return { kind: 'exact' }
  const lMul = /^l-mul(\d{1,2})(?:-(nearest|formula))?$/.exec(name)
  if (lMul !== null) {
    const mantissaBits = Number(lMul[1])
    if (mantissaBits < 1 || mantissaBits > 23)
      throw new DyadicError('usage', `products ${quoted(name)}: L-Mul has 1 to 23 mantissa bits`)
    return { kind: 'l-mul', mantissaBits, variant: (lMul[2] as 'nearest' | 'formula' | undefined) ?? 'bits' }
  }
  const rounded = /^(\w+?)(-products)?$/.exec(name)
  const float = FLOATS.get(rounded?.[1] ?? '')
  if (rounded === null || float === undefined)
    throw new DyadicError('usage', `no products are called ${quoted(name)}; there are ${productForms}`)
  const [mantissaBits, leastExponent] = float
  return { kind: 'rounded', mantissaBits, leastExponent, products: rounded[2] !== undefined }
}

/** Throws `usage` with the forms for a name that is none. */
export function accumulatorNamed(name: string): AccumulatorRule {
  if (name === 'float32') return { kind: 'float', mantissaBits: 23 }
  if (name === 'float16') return { kind: 'float', mantissaBits: 10 }
  if (name === 'bfloat16') return { kind: 'float', mantissaBits: 7 }
  const [, form, digits] = /^(mantissa|int)(\d{1,2})$/.exec(name) ?? []
  const bits = Number(digits)
  if (form === 'mantissa' && bits >= 1 && bits <= 23) return { kind: 'float', mantissaBits: bits }
  if (form === 'int' && bits >= 8 && bits <= 32) return { kind: 'integer', bits }
  throw new DyadicError('usage', `no accumulators are called ${quoted(name)}; there are ${accumulatorForms}`)
}
