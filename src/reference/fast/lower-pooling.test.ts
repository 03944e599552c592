import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AttributeValue } from '../../graph/graph.ts'
import { int64, net, TOLERANCE, worstError } from './net.fixture.ts'

describe('pooling', () => {
  const attributes = fc.record({
    kernel_shape: fc.constantFrom([2, 2], [3, 3], [1, 3], [5, 4]),
    strides: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
    dilations: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 })),
    ceil_mode: fc.integer({ min: 0, max: 1 }),
    pads: fc.tuple(...[0, 1, 2, 3].map(() => fc.integer({ min: 0, max: 1 }))),
  })

  it('equals the obvious executor', () => {
    fc.assert(
      fc.property(attributes, fc.integer({ min: 1, max: 9 }), fc.integer({ min: 0, max: 2 }), (given, c, kind) => {
        const pads = given.pads.map((pad, i) => (given.kernel_shape[i % 2] > 1 ? pad : 0))
        const include: Record<string, AttributeValue> = kind === 2 ? { count_include_pad: 1 } : {}
        const operator = kind === 0 ? 'MaxPool' : 'AveragePool'
        const graph = net({ x: [2, c, 10, 9] }, [
          { operator, inputs: ['x'], attributes: { ...given, ...include, pads } },
        ])
        expect(worstError(graph)).toBeLessThan(TOLERANCE)
      }),
      { numRuns: 80, seed: 2 },
    )
  })

  it('pools whole maps', () => {
    for (const operator of ['GlobalAveragePool', 'GlobalMaxPool'])
      expect(worstError(net({ x: [2, 5, 4, 3] }, [{ operator, inputs: ['x'] }]))).toBeLessThan(TOLERANCE)
  })

  it('reduces height and width like whole maps, other axes by definition', () => {
    for (const operator of ['ReduceMax', 'ReduceMean'])
      for (const axes of [[2, 3], [-1, 2], [3, 2], [1], [1, 2, 3]])
        for (const keepdims of [0, 1]) {
          const line = { operator, inputs: ['x', int64(...axes)], attributes: { keepdims } }
          expect(worstError(net({ x: [2, 5, 4, 3] }, [line]))).toBeLessThan(TOLERANCE)
        }
  })
})
