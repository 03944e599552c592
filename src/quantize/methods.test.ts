/** Methods on whole small networks: what the plan says, what the simulation says, and what the program computes. */
import { describe, expect, it } from 'vitest'
import type { Samples } from '../data/aligned-sets.ts'
import type { DataSet } from '../data/data-set.ts'
import type { Graph } from '../graph/graph.ts'
import type { IntegerGraph } from '../lower/integer-graph.ts'
import { lower } from '../lower/lower.ts'
import { byteSet, conv, floatSet, lowered, randomNetwork, refusal } from '../lower/network.fixture.ts'
import { interpret } from '../program/interpret.ts'
import { net, noise } from '../reference/fast/net.fixture.ts'
import { createFastExecutor } from '../reference/fast.ts'
import type { CalibrateOptions } from './calibrate.ts'
import { realInput } from './input.ts'
import { codesOf, layersOf, storedWeights, weightGrid } from './layer.ts'
import { applyMethods } from './methods.ts'
import { simulatedNearness } from './nearness.ts'
import { formatRange, type Plan, parsePlan, printPlan } from './plan.ts'
import { simulatedGraph } from './simulate.ts'

/** What the program computes in real units, for byte samples. */
function programOutput(integers: IntegerGraph, stored: Uint8Array): Float64Array {
  const [{ name, scale, zeroPoint }] = integers.outputs as [(typeof integers.outputs)[0]]
  const [input] = integers.inputs
  const found = interpret(integers, new Map([[input?.name as string, stored]])).get(name) as Int32Array
  return Float64Array.from(found, (code) => (code - (zeroPoint[0] as number)) * (scale[0] as number))
}

/** Mean squared difference of the program and a float graph over a byte set. */
async function meanError(graph: Graph, integers: IntegerGraph, set: DataSet): Promise<number> {
  const executor = createFastExecutor(graph)
  let sum = 0
  let count = 0
  for (let index = 0; index < set.length; index++) {
    const stored = (await set.read(index)) as Uint8Array
    const wanted = executor.run(new Map([[graph.inputs[0] as string, realInput(set, stored)]]))
    const expected = wanted.get(graph.outputs[0] as string) as Float32Array
    programOutput(integers, stored).forEach((value, i) => {
      sum += (value - (expected[i] as number)) ** 2
      count++
    })
  }
  return sum / count
}

/** Three layers, with channels of very different sizes between the first two, a pool, and a depthwise one. */
function uneven(): Graph {
  const channels = 6
  const size = (o: number): number => 4 ** -o
  const first = noise(channels * 2 * 9, 1).map((value, i) => value * size(Math.floor(i / 18)))
  const second = noise(channels * 9, 2)
  const third = noise(5 * channels, 3).map((value, i) => value / size(i % channels))
  return net({ x: [1, 2, 9, 9] }, [
    { operator: 'Conv', inputs: ['x', { shape: [channels, 2, 3, 3], values: first }] },
    { operator: 'Relu', inputs: ['v0'] },
    { operator: 'MaxPool', inputs: ['v1'], attributes: { kernel_shape: [2, 2], strides: [1, 1] } },
    {
      operator: 'Conv',
      inputs: ['v2', { shape: [channels, 1, 3, 3], values: second }],
      attributes: { group: channels },
    },
    { operator: 'Conv', inputs: ['v3', { shape: [5, channels, 1, 1], values: third }] },
  ])
}
const pictures = byteSet([2, 9, 9], { length: 24 })

describe('simulatedGraph', () => {
  it.each([1, 2, 3, 4, 6, 7])('is far nearer to the program than the float network, on network %i', async (seed) => {
    const { graph, set } = randomNetwork(seed)
    if (set.elementType === 'float32') return
    for (const options of [{}, { activations: 'u4' }, { weights: 's4' }] as const) {
      const { compiled, plan, integers } = await lowered(graph, set, options)
      const [near, far] = [
        await meanError(simulatedGraph(compiled, plan), integers, set),
        await meanError(compiled, integers, set),
      ]
      expect(near).toBeLessThan(far)
    }
  })
})

describe.each(['equalize', 'migrate', 'separate'] as const)('%s', (name) => {
  it('divides channels and multiplies weights, and the program errs less', async () => {
    const options: CalibrateOptions = name === 'separate' ? { granularity: 'channel' } : { methods: [name] }
    const plain = await lowered(uneven(), pictures)
    const scaled = await lowered(uneven(), pictures, options)
    expect(Object.entries(scaled.plan.tensors).map(([key, { channelScales }]) => [key, channelScales?.length])).toEqual(
      [
        ['v1', 6],
        ['v3', 6],
        ['v4', undefined],
      ],
    )
    const [before, after] = [
      await meanError(plain.compiled, plain.integers, pictures),
      await meanError(scaled.compiled, scaled.integers, pictures),
    ]
    expect(after).toBeLessThan(before / 4)
    expect(await meanError(simulatedGraph(scaled.compiled, scaled.plan), scaled.integers, pictures)).toBeLessThan(after)
  })

  it('leaves values alone that anything but a layer reads, or whose bound a channel reaches', async () => {
    const options: CalibrateOptions = name === 'separate' ? { granularity: 'channel' } : { methods: [name] }
    const graph = net({ x: [1, 2, 9, 9] }, [
      conv('x', 4, 2, 3, 3),
      { operator: 'Sigmoid', inputs: ['v0'] },
      conv('v1', 4, 4, 3, 3),
      { operator: 'Relu', inputs: ['v2'] },
      conv('v3', 3, 4, 2, 2),
      { operator: 'GlobalAveragePool', inputs: ['v3'] },
      { operator: 'GlobalAveragePool', inputs: ['v4'] },
      { operator: 'Concat', inputs: ['v5', 'v6'], attributes: { axis: 1 } },
    ])
    const { plan } = await lowered(graph, pictures, options)
    expect(Object.values(plan.tensors).filter(({ channelScales }) => channelScales)).toEqual([])
    const bounded = net({ x: [1, 2, 9, 9] }, [
      conv('x', 4, 2, 3, 3),
      { operator: 'Clip', inputs: ['v0', { shape: [], values: [0] }, { shape: [], values: [0.7] }] },
      conv('v1', 3, 4, 2, 2),
    ])
    // Lowering would refuse bounds that are other codes in other channels.
    await lowered(bounded, pictures, options)
    const onGrid = (...shape: number[]) => {
      const count = shape.reduce((a, b) => a * b, 1)
      return { shape, values: noise(count, count).map((value) => Math.round(value * 100) / 64) }
    }
    const exact = net({ x: [1, 2, 9, 9] }, [
      { operator: 'Conv', inputs: ['x', onGrid(4, 2, 3, 3)] },
      { operator: 'Conv', inputs: ['v0', onGrid(3, 4, 2, 2)] },
    ])
    const { plan: kept } = await lowered(exact, pictures, options)
    expect(kept.tensors).toEqual((await lowered(exact, pictures)).plan.tensors)
  })
})

describe.each(['gptq', 'adaround'] as const)('%s', (name) => {
  it('errs less than nearest rounding at 3 bits, by codes that the plan file carries', async () => {
    const plain = await lowered(uneven(), pictures, { weights: 's3' })
    const better = await lowered(uneven(), pictures, { weights: 's3', methods: [name] })
    expect(await meanError(better.compiled, better.integers, pictures)).toBeLessThan(
      await meanError(plain.compiled, plain.integers, pictures),
    )
    const { low, high } = formatRange('s3')
    for (const layer of layersOf(better.compiled, better.plan)) {
      const codes = codesOf(layer, better.plan.weights[layer.name] as Plan['weights'][string])
      expect(Math.min(...codes)).toBeGreaterThanOrEqual(low)
      expect(Math.max(...codes)).toBeLessThanOrEqual(high)
    }
    expect(lower(better.compiled, parsePlan(JSON.parse(printPlan(better.plan)), 'a plan'))).toEqual(better.integers)
  })

  it('goes with all other methods, on random networks and float data', async () => {
    for (const seed of [2, 5, 9]) {
      const { graph, set } = randomNetwork(seed)
      const { plan } = await lowered(graph, set, { weights: 's4', methods: ['migrate', 'weights-mse', name] })
      expect(plan.origin.methods).toEqual(['migrate', 'weights-mse', name])
    }
    const graph = net({ x: [1, 2, 4, 4] }, [conv('x', 3, 2, 3, 3), { operator: 'Relu', inputs: ['v0'] }])
    const { plan } = await lowered(graph, floatSet([2, 4, 4]), { methods: ['equalize', name, 'bias-correction'] })
    expect(plan.biases?.v1?.every(Number.isFinite)).toBe(true)
  })
})

describe('bias-correction after codes', () => {
  it('brings the mean of every channel behind its activation to that of the float network', async () => {
    const set = byteSet([2, 9, 9], { length: 30 })
    const { compiled, plan } = await lowered(uneven(), set, { weights: 's3', methods: ['gptq'] })
    const context = { graph: compiled, samples: set, limit: 30, plan }
    const corrected = await applyMethods(['bias-correction'], context)
    const means = async (graph: Graph): Promise<Float64Array> => {
      const sums = new Float64Array(5)
      const executor = createFastExecutor(graph)
      for (let index = 0; index < set.length; index++) {
        const input = new Map([['x', realInput(set, await set.read(index))]])
        const output = executor.run(input).get(graph.outputs[0] as string) as Float32Array
        output.forEach((value, i) => {
          sums[Math.floor((i * 5) / output.length)] = (sums[Math.floor((i * 5) / output.length)] as number) + value
        })
      }
      return sums
    }
    const wanted = await means(compiled)
    const distance = (found: Float64Array): number =>
      found.reduce((sum, v, i) => sum + (v - (wanted[i] as number)) ** 2, 0)
    const [before, after] = [
      distance(await means(simulatedGraph(compiled, plan))),
      distance(await means(simulatedGraph(compiled, corrected))),
    ]
    expect(after).toBeLessThan(before / 20)
  })
})

describe('weights-mse', () => {
  it('lowers the error of 4-bit weights with an outlier, and leaves exact grids alone', async () => {
    const values = noise(4 * 2 * 9, 3).map((value, i) => (i % 18 === 0 ? 4 * value : value * 0.5))
    const graph = net({ x: [1, 2, 9, 9] }, [{ operator: 'Conv', inputs: ['x', { shape: [4, 2, 3, 3], values }] }])
    const plain = await lowered(graph, pictures, { weights: 's4' })
    const better = await lowered(graph, pictures, { weights: 's4', methods: ['weights-mse'] })
    expect(await meanError(better.compiled, better.integers, pictures)).toBeLessThanOrEqual(
      await meanError(plain.compiled, plain.integers, pictures),
    )
    const scaleOf = (plan: Plan): number[] => plan.weights.v0?.scale as number[]
    expect(scaleOf(better.plan).some((scale, o) => scale < (scaleOf(plain.plan)[o] as number))).toBe(true)
    const onGrid = values.map((value) => Math.round(value * 8) / 8)
    const exact = net({ x: [1, 2, 9, 9] }, [
      { operator: 'Conv', inputs: ['x', { shape: [4, 2, 3, 3], values: onGrid }] },
    ])
    const { plan } = await lowered(exact, pictures, { methods: ['weights-mse'] })
    expect(plan.weights.v0).toEqual((await lowered(exact, pictures)).plan.weights.v0)
  })
})

describe('groups of weights', () => {
  it('have factors that bring small weights nearer, in stored order', async () => {
    const values = noise(3 * 8 * 9, 3).map((value, i) =>
      (Math.floor(i / 9) % 8) + 8 * (i % 9) < 32 ? value / 8 : value,
    )
    const graph = net({ x: [1, 8, 5, 5] }, [{ operator: 'Conv', inputs: ['x', { shape: [3, 8, 3, 3], values }] }])
    const { compiled, plan } = await lowered(graph, byteSet([8, 5, 5]), { weights: 's4' })
    const context = { graph: compiled, samples: byteSet([8, 5, 5]), limit: 6, plan }
    const { groupWeights } = await import('./weight-groups.ts')
    const grouped = groupWeights(compiled, plan, 32)
    const errorOf = (made: Plan): number => {
      const [layer] = layersOf(compiled, made)
      if (layer === undefined) throw new Error('no layer')
      const stored = storedWeights(layer, made.weights.v0 as Plan['weights'][string])
      return stored.reduce((sum, value, i) => sum + (value - (layer.weights[i] as number)) ** 2, 0)
    }
    expect(errorOf(grouped)).toBeLessThan(errorOf(plan) * 0.75)
    const [layer] = layersOf(compiled, grouped)
    const { scales } = weightGrid(layer as NonNullable<typeof layer>, grouped.weights.v0 as Plan['weights'][string])
    // Channel 0: weight (c, tap) is stored at tap × 8 + c, and the first 32 stored weights are the small ones.
    const scale = grouped.weights.v0?.scale[0] as number
    for (let i = 0; i < 72; i++) {
      const stored = (i % 9) * 8 + Math.floor(i / 9)
      if (stored < 32) expect((scales[i] as number) / scale).toBeLessThan(4)
      else expect((scales[i] as number) / scale).toBeGreaterThan(8)
    }
    expect(await simulatedNearness(compiled, grouped, context.samples)).toBeGreaterThan(
      await simulatedNearness(compiled, plan, context.samples),
    )
    expect(parsePlan(JSON.parse(printPlan(grouped)), 'a plan')).toEqual(grouped)
  })
})

describe('auto', () => {
  it('keeps what scores best on the last quarter of the samples, and says what it tried', async () => {
    const notes: string[] = []
    const options = { weights: 's3', methods: ['auto'], onNote: (text: string) => notes.push(text) } as const
    const { plan, compiled } = await lowered(uneven(), pictures, options)
    const { methods, auto } = plan.origin as {
      methods: string[]
      auto: { samples: number; scores: Record<string, number> }
    }
    expect(auto.samples).toBe(6)
    const best = auto.scores[methods.join(',') || 'none'] as number
    expect(best).toBeGreaterThan((auto.scores.none as number) + 3)
    expect(Object.keys(auto.scores)).toContain('equalize')
    expect(notes.at(-1)).toMatch(/^auto: .*dB on 6 held-back samples; tried none/)
    expect(lower(compiled, plan).instructions.length).toBeGreaterThan(3)
  })

  it('goes by the score it is given, on samples that methods have not seen', async () => {
    const seen = new Set<string>()
    const score = async (candidate: Plan, samples: Samples): Promise<number> => {
      for (let index = 0; index < samples.length; index++) seen.add(samples.describe(index))
      return candidate.biases ? 1 : 0
    }
    const { plan } = await lowered(uneven(), pictures, { methods: ['auto'], score })
    expect(plan.origin.methods).toEqual(['bias-correction'])
    expect([...seen]).toEqual(Array.from({ length: 6 }, (_, i) => `sample ${18 + i}`))
  })

  it('applies nothing on a handful of samples', async () => {
    const notes: string[] = []
    const onNote = (text: string) => notes.push(text)
    const { plan } = await lowered(uneven(), byteSet([2, 9, 9]), { methods: ['auto'], onNote })
    expect(plan.weights).toEqual((await lowered(uneven(), byteSet([2, 9, 9]))).plan.weights)
    expect(notes.join('\n')).toMatch(/6 samples are too few to compare methods/)
  })
})

describe('the order of methods', () => {
  it('is refused where scales would change under codes, and auto stands alone', async () => {
    const { compiled, plan } = await lowered(uneven(), pictures)
    const context = { graph: compiled, samples: pictures, limit: 4, plan }
    await expect(applyMethods(['gptq', 'weights-mse'], context)).rejects.toThrow(/weights-mse chooses scales/)
    await expect(applyMethods(['auto', 'gptq'], context)).rejects.toThrow(/give it alone/)
    expect(
      refusal(() =>
        lower(compiled, {
          ...plan,
          tensors: { ...plan.tensors, v1: { ...plan.tensors.v1, channelScales: [1, 2] } },
        } as Plan),
      ).message,
    ).toMatch(/channelScales/)
  })
})
