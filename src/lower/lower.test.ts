/** Lowering, operator by operator: against the float network, and what is refused. Plans, bounds and roundings have their own files. */
import { describe, expect, it } from 'vitest'
import type { Graph } from '../graph/graph.ts'
import type { Plan } from '../quantize/plan.ts'
import { prepare } from '../quantize/prepare.ts'
import { int64, type Line, net, scalar } from '../reference/fast/net.fixture.ts'
import type { ConvolutionInstruction, Instruction, IntegerGraph } from './integer-graph.ts'
import { findUnsupported, lower } from './lower.ts'
import {
  byteSet,
  conv,
  lowered,
  randomNetwork,
  refusal,
  relativeError,
  stepErrors,
  weights,
  worstStep,
} from './network.fixture.ts'
import { printIntegerGraph } from './print.ts'

describe('flattened images', () => {
  const flat: Line[] = [
    conv('x', 3, 3, 1, 1),
    { operator: 'Relu', inputs: ['v0'] },
    { operator: 'Reshape', inputs: ['v1', int64(1, 12, 1, 1)] },
  ]
  const image = { x: [1, 3, 2, 2] }

  it.each<[string, Line]>([
    ['a convolution', conv('v2', 4, 12, 1, 1)],
    ['a global average', { operator: 'GlobalAveragePool', inputs: ['v2'] }],
    ['a global maximum', { operator: 'GlobalMaxPool', inputs: ['v2'] }],
    ['a pool', { operator: 'MaxPool', inputs: ['v2'], attributes: { kernel_shape: [1, 1] } }],
    ['an average', { operator: 'AveragePool', inputs: ['v2'], attributes: { kernel_shape: [1, 1] } }],
    ['a slice', { operator: 'Slice', inputs: ['v2', int64(1), int64(5), int64(1)] }],
  ])('are read in their own order by %s', async (_, line) => {
    const graph = net(image, [...flat, line])
    const { plan, integers } = await lowered(graph, byteSet([3, 2, 2], { length: 100 }))
    expect(relativeError(graph, plan, integers)).toBeLessThan(0.03)
  })

  it('are added to vectors and to results of convolutions in another order', async () => {
    const vector: Line[] = [
      ...flat.slice(0, 2),
      { operator: 'Flatten', inputs: ['v1'] },
      { operator: 'Gemm', inputs: ['v2', weights(12, 12)] },
      { operator: 'Add', inputs: ['v2', 'v3'] },
      { operator: 'Relu', inputs: ['v4'] },
    ]
    const residual: Line[] = [
      ...flat,
      { operator: 'Flatten', inputs: ['v1'] },
      { operator: 'Gemm', inputs: ['v3', weights(12, 12)] },
      { operator: 'Reshape', inputs: ['v4', int64(1, 12, 1, 1)] },
      conv('v5', 12, 12, 1, 1),
      { operator: 'Add', inputs: ['v6', 'v2'] },
    ]
    for (const lines of [vector, residual]) {
      const graph = net(image, lines)
      const { plan, integers } = await lowered(graph, byteSet([3, 2, 2], { length: 100 }))
      expect(integers.instructions.map(({ kind }) => kind)).toContain('move')
      expect(relativeError(graph, plan, integers)).toBeLessThan(0.03)
    }
  })

  it('may be added to each other, changed by tables, multiplied and given out', async () => {
    const graph = net(
      image,
      [
        conv('x', 3, 3, 1, 1),
        { operator: 'Flatten', inputs: ['v0'] },
        conv('x', 3, 3, 1, 1),
        { operator: 'Flatten', inputs: ['v2'] },
        { operator: 'Add', inputs: ['v1', 'v3'] },
        { operator: 'Sigmoid', inputs: ['v4'] },
        { operator: 'Gemm', inputs: ['v5', weights(12, 5)] },
      ],
      ['v5', 'v6'],
    )
    const { plan, integers } = await lowered(graph, byteSet([3, 2, 2], { length: 200 }))
    expect(integers.outputs[0]?.shape).toEqual([1, 12])
    const scores = integers.outputs.find(({ name }) => name === 'v6')
    expect(scores?.format).toBe('s16')
    const errors = stepErrors(graph, plan, integers)
    expect(errors.v5).toBeLessThan(8)
    // The scores have 16 bits: in real numbers they are as good as the 8-bit codes they are made from.
    expect((errors.v6 as number) * (plan.tensors.v6?.scale as number)).toBeLessThan(0.1)
  })
})

describe('rows of vectors', () => {
  it('are multiplied row by row', () => {
    const graph = net({ x: [5, 6] }, [
      { operator: 'Gemm', inputs: ['x', weights(6, 9), weights(9)] },
      { operator: 'Relu', inputs: ['v0'] },
      { operator: 'Gemm', inputs: ['v1', weights(9, 3)] },
    ])
    const { plan, integers } = rows(graph)
    expect(integers.outputs[0]?.shape).toEqual([5, 3])
    expect(worstStep(graph, plan, integers) * (plan.tensors.v2?.scale as number)).toBeLessThan(0.25)
  })

  /** A plan by hand: calibration reads one sample at a time. */
  function rows(graph: Graph): { plan: Plan; integers: IntegerGraph } {
    const { compiled } = prepare(graph)
    const plan: Plan = {
      ...{ schema: 1, kind: 'dyadic-plan', model: 'rows', origin: {} },
      inputs: { x: { format: 'u8', scale: [1 / 64], zeroPoint: [128], layout: 'nchw' } },
      tensors: {
        v1: { format: 'u8', scale: 8 / 255, zeroPoint: 0 },
        v2: { format: 's16', scale: 1 / 512, zeroPoint: 0 },
      },
      weights: {
        v1: { format: 's8', scale: [1 / 127], zeroPoint: [0] },
        v2: { format: 's8', scale: [1 / 127], zeroPoint: [0] },
      },
    }
    return { plan, integers: lower(compiled, plan) }
  }
})

describe('batches of images that a network makes', () => {
  const resize = { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' }
  it.each<[string, Line]>([
    ['a convolution', conv('v0', 3, 2, 1, 1)],
    ['a pool', { operator: 'MaxPool', inputs: ['v0'], attributes: { kernel_shape: [2, 2] } }],
    ['an average', { operator: 'GlobalAveragePool', inputs: ['v0'] }],
    ['a resize', { operator: 'Resize', inputs: ['v0', '', { shape: [4], values: [1, 1, 2, 2] }], attributes: resize }],
  ])('are refused before %s', async (_, line) => {
    const graph = net({ x: [1, 2, 6, 6] }, [{ operator: 'Concat', inputs: ['x', 'x'], attributes: { axis: 0 } }, line])
    await expect(lowered(graph, byteSet([2, 6, 6]))).rejects.toThrow(/a batch of 2 images, \[2,2,6,6\]/)
  })
})

describe('averages', () => {
  const pool = (attributes: Record<string, number | number[]>, size = 5) =>
    lowered(
      net({ x: [1, 2, size, size] }, [{ operator: 'AveragePool', inputs: ['x'], attributes }]),
      byteSet([2, size, size]),
    )

  it.each<[string, Record<string, number | number[]>]>([
    ['padding that does not count', { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }],
    ['windows cut by ceil_mode', { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 }],
    [
      'windows beyond counted padding',
      { kernel_shape: [3, 3], strides: [2, 2], pads: [0, 0, 1, 1], ceil_mode: 1, count_include_pad: 1 },
    ],
  ])('refuse windows of different sizes: %s', async (_, attributes) => {
    await expect(pool(attributes)).rejects.toThrow(/averages over windows of different sizes at the border/)
  })

  it.each<[string, Record<string, number | number[]>]>([
    ['two by two', { kernel_shape: [2, 2], strides: [2, 2] }],
    ['one by two, finer than a sum of two codes', { kernel_shape: [1, 2] }],
    ['one by one', { kernel_shape: [1, 1] }],
    ['counted padding', { kernel_shape: [3, 3], pads: [1, 1, 1, 1], count_include_pad: 1 }],
    ['ceil_mode that cuts nothing', { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 }],
    ['dilation', { kernel_shape: [2, 2], dilations: [2, 2] }],
  ])('are within one step of the float network: %s', async (_, attributes) => {
    const { compiled, plan, integers } = await pool(attributes)
    // Inputs beyond the calibrated range clip: only what calibration saw is compared.
    const wider = structuredClone(plan)
    wider.tensors.v0!.scale = plan.tensors.v0!.scale * 1.01
    wider.tensors.v0!.zeroPoint = 128
    expect(integers.instructions).toHaveLength(3)
    const own = structuredClone(wider)
    own.tensors.v0!.scale = (2.2 * 128) / 60 / 120
    expect(worstStep(compiled, own, lower(compiled, own))).toBeLessThan(0.51)
  })
})

describe('operators against the float network', () => {
  it.each<[string, readonly number[], Line[], number]>([
    [
      'slices with steps',
      [1, 4, 5, 5],
      [{ operator: 'Slice', inputs: ['x', int64(1, 1, 0), int64(4, 5, 5), int64(1, 2, 3), int64(2, 2, 1)] }],
      0.01,
    ],
    [
      'pads that crop',
      [1, 2, 3, 3],
      [
        { operator: 'Slice', inputs: ['x', int64(0), int64(2), int64(1)] },
        { operator: 'Pad', inputs: ['v0', int64(0, 1, 1, 0, 0, 0, -1, 2)] },
      ],
      0.01,
    ],
    [
      'maximum with ceil_mode',
      [1, 3, 5, 5],
      [{ operator: 'MaxPool', inputs: ['x'], attributes: { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 } }],
      0.01,
    ],
    [
      'maximum with uneven pads',
      [1, 3, 5, 4],
      [{ operator: 'MaxPool', inputs: ['x'], attributes: { kernel_shape: [3, 2], pads: [2, 0, 1, 1] } }],
      0.01,
    ],
    ['global maximum', [1, 3, 5, 4], [{ operator: 'GlobalMaxPool', inputs: ['x'] }], 0.01],
    [
      'clip by a table',
      [1, 2, 3, 3],
      [
        { operator: 'MaxPool', inputs: ['x'], attributes: { kernel_shape: [2, 2] } },
        { operator: 'Clip', inputs: ['v0', scalar(-1.9), scalar(1.9)] },
      ],
      0.51,
    ],
    ['sigmoid', [1, 2, 8, 8], [{ operator: 'Sigmoid', inputs: ['x'] }], 0.6],
  ])('%s', async (_, shape, lines, steps) => {
    const graph = net({ x: shape }, lines)
    // Every code occurs, so that calibration has seen the whole range.
    const { plan, integers } = await lowered(graph, byteSet(shape.slice(1), { length: 60 }))
    expect(worstStep(graph, plan, integers)).toBeLessThan(steps)
  })

  it('a dense layer after a flattening reads the image in NCHW order', async () => {
    const graph = net({ x: [1, 3, 4, 5] }, [
      { operator: 'Flatten', inputs: ['x'] },
      { operator: 'Gemm', inputs: ['v0', weights(60, 7), weights(7)] },
    ])
    const { plan, integers } = await lowered(graph, byteSet([3, 4, 5], { perChannel: true, length: 40 }))
    const scale = plan.tensors.v1?.scale as number
    // Weights of 8 bits: a few hundredths of the largest score.
    expect(worstStep(graph, plan, integers) * scale).toBeLessThan(0.1)
  })
})

describe('the first layer', () => {
  it.each<[string, Line]>([
    ['a convolution', conv('x', 5, 4, 2, 2)],
    ['groups', { operator: 'Conv', inputs: ['x', weights(6, 2, 2, 2)], attributes: { group: 2 } }],
    ['channel by channel', { operator: 'Conv', inputs: ['x', weights(4, 1, 3, 3)], attributes: { group: 4 } }],
  ])('takes the scale and the fractional zero point of each channel: %s', async (_, line) => {
    const graph = net({ x: [1, 4, 5, 5] }, [line])
    const { compiled, plan } = await lowered(graph, byteSet([4, 5, 5], { perChannel: true }))
    const input = plan.inputs.x as Plan['inputs'][string]
    const far = { ...input, zeroPoint: [110.5, 128.25, 120.75, 99.375] }
    const edited: Plan = { ...structuredClone(plan), inputs: { x: far } }
    edited.tensors.v0 = { format: 's32', scale: 1 / 1000, zeroPoint: 0 }
    const integers = lower(compiled, edited)
    // Weights of 8 bits at |x| ≤ 2.5 and at most 16 taps: 16 × 2.5 / 254. A fraction on the wrong channel adds up beyond.
    expect(worstStep(graph, edited, integers) / 1000).toBeLessThan(0.1)
  })

  it('moves the fraction of the zero point into the bias, exactly', () => {
    const values = [64, -32, 16, 127, 8, -100]
    const graph = net({ x: [1, 2, 1, 1] }, [
      { operator: 'Conv', inputs: ['x', { shape: [6, 1, 1, 1], values }], attributes: { group: 2 } },
    ])
    const integers = lower(prepare(graph).compiled, {
      ...{ schema: 1, kind: 'dyadic-plan', model: 'fractions', origin: {} },
      inputs: { x: { format: 'u8', scale: [1, 1], zeroPoint: [10.25, 99.5], layout: 'nchw' } },
      tensors: { v0: { format: 's32', scale: 1, zeroPoint: 0 } },
      weights: { v0: { format: 's8', scale: [1], zeroPoint: [0] } },
    })
    const [layer] = integers.instructions.filter((one): one is ConvolutionInstruction => one.kind === 'convolution')
    // Stored codes are 128 lower; 99.5 goes to the even neighbour 100.
    expect([...(layer?.inputZeroPoints ?? [])]).toEqual([10 - 128, 100 - 128])
    expect([...(layer?.bias ?? [])]).toEqual([-16, 8, -4, 64, 4, -50])
  })
})

describe('fused bounds', () => {
  it('become the nearest codes, half up, of the output they clip', async () => {
    const graph = net({ x: [1, 1, 2, 2] }, [
      conv('x', 1, 1, 1, 1),
      { operator: 'Clip', inputs: ['v0', scalar(-0.25), scalar(0.25)] },
      conv('v1', 1, 1, 1, 1),
    ])
    const { compiled, plan } = await lowered(graph, byteSet([1, 2, 2]))
    const clampOf = (scale: number, zeroPoint: number, format: 'u8' | 's8') => {
      const integers = lower(compiled, { ...plan, tensors: { ...plan.tensors, v1: { format, scale, zeroPoint } } })
      return (integers.instructions.find((one) => one.kind === 'convolution') as ConvolutionInstruction).clamp
    }
    // ±0.25 / 0.09375 = ±2.67, ±0.25 / 0.1875 = ±1.33.
    expect(clampOf(0.09375, 0, 's8')).toEqual({ low: -3, high: 3 })
    expect(clampOf(0.09375, 100, 'u8')).toEqual({ low: 97 - 128, high: 103 - 128 })
    expect(clampOf(0.1875, 0, 's8')).toEqual({ low: -1, high: 1 })
    expect(clampOf(0.001, 0, 's8')).toEqual({ low: -128, high: 127 })
    // ±0.25 / 0.5 are ties.
    expect(clampOf(0.5, 0, 's8')).toEqual({ low: 0, high: 1 })
  })
})

describe('a planned scale for an operator that keeps its input’s', () => {
  it('becomes a table behind it', async () => {
    const graph = net({ x: [1, 2, 8, 8] }, [
      { operator: 'MaxPool', inputs: ['x'], attributes: { kernel_shape: [2, 2] } },
    ])
    const { compiled, plan, integers } = await lowered(graph, byteSet([2, 8, 8]))
    expect(integers.instructions.map(({ kind }) => kind)).toEqual(['import', 'max-pool', 'export'])
    const edited: Plan = { ...plan, tensors: { v0: { format: 's8', scale: 0.04, zeroPoint: -7 } } }
    const rescaled = lower(compiled, edited)
    expect(rescaled.instructions.map(({ kind }) => kind)).toEqual(['import', 'max-pool', 'table', 'export'])
    expect(worstStep(graph, edited, rescaled)).toBeLessThanOrEqual(0.5 + 1e-4)
    const same = { format: 'u8' as const, scale: plan.inputs.x?.scale[0] as number, zeroPoint: 120 }
    expect(printIntegerGraph(lower(compiled, { ...plan, tensors: { v0: same } }))).toBe(printIntegerGraph(integers))
  })
})

describe('what cannot be lowered', () => {
  it('is listed all at once, with operators and node names', () => {
    const graph = prepare(
      net({ x: [1, 2, 4, 4] }, [
        { operator: 'ReduceSum', inputs: ['x', int64(1)] },
        { operator: 'LpNormalization', inputs: ['v0'] },
        { operator: 'ReduceSum', inputs: ['v1', int64(1)] },
      ]),
    ).compiled
    const problems = findUnsupported(graph)
    expect(problems.join('\n')).toMatch(/ReduceSum[^\n]*"n0", "n2"/)
    expect(problems.join('\n')).toMatch(/LpNormalization[^\n]*"n1"/)
    const error = refusal(() => lower(graph, {} as Plan))
    expect(error.code).toBe('unsupported')
    for (const problem of problems) expect(error.message).toContain(problem)
  })

  it('says which input shapes are compiled', () => {
    const graph = prepare(net({ x: [2, 3, 4, 4] }, [{ operator: 'Relu', inputs: ['x'] }])).compiled
    expect(findUnsupported(graph)).toEqual([
      expect.stringMatching(/input "x" has shape \[2,3,4,4\]; dyadic compiles one sample at a time/),
    ])
  })
})

describe('the printed integer graph', () => {
  it('is the same text for the same network, and another one for every changed number', async () => {
    const { graph, set } = randomNetwork(3)
    const { compiled, plan, integers } = await lowered(graph, set)
    const text = printIntegerGraph(integers)
    expect(printIntegerGraph(lower(compiled, plan))).toBe(text)
    const texts = new Set([text])
    const changed = (edit: (instruction: ConvolutionInstruction) => Partial<ConvolutionInstruction>): void => {
      const instructions = integers.instructions.map((one): Instruction => {
        if (one.kind !== 'convolution') return one
        return { ...one, ...edit(one) }
      })
      texts.add(printIntegerGraph({ ...integers, instructions }))
    }
    const bump = <Values extends Int8Array | Int16Array | Int32Array>(values: Values): Values => {
      const copy = values.slice() as Values
      copy[copy.length - 1] = (copy[copy.length - 1] as number) ^ 1
      return copy
    }
    changed(({ weights: codes }) => ({ weights: bump(codes) }))
    changed(({ bias }) => ({ bias: bump(bias) }))
    changed(({ weightZeroPoints }) => ({ weightZeroPoints: bump(weightZeroPoints) }))
    changed(({ inputZeroPoints }) => ({ inputZeroPoints: bump(inputZeroPoints) }))
    changed(({ requantisation }) => ({
      requantisation: { ...requantisation, multipliers: bump(requantisation.multipliers) },
    }))
    changed(({ requantisation }) => ({ requantisation: { ...requantisation, shift: requantisation.shift + 1 } }))
    changed(({ outputZeroPoint }) => ({ outputZeroPoint: outputZeroPoint + 1 }))
    changed(({ clamp }) => ({ clamp: { ...clamp, high: clamp.high - 1 } }))
    changed(({ window }) => ({ window: { ...window, pads: [1, 0, 0, 0] } }))
    expect(texts.size).toBe(10)
    expect(text).toMatch(/^[\x20-\x7e×\n]*$/)
  })
})

describe('tables of functions that are not defined everywhere', () => {
  it('refuse values that can occur, and ignore those that cannot', () => {
    const { compiled } = prepare(net({ x: [1, 2, 4, 4] }, [{ operator: 'Sqrt', inputs: ['x'] }]))
    const plan = (zeroPoint: number): Plan => ({
      schema: 1,
      kind: 'dyadic-plan',
      model: 'x',
      origin: {},
      inputs: { x: { format: 'u8', scale: [1], zeroPoint: [zeroPoint], layout: 'nchw' } },
      tensors: { v0: { format: 'u8', scale: 0.0625, zeroPoint: 0 } },
      weights: {},
    })
    expect(lower(compiled, plan(0)).instructions.map(({ kind }) => kind)).toEqual(['import', 'table', 'export'])
    const error = refusal(() => lower(compiled, plan(10)))
    expect(error.code).toBe('unsupported')
    expect(error.message).toMatch(/\(Sqrt\) is not a number for values that "x" can take/)
  })
})

describe('a network input with one scale and a zero point per channel', () => {
  it('keeps the weights as fine as with one zero point', async () => {
    const graph = net({ x: [1, 3, 6, 6] }, [conv('x', 8, 3, 3, 3)])
    const pixels = byteSet([3, 6, 6])
    const set = { ...pixels, scale: [1 / 64], offset: [123.675, 116.28, 103.53], channelAxis: 0 }
    const { integers } = await lowered(graph, set)
    const layer = integers.instructions.find(({ kind }) => kind === 'convolution') as ConvolutionInstruction
    for (let o = 0; o < 8; o++) {
      const codes = layer.weights.subarray((o * layer.weights.length) / 8, ((o + 1) * layer.weights.length) / 8)
      expect(Math.max(...codes.map(Math.abs))).toBe(127)
    }
    expect(integers.inputs[0]).toMatchObject({ scale: [1 / 64, 1 / 64, 1 / 64], zeroPoint: [123.675, 116.28, 103.53] })
  })
})
