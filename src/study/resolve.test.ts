/** Networks under arithmetics: what is rounded, what is not, and that products are those of the definitions. */
import { describe, expect, it } from 'vitest'
import { elementFormatNamed } from '../formats/catalogue.ts'
import { quantizeChannels, searchScale } from '../formats/scale.ts'
import { lMulFormula } from '../functions/l-mul.ts'
import { productOfMatrices } from '../functions/product-arithmetic.ts'
import type { Graph } from '../graph/graph.ts'
import { elementCount, readNumbers } from '../graph/tensor.ts'
import { net, noise, relativeError, scalar } from '../reference/fast/net.fixture.ts'
import { createFastExecutor } from '../reference/fast.ts'
import { type Arithmetic, parseArithmetic } from './arithmetic.ts'
import { checkArithmetic, needsStatistics } from './check.ts'
import { studyCost } from './cost.ts'
import { layersOf, sourceOf, storedValues, weightRows } from './layers.ts'
import type { Statistics } from './observe.ts'
import { resolveArithmetic } from './resolve.ts'

const graph = net({ x: [1, 3, 6, 6] }, [
  {
    operator: 'dyadic.Conv',
    inputs: ['x', { shape: [5, 3, 3, 3] }, { shape: [5] }],
    attributes: { kernel_shape: [3, 3], strides: [1, 1], dilations: [1, 1], pads: [1, 1, 1, 1], group: 1, low: 0 },
  },
  { operator: 'MaxPool', inputs: ['v0'], attributes: { kernel_shape: [2, 2], strides: [2, 2] } },
  { operator: 'Flatten', inputs: ['v1'] },
  { operator: 'dyadic.Dense', inputs: ['v2', { shape: [4, 45] }, { shape: [4] }] },
])
/** softmax(q kᵀ / 2) v with q, k, v from the input: MatMul–Softmax–MatMul as exporters write it. */
const attention = net({ x: [2, 4] }, [
  { operator: 'dyadic.Dense', inputs: ['x', { shape: [4, 4] }] },
  { operator: 'dyadic.Dense', inputs: ['x', { shape: [4, 4] }] },
  { operator: 'Transpose', inputs: ['v1'] },
  { operator: 'MatMul', inputs: ['v0', 'v2'] },
  { operator: 'Mul', inputs: ['v3', scalar(0.5)] },
  { operator: 'Softmax', inputs: ['v4'], attributes: { axis: 1 } },
  { operator: 'MatMul', inputs: ['v5', 'x'] },
])

function inputOf({ values }: Graph, seed = 4): Map<string, Float32Array> {
  return new Map([['x', Float32Array.from(noise(elementCount(values.get('x')?.shape ?? []), seed))]])
}

/** All computed values of the float network, as its statistics. */
function observed(of: Graph): Statistics {
  const seen = new Map<string, { low: number; high: number; sample: Float32Array }>()
  const note = (name: string, values: Float32Array): void => {
    seen.set(name, { low: Math.min(...values), high: Math.max(...values), sample: values.slice() })
  }
  note('x', inputOf(of).get('x') as Float32Array)
  createFastExecutor(of).run(inputOf(of), note)
  return seen
}

function run(of: Graph, arithmetic: Partial<Arithmetic>): { out: Float32Array; values: Map<string, Float32Array> } {
  const { graph: rounded, ...rest } = resolveArithmetic(of, parseArithmetic(arithmetic), { statistics: observed(of) })
  const values = new Map<string, Float32Array>()
  const out = createFastExecutor(rounded, rest).run(inputOf(of), (name, data) => void values.set(name, data.slice()))
  return { out: out.get(of.outputs[0] as string) as Float32Array, values }
}

const plain = (of: Graph): Float32Array =>
  createFastExecutor(of)
    .run(inputOf(of))
    .get(of.outputs[0] as string) as Float32Array

describe('layers', () => {
  it('are what multiplies; values are what is stored', () => {
    expect(layersOf(graph).map(({ name, weight, macs }) => [name, weight?.constant, macs])).toEqual([
      ['v0', 'c0.1', 5 * 27 * 36],
      ['v3', 'c3.1', 180],
    ])
    expect(storedValues(graph)).toEqual(['v0', 'v3'])
    expect(sourceOf(graph, 'v2')).toBe('v0')
    expect(layersOf(attention).map(({ weight }) => weight?.index)).toEqual([1, 1, undefined, undefined])
  })

  it('have rows of what one output sums up', () => {
    const [convolution] = layersOf(graph)
    const rows = weightRows(convolution!, [5, 3, 3, 3])
    expect([rows.rows, rows.length, ...rows.order.slice(0, 4)]).toEqual([5, 27, 0, 9, 18, 1])
    const [gemm] = layersOf(net({ x: [2, 3] }, [{ operator: 'MatMul', inputs: ['x', { shape: [3, 2] }] }]))
    expect([...weightRows(gemm!, [3, 2]).order]).toEqual([0, 2, 4, 1, 3, 5])
    const [left] = layersOf(net({ x: [3, 2] }, [{ operator: 'MatMul', inputs: [{ shape: [2, 3] }, 'x'] }]))
    expect([...weightRows(left!, [2, 3]).order]).toEqual([0, 1, 2, 3, 4, 5])
  })
})

describe('weights', () => {
  it('are rounded channel by channel, and nothing else is', () => {
    const format = elementFormatNamed('int4')
    const { graph: rounded, transforms, weights } = resolveArithmetic(graph, parseArithmetic({ weights: 'int4' }))
    const numbers = Float32Array.from(readNumbers(graph.constants.get('c0.1')!))
    const scales = Array.from({ length: 5 }, (_, o) => searchScale(format, numbers.slice(o * 27, (o + 1) * 27)))
    const constant = readNumbers(rounded.constants.get(rounded.nodes[0]!.inputs[1]!)!)
    expect(constant).toEqual([...Float32Array.from(quantizeChannels(format, numbers, scales))])
    expect(transforms.size).toBe(0)
    expect(weights.get('v0')).toMatchObject({ format: 'int4', bits: 135 * 4, elements: 135 })
  })

  it('in blocks count the scales of blocks that are begun', () => {
    const { weights } = resolveArithmetic(graph, parseArithmetic({ weights: 'mxfp4' }))
    expect(weights.get('v0')?.bits).toBe(135 * 4 + 5 * 8)
    expect(weights.get('v3')?.bits).toBe(180 * 4 + 4 * 2 * 8)
  })

  it('follow rules by layer, @first and @last', () => {
    const rule = { pattern: '@last', set: { weights: 'float32' } }
    const { weights } = resolveArithmetic(graph, parseArithmetic({ weights: 'e4m3', layers: [rule] }))
    expect([...weights.values()].map(({ format }) => format)).toEqual(['e4m3', 'float32'])
    expect(run(graph, { layers: [{ pattern: 'n[03]', set: { weights: 'float32' } }] }).out).toEqual(plain(graph))
  })
})

describe('activations', () => {
  it('are rounded where they are stored, outputs and inputs only when asked for', () => {
    const { values, out } = run(graph, { activations: 'e2m1' })
    expect(new Set(values.get('v0')).size).toBeLessThanOrEqual(8)
    expect(new Set(out).size).toBe(4)
    expect(new Set(run(graph, { outputs: 'int2' }).out).size).toBeLessThanOrEqual(4)
    const { weights, values: held } = resolveArithmetic(graph, parseArithmetic({ activations: 'int4' }), {
      ...{ statistics: observed(graph), storedInputBits: 8 },
    })
    expect(weights.get('v0')?.format).toBe('float32')
    expect(Object.fromEntries([...held].map(([name, { chosen, bits }]) => [name, [chosen, bits]]))).toEqual({
      ...{ x: ['8-bit data', 108 * 8], v0: ['uint4', 180 * 4], v3: ['float32', 4 * 32] },
    })
  })

  it('under float32 are the float network, bit for bit', () => {
    expect(run(graph, {}).out).toEqual(plain(graph))
    expect(run(attention, {}).out).toEqual(plain(attention))
  })

  it('need what was seen, where there is a scale', () => {
    const [scaled, cast] = ['int8', 'bfloat16'].map((activations) => parseArithmetic({ activations }))
    expect([scaled, cast].map((one) => needsStatistics(graph, one!))).toEqual([true, false])
    expect(needsStatistics(attention, parseArithmetic({ operands: 'int8' }))).toBe(true)
    expect(() => resolveArithmetic(graph, scaled!)).toThrow(/value "v0" was not observed/)
    expect(resolveArithmetic(graph, cast!).transforms.size).toBe(1)
  })
})

describe('products', () => {
  const columns = (weights: readonly number[], rows: number): Float32Array => {
    const inner = weights.length / rows
    return Float32Array.from(weights, (_, i) => weights[(i % rows) * inner + Math.floor(i / rows)]!)
  }
  const dense = net({ x: [1, 40] }, [{ operator: 'dyadic.Dense', inputs: ['x', { shape: [6, 40] }] }])
  const x = inputOf(dense).get('x') as Float32Array
  const weights = columns(readNumbers(dense.constants.get('c0.1')!), 6)
  const shape = { rows: 1, inner: 40, columns: 6 }

  it.each([
    ['l-mul3', { kind: 'l-mul', mantissaBits: 3, operands: 'truncate' }],
    ['l-mul4-nearest', { kind: 'l-mul', mantissaBits: 4, operands: 'nearest' }],
    ['e4m3-products', { kind: 'rounded', mantissaBits: 3, leastExponent: -6, products: true }],
    ['e5m2-products', { kind: 'rounded', mantissaBits: 2, leastExponent: -14, products: true }],
  ] as const)('%s are those of productOfMatrices, with narrow sums too', (products, arithmetic) => {
    for (const [accumulators, bits] of [
      ['float32', 23],
      ['mantissa3', 3],
    ] as const)
      expect([...run(dense, { products, accumulators }).out]).toEqual([
        ...productOfMatrices(x, weights, shape, arithmetic, bits),
      ])
  })

  it('l-mul4-formula are those of lMulFormula, added in float32', () => {
    const expected = Array.from({ length: 6 }, (_, column) => {
      let sum = 0
      for (let k = 0; k < 40; k++) sum = Math.fround(sum + lMulFormula(x[k]!, weights[k * 6 + column]!, 4))
      return sum
    })
    expect([...run(dense, { products: 'l-mul4-formula' }).out]).toEqual(expected)
  })

  it('of a convolution by the formula equal the exact ones where mantissas are those of powers of two and 2^−l is taken off', () => {
    // (1 + 0 + 0 + 2^−4) × 2^(p+q): every product of powers of two is 17/16 of the exact one.
    const powers = net({ x: [1, 4, 5, 5] }, [
      {
        operator: 'dyadic.Conv',
        inputs: ['x', { shape: [6, 2, 3, 3], values: noise(108, 3).map((value) => 2 ** Math.round(4 * value)) }],
        attributes: { kernel_shape: [3, 3], strides: [2, 1], dilations: [1, 1], pads: [1, 0, 1, 0], group: 2 },
      },
    ])
    const input = new Map([
      ['x', Float32Array.from(noise(100, 9), (value) => Math.sign(value) * 2 ** Math.round(3 * value))],
    ])
    const resolved = resolveArithmetic(powers, parseArithmetic({ products: 'l-mul8-formula' }))
    const found = createFastExecutor(resolved.graph, resolved).run(input).get('v0') as Float32Array
    const exact = createFastExecutor(powers).run(input).get('v0') as Float32Array
    expect(
      relativeError(
        found,
        exact.map((value) => (value * 17) / 16),
      ),
    ).toBeLessThan(1e-6)
  })

  it('rounded factors are rounded for the layer that reads them only', () => {
    const both = net({ x: [1, 40] }, [
      { operator: 'dyadic.Dense', inputs: ['x', { shape: [40, 40] }] },
      { operator: 'Add', inputs: ['x', 'v0'] },
    ])
    const { values } = run(both, { products: 'e5m2' })
    const read = inputOf(both).get('x') as Float32Array
    expect(values.get('v1')).toEqual(read.map((value, i) => value + values.get('v0')![i]!))
    expect(new Set(values.get('v0:operand0')!.map((value) => Math.abs(value))).size).toBeLessThan(40)
  })

  it('in integers that are wide enough are exact, and stop at the ends of narrow ones', () => {
    const numbers = { weights: 'int8', activations: 'int8', inputs: 'int8' }
    const exact = run(graph, numbers).out
    expect(relativeError(run(graph, { ...numbers, accumulators: 'int32' }).out, exact)).toBeLessThan(1e-6)
    expect(relativeError(run(graph, { ...numbers, accumulators: 'int12' }).out, exact)).toBeGreaterThan(0.05)
    const check = (arithmetic: object) => () => checkArithmetic(graph, parseArithmetic(arithmetic))
    expect(check({ ...numbers, inputs: 'float32', accumulators: 'int32' })).toThrow(
      /layer "v0": integer sums need integer/,
    )
    expect(check({ ...numbers, products: 'l-mul4', accumulators: 'int32' })).toThrow(/int32 sums are of exact products/)
  })
})

describe('attention', () => {
  it('has products of its own', () => {
    const rule = { pattern: '@attention', set: { products: 'l-mul3' } }
    const { out, values } = run(attention, { layers: [rule] })
    const scores = productOfMatrices(
      values.get('v0')!,
      Float32Array.from({ length: 8 }, (_, i) => values.get('v1')![(i % 2) * 4 + Math.floor(i / 2)]!),
      { rows: 2, inner: 4, columns: 2 },
      { kind: 'l-mul', mantissaBits: 3, operands: 'truncate' },
      23,
    )
    expect([...values.get('v3')!]).toEqual([...scores])
    expect(relativeError(out, plain(attention))).toBeGreaterThan(1e-3)
  })

  it('has operands of its own format, whose sources keep theirs', () => {
    const { values } = run(attention, { operands: 'e2m1' })
    expect(new Set([...values.get('v3:operand0')!].map(Math.abs)).size).toBeLessThanOrEqual(8)
    expect(values.get('v0')).toEqual(run(attention, {}).values.get('v0'))
    const { layers } = resolveArithmetic(attention, parseArithmetic({ operands: 'int8' }), {
      statistics: observed(attention),
    })
    expect(layers.map(({ input }) => input.format)).toEqual(['float32', 'float32', 'int8', 'int8'])
  })
})

describe('costs', () => {
  const cost = (arithmetic: object, of = graph) =>
    studyCost(resolveArithmetic(of, parseArithmetic(arithmetic), { statistics: observed(of), storedInputBits: 8 }))
  const MACS = 5 * 27 * 36 + 180

  it('are the table of picojoules times MACs', () => {
    const energy = (arithmetic: object) => cost(arithmetic).energy
    expect(energy({})).toEqual({ picojoules: MACS * (3.7 + 0.9), bound: false, unknownMacs: 0 })
    const int8 = energy({ weights: 'int8', activations: 'int8' })
    expect(int8.picojoules).toBeCloseTo(MACS * 0.3, 6)
    expect([int8.bound, int8.unknownMacs]).toEqual([false, 0])
    expect(energy({ weights: 'int4', activations: 'int8' }).bound).toBe(true)
    // The first layer reads the data's own integers, the second one e4m3 by e4m3, which the table does not have.
    expect(energy({ weights: 'e4m3', activations: 'e4m3' }).unknownMacs).toBe(180)
    const lMul = energy({ products: 'l-mul4' })
    expect(lMul.picojoules).toBeCloseTo(MACS * (0.1 + 0.9), 6)
    expect(lMul.bound).toBe(true)
    expect(energy({ products: 'e5m2' }).unknownMacs).toBe(MACS)
    expect(energy({ weights: 'float16', activations: 'float16', accumulators: 'float16' }).picojoules).toBeCloseTo(
      (MACS - 180) * (3.7 + 0.4) + 180 * (1.1 + 0.4),
      6,
    )
  })

  it('count bits of weights and of what is stored', () => {
    expect(cost({ weights: 'int4', activations: 'e4m3' })).toMatchObject({
      ...{ weightBits: 4 * 315, weights: 315, valueBits: 8 * 108 + 8 * 180 + 32 * 4, values: 292, macs: MACS },
      chosen: { int4: 2, 'e4m3-finite': 1 },
    })
  })
})

describe('what stands against an arithmetic', () => {
  it.each([
    [{ weights: 'uint8' }, /format "uint8" has no negative numbers, but the weights of "v0" has/],
    [{ activations: 'uint8', outputs: 'uint8' }, /but the value "v3" has/],
    [
      { layers: [{ pattern: 'conv9', set: { weights: 'int8' } }] },
      /pattern "conv9" matches nothing that has weights; there are "v0", "v3", and @first/,
    ],
    [{ layers: [{ pattern: '@attention', set: { products: 'l-mul4' } }] }, /no product of two computed tensors/],
    [{ layers: [{ pattern: '(', set: { weights: 'int8' } }] }, /is no regular expression/],
  ])('%j', (json, message) => {
    expect(() => checkArithmetic(graph, parseArithmetic(json), observed(graph))).toThrow(message)
    expect(() => resolveArithmetic(graph, parseArithmetic(json), { statistics: observed(graph) })).toThrow(message)
  })
})
