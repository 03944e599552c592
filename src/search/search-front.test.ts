import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { planBits } from '../cost/bit-widths.ts'
import { countNetwork } from '../cost/count.ts'
import { openGlyphs } from '../data/glyphs.ts'
import { evaluatePair } from '../evaluate/evaluate.ts'
import { floatPredictor, programPredictor } from '../evaluate/predictors.ts'
import { byteSet } from '../lower/network.fixture.ts'
import { parseOnnx } from '../onnx/index.ts'
import { compileProgram } from '../program/compile.ts'
import { calibrate } from '../quantize/calibrate.ts'
import { prepare } from '../quantize/prepare.ts'
import { net } from '../reference/fast/net.fixture.ts'
import { createFastExecutor } from '../reference/fast.ts'
import { loadSync } from '../runtime/index.ts'
import { type BitChoice, chooseBits } from './bit-choice.ts'
import { measuredOmega, measureSensitivities } from './measure-sensitivity.ts'
import { decibels, referenceOutputs } from './output-loss.ts'
import { planLayers } from './plan-layers.ts'
import { allocateWithin, choosePoint, composePlan, predictedError, searchFront, verifyPlan } from './search-front.ts'
import { weightedNodes } from './sensitivity.ts'

const graph = prepare(parseOnnx(readFileSync(new URL('../../examples/glyphs/glyphs.onnx', import.meta.url)))).compiled
const plan = await calibrate(graph, openGlyphs({ seed: 1, first: 100_000, count: 16 }))
const heldBack = openGlyphs({ seed: 1, first: 100_016, count: 8 })
const reference = await referenceOutputs(graph, heldBack)
const choices = chooseBits([4, 8])
const layers = weightedNodes(graph).map(({ outputs: [name] }) => name)
const measured = await measureSensitivities(graph, plan, reference, { choices })
const problem = planLayers(graph, plan, {
  choices,
  sensitivities: measuredOmega(measured, layers, choices, 'squaredError'),
})

describe('searchFront', () => {
  it('has distinct allocations, cheapest first, each with less loss than the one before, and knows the budget', async () => {
    const front = await searchFront({ ...problem, budgets: { bytes: 18_000 } }, 'bytes')
    expect(front.length).toBeGreaterThan(3)
    const best = await allocateWithin({ ...problem, budgets: { bytes: 18_000 } })
    expect(front.filter(({ within }) => within).at(-1)?.allocation).toEqual(best)
    for (const [i, { allocation, within }] of front.entries()) {
      expect(within).toBe((allocation.cost.bytes as number) <= 18_000)
      if (i === 0) continue
      expect(allocation.cost.bytes).toBeGreaterThan(front[i - 1].allocation.cost.bytes as number)
      expect(allocation.sensitivity).toBeLessThan(front[i - 1].allocation.sensitivity)
    }
    expect(front[0].allocation.bits).toEqual(layers.map(() => 4))
    expect(front.at(-1)?.allocation.bits).toEqual(layers.map(() => 8))
  })

  it('names the least that can be reached, and says why time cannot be bought', async () => {
    await expect(searchFront({ ...problem, budgets: { bytes: 10_000 } }, 'bytes')).rejects.toMatchObject({
      code: 'gate',
      message: 'no allocation of bits meets the budget: at most 10000 bytes, but the smallest achievable is 16040',
    })
    const milliseconds = new Map(layers.map((name) => [name, new Map(choices.map(({ bits }) => [bits, 0.5]))]))
    const timed = planLayers(graph, plan, { choices, milliseconds, otherMilliseconds: 0.25 })
    await expect(allocateWithin({ ...timed, budgets: { milliseconds: 4 } })).rejects.toMatchObject({
      code: 'gate',
      message: expect.stringMatching(
        /at most 4 milliseconds, but the smallest achievable is 4\.75; weights are widened/,
      ),
    })
    const met = await allocateWithin({ ...timed, budgets: { milliseconds: 4.75 } })
    expect(met.bits).toEqual([...layers.map(() => 8), 0])
  })
})

describe('choosePoint', () => {
  it('takes what measures best within the budgets, of equal ones the first', () => {
    const allocation = { bits: [], sensitivity: 0, cost: {} }
    const point = (within: boolean, squaredError: number, divergence: number) => ({
      ...{ allocation, within, loss: { squaredError, divergence } },
    })
    const points = [point(true, 3, 3), point(true, 2, 4), point(true, 2, 4), point(false, 1, 1)]
    expect(choosePoint(points, 'squaredError')).toBe(points[1])
    expect(choosePoint(points, 'divergence')).toBe(points[0])
    expect(() => choosePoint(points.slice(3), 'squaredError')).toThrow(/no point/)
  })
})

describe('verifyPlan', () => {
  it('measures what the compiled module gives', async () => {
    const bits = layers.map((_, i) => (i % 2 === 0 ? 4 : 8))
    const composed = composePlan(graph, plan, choices, bits)
    expect(Object.values(composed.weights).map(({ format }) => format)).toEqual(bits.map((width) => `s${width}`))
    const set = openGlyphs({ seed: 1, first: 0, count: 60 })
    const { correct } = await verifyPlan(graph, composed, reference, { set })
    const { loss } = await verifyPlan(graph, composed, reference)
    const network = loadSync(compileProgram(graph, composed, { version: 'test' }).wasm)
    const float = createFastExecutor(graph)
    const pair = (on: typeof set) => evaluatePair(on, floatPredictor(graph, float, on), programPredictor(network, on))
    expect(correct).toBe((await pair(set)).candidate)
    expect(decibels(loss.squaredError)).toBeCloseTo((await pair(heldBack)).sqnrDb, 9)
  })

  it('is predicted well by the additive model where the errors are small', async () => {
    for (const [i] of layers.entries()) {
      const bits = layers.map((_, k) => (k === i ? 4 : 8))
      const { loss } = await verifyPlan(graph, composePlan(graph, plan, choices, bits), reference)
      expect(predictedError(measured, layers, choices, bits)).toBeCloseTo(loss.squaredError, 12)
    }
  })
})

describe('choices that change what layers read', () => {
  it('go all the way, and cost what the composed plan costs', async () => {
    const narrow: BitChoice[] = [{ bits: 4, weights: 's4', activations: 'u4' }, ...chooseBits([8])]
    const { compiled } = prepare(
      net({ x: [1, 3, 8, 8] }, [
        { operator: 'Conv', inputs: ['x', { shape: [4, 3, 1, 1] }, { shape: [4] }] },
        { operator: 'Relu', inputs: ['v0'] },
        { operator: 'Conv', inputs: ['v1', { shape: [4, 4, 2, 2] }], attributes: { strides: [2, 2] } },
        { operator: 'MaxPool', inputs: ['v1'], attributes: { kernel_shape: [2, 2], strides: [2, 2] } },
        { operator: 'Conv', inputs: ['v3', { shape: [4, 1, 1, 1] }], attributes: { group: 4 } },
        { operator: 'Add', inputs: ['v2', 'v4'] },
        { operator: 'Flatten', inputs: ['v5'] },
        { operator: 'Gemm', inputs: ['v6', { shape: [5, 64] }], attributes: { transB: 1 } },
      ]),
    )
    const own = await calibrate(compiled, byteSet([3, 8, 8]))
    const outputs = await referenceOutputs(compiled, byteSet([3, 8, 8], { seed: 2 }))
    const names = weightedNodes(compiled).map(({ outputs: [name] }) => name)
    const record = await measureSensitivities(compiled, own, outputs, { choices: narrow })
    const sensitivities = measuredOmega(record, names, narrow, 'squaredError')
    const allocation = planLayers(compiled, own, { choices: narrow, sensitivities })
    const { totals } = countNetwork(compiled, planBits(compiled, own))
    for (const share of [0.35, 0.5, 0.8]) {
      const { bits, cost } = await allocateWithin({ ...allocation, budgets: { bops: share * totals.bops } })
      // Both read the first layer's output.
      expect(bits[1]).toBe(bits[2])
      const composed = composePlan(compiled, own, narrow, bits)
      expect(cost.bops).toBe(countNetwork(compiled, planBits(compiled, composed)).totals.bops)
      expect(Object.values(composed.tensors).some(({ format }) => format === 'u4')).toBe(true)
      const { loss } = await verifyPlan(compiled, composed, outputs)
      expect(loss.squaredError).toBeGreaterThan(record.baseline.squaredError)
    }
  })
})
