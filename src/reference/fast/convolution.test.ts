import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { int64, type Line, net, noise, TOLERANCE, worstError } from './net.fixture.ts'

describe('convolution', () => {
  const geometry = fc.record({
    n: fc.integer({ min: 1, max: 3 }),
    size: fc.tuple(fc.integer({ min: 1, max: 11 }), fc.integer({ min: 1, max: 11 })),
    groups: fc.integer({ min: 1, max: 5 }),
    inputs: fc.integer({ min: 1, max: 9 }),
    outputs: fc.integer({ min: 1, max: 19 }),
    kernel: fc.constantFrom([1, 1], [3, 3], [5, 5], [7, 7], [1, 3], [3, 2]),
    strides: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
    dilations: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 3 })),
    pads: fc.tuple(...[0, 1, 2, 3].map(() => fc.integer({ min: 0, max: 4 }))),
    depthwise: fc.boolean(),
    bias: fc.boolean(),
    residual: fc.boolean(),
    clip: fc.boolean(),
  })

  it('equals the obvious executor on random geometry, groups, residuals and clips', () => {
    fc.assert(
      fc.property(geometry, (g) => {
        const [h, w] = g.size.map((size, axis) =>
          Math.max(size, (g.kernel[axis] - 1) * g.dilations[axis] + 1 - g.pads[axis] - g.pads[axis + 2]),
        )
        const groups = g.depthwise ? g.inputs * g.groups : g.groups
        const channels = g.depthwise ? groups : g.inputs * groups
        const outputs = g.depthwise ? groups : g.outputs * groups
        const out = [h, w].map((size, axis) => {
          const extent = (g.kernel[axis] - 1) * g.dilations[axis] + 1
          return Math.floor((size + g.pads[axis] + g.pads[axis + 2] - extent) / g.strides[axis]) + 1
        })
        const x = [g.n, channels, h, w]
        const y = [g.n, outputs, ...out]
        const graph = net({ x, ...(g.residual ? { y } : {}) }, [
          {
            operator: 'dyadic.Conv',
            inputs: [
              'x',
              { shape: [outputs, channels / groups, ...g.kernel] },
              g.bias ? { shape: [outputs] } : '',
              g.residual ? 'y' : '',
            ],
            attributes: {
              ...{ kernel_shape: g.kernel, strides: g.strides, dilations: g.dilations, pads: g.pads, group: groups },
              ...(g.clip ? { low: -0.5, high: 0.75 } : {}),
            },
          },
        ])
        expect(worstError(graph)).toBeLessThan(TOLERANCE)
      }),
      { numRuns: 150, seed: 1 },
    )
  })

  it('resolves auto_pad of a plain Conv', () => {
    const shape = [6, 5, 3, 3]
    for (const auto_pad of ['SAME_UPPER', 'SAME_LOWER', 'VALID'])
      expect(
        worstError(
          net({ x: [2, 5, 8, 7] }, [
            { operator: 'Conv', inputs: ['x', { shape }], attributes: { auto_pad, strides: [2, 2] } },
          ]),
        ),
      ).toBeLessThan(TOLERANCE)
  })

  it('takes weights of float64', () => {
    const shape = [3, 2, 1, 1]
    const values = noise(6, 9).map((value) => value + 1e-12)
    const graph = net({ x: [1, 2, 3, 3] }, [{ operator: 'Conv', inputs: ['x', { shape, values, type: 'float64' }] }])
    expect(worstError(graph)).toBeLessThan(TOLERANCE)
  })

  it('runs one-dimensional convolution and run-time weights by definition', () => {
    expect(worstError(net({ x: [1, 3, 9] }, [{ operator: 'Conv', inputs: ['x', { shape: [4, 3, 3] }] }]))).toBeLessThan(
      TOLERANCE,
    )
    const graph = net({ x: [1, 3, 5, 5], w: [4, 3, 3, 3] }, [{ operator: 'Conv', inputs: ['x', 'w'] }])
    expect(worstError(graph)).toBeLessThan(TOLERANCE)
  })
})

describe('dense', () => {
  it('equals the obvious executor for every small size', () => {
    for (const [n, k, m] of [
      [1, 1, 1],
      [1, 7, 10],
      [2, 13, 5],
      [3, 64, 9],
      [4, 5, 17],
      [7, 33, 3],
    ]) {
      const inputs = ['x', { shape: [m, k] }, { shape: [m] }]
      const graph = net({ x: [n, k] }, [{ operator: 'dyadic.Dense', inputs, attributes: { low: 0 } }])
      expect(worstError(graph)).toBeLessThan(TOLERANCE)
    }
  })

  it('equals the obvious executor on rows of any rank, with residuals', () => {
    for (const shape of [
      [3, 7],
      [2, 5, 8],
      [1, 3, 4, 6],
      [2, 1, 3, 2, 5],
    ]) {
      const depth = shape.at(-1) as number
      const residual = [...shape.slice(0, -1), 9]
      const inputs = ['x', { shape: [9, depth] }, { shape: [9] }, 'r']
      const graph = net({ x: shape, r: residual }, [
        { operator: 'dyadic.Dense', inputs, attributes: { high: 1 } },
        { operator: 'dyadic.Dense', inputs: ['v0', { shape: [4, 9] }] },
      ])
      expect(worstError(graph)).toBeLessThan(TOLERANCE)
    }
  })

  it('takes flattened maps of any channel count, also when the flattening is read twice', () => {
    for (const c of [3, 4, 8])
      for (const extra of [false, true]) {
        const flat: Line = { operator: 'Flatten', inputs: ['x'] }
        const layer: Line = { operator: 'dyadic.Dense', inputs: ['v0', { shape: [10, c * 6] }] }
        const graph = net({ x: [2, c, 3, 2] }, [flat, layer, layer], extra ? ['v0', 'v1', 'v2'] : ['v1', 'v2'])
        expect(worstError(graph)).toBeLessThan(TOLERANCE)
      }
  })

  it('takes maps whose flattening changes the batch', () => {
    const lines: Line[] = [
      { operator: 'Reshape', inputs: ['x', int64(2, -1)] },
      { operator: 'dyadic.Dense', inputs: ['v0', { shape: [10, 60] }] },
    ]
    expect(worstError(net({ x: [4, 5, 3, 2] }, lines))).toBeLessThan(TOLERANCE)
  })
})
