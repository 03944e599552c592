import { describe, expect, it } from 'vitest'
import { int64, type Line, net, scalar, TOLERANCE, worstError } from './net.fixture.ts'

describe('movement', () => {
  const cases: readonly [string, readonly number[], Line][] = [
    [
      'slice with steps',
      [2, 6, 7, 9],
      { operator: 'Slice', inputs: ['x', int64(0, 1), int64(2 ** 40, -1), int64(2, 3), int64(2, 3)] },
    ],
    [
      'slice backwards',
      [2, 6, 7, 9],
      { operator: 'Slice', inputs: ['x', int64(-1, 4), int64(-100, 1), int64(3, 1), int64(-2, -1)] },
    ],
    ['slice of a matrix', [4, 9], { operator: 'Slice', inputs: ['x', int64(1), int64(7), int64(1)] }],
    ['pad channels', [1, 5, 3, 3], { operator: 'Pad', inputs: ['x', int64(0, 3, 0, 0, 0, 2, 0, 0), scalar(0.5)] }],
    ['pad and crop', [2, 5, 4, 3], { operator: 'Pad', inputs: ['x', int64(1, -1, 2, -1, -1, 0, 0, 3)] }],
    ['pad some axes', [2, 5], { operator: 'Pad', inputs: ['x', int64(1, 2), '', int64(-1)] }],
    ['transpose', [2, 5, 4, 3], { operator: 'Transpose', inputs: ['x'], attributes: { perm: [0, 2, 3, 1] } }],
    ['transpose back', [2, 5, 4, 3], { operator: 'Transpose', inputs: ['x'] }],
    ['transpose a matrix', [2, 5], { operator: 'Transpose', inputs: ['x'] }],
    ['transpose rank 3', [2, 5, 3], { operator: 'Transpose', inputs: ['x'] }],
    ['reshape', [2, 6, 4, 3], { operator: 'Reshape', inputs: ['x', int64(3, 2, -1, 8)] }],
    ['reshape to rank 3', [2, 6, 4, 3], { operator: 'Reshape', inputs: ['x', int64(3, 2, -1)] }],
    ['reshape from rank 3', [3, 2, 8], { operator: 'Reshape', inputs: ['x', int64(3, 2, 4, 2)] }],
    ['flatten', [2, 5, 4, 3], { operator: 'Flatten', inputs: ['x'] }],
    ['flatten one pixel', [2, 5, 1, 1], { operator: 'Flatten', inputs: ['x'] }],
    ['tile a matrix', [2, 3], { operator: 'Tile', inputs: ['x', int64(3, 2)] }],
    ['expand a matrix', [5, 1], { operator: 'Expand', inputs: ['x', int64(5, 4)] }],
    ['expand a matrix to rank 4', [3, 5], { operator: 'Expand', inputs: ['x', int64(2, 1, 1, 1)] }],
    ['expand a map', [2, 1, 3, 1], { operator: 'Expand', inputs: ['x', int64(1, 5, 1, 4)] }],
    ['squeeze', [2, 5, 1, 1], { operator: 'Squeeze', inputs: ['x', int64(2, 3)] }],
    ['unsqueeze', [2, 5], { operator: 'Unsqueeze', inputs: ['x', int64(0, 3)] }],
    ['dropout', [2, 5], { operator: 'Dropout', inputs: ['x'] }],
    [
      'depth to space, blocks first',
      [2, 18, 2, 3],
      { operator: 'DepthToSpace', inputs: ['x'], attributes: { blocksize: 3 } },
    ],
    [
      'depth to space, blocks last',
      [2, 20, 2, 3],
      { operator: 'DepthToSpace', inputs: ['x'], attributes: { blocksize: 2, mode: 'CRD' } },
    ],
    ['space to depth', [2, 5, 4, 6], { operator: 'SpaceToDepth', inputs: ['x'], attributes: { blocksize: 2 } }],
  ]

  it.each(cases)('%s', (_, shape, line) => {
    expect(worstError(net({ x: shape }, [line]))).toBe(0)
  })

  it.each([
    ['doubled', [1, 1, 2, 2], { nearest_mode: 'floor' }],
    ['uneven', [1, 1, 1.7, 0.6], {}],
    ['in its channels', [1, 2, 1, 2], {}],
    ['in its samples', [2, 1, 1, 2], {}],
    ['blended', [1, 1, 2, 1.5], { mode: 'linear' }],
  ])('resized %s', (_, scales, attributes) => {
    const line = { operator: 'Resize', inputs: ['x', '', { shape: [4], values: scales }], attributes }
    expect(worstError(net({ x: [2, 5, 4, 3] }, [line]))).toBe(0)
  })

  it.each(['half_pixel', 'pytorch_half_pixel', 'align_corners', 'asymmetric'])('blended (%s)', (mode) => {
    for (const sizes of [
      [2, 5, 8, 6],
      [2, 5, 3, 7],
      [2, 5, 1, 1],
    ]) {
      const attributes = { mode: 'linear', coordinate_transformation_mode: mode }
      const line = { operator: 'Resize', inputs: ['x', '', '', int64(...sizes)], attributes }
      expect(worstError(net({ x: [2, 5, 4, 3] }, [line]))).toBeLessThan(TOLERANCE)
    }
  })

  it('takes empty scales beside sizes for none', () => {
    const line = { operator: 'Resize', inputs: ['x', '', { shape: [0], values: [] }, int64(2, 5, 8, 6)] }
    expect(worstError(net({ x: [2, 5, 4, 3] }, [line]))).toBe(0)
  })

  it('splits along every axis', () => {
    for (const [axis, sizes] of [
      [0, [1, 1]],
      [1, [2, 3]],
      [-2, [3, 1]],
      [3, [1, 2]],
    ] as const) {
      const graph = net({ x: [2, 5, 4, 3] }, [
        { operator: 'Split', inputs: ['x', int64(...sizes)], attributes: { axis }, outputs: ['v0', 'v0.1'] },
        { operator: 'Identity', inputs: ['v0.1'] },
      ])
      expect(worstError({ ...graph, outputs: ['v0', 'v1'] })).toBe(0)
    }
  })

  it('resized to sizes, by region or along one axis', () => {
    const lines: readonly Line[] = [
      { operator: 'Resize', inputs: ['x', '', '', int64(2, 5, 7, 2)] },
      { operator: 'Resize', inputs: ['x', '', '', int64(7)], attributes: { axes: [3] } },
      {
        operator: 'Resize',
        inputs: ['x', { shape: [2], values: [-0.5, 1.5] }, '', int64(7)],
        attributes: { axes: [2], coordinate_transformation_mode: 'tf_crop_and_resize', extrapolation_value: 3 },
      },
    ]
    for (const line of lines) expect(worstError(net({ x: [2, 5, 4, 3] }, [line]))).toBe(0)
  })

  it('concatenates along every axis', () => {
    for (const axis of [0, 1, 2, -1]) {
      const other = [2, 5, 4, 3].map((size, i) => (i === (axis + 4) % 4 ? size + 2 : size))
      const line = { operator: 'Concat', inputs: ['x', 'y', 'x', { shape: other }], attributes: { axis } }
      expect(worstError(net({ x: [2, 5, 4, 3], y: other }, [line]))).toBe(0)
    }
  })
})
