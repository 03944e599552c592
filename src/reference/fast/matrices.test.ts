import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Graph } from '../../graph/graph.ts'
import { inferGraph } from '../../graph/infer.ts'
import { elementCount, makeConstant } from '../../graph/tensor.ts'
import { createFastExecutor } from '../fast.ts'
import { createReferenceExecutor } from '../run.ts'
import { int64, type Line, net, noise, relativeError, TOLERANCE, worstError } from './net.fixture.ts'

/** A permutation of 0..rank−1 from keys. */
const permuted = (keys: readonly number[]): number[] =>
  keys
    .map((key, axis) => [key, axis] as const)
    .sort((a, b) => a[0] - b[0] || a[1] - b[1])
    .map(([, axis]) => axis)

const shapes = (least: number, most: number) =>
  fc.array(fc.integer({ min: 1, max: 6 }), { minLength: least, maxLength: most })

describe('values of any rank', () => {
  it('transposed', () => {
    fc.assert(
      fc.property(
        shapes(1, 6).chain((shape) =>
          fc.tuple(fc.constant(shape), fc.array(fc.nat(), { minLength: shape.length, maxLength: shape.length })),
        ),
        ([shape, keys]) => {
          const line: Line = { operator: 'Transpose', inputs: ['x'], attributes: { perm: permuted(keys) } }
          expect(worstError(net({ x: shape }, [line]))).toBe(0)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('transposed twice, with a function of one element between', () => {
    fc.assert(
      fc.property(shapes(3, 5), fc.array(fc.nat(), { minLength: 5, maxLength: 5 }), (shape, keys) => {
        const perm = permuted(keys.slice(0, shape.length))
        const lines: Line[] = [
          { operator: 'Transpose', inputs: ['x'], attributes: { perm } },
          { operator: 'Relu', inputs: ['v0'] },
          { operator: 'Transpose', inputs: ['v1'] },
        ]
        expect(worstError(net({ x: shape }, lines))).toBe(0)
      }),
      { numRuns: 40 },
    )
  })

  it.each(['Add', 'Sub', 'Mul', 'Div'])('broadcast by %s', (operator) => {
    fc.assert(
      fc.property(
        shapes(1, 5).chain((shape) =>
          fc.tuple(
            fc.constant(shape),
            ...[0, 1].map(() => fc.array(fc.boolean(), { minLength: shape.length, maxLength: shape.length })),
            fc.nat({ max: shape.length }),
          ),
        ),
        ([shape, left, right, dropped]) => {
          const a = (shape as number[]).map((size, axis) => ((left as boolean[])[axis] ? 1 : size))
          const b = (shape as number[])
            .map((size, axis) => ((right as boolean[])[axis] ? 1 : size))
            .slice(dropped as number)
          const twoFree = net({ x: a, y: b }, [{ operator, inputs: ['x', 'y'] }])
          expect(worstError(twoFree)).toBeLessThan(TOLERANCE)
          const constant: Line = { operator, inputs: ['x', { shape: b }] }
          const back: Line = { operator, inputs: [{ shape: b }, 'x'] }
          for (const line of operator === 'Div' ? [constant] : [constant, back])
            expect(worstError(net({ x: a }, [line]))).toBeLessThan(TOLERANCE)
        },
      ),
      { numRuns: 40 },
    )
  })

  it.each<[string, readonly number[], Line]>([
    ['slice', [3, 4, 5], { operator: 'Slice', inputs: ['x', int64(1, -1), int64(9, -9), int64(0, 2), int64(1, -2)] }],
    ['slice of rank 5', [2, 3, 2, 4, 3], { operator: 'Slice', inputs: ['x', int64(1), int64(4), int64(3)] }],
    ['pad of rank 3', [2, 3, 5], { operator: 'Pad', inputs: ['x', int64(0, 1, -1, 1, 0, 2)] }],
    ['reshape of rank 5', [2, 3, 2, 1, 4], { operator: 'Reshape', inputs: ['x', int64(4, 12)] }],
    ['reshape to rank 5', [4, 9], { operator: 'Reshape', inputs: ['x', int64(2, 2, 3, 3, 1)] }],
    ['reshape from padded to padded', [3, 2, 5], { operator: 'Reshape', inputs: ['x', int64(5, 2, 3)] }],
    ['reshape to a line', [3, 2, 5], { operator: 'Reshape', inputs: ['x', int64(-1)] }],
    ['reshape of a line', [12], { operator: 'Reshape', inputs: ['x', int64(2, 2, 3)] }],
    ['reshape to a scalar', [1, 1], { operator: 'Reshape', inputs: ['x', { shape: [0], type: 'int64', values: [] }] }],
    ['unsqueeze at the end', [2, 3], { operator: 'Unsqueeze', inputs: ['x', int64(2)] }],
    ['expand', [3, 1, 5], { operator: 'Expand', inputs: ['x', int64(2, 1, 4, 1)] }],
    ['tile', [3, 1, 5], { operator: 'Tile', inputs: ['x', int64(2, 3, 2)] }],
    ['gather of rows', [4, 3, 5], { operator: 'Gather', inputs: ['x', int64(3, 0, -1)] }],
    [
      'gather by a table',
      [2, 4, 5],
      {
        operator: 'Gather',
        inputs: ['x', { shape: [2, 2], type: 'int64', values: [3, 0, -1, 1] }],
        attributes: { axis: 1 },
      },
    ],
    [
      'gather along the last axis',
      [2, 3, 5],
      { operator: 'Gather', inputs: ['x', int64(4, 4, -5)], attributes: { axis: 2 } },
    ],
    [
      'gather of one',
      [2, 3, 5],
      { operator: 'Gather', inputs: ['x', { shape: [], type: 'int64', values: [1] }], attributes: { axis: 1 } },
    ],
    [
      'gather of one along the last axis',
      [2, 3, 5],
      { operator: 'Gather', inputs: ['x', { shape: [], type: 'int64', values: [1] }], attributes: { axis: -1 } },
    ],
  ])('%s', (_, shape, line) => {
    expect(worstError(net({ x: shape }, [line]))).toBe(0)
  })

  it('split and concatenated along each axis', () => {
    for (const shape of [
      [4, 6, 10],
      [2, 4, 6, 10],
      [2, 2, 4, 6, 2],
    ])
      for (let axis = 0; axis < shape.length; axis++) {
        const half = shape[axis] / 2
        const split: Line = {
          operator: 'Split',
          inputs: ['x', int64(half - 1 || 1, half + 1 > shape[axis] - 1 ? shape[axis] - 1 : half + 1)],
          attributes: { axis },
          outputs: ['a', 'b'],
        }
        const join: Line = { operator: 'Concat', inputs: ['b', 'a', 'x'], attributes: { axis } }
        expect(worstError(net({ x: shape }, [split, join], ['v1', 'a']))).toBe(0)
      }
  })
})

describe('matrix products', () => {
  it.each<[string, readonly number[], readonly number[]]>([
    ['matrices', [5, 7], [7, 9]],
    ['few rows', [3, 7], [7, 3]],
    ['one row', [1, 1, 6], [6, 16]],
    ['a batch by one matrix', [2, 3, 5, 7], [7, 9]],
    ['a batch by a batch', [2, 3, 5, 7], [2, 3, 7, 9]],
    ['batches that repeat each other', [2, 1, 5, 7], [3, 7, 8]],
    ['one matrix by a batch', [5, 7], [3, 7, 4]],
    ['more columns than a panel', [2, 6, 3], [2, 3, 21]],
    ['many rows', [1, 300, 5], [5, 12]],
    ['a batch of one', [1, 1, 4, 4], [1, 1, 4, 4]],
    ['a vector by a matrix', [7], [7, 4]],
    ['a matrix by a vector', [3, 7], [7]],
  ])('of %s', (_, a, b) => {
    expect(worstError(net({ x: a, y: b }, [{ operator: 'MatMul', inputs: ['x', 'y'] }]))).toBeLessThan(TOLERANCE)
    expect(worstError(net({ x: a }, [{ operator: 'MatMul', inputs: ['x', { shape: b }] }]))).toBeLessThan(TOLERANCE)
    expect(worstError(net({ y: b }, [{ operator: 'MatMul', inputs: [{ shape: a }, 'y'] }]))).toBeLessThan(TOLERANCE)
    const scaled = { operator: 'dyadic.MatMul', inputs: ['x', 'y'], attributes: { factor: 0.3 } }
    expect(worstError(net({ x: a, y: b }, [scaled]))).toBeLessThan(TOLERANCE)
  })
})

describe('functions of rows', () => {
  it.each([[[2, 3, 5]], [[1, 2, 3, 8]], [[4, 1]], [[9]], [[2, 3, 2, 1, 7]], [[65, 33]]])('of shape %j', (shape) => {
    const count = shape.at(-1) as number
    const lines: Line[] = [
      { operator: 'Softmax', inputs: ['x'] },
      { operator: 'LayerNormalization', inputs: ['x', { shape: [count] }, { shape: [count] }] },
      { operator: 'LayerNormalization', inputs: ['x', { shape: [count] }], attributes: { epsilon: 0.5 } },
      { operator: 'LayerNormalization', inputs: ['x', { shape: [count] }], attributes: { axis: 0 } },
      { operator: 'RMSNormalization', inputs: ['x', { shape: [count] }] },
      { operator: 'Gelu', inputs: ['x'] },
      { operator: 'Gelu', inputs: ['x'], attributes: { approximate: 'tanh' } },
      { operator: 'Swish', inputs: ['x'] },
      { operator: 'Erf', inputs: ['x'] },
    ]
    for (const line of lines) expect(worstError(net({ x: shape }, [line]))).toBeLessThan(TOLERANCE)
  })

  it('softmax of scores with a mask of −∞, of large and of far apart scores', () => {
    const rows = [
      [0.5, -Infinity, 1, -Infinity, -Infinity],
      [-Infinity, -Infinity, -Infinity, -Infinity, 3],
      [1e4, 1e4 - 1, -1e4, 0, 1e4],
      [3e38, -3e38, 0, 1, 2],
    ]
    const graph = net({ x: [1, rows.length, 5] }, [{ operator: 'Softmax', inputs: ['x'] }])
    const inputs = new Map([['x', Float32Array.from(rows.flat())]])
    const found = createFastExecutor(graph).run(inputs).get('v0') as Float32Array
    const expected = createReferenceExecutor(graph).run(inputs).get('v0') as Float32Array
    expected.forEach((value, i) => {
      expect(Math.abs((found[i] as number) - value)).toBeLessThanOrEqual(3e-7)
      if (value === 0) expect(found[i]).toBe(0)
    })
  })

  it('erf is within a millionth, relatively, over its whole range, odd, and NaN for NaN', () => {
    const count = 20_001
    const x = Float32Array.from({ length: count }, (_, i) => (i - 10_000) / 1250)
    const graph = net({ x: [count] }, [{ operator: 'Erf', inputs: ['x'] }])
    const expected = createReferenceExecutor(graph)
      .run(new Map([['x', x]]))
      .get('v0') as Float32Array
    const executor = createFastExecutor(graph)
    const found = executor.run(new Map([['x', x]])).get('v0') as Float32Array
    for (let i = 0; i < count; i++) {
      expect(Math.abs(found[i] - expected[i])).toBeLessThanOrEqual(1e-6 * Math.abs(expected[i]))
      expect(found[count - 1 - i] + found[i]).toBe(0)
    }
    x.fill(Number.NaN)
    expect(
      executor
        .run(new Map([['x', x]]))
        .get('v0')
        ?.every(Number.isNaN),
    ).toBe(true)
  })
})

/** Patches by a convolution, attention over them with two heads, and back to a map for another convolution. */
function attention(): Graph {
  const heads = (input: string): Line[] => [
    { operator: 'Reshape', inputs: [input, int64(1, 20, 2, 3)] },
    { operator: 'Transpose', inputs: [`${input}r`], attributes: { perm: [0, 2, 1, 3] } },
  ]
  const lines: (Line & { output: string })[] = [
    { operator: 'Conv', inputs: ['x', { shape: [6, 3, 2, 2] }], attributes: { strides: [2, 2] }, output: 'map' },
    { operator: 'Reshape', inputs: ['map', int64(1, 6, 20)], output: 'flat' },
    { operator: 'Transpose', inputs: ['flat'], attributes: { perm: [0, 2, 1] }, output: 'tokens' },
    { operator: 'LayerNormalization', inputs: ['tokens', { shape: [6] }, { shape: [6] }], output: 'normal' },
    ...['q', 'k', 'v'].flatMap((role) => [
      { operator: 'MatMul', inputs: ['normal', { shape: [6, 6] }], output: role },
      ...heads(role).map((line, index) => ({ ...line, output: `${role}${'rt'[index]}` })),
    ]),
    { operator: 'Transpose', inputs: ['kt'], attributes: { perm: [0, 1, 3, 2] }, output: 'kk' },
    { operator: 'MatMul', inputs: ['qt', 'kk'], output: 'scores' },
    { operator: 'Mul', inputs: ['scores', { shape: [], values: [0.75] }], output: 'scaled' },
    { operator: 'Softmax', inputs: ['scaled'], output: 'weights' },
    { operator: 'MatMul', inputs: ['weights', 'vt'], output: 'mixed' },
    { operator: 'Transpose', inputs: ['mixed'], attributes: { perm: [0, 2, 1, 3] }, output: 'back' },
    { operator: 'Reshape', inputs: ['back', int64(1, 20, 6)], output: 'joined' },
    { operator: 'Add', inputs: ['joined', 'tokens'], output: 'sum' },
    { operator: 'Transpose', inputs: ['sum'], attributes: { perm: [0, 2, 1] }, output: 'channels' },
    { operator: 'Reshape', inputs: ['channels', int64(1, 6, 4, 5)], output: 'again' },
    { operator: 'Add', inputs: ['again', 'map'], output: 'both' },
    { operator: 'Conv', inputs: ['both', { shape: [2, 6, 3, 3] }], output: 'y' },
  ]
  const named = lines.map(({ output, ...line }) => ({ ...line, outputs: [output] }))
  return net({ x: [1, 3, 8, 10] }, named, ['y', 'scores', 'both'])
}

describe('maps and matrices in one network', () => {
  it('agree with the definition', () => {
    expect(worstError(attention())).toBeLessThan(TOLERANCE)
  })

  it('are seen by the tap with channels last where they have rank 4, else row-major', () => {
    const graph = attention()
    const input = new Map([['x', Float32Array.from(noise(240, 1))]])
    const expected = new Map<string, Float32Array>()
    createReferenceExecutor(graph).run(input, (name, values) => void expected.set(name, values.slice()))
    const seen = new Set<string>()
    createFastExecutor(graph).run(input, (name, values) => {
      seen.add(name)
      const shape = graph.values.get(name)?.shape ?? []
      const wanted = expected.get(name) as Float32Array
      const [n, c, h, w] = shape
      const ordered =
        shape.length === 4
          ? Float32Array.from({ length: wanted.length }, (_, i) => {
              const [channel, pixel] = [i % c, Math.floor(i / c)]
              return wanted[(Math.floor(pixel / (h * w)) * c + channel) * h * w + (pixel % (h * w))]
            })
          : wanted
      expect(n).toBeGreaterThan(0)
      expect(relativeError(values, ordered), name).toBeLessThan(TOLERANCE)
    })
    expect([...seen].sort()).toEqual([...expected.keys()].sort())
  })

  it.each<[string, readonly number[], Line]>([
    ['a line', [1, 2, 9], { operator: 'Conv', inputs: ['x', { shape: [5, 2, 3] }, { shape: [5] }] }],
    [
      'two lines with strides and pads',
      [2, 3, 9],
      { operator: 'Conv', inputs: ['x', { shape: [4, 3, 3] }], attributes: { strides: [2], pads: [1, 2] } },
    ],
    [
      'a line in groups',
      [1, 4, 8],
      { operator: 'Conv', inputs: ['x', { shape: [4, 2, 3] }], attributes: { group: 2, dilations: [2] } },
    ],
    [
      'a line channel by channel',
      [1, 4, 8],
      { operator: 'Conv', inputs: ['x', { shape: [4, 1, 3] }], attributes: { group: 4 } },
    ],
  ])('convolution of %s', (_, shape, line) => {
    expect(worstError(net({ x: shape }, [line]))).toBeLessThan(TOLERANCE)
  })
})

describe('recurrent layers', () => {
  it.each<[string, number, string[]]>([
    ['LSTM', 4, ['y', 'h', 'c']],
    ['LSTM', 4, ['', 'h']],
    ['LSTM', 4, ['', '', 'c']],
    ['GRU', 3, ['y', 'h']],
    ['GRU', 3, ['', 'h']],
  ])('%s with %i gates and outputs %j', (operator, gates, outputs) => {
    const line: Line = {
      operator,
      inputs: [
        'x',
        { shape: [1, gates * 5, 3] },
        { shape: [1, gates * 5, 5] },
        { shape: [1, 2 * gates * 5] },
        '',
        'state',
      ],
      outputs,
    }
    const last = outputs.at(-1) as string
    const graph = net({ x: [4, 2, 3], state: [1, 2, 5] }, [line, { operator: 'Relu', inputs: [last] }])
    expect(worstError(graph)).toBeLessThan(TOLERANCE)
  })
})

describe('inputs of integers', () => {
  const graph = inferGraph({
    name: 'embedding',
    opset: 17,
    inputs: [{ name: 'ids', type: 'int64', shape: [1, 3] }],
    outputs: ['y'],
    nodes: [{ name: 'embed', operator: 'Gather', inputs: ['table', 'ids'], outputs: ['y'], attributes: new Map() }],
    constants: new Map([['table', makeConstant('float32', [4, 5], noise(elementCount([4, 5]), 2))]]),
  })

  it.each([
    ['fast', createFastExecutor],
    ['obvious', createReferenceExecutor],
  ])('choose rows of a table (%s)', (_, create) => {
    const executor = create(graph)
    const table = noise(20, 2).map(Math.fround)
    const y = executor.run(new Map([['ids', [3, 0, -4]]])).get('y') as Float32Array
    expect(Array.from(y)).toEqual([...table.slice(15), ...table.slice(0, 5), ...table.slice(0, 5)])
    const run = (ids: number[]) => () => executor.run(new Map([['ids', ids]]))
    expect(run([0, 4, 0])).toThrow('node "embed": index 4 does not exist along axis 0, which has 4 elements')
    expect(run([0, 1.5, 0])).toThrow('input "ids" has type int64, which does not hold 1.5')
    expect(run([0, 1])).toThrow('has 2 elements; its shape [1,3] needs 3')
  })
})
