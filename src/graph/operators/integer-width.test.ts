/** Integers of every width are exact and wrap: each operator against its definition on BigInt. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { integerRange, storeInteger, wrapInteger } from '../element-conversion.ts'
import type { AttributeValue } from '../graph.ts'
import { allocate, type ElementType, type Tensor } from '../tensor.ts'
import { operators } from './index.ts'

const TYPES = ['int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32', 'int64', 'uint64', 'int4', 'uint4'] as const

function tensor(type: ElementType, values: readonly bigint[], shape: readonly number[] = [values.length]): Tensor {
  const data = allocate(type, values.length)
  values.forEach((value, i) => {
    storeInteger(data, i, value)
  })
  return { type, shape, data }
}

function evaluate(name: string, inputs: readonly Tensor[], attributes: Readonly<Record<string, AttributeValue>> = {}) {
  const operator = operators.get(name)
  if (operator === undefined) throw new Error(`there is no ${name}`)
  const defaults = Object.entries(operator.attributes).flatMap(([key, { default: value }]) =>
    value === undefined ? [] : [[key, value] as const],
  )
  const given = new Map<string, AttributeValue>([...defaults, ...Object.entries(attributes)])
  const outputs = operator.infer({
    node: name,
    inputs,
    constant: () => undefined,
    attributes: given,
    outputs: 1,
  })
  const [result] = operator.evaluate({ node: name, inputs, attributes: given, outputs })
  return Array.from((result as Tensor).data as ArrayLike<number | bigint>, BigInt)
}

/** Integers of a type with its ends among them, as often as the middle. */
const integersOf = (type: ElementType) => {
  const [min, max] = integerRange(type)
  return fc.oneof(
    fc.bigInt({ min, max }),
    fc.constantFrom(min, max, 0n, 1n),
    fc.bigInt({ min: min / 3n, max: max / 3n }),
  )
}

const floorMod = (a: bigint, b: bigint): bigint => (((a % b) + b) % b) as bigint

const PAIRS: Readonly<Record<string, (a: bigint, b: bigint) => bigint>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
  Mod: floorMod,
  Max: (a, b) => (a > b ? a : b),
  Min: (a, b) => (a < b ? a : b),
  BitwiseAnd: (a, b) => a & b,
  BitwiseOr: (a, b) => a | b,
  BitwiseXor: (a, b) => a ^ b,
  PRelu: (a, b) => (a < 0n ? a * b : a),
}

const COMPARISONS: Readonly<Record<string, (a: bigint, b: bigint) => boolean>> = {
  Greater: (a, b) => a > b,
  GreaterOrEqual: (a, b) => a >= b,
  Less: (a, b) => a < b,
  LessOrEqual: (a, b) => a <= b,
}

const SINGLES: Readonly<Record<string, (a: bigint) => bigint>> = {
  Neg: (a) => -a,
  Abs: (a) => (a < 0n ? -a : a),
  Relu: (a) => (a > 0n ? a : 0n),
  Sign: (a) => (a > 0n ? 1n : a < 0n ? -1n : 0n),
  BitwiseNot: (a) => ~a,
}

describe.each(TYPES)('%s', (type) => {
  const one = integersOf(type)

  it.each(Object.entries(PAIRS))('%s', (name, meaning) => {
    fc.assert(
      fc.property(one, one, (a, b) => {
        if (b === 0n && (name === 'Div' || name === 'Mod')) return
        expect(evaluate(name, [tensor(type, [a]), tensor(type, [b])])).toEqual([wrapInteger(type, meaning(a, b))])
      }),
      { numRuns: 60 },
    )
  })

  it.each(Object.entries(COMPARISONS))('%s', (name, holds) => {
    fc.assert(
      fc.property(one, one, (a, b) => {
        expect(evaluate(name, [tensor(type, [a, a]), tensor(type, [b, a])])).toEqual(
          [holds(a, b), holds(a, a)].map((value) => (value ? 1n : 0n)),
        )
      }),
      { numRuns: 60 },
    )
  })

  it.each(Object.entries(SINGLES))('%s', (name, meaning) => {
    fc.assert(
      fc.property(one, (a) => {
        expect(evaluate(name, [tensor(type, [a])])).toEqual([wrapInteger(type, meaning(a))])
      }),
      { numRuns: 60 },
    )
  })

  it('sums, products and their running forms', () => {
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: 6 }), (values) => {
        const x = tensor(type, values)
        const sum = values.reduce((a, b) => a + b)
        expect(evaluate('ReduceSum', [x], { keepdims: 0 })).toEqual([wrapInteger(type, sum)])
        const product = values.reduce((a, b) => a * b)
        expect(evaluate('ReduceProd', [x], { keepdims: 0 })).toEqual([wrapInteger(type, product)])
        const running = values.map((_, i) =>
          wrapInteger(
            type,
            values.slice(0, i + 1).reduce((a, b) => a + b),
          ),
        )
        expect(evaluate('CumSum', [x, tensor('int64', [0n], [])])).toEqual(running)
        const largest = values.reduce((a, b) => (a > b ? a : b))
        expect(evaluate('ReduceMax', [x], { keepdims: 0 })).toEqual([largest])
        expect(evaluate('ArgMax', [x], { keepdims: 0 })).toEqual([BigInt(values.indexOf(largest))])
        expect(evaluate('Einsum', [x, x], { equation: 'i,i->' })).toEqual([
          wrapInteger(
            type,
            values.reduce((total, value) => total + value * value, 0n),
          ),
        ])
      }),
      { numRuns: 60 },
    )
  })

  it('powers', () => {
    fc.assert(
      fc.property(one, fc.bigInt({ min: 0n, max: 80n }), (base, exponent) => {
        expect(evaluate('Pow', [tensor(type, [base]), tensor('uint8', [exponent])])).toEqual([
          wrapInteger(type, base ** exponent),
        ])
      }),
      { numRuns: 60 },
    )
  })
})

it('Clip keeps 64 bits', () => {
  const bounds = [tensor('int64', [-(2n ** 62n) - 1n], []), tensor('int64', [2n ** 62n + 1n], [])]
  expect(evaluate('Clip', [tensor('int64', [2n ** 63n - 1n, -(2n ** 63n), 2n ** 62n]), ...bounds])).toEqual([
    2n ** 62n + 1n,
    -(2n ** 62n) - 1n,
    2n ** 62n,
  ])
})
