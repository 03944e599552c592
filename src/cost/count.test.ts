import { describe, expect, it } from 'vitest'
import { net } from '../reference/fast/net.fixture.ts'
import { uniformBits } from './bit-widths.ts'
import { countNetwork } from './count.ts'
import { describeQuantity } from './quantity.ts'

const W8A8 = uniformBits(8, 8)

describe('countNetwork', () => {
  it('finds weights on either side of a product, and products of two computed matrices', () => {
    const { layers } = countNetwork(
      net({ x: [3, 4], y: [2, 4, 3] }, [
        { operator: 'MatMul', inputs: ['x', { shape: [4, 5] }] },
        { operator: 'MatMul', inputs: [{ shape: [6, 3] }, 'x'] },
        { operator: 'MatMul', inputs: ['y', 'x'] },
      ]),
      uniformBits(4, 8),
    )
    expect(layers.map(({ kind, weights, macs, bops }) => [kind, weights, macs, bops])).toEqual([
      ['dense', 20, 60, 60 * 32],
      ['dense', 18, 72, 72 * 32],
      ['product', 0, 96, 96 * 64],
    ])
    expect(layers[2].weightShape).toEqual([3, 4])
  })

  it('tells convolutions apart by their groups', () => {
    const layer = (group: number) => ({
      operator: 'Conv',
      inputs: ['x', { shape: [8, 4 / group, 1, 1] }],
      attributes: { group },
    })
    const { layers } = countNetwork(net({ x: [1, 4, 5, 5] }, [layer(1), layer(2), layer(4)]), W8A8)
    expect(layers.map(({ kind, macs }) => [kind, macs])).toEqual([
      ['convolution', 800],
      ['grouped', 400],
      ['depthwise', 200],
    ])
  })

  it('counts the batch in MACs and values, not in parameters', () => {
    const of = (batch: number) =>
      countNetwork(net({ x: [batch, 4] }, [{ operator: 'MatMul', inputs: ['x', { shape: [4, 5] }] }]), W8A8).totals
    expect(of(3)).toEqual({
      ...of(1),
      macs: 60,
      bops: 60 * 64,
      activations: 15,
      activationBytes: 15,
      largestActivation: 15,
    })
  })

  it('counts other constants apart, settings and scalars not at all, and shared ones once', () => {
    const graph = net({ x: [1, 4] }, [
      { operator: 'Mul', inputs: ['x', { shape: [4] }] },
      { operator: 'Mul', inputs: ['v0', { shape: [] }] },
      { operator: 'Clip', inputs: ['v1', { shape: [] }, { shape: [] }] },
      { operator: 'MatMul', inputs: ['v2', { shape: [4, 4] }] },
      { operator: 'MatMul', inputs: ['v3', 'c3.1'] },
    ])
    const { layers, totals } = countNetwork(graph, W8A8)
    expect(layers.map(({ otherParameters }) => otherParameters)).toEqual([4, 0, 0, 0, 0])
    expect(totals).toMatchObject({ weights: 16, otherParameters: 4, parameters: 20, macs: 32, weightBytes: 32 })
  })

  it('refuses counts beyond 2^53', () => {
    const lines = [{ operator: 'MatMul', inputs: ['x', 'y'] }]
    const graph = net({ x: [30_000, 60_000], y: [60_000, 30_000] }, lines)
    expect(countNetwork(graph, W8A8).totals.macs).toBe(5.4e13)
    expect(() => countNetwork(graph, uniformBits(32, 32))).toThrow(/bops are beyond 2\^53/)
  })
})

describe('describeQuantity', () => {
  it.each<[number, string]>([
    [0, '0'],
    [7, '7'],
    [999, '999'],
    [1000, '1.00 k'],
    [1234, '1.23 k'],
    [9994, '9.99 k'],
    [9996, '10.0 k'],
    [99_949, '99.9 k'],
    [99_951, '100 k'],
    [999_499, '999 k'],
    [999_500, '1.00 M'],
    [1_814_073_344, '1.81 G'],
    [1.86e12, '1.86 T'],
  ])('%d is %s', (value, text) => {
    expect(describeQuantity(value)).toBe(text)
  })

  it('puts the unit behind the prefix', () => {
    expect([describeQuantity(24.5e6, 'B'), describeQuantity(12, 'B')]).toEqual(['24.5 MB', '12 B'])
  })
})
