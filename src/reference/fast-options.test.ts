/** Other arithmetics inside the fast executor: values written over, nodes replaced, products by a rule. */
import { describe, expect, it } from 'vitest'
import { lMulExponent } from '../functions/l-mul.ts'
import { productOfMatrices } from '../functions/product-arithmetic.ts'
import { readNumbers } from '../graph/tensor.ts'
import { int64, net, noise } from './fast/net.fixture.ts'
import { createFastExecutor } from './fast.ts'

/** A convolution of 5 channels (lanes are 8), its clip, and a sum of both. */
const graph = net({ x: [1, 3, 4, 4] }, [
  { operator: 'Conv', inputs: ['x', { shape: [5, 3, 3, 3] }], attributes: { pads: [1, 1, 1, 1] } },
  { operator: 'Relu', inputs: ['v0'] },
  { operator: 'Add', inputs: ['v0', 'v1'] },
])
const x = Float32Array.from(noise(48, 5))
const run = (...parameters: Parameters<typeof createFastExecutor>): Float32Array =>
  createFastExecutor(...parameters)
    .run(new Map([['x', x]]))
    .get(parameters[0].outputs[0] as string) as Float32Array

describe('transforms', () => {
  it('write over a value before anybody reads it, in rows of lanes', () => {
    const seen: [number, number, number][] = []
    const doubled = run(graph, {
      transforms: new Map([
        [
          'v0',
          (values, channels, lanes) => {
            seen.push([values.length, channels, lanes])
            for (let i = 0; i < values.length; i++) values[i] *= 2
          },
        ],
      ]),
    })
    expect(seen).toEqual([[16 * 8, 5, 8]])
    expect(doubled).toEqual(run(graph).map((value) => 2 * value))
  })

  it('reach network inputs, outputs and values on the heap, whose sources stay as they are', () => {
    const reshaped = net({ x: [1, 3, 4, 4] }, [
      { operator: 'Reshape', inputs: ['x', int64(3, 4, 4)] },
      { operator: 'Identity', inputs: ['v0'] },
      { operator: 'Add', inputs: ['v0', 'v1'] },
    ])
    const add = (amount: number) => (values: Float32Array) => {
      for (let i = 0; i < values.length; i++) values[i] += amount
    }
    expect(run(reshaped, { transforms: new Map([['v1', add(1)]]) })).toEqual(
      x.map((value) => value + Math.fround(value + 1)),
    )
    expect(run(reshaped, { transforms: new Map([['x', (values) => void values.fill(2)]]) })).toEqual(
      new Float32Array(48).fill(4),
    )
    expect(run(reshaped, { transforms: new Map([['v2', (values) => void values.fill(3)]]) })).toEqual(
      new Float32Array(48).fill(3),
    )
  })

  it('of nothing change nothing', () => {
    expect(run(graph, { transforms: new Map(), evaluations: new Map(), products: new Map() })).toEqual(run(graph))
  })
})

describe('evaluations', () => {
  it('take the place of a node, on tensors in ONNX layout', () => {
    const shapes: unknown[] = []
    const replaced = run(graph, {
      evaluations: new Map([
        [
          'v1',
          ({ inputs: [input], outputs: [{ type, shape }] }) => {
            shapes.push([...shape])
            return [{ type, shape, data: Float32Array.from(input?.data as Float32Array, (value) => -value) }]
          },
        ],
      ]),
    })
    expect(shapes).toEqual([[1, 5, 4, 4]])
    expect(replaced).toEqual(new Float32Array(80))
  })
})

describe('products', () => {
  const dense = net({ x: [1, 48] }, [{ operator: 'dyadic.Dense', inputs: ['x', { shape: [6, 48] }] }])
  const rule = {
    product: { kind: 'logarithms', mantissaBits: 4, operands: 'truncate', correction: 2 ** -lMulExponent(4) },
    accumulatorBits: 23,
  } as const

  it('of a dense layer are those of the definition', () => {
    const weights = readNumbers(dense.constants.get('c0.1')!)
    const columns = Float32Array.from({ length: 288 }, (_, i) => weights[(i % 6) * 48 + Math.floor(i / 6)]!)
    const expected = productOfMatrices(
      x,
      columns,
      { rows: 1, inner: 48, columns: 6 },
      { kind: 'l-mul', mantissaBits: 4, operands: 'truncate' },
      23,
    )
    expect([...run(dense, { products: new Map([['v0', rule]]) })]).toEqual([...expected])
  })

  it('hold for the layers named and no other', () => {
    const two = net({ x: [1, 48] }, [
      { operator: 'dyadic.Dense', inputs: ['x', { shape: [6, 48] }] },
      {
        operator: 'dyadic.Dense',
        inputs: ['x', { shape: [6, 48], values: readNumbers(dense.constants.get('c0.1')!) }],
      },
      { operator: 'Sub', inputs: ['v0', 'v1'] },
    ])
    const changed = run(two, { products: new Map([['v0', rule]]) })
    expect(run(two)).toEqual(new Float32Array(6))
    expect(changed).toEqual(run(dense, { products: new Map([['v0', rule]]) }).map((value, i) => value - run(dense)[i]!))
  })

  it('are refused for other nodes, and names for values that are not there', () => {
    expect(() => run(graph, { products: new Map([['v1', rule]]) })).toThrow(/node "n1" \(Relu\) has no kernel/)
    expect(() => run(graph, { transforms: new Map([['v9', () => {}]]) })).toThrow(/computes no value "v9"/)
    expect(() => run(graph, { evaluations: new Map([['c0.1', () => []]]) })).toThrow(/computes no value "c0.1"/)
  })
})
