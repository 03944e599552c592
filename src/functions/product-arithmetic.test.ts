/** Matrix products and attention under L-Mul and rounded factors, and the energy figures of the L-Mul paper. */
import { describe, expect, it } from 'vitest'
import { DyadicError } from '../error.ts'
import { randomUint32 } from '../num/random.ts'
import { lMul, reduceMantissa } from './l-mul.ts'
import { energySaving, PRODUCT_GATES, picojoules } from './l-mul-energy.ts'
import { attention, type ProductArithmetic, productOfMatrices } from './product-arithmetic.ts'

describe('products of matrices', () => {
  const numbers = (seed: number, count: number): Float32Array =>
    Float32Array.from({ length: count }, (_, i) => randomUint32(seed, 0, i) / 2 ** 31 - 1)

  it('are sums of scalar L-Mul products in order, rounded as asked', () => {
    const shape = { rows: 3, inner: 5, columns: 4 }
    const a = numbers(1, 15)
    const b = numbers(2, 20)
    // The fast path needs rows without zeros and specials; both are taken here.
    for (const special of [0.5, 0, 1e-40, Infinity])
      for (const operands of ['truncate', 'nearest'] as const)
        for (const accumulatorBits of [52, 23, 7, 3]) {
          a[7] = special
          b[6] = special === Infinity ? 1 : special
          const arithmetic: ProductArithmetic = { kind: 'l-mul', mantissaBits: 4, operands }
          const found = productOfMatrices(a, b, shape, arithmetic, accumulatorBits)
          for (let i = 0; i < 3; i++)
            for (let j = 0; j < 4; j++) {
              let sum = 0
              for (let k = 0; k < 5; k++) {
                const x = reduceMantissa(a[i * 5 + k], 4, operands)
                const y = reduceMantissa(b[k * 4 + j], 4, operands)
                sum += lMul(x, y, 4)
                if (accumulatorBits < 52) sum = reduceMantissa(sum, accumulatorBits, 'nearest')
              }
              expect(found[i * 4 + j]).toBe(sum)
            }
        }
  })

  it('overflow to infinity and below the smallest normal number are 0, as scalar products are', () => {
    const arithmetic: ProductArithmetic = { kind: 'l-mul', mantissaBits: 23, operands: 'truncate' }
    const one = { rows: 1, inner: 1, columns: 1 }
    for (const [x, y, product] of [
      [1e30, 1e30, Infinity],
      [-1e30, 1e30, -Infinity],
      [1e-20, 1e-20, 0],
      [1e-19, 1.1e-19, 0],
      [1e-19, 1.3e-19, lMul(1e-19, 1.3e-19, 23)],
    ])
      expect(productOfMatrices([x], [y], one, arithmetic, 52)[0]).toBe(product)
    expect(lMul(1e-19, 1.3e-19, 23)).toBeGreaterThan(1.17e-38)
  })

  it('with sums of 23 bits are float32 sums', () => {
    const [a, b] = [numbers(3, 40), numbers(4, 40)]
    let sum = 0
    for (let k = 0; k < 40; k++) sum = Math.fround(sum + a[k] * b[k])
    const shape = { rows: 1, inner: 40, columns: 1 }
    expect([...productOfMatrices(a, b, shape, { kind: 'exact' }, 23)]).toEqual([sum])
  })

  it('of rounded factors know subnormal numbers', () => {
    const e4m3 = { kind: 'rounded', mantissaBits: 3, leastExponent: -6, products: false } as const
    const one = { rows: 1, inner: 1, columns: 1 }
    const kept = (value: number): number => productOfMatrices([value], [1], one, e4m3, 52)[0]
    // Multiples of 2^−9 below 2^−6, ties to even; three mantissa bits above.
    expect([2 ** -9, 1.5 * 2 ** -9, 2.5 * 2 ** -9, 2 ** -10, 1.0625, 1.1875].map(kept)).toEqual([
      2 ** -9,
      2 ** -8,
      2 ** -8,
      0,
      1,
      1.25,
    ])
    expect(productOfMatrices([2 ** -5], [2 ** -5], one, { ...e4m3, products: true }, 52)[0]).toBe(0)
  })

  it('refuse wrong lengths and bits', () => {
    const shape = { rows: 1, inner: 2, columns: 1 }
    expect(() => productOfMatrices([1], [1, 1], shape, { kind: 'exact' }, 52)).toThrow(/1 and 2 numbers for 1 × 2/)
    expect(() => productOfMatrices([1, 1], [1, 1], shape, { kind: 'exact' }, 24)).toThrow(DyadicError)
    const rounded = { kind: 'rounded', mantissaBits: 12, leastExponent: -6, products: true } as const
    expect(() => productOfMatrices([1, 1], [1, 1], shape, rounded, 52)).toThrow(/factors of 12 mantissa bits/)
    const shallow = { ...rounded, mantissaBits: 3, leastExponent: 0 }
    expect(() => productOfMatrices([1, 1], [1, 1], shape, shallow, 52)).toThrow(/least exponent of 0/)
  })
})

describe('attention (A7)', () => {
  const shape = { positions: 128, width: 64 }
  const normal = (stream: number): Float32Array => {
    const uniform = (counter: number): number => (randomUint32(5, stream, counter) + 0.5) / 2 ** 32
    return Float32Array.from(
      { length: shape.positions * shape.width },
      (_, i) => Math.sqrt(-2 * Math.log(uniform(2 * i))) * Math.cos(2 * Math.PI * uniform(2 * i + 1)),
    )
  }
  const draws = [0, 10, 20].map((first) => [0, 1, 2].map((i) => normal(first + i)))
  const exact = draws.map(([q, k, v]) => attention(q, k, v, shape, { kind: 'exact' }, 52))

  /** Root of the squared error of all draws over the squared outputs. */
  const errorOf = (arithmetic: ProductArithmetic): number => {
    let errors = 0
    let squares = 0
    for (const [draw, [q, k, v]] of draws.entries()) {
      const found = attention(q, k, v, shape, arithmetic, 52)
      for (const [i, real] of exact[draw].entries()) {
        errors += (found[i] - real) ** 2
        squares += real ** 2
      }
    }
    return Math.sqrt(errors / squares)
  }
  const lMulOf = (mantissaBits: number): ProductArithmetic => ({ kind: 'l-mul', mantissaBits, operands: 'truncate' })
  const roundedTo = (mantissaBits: number, leastExponent: number, products: boolean): ProductArithmetic => ({
    kind: 'rounded',
    mantissaBits,
    leastExponent,
    products,
  })

  it('has the stated errors to a tenth, the draws being others, and the published order', () => {
    const stated: [ProductArithmetic, number][] = [
      [lMulOf(7), 0.043],
      [lMulOf(4), 0.054],
      [roundedTo(3, -6, false), 0.066],
      [roundedTo(3, -6, true), 0.084],
      [lMulOf(3), 0.097],
      [roundedTo(2, -14, false), 0.104],
      [roundedTo(2, -14, true), 0.127],
    ]
    const found = stated.map(([arithmetic]) => errorOf(arithmetic))
    for (const [i, error] of found.entries()) expect(Math.abs(error / stated[i][1] - 1), `row ${i}`).toBeLessThan(0.1)
    expect(found).toEqual([...found].sort((a, b) => a - b))
  })

  it('is exact attention where one position is all there is', () => {
    const one = { positions: 1, width: 4 }
    expect([...attention([1, 2, 3, 4], [1, 1, 1, 1], [5, 6, 7, 8], one, { kind: 'exact' }, 52)]).toEqual([5, 6, 7, 8])
  })
})

describe('energy (A8)', () => {
  it('saves 97 % of a float32 product and 78 % of a multiply-accumulate', () => {
    const product = energySaving({ 'float32 multiply': 1 }, { 'int32 add': 1 })
    expect(product).toBeCloseTo(0.973, 3)
    expect(picojoules({ 'float32 multiply': 1, 'float32 add': 1 })).toBeCloseTo(4.6, 12)
    expect(picojoules({ 'int32 add': 1, 'float32 add': 1 })).toBeCloseTo(1, 12)
    const accumulate = energySaving({ 'float32 multiply': 1, 'float32 add': 1 }, { 'int32 add': 1, 'float32 add': 1 })
    expect(accumulate).toBeCloseTo(0.783, 3)
  })

  it('takes about half the gates of an e4m3 product', () => {
    expect(PRODUCT_GATES['l-mul 8 bits'] / PRODUCT_GATES['e4m3 multiply']).toBeCloseTo(0.48, 2)
    expect(PRODUCT_GATES['l-mul 16 bits']).toBeLessThan(PRODUCT_GATES['e5m2 multiply'])
  })
})
