/** `MatMul` by a rule inside the fast executor, against the definition: stacks of computed matrices, and constant ones. */
import { describe, expect, it } from 'vitest'
import { lMulExponent } from '../functions/l-mul.ts'
import { type ProductArithmetic, productOfMatrices } from '../functions/product-arithmetic.ts'
import { readNumbers } from '../graph/tensor.ts'
import type { ProductRule } from '../kernels/simulation-products.ts'
import { net, noise } from './fast/net.fixture.ts'
import { createFastExecutor } from './fast.ts'

/** Neither rows nor columns fill whole vectors. */
const [ROWS, INNER, COLUMNS] = [5, 13, 11]
const shape = { rows: ROWS, inner: INNER, columns: COLUMNS }

const lMul = (mantissaBits: number, operands: 'truncate' | 'nearest', accumulatorBits: number) =>
  [
    `L-Mul, ${mantissaBits} bits, ${operands}, sums of ${accumulatorBits} bits`,
    {
      product: { kind: 'logarithms', mantissaBits, operands, correction: 2 ** -lMulExponent(mantissaBits) },
      accumulatorBits,
    } satisfies ProductRule,
    { kind: 'l-mul', mantissaBits, operands } satisfies ProductArithmetic,
    accumulatorBits,
  ] as const

const RULES = [lMul(4, 'truncate', 23), lMul(3, 'nearest', 23), lMul(3, 'truncate', 3)]

describe.each(RULES)('MatMul, %s', (_, rule, arithmetic, accumulatorBits) => {
  const products = new Map([['v0', rule]])
  const expected = (a: ArrayLike<number>, b: ArrayLike<number>): number[] => [
    ...productOfMatrices(a, b, shape, arithmetic, accumulatorBits),
  ]

  it('of two computed stacks of matrices, one of which repeats, is the definition', () => {
    const graph = net({ a: [2, 3, ROWS, INNER], b: [2, 1, INNER, COLUMNS] }, [
      { operator: 'MatMul', inputs: ['a', 'b'] },
    ])
    const [a, b] = [noise(6 * ROWS * INNER, 1), noise(2 * INNER * COLUMNS, 2)].map((values) =>
      Float32Array.from(values),
    )
    const found = createFastExecutor(graph, { products }).run(new Map(Object.entries({ a, b })))
    const matrices = Array.from({ length: 6 }, (__, index) => {
      const second = Math.floor(index / 3)
      return expected(
        a!.subarray(index * ROWS * INNER, (index + 1) * ROWS * INNER),
        b!.subarray(second * INNER * COLUMNS, (second + 1) * INNER * COLUMNS),
      )
    })
    expect([...(found.get('v0') as Float32Array)]).toEqual(matrices.flat())
  })

  it('of a computed and a constant matrix is the definition', () => {
    const graph = net({ a: [ROWS, INNER] }, [{ operator: 'MatMul', inputs: ['a', { shape: [INNER, COLUMNS] }] }])
    const a = Float32Array.from(noise(ROWS * INNER, 3))
    const found = createFastExecutor(graph, { products }).run(new Map([['a', a]]))
    expect([...(found.get('v0') as Float32Array)]).toEqual(expected(a, readNumbers(graph.constants.get('c0.1')!)))
  })
})

it('MatMul of a vector has no kernel for rules', () => {
  const graph = net({ a: [INNER], b: [INNER, COLUMNS] }, [{ operator: 'MatMul', inputs: ['a', 'b'] }])
  const options = { products: new Map([['v0', RULES[0]![1]]]) }
  expect(() => createFastExecutor(graph, options)).toThrow(/"n0" \(MatMul\) has no kernel that multiplies by a rule/)
})
