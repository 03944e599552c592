import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import type { DataSet } from '../data/data-set.ts'
import { openGlyphs } from '../data/glyphs.ts'
import type { DyadicError } from '../error.ts'
import type { Graph } from '../graph/graph.ts'
import { lower } from '../lower/lower.ts'
import { parseOnnx } from '../onnx/index.ts'
import { interpret } from '../program/interpret.ts'
import { type CalibrateOptions, calibrate } from '../quantize/calibrate.ts'
import type { Plan } from '../quantize/plan.ts'
import { prepare } from '../quantize/prepare.ts'
import { net } from '../reference/fast/net.fixture.ts'
import { compare } from './compare.ts'
import type { Comparison, ValueLoss } from './comparison.ts'
import { groupValues, storedValues, tappedProgram } from './tapped-program.ts'
import { applyEdit } from './trials.ts'

const model = fileURLToPath(new URL('../../examples/glyphs/glyphs.onnx', import.meta.url))
const glyphs = prepare(parseOnnx(readFileSync(model))).compiled
const samples = openGlyphs({ seed: 1, first: 0, count: 24 })
const planWith = (options: CalibrateOptions = {}): Promise<Plan> =>
  calibrate(glyphs, openGlyphs({ seed: 1, first: 100_000, count: 48 }), options)

const lossOf = ({ values }: Comparison, name: string): ValueLoss => {
  const found = values.find((value) => value.name === name)
  if (found === undefined) throw new Error(`no value ${name}`)
  return found
}
const localOf = (result: Comparison, name: string): number => lossOf(result, name).local?.sqnrDb ?? Number.NaN

/** Bytes as they are. */
function bytes(rows: readonly (readonly number[])[], shape: readonly number[]): DataSet {
  return {
    ...{ name: 'bytes', length: rows.length, elementType: 'uint8', shape, channelAxis: 0, scale: [1], offset: [0] },
    label: () => undefined,
    read: async (index) => Uint8Array.from(rows[index]),
    describe: (index) => `row ${index}`,
  }
}

/** y = 2x over one row of four pixels, stored in steps of `scale`. */
function doubling(scale: number): { graph: Graph; plan: Plan; set: DataSet } {
  const attributes = { kernel_shape: [1, 1], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0], group: 1 }
  const weights = { shape: [1, 1, 1, 1], values: [2] }
  const graph = net({ x: [1, 1, 1, 4] }, [{ operator: 'dyadic.Conv', inputs: ['x', weights], attributes }])
  const plan: Plan = {
    ...{ schema: 1, kind: 'dyadic-plan', model: 'test', origin: {} },
    inputs: { x: { format: 'u8', scale: [1], zeroPoint: [0], layout: 'nchw' } },
    tensors: { v0: { format: 'u8', scale, zeroPoint: 0 } },
    weights: { v0: { format: 's8', scale: [1], zeroPoint: [0] } },
  }
  return { graph, plan, set: bytes([[1, 2, 3, 4]], [1, 1, 4]) }
}

describe('compare, by hand', () => {
  it('finds nothing where every number lies on its grid', async () => {
    const { graph, plan, set } = doubling(2)
    const { values, outputs } = await compare(graph, plan, set)
    expect(values.map(({ name }) => name)).toEqual(['x', 'v0'])
    for (const { accumulated, local, addedNoise, clipped, action, cause } of values) {
      expect([accumulated, local]).toEqual(Array(2).fill({ sqnrDb: Infinity, cosine: 1 }))
      expect([addedNoise, clipped, action, cause]).toEqual([0, 0, undefined, undefined])
    }
    expect(outputs).toEqual([{ name: 'v0', accumulated: { sqnrDb: Infinity, cosine: 1 } }])
  })

  it('has the errors that pencil and paper have', async () => {
    // 2 4 6 8 in steps of 4, half up: 4 4 8 8. Signal 120, noise 8.
    const { graph, plan, set } = doubling(4)
    const value = lossOf(await compare(graph, plan, set), 'v0')
    const expected = { sqnrDb: 10 * Math.log10(120 / 8), cosine: 136 / Math.sqrt(120 * 160) }
    for (const found of [value.local, value.accumulated]) {
      expect(found?.sqnrDb).toBeCloseTo(expected.sqnrDb, 9)
      expect(found?.cosine).toBeCloseTo(expected.cosine, 9)
    }
    expect(value.addedNoise).toBeCloseTo(8 / 120, 12)
    expect(value.inheritedDb).toBe(Infinity)
    expect(value.reach).toEqual({ low: 0, high: 1020 })
    expect(value.extremes).toEqual({ low: 2, high: 8 })
    // 255 steps of 8/255: half a step or less.
    expect(value.trials.find(({ kind }) => kind === 'range-minmax')?.sqnrDb).toBeGreaterThan(50)
    expect(value.cause).toBe('range')
    // All errors together are 4 too much in four places.
    expect(value.trials.find(({ kind }) => kind === 'bias-correction')?.gainDb).toBe(0)
  })

  it.each([
    { scale: [1], offset: [104, 117] },
    { scale: [0.5, 2], offset: [3, 7] },
    { scale: [0.5, 0.25], offset: [4] },
  ])('takes pixels as they are, with %j', async (map) => {
    const attributes = { kernel_shape: [1, 1], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0], group: 1 }
    const weights = { shape: [1, 2, 1, 1], values: [0.7, -1.3] }
    const graph = net({ x: [1, 2, 1, 128] }, [{ operator: 'dyadic.Conv', inputs: ['x', weights], attributes }])
    const pixels = Array.from({ length: 256 }, (_, i) => (i * 197) % 256)
    const set = { ...bytes([pixels], [2, 1, 128]), ...map }
    const result = await compare(graph, await calibrate(graph, set), set)
    expect(lossOf(result, 'x').accumulated).toEqual({ sqnrDb: Infinity, cosine: 1 })
    const plan = await calibrate(graph, set)
    const turned: Plan = { ...plan, inputs: { x: { ...plan.inputs.x, layout: 'nhwc' } } }
    expect((await compare(graph, turned, set)).values).toEqual(result.values)
    const { local, accumulated } = lossOf(result, 'v0')
    expect(accumulated.sqnrDb).toBeGreaterThan(30)
    expect(Math.abs((local?.sqnrDb ?? 0) - accumulated.sqnrDb)).toBeLessThan(1)
  })

  it('counts what the grid does not reach', async () => {
    // In steps of 1/51 codes end at 5: 6 and 8 of every sample are clipped.
    const { graph, plan, set } = doubling(1 / 51)
    const value = lossOf(await compare(graph, plan, set), 'v0')
    expect(value.clipped).toBe(0.5)
    expect(value.accumulated.sqnrDb).toBeCloseTo(10 * Math.log10(120 / (1 + 9)), 6)
    expect(value.action?.kind).toMatch(/^range-/)
  })
})

describe('compare, on a network', () => {
  let plan: Plan
  let result: Comparison
  beforeAll(async () => {
    plan = await planWith()
    result = await compare(glyphs, plan, samples)
  })

  it('has the integers of the program that is deployed', async () => {
    const integerGraph = lower(glyphs, plan)
    const names = storedValues(glyphs, integerGraph)
    expect(names).toEqual(integerGraph.tensors.map(({ name }) => name))
    const sample = (await samples.read(3)) as Uint8Array
    const reals = tappedProgram(glyphs, plan, names).run({ [glyphs.inputs[0]]: sample })
    const half = tappedProgram(glyphs, plan, names.slice(0, 4)).run({ [glyphs.inputs[0]]: sample })
    let compared = 0
    interpret(integerGraph, new Map([[glyphs.inputs[0], sample]]), ({ name, scale, zeroPoint }, stored) => {
      const { height, width, channels, data, stride } = { ...stored, stride: stored.data.length }
      const perPixel = stride / (height * width)
      const real = Float32Array.from({ length: height * width * channels }, (_, i) => {
        const [c, pixel] = [Math.floor(i / (height * width)), i % (height * width)]
        return (data[pixel * perPixel + c] - zeroPoint) * scale
      })
      expect(reals[name]).toEqual(real)
      if (name in half) expect(half[name]).toEqual(real)
      compared++
    })
    expect(compared).toBe(names.length)
    expect(Object.keys(half)).toHaveLength(4)
  })

  it('is fine where 8 bits are', () => {
    expect(result.values).toHaveLength(12)
    expect(result.samples).toBe(24)
    for (const { accumulated, local, name } of result.values) {
      expect(accumulated.sqnrDb, name).toBeGreaterThan(25)
      expect(local?.sqnrDb ?? Infinity, name).toBeGreaterThan(30)
    }
    // The first layer's input is exact: alone and accumulated are the same there, up to ties between two codes.
    const first = lossOf(result, 'stem_relu_out')
    expect(first.accumulated.sqnrDb).toBeCloseTo(first.local?.sqnrDb ?? 0, 1)
    expect(lossOf(result, 'image').accumulated).toEqual({ sqnrDb: Infinity, cosine: 1 })
    expect(lossOf(result, 'pool_out').local).toBeUndefined()
  })

  it('does not change what it is given, and is deterministic', async () => {
    const before = JSON.stringify(plan)
    expect(await compare(glyphs, plan, samples)).toEqual(result)
    expect(JSON.stringify(plan)).toBe(before)
  })

  it('finds the layer whose scale is 16 times too large, and repairs it', async () => {
    const name = 'down_pointwise_relu_out'
    const entry = plan.tensors[name]
    const spoilt = { ...plan, tensors: { ...plan.tensors, [name]: { ...entry, scale: 16 * entry.scale } } }
    const found = await compare(glyphs, spoilt, samples)
    const [worst] = found.values
    expect(worst.name).toBe(name)
    expect(worst.cause).toBe('range')
    expect(worst.action?.kind).toMatch(/^range-/)
    expect(worst.action?.gainDb).toBeGreaterThan(15)

    const edit = worst.action ?? { kind: 'range-mse' as const }
    const repaired = await compare(glyphs, applyEdit(spoilt, name, edit), samples)
    expect(Math.abs(localOf(repaired, name) - (worst.action?.sqnrDb ?? 0))).toBeLessThan(0.1)
    expect(lossOf(repaired, name).accumulated.sqnrDb).toBeGreaterThan(worst.accumulated.sqnrDb + 10)
    expect(Math.abs(lossOf(repaired, name).accumulated.sqnrDb - (worst.expectedDb ?? 0))).toBeLessThan(1)
    expect(repaired.outputs[0].accumulated.sqnrDb).toBeGreaterThan(found.outputs[0].accumulated.sqnrDb + 5)
  })

  it('finds the layer whose weights have 3 bits, and what each edit of it gains', async () => {
    const name = 'block1_first_relu_out'
    const narrow = await planWith({ weights: 's3' })
    const spoilt = { ...plan, weights: { ...plan.weights, [name]: narrow.weights[name] } }
    const found = await compare(glyphs, spoilt, samples)
    const [worst] = found.values
    expect([worst.name, worst.cause, worst.weights?.format]).toEqual([name, 'weights', 's3'])
    for (const kind of ['weights-8', 'bias-correction'] as const) {
      const trial = worst.trials.find((other) => other.kind === kind)
      if (trial === undefined) throw new Error(`${kind} was not tried`)
      const after = await compare(glyphs, applyEdit(spoilt, name, trial), samples)
      expect(Math.abs(localOf(after, name) - trial.sqnrDb), kind).toBeLessThan(0.2)
      expect(trial.gainDb, kind).toBeCloseTo(trial.sqnrDb - (worst.local?.sqnrDb ?? 0), 9)
    }
    expect(worst.action?.gainDb).toBeGreaterThan(3)
  })

  it('reads scales per channel', async () => {
    const name = 'block1_first_relu_out'
    const channels = glyphs.values.get(name)?.shape[1] ?? 0
    const channelScales = Array.from({ length: channels }, (_, c) => 1 + (c % 3) / 2)
    const scaled: Plan = { ...plan, tensors: { ...plan.tensors, [name]: { ...plan.tensors[name], channelScales } } }
    const value = lossOf(await compare(glyphs, scaled, samples), name)
    expect(value.accumulated.sqnrDb).toBeGreaterThan(30)
    expect(value.accumulated.sqnrDb).toBeLessThan(lossOf(result, name).accumulated.sqnrDb)
    expect(Math.abs((value.local?.sqnrDb ?? 0) - value.accumulated.sqnrDb)).toBeLessThan(3)
    expect(value.trials.map(({ kind }) => kind)).toEqual(['bias-correction', 'activations-16'])
  })

  it('stops when it is told to', async () => {
    await expect(compare(glyphs, plan, samples, { signal: AbortSignal.abort() })).rejects.toThrow(/abort/i)
    let calls = 0
    const partial = await compare(glyphs, plan, samples, { limit: 3, onProgress: () => calls++ })
    expect([partial.samples, calls]).toEqual([3, 6])
  })

  it.each<[string, () => Promise<unknown>, string, RegExp]>([
    [
      'a plan of another model',
      () => compare(doubling(2).graph, { ...plan, model: 'glyphs' }, doubling(2).set),
      'refused',
      /the plan was made for "glyphs" and has entries for "stem_relu_out".* which network "test" has not/,
    ],
    [
      'a plan that lacks a value',
      () => compare(glyphs, { ...plan, tensors: {} }, samples),
      'refused',
      /the plan has no entry "tensors" for "stem_relu_out"/,
    ],
    ['no samples', () => compare(glyphs, plan, { ...samples, length: 0 }), 'refused', /"glyphs" has no samples/],
    [
      'samples of another shape',
      () => compare(glyphs, plan, bytes([[1, 2, 3, 4]], [1, 1, 4])),
      'refused',
      /samples of "bytes" have shape \[1,1,4\]/,
    ],
    [
      'numbers that are none',
      () => compare(glyphs, plan, { ...samples, elementType: 'float32', scale: [Number.NaN], offset: [0] }),
      'refused',
      /sample ".*" of "glyphs", value "image"/,
    ],
    [
      'several inputs',
      () => compare(net({ a: [1, 2], b: [1, 2] }, [{ operator: 'dyadic.Add', inputs: ['a', 'b'] }]), plan, samples),
      'unsupported',
      /2 inputs \("a", "b"\)/,
    ],
  ])('refuses %s', async (_what, run, code, message) => {
    const error = await run().catch((cause: DyadicError) => cause)
    expect((error as DyadicError).message).toMatch(message)
    expect((error as DyadicError).code).toBe(code)
  })
})

describe('groupValues', () => {
  it('keeps the order and fills groups as far as they go', () => {
    const graph = net({ a: [1, 6] }, [
      { operator: 'Relu', inputs: ['a'] },
      { operator: 'Relu', inputs: ['v0'] },
      { operator: 'Relu', inputs: ['v1'] },
    ])
    const names = ['a', 'v0', 'v1', 'v2']
    expect(groupValues(graph, names, 12)).toEqual([names.slice(0, 2), names.slice(2)])
    expect(groupValues(graph, names, 23)).toEqual([names.slice(0, 3), names.slice(3)])
    expect(groupValues(graph, names, 5)).toEqual(names.map((name) => [name]))
    expect(groupValues(graph, names)).toEqual([names])
  })
})
