import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AttributeValue, Graph, Node } from '../graph/graph.ts'
import { inferGraph } from '../graph/infer.ts'
import { type Constant, type ElementType, elementCount, makeConstant } from '../graph/tensor.ts'
import { createFastExecutor } from './fast.ts'
import { createReferenceExecutor } from './run.ts'

/** Deterministic numbers in [−1, 1). */
function noise(count: number, seed: number): number[] {
  let state = (seed * 2654435761 + 1) >>> 0
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 31 - 1
  })
}

type Parameter = { readonly shape: readonly number[]; readonly values?: readonly number[]; readonly type?: ElementType }

interface Line {
  readonly operator: string
  readonly inputs: readonly (string | Parameter)[]
  readonly attributes?: Readonly<Record<string, AttributeValue>>
}

/** A chain or net of nodes: line i makes value `v<i>`; the graph's inputs are given by name and shape. */
function net(inputs: Readonly<Record<string, readonly number[]>>, lines: readonly Line[], outputs?: string[]): Graph {
  const constants = new Map<string, Constant>()
  const nodes = lines.map((line, index): Node => {
    const operands = line.inputs.map((input, position) => {
      if (typeof input === 'string') return input
      const name = `c${index}.${position}`
      const values = input.values ?? noise(elementCount(input.shape), index * 7 + position + 1)
      constants.set(name, makeConstant(input.type ?? 'float32', input.shape, values))
      return name
    })
    return {
      name: `n${index}`,
      operator: line.operator,
      inputs: operands,
      outputs: [`v${index}`],
      attributes: new Map(Object.entries(line.attributes ?? {})),
    }
  })
  return inferGraph({
    name: 'test',
    opset: 21,
    inputs: Object.entries(inputs).map(([name, shape]) => ({ name, type: 'float32', shape })),
    outputs: outputs ?? [`v${lines.length - 1}`],
    nodes,
    constants,
  })
}

/** Runs both executors twice on two inputs and compares all outputs. Gives the largest error relative to the max-norm. */
function worstError(graph: Graph): number {
  const fast = createFastExecutor(graph)
  const obvious = createReferenceExecutor(graph)
  let worst = 0
  for (const seed of [3, 4]) {
    const inputs = new Map(
      graph.inputs.map((name, index) => [
        name,
        Float32Array.from(noise(elementCount(graph.values.get(name)?.shape ?? []), seed + 100 * index)),
      ]),
    )
    const found = fast.run(inputs)
    for (const [name, expected] of obvious.run(inputs))
      worst = Math.max(worst, relativeError(found.get(name), expected))
  }
  return worst
}

function relativeError(found: Float32Array | undefined, expected: Float32Array): number {
  if (found?.length !== expected.length) return Number.POSITIVE_INFINITY
  const norm = expected.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1e-30)
  let worst = 0
  for (let i = 0; i < expected.length; i++) {
    if (Object.is(found[i], expected[i])) continue
    const error = Math.abs(found[i] - expected[i]) / norm
    worst = Math.max(worst, Number.isNaN(error) ? Number.POSITIVE_INFINITY : error)
  }
  return worst
}

const TOLERANCE = 1e-5

const int64 = (...values: number[]): Parameter => ({ type: 'int64', shape: [values.length], values })
const scalar = (value: number): Parameter => ({ shape: [], values: [value] })

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
})

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
    ['HardSigmoid', [], { alpha: 0.7, beta: 0.4 }],
    ['HardSwish', [], {}],
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
    ['squeeze', [2, 5, 1, 1], { operator: 'Squeeze', inputs: ['x', int64(2, 3)] }],
    ['unsqueeze', [2, 5], { operator: 'Unsqueeze', inputs: ['x', int64(0, 3)] }],
    ['dropout', [2, 5], { operator: 'Dropout', inputs: ['x'] }],
  ]

  it.each(cases)('%s', (_, shape, line) => {
    expect(worstError(net({ x: shape }, [line]))).toBe(0)
  })

  it('concatenates along every axis', () => {
    for (const axis of [0, 1, 2, -1]) {
      const other = [2, 5, 4, 3].map((size, i) => (i === (axis + 4) % 4 ? size + 2 : size))
      const line = { operator: 'Concat', inputs: ['x', 'y', 'x', { shape: other }], attributes: { axis } }
      expect(worstError(net({ x: [2, 5, 4, 3], y: other }, [line]))).toBe(0)
    }
  })
})

describe('executor', () => {
  const block: Line[] = [
    { operator: 'dyadic.Conv', inputs: ['x', { shape: [6, 3, 3, 3] }], attributes: convolutionAttributes(1, 1) },
    { operator: 'dyadic.Conv', inputs: ['v0', { shape: [6, 1, 3, 3] }], attributes: convolutionAttributes(6, 1) },
    {
      operator: 'dyadic.Conv',
      inputs: ['v1', { shape: [6, 6, 1, 1] }, { shape: [6] }, 'v0'],
      attributes: convolutionAttributes(1, 0),
    },
    { operator: 'MaxPool', inputs: ['v2'], attributes: { kernel_shape: [2, 2], strides: [2, 2] } },
    { operator: 'Flatten', inputs: ['v3'] },
    { operator: 'dyadic.Dense', inputs: ['v4', { shape: [10, 96] }] },
  ]

  function convolutionAttributes(group: number, pad: number): Record<string, AttributeValue> {
    const side = 2 * pad + 1
    const window = { kernel_shape: [side, side], strides: [1, 1], dilations: [1, 1], pads: [pad, pad, pad, pad] }
    return { ...window, group, low: 0 }
  }

  it('taps every value with all its elements', () => {
    const graph = net({ x: [1, 3, 8, 8] }, block)
    const inputs = new Map([['x', Float32Array.from(noise(192, 5))]])
    const expected = new Map<string, number[]>()
    createReferenceExecutor(graph).run(inputs, (name, values) => expected.set(name, Array.from(values).sort()))
    const found = new Map<string, number[]>()
    createFastExecutor(graph).run(inputs, (name, values) => found.set(name, Array.from(values).sort()))
    expect([...found.keys()]).toEqual([...expected.keys()])
    for (const [name, values] of expected)
      expect(relativeError(Float32Array.from(found.get(name) ?? []), Float32Array.from(values))).toBeLessThan(TOLERANCE)
  })

  it('gives the same bytes on every run and for every tap', () => {
    const graph = net({ x: [2, 3, 8, 8] }, block)
    const executor = createFastExecutor(graph)
    const inputs = new Map([['x', Float32Array.from(noise(384, 5))]])
    const first = executor.run(inputs).get('v5')
    executor.run(new Map([['x', new Float32Array(384).fill(Number.NaN)]]))
    expect(executor.run(inputs, () => {}).get('v5')).toEqual(first)
    expect(worstError(graph)).toBeLessThan(TOLERANCE)
  })

  it('refuses missing, unknown and misshapen inputs by name', () => {
    const executor = createFastExecutor(net({ x: [1, 3, 8, 8] }, block))
    const good = new Float32Array(192)
    expect(() => executor.run(new Map())).toThrow(/no value is given for input "x"/)
    expect(() => executor.run(new Map([['x', new Float32Array(3)]]))).toThrow(/has 3 elements/)
    expect(() =>
      executor.run(
        new Map([
          ['x', good],
          ['z', good],
        ]),
      ),
    ).toThrow(/no input "z"/)
  })
})
