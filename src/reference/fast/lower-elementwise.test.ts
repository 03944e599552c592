import { describe, expect, it } from 'vitest'
import type { AttributeValue } from '../../graph/graph.ts'
import { type ElementType, elementCount } from '../../graph/tensor.ts'
import { createFastExecutor } from '../fast.ts'
import { createReferenceExecutor } from '../run.ts'
import { type Line, net, type Parameter, scalar, TOLERANCE, worstError } from './net.fixture.ts'

describe('element-wise', () => {
  const shapes = [[2, 5], [1, 3, 4, 5], [2, 8, 1, 3], [2, 3, 4], [7]]
  const parameter = (value: number, ...shape: number[]): Parameter => ({ shape, values: [value] })
  const cases: readonly [string, readonly Parameter[], Readonly<Record<string, AttributeValue>>][] = [
    ['Relu', [], {}],
    ['Clip', [scalar(-0.25), parameter(0.5)], {}],
    ['Clip', [scalar(-0.25)], {}],
    ['LeakyRelu', [], { alpha: 0.3 }],
    ['Sigmoid', [], {}],
    ['Tanh', [], {}],
    ['Neg', [], {}],
    ['Exp', [], {}],
    ['HardSigmoid', [], { alpha: 0.7, beta: 0.4 }],
    ['HardSwish', [], {}],
    ['Swish', [], {}],
    ['Swish', [], { alpha: 1.7 }],
    ['Elu', [], { alpha: 0.7 }],
    ['Gelu', [], { approximate: 'tanh' }],
    ['Softplus', [], {}],
    ['Abs', [], {}],
    ['PRelu', [parameter(0.25)], {}],
    ['Softmax', [], {}],
    ['Softmax', [], { axis: 0 }],
  ]

  it.each(cases)('%s', (operator, parameters, attributes) => {
    for (const shape of shapes)
      expect(worstError(net({ x: shape }, [{ operator, inputs: ['x', ...parameters], attributes }]))).toBeLessThan(
        TOLERANCE,
      )
  })

  it('softmax over channels', () => {
    const graph = net({ x: [2, 5, 3, 2] }, [{ operator: 'Softmax', inputs: ['x'], attributes: { axis: 1 } }])
    expect(worstError(graph)).toBeLessThan(TOLERANCE)
  })

  it('differences, quotients and leaky values, broadcast or not', () => {
    const ones = (...shape: number[]): Parameter => ({
      shape,
      values: Array.from({ length: elementCount(shape) }, (_, i) => 1 + i / 8),
    })
    for (const operator of ['Add', 'Sub', 'Mul', 'Div', 'PRelu'])
      for (const right of [ones(2, 5, 3, 2), ones(5, 1, 1), ones(1, 1, 3, 1), ones(2, 1, 1, 2), ones(2), ones()])
        expect(worstError(net({ x: [2, 5, 3, 2] }, [{ operator, inputs: ['x', right] }]))).toBeLessThan(TOLERANCE)
    for (const operator of ['Add', 'Sub', 'Mul', 'Div', 'PRelu'])
      expect(worstError(net({ x: [2, 5] }, [{ operator, inputs: ['x', ones(5)] }]))).toBeLessThan(TOLERANCE)
  })

  it('a pixel, a channel or a sample against a whole map, from either side', () => {
    for (const shape of [
      [2, 5, 1, 1],
      [1, 1, 3, 2],
      [2, 1, 1, 2],
      [1, 5, 3, 1],
    ])
      for (const inputs of [
        ['x', 'y'],
        ['y', 'x'],
      ])
        for (const operator of ['Add', 'Sub', 'Mul'])
          expect(worstError(net({ x: [2, 5, 3, 2], y: shape }, [{ operator, inputs }]))).toBeLessThan(TOLERANCE)
  })

  it('combines two values that each repeat along another axis', () => {
    const graph = net({ x: [2, 5, 1, 2], y: [1, 1, 3, 1] }, [{ operator: 'Sub', inputs: ['x', 'y'] }])
    expect(worstError(graph)).toBeLessThan(TOLERANCE)
  })

  it('sums and products, broadcast or not, of values and constants', () => {
    for (const operator of ['Add', 'Mul', 'dyadic.Add'])
      for (const right of ['y', 'x', { shape: [2, 5, 3, 2] }])
        expect(
          worstError(net({ x: [2, 5, 3, 2], y: [2, 5, 3, 2] }, [{ operator, inputs: ['x', right] }])),
        ).toBeLessThan(TOLERANCE)
    for (const operator of ['Add', 'Mul'])
      expect(worstError(net({ x: [2, 5, 3, 2] }, [{ operator, inputs: ['x', { shape: [5, 1, 1] }] }]))).toBeLessThan(
        TOLERANCE,
      )
  })

  it('broadcasts a matrix against a map of one pixel', () => {
    const graph = net({ x: [2, 5], y: [2, 5, 1, 1] }, [{ operator: 'Add', inputs: ['x', 'y'] }])
    expect(worstError(graph)).toBeLessThan(TOLERANCE)
  })

  it('keeps a value that is needed after an operator worked in place', () => {
    const lines: Line[] = [
      { operator: 'Relu', inputs: ['x'] },
      { operator: 'Sigmoid', inputs: ['v0'] },
      { operator: 'Identity', inputs: ['v1'] },
      { operator: 'Tanh', inputs: ['v1'] },
      { operator: 'dyadic.Add', inputs: ['v2', 'v3'] },
      { operator: 'dyadic.Add', inputs: ['v4', 'x'] },
    ]
    expect(worstError(net({ x: [1, 5, 3, 3] }, lines, ['v0', 'v5', 'x']))).toBeLessThan(TOLERANCE)
  })

  it('batch normalisation', () => {
    const variance: Parameter = { shape: [5], values: [0.5, 1, 2, 3, 0.1] }
    const graph = net({ x: [2, 5, 3, 3] }, [
      { operator: 'BatchNormalization', inputs: ['x', { shape: [5] }, { shape: [5] }, { shape: [5] }, variance] },
    ])
    expect(worstError(graph)).toBeLessThan(TOLERANCE)
  })
})

describe('fake quantisation', () => {
  const pair = (type: ElementType, scale: number, zero: number, scale2 = scale, zero2 = zero): Line[] => [
    { operator: 'QuantizeLinear', inputs: ['x', scalar(scale), { type, shape: [], values: [zero] }] },
    { operator: 'DequantizeLinear', inputs: ['v0', scalar(scale2), { type, shape: [], values: [zero2] }] },
  ]
  /** Multiples of half a step, so that every tie and both saturations occur. */
  const ties = Float32Array.from({ length: 2 * 5 * 3 * 40 }, (_, i) => (i - 600) * 0.0625)

  it.each([
    ['uint8', 0.125, 7],
    ['int8', 0.125, -3],
    ['int16', 0.125, 5],
    ['uint16', 0.0371, 32768],
    ['int8', 0.1, 127],
  ] as const)('is exact for %s, scale %s, zero point %s', (type, scale, zero) => {
    for (const lines of [pair(type, scale, zero), pair(type, scale, zero, 0.3, zero - 2)]) {
      const graph = net({ x: [2, 5, 3, 40] }, lines)
      const inputs = new Map([['x', ties]])
      const expected = createReferenceExecutor(graph).run(inputs).get('v1') as Float32Array
      const found = createFastExecutor(graph).run(inputs).get('v1') as Float32Array
      expect(found.findIndex((value, i) => !Object.is(value, expected[i]))).toBe(-1)
    }
  })

  it('gives integers that are an output, and per-channel scales, by definition', () => {
    expect(worstError(net({ x: [1, 3, 2, 2] }, pair('int8', 0.01, 1), ['v0', 'v1']))).toBe(0)
    const lines: Line[] = [
      { operator: 'QuantizeLinear', inputs: ['x', { shape: [3], values: [0.1, 0.2, 0.3] }] },
      { operator: 'DequantizeLinear', inputs: ['v0', { shape: [3], values: [0.1, 0.2, 0.3] }] },
    ]
    expect(worstError(net({ x: [1, 3, 2, 2] }, lines))).toBe(0)
  })

  it('serves several readers of the same integers', () => {
    const lines: Line[] = [
      ...pair('int8', 0.01, 1),
      { operator: 'DequantizeLinear', inputs: ['v0', scalar(0.02), { type: 'int8', shape: [], values: [1] }] },
      { operator: 'dyadic.Add', inputs: ['v1', 'v2'] },
    ]
    expect(worstError(net({ x: [1, 3, 2, 2] }, lines))).toBe(0)
  })
})
