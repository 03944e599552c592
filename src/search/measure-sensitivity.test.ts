import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { DataSet } from '../data/data-set.ts'
import { openGlyphs } from '../data/glyphs.ts'
import { byteSet, refusal } from '../lower/network.fixture.ts'
import { parseOnnx } from '../onnx/index.ts'
import { compileProgram } from '../program/compile.ts'
import { calibrate } from '../quantize/calibrate.ts'
import { realInput } from '../quantize/input.ts'
import { prepare } from '../quantize/prepare.ts'
import { net } from '../reference/fast/net.fixture.ts'
import { createFastExecutor } from '../reference/fast.ts'
import { loadSync } from '../runtime/index.ts'
import { type AllocationProblem, allocateBits } from './bit-allocation.ts'
import { applyChoices, chooseBits } from './bit-choice.ts'
import { allocateExhaustively } from './exhaustive-allocation.fixture.ts'
import {
  hashSensitivities,
  type MeasuredSensitivities,
  measuredOmega,
  measureSensitivities,
  parseSensitivities,
  printSensitivities,
} from './measure-sensitivity.ts'
import { type ReferenceOutputs, referenceOutputs } from './output-loss.ts'
import { planLayers } from './plan-layers.ts'
import { weightedNodes } from './sensitivity.ts'

const choices = chooseBits([2, 4, 8])

/** The network of the repository on 24 pictures, 8 of them held back. */
const glyphs = prepare(parseOnnx(readFileSync(new URL('../../examples/glyphs/glyphs.onnx', import.meta.url)))).compiled
const glyphPlan = await calibrate(glyphs, openGlyphs({ seed: 1, first: 100_000, count: 16 }))
const heldBack = openGlyphs({ seed: 1, first: 100_016, count: 8 })
const reference = await referenceOutputs(glyphs, heldBack)
const measured = await measureSensitivities(glyphs, glyphPlan, reference, { choices })
const layers = weightedNodes(glyphs).map(({ outputs: [name] }) => name)

describe('measureSensitivities', () => {
  it('is the loss of the compiled program with one layer changed, to the last bit', async () => {
    expect(measured.losses.map(({ layer, choice }) => [layer, choice])).toEqual(
      layers.flatMap((layer) => ['s2', 's4', 's8'].map((choice) => [layer, choice])),
    )
    for (const index of [4, 13, 25, 26]) {
      const { layer, choice, squaredError, divergence } = measured.losses[index]
      const changed = applyChoices(glyphs, glyphPlan, new Map([[layer, choices[['s2', 's4', 's8'].indexOf(choice)]]]))
      const network = loadSync(compileProgram(glyphs, changed, { version: 'test' }).wasm)
      const executor = createFastExecutor(glyphs)
      let [error, energy, nats] = [0, 0, 0]
      for (let i = 0; i < heldBack.length; i++) {
        const stored = await heldBack.read(i)
        const scores = executor.run(new Map([['image', realInput(heldBack, stored)]])).get('logits') as Float32Array
        const found = network.run({ image: stored }).logits
        for (const [k, score] of scores.entries()) {
          error += (found[k] - score) ** 2
          energy += score ** 2
        }
        const normal = (values: Float32Array): number => values.reduce((sum, value) => sum + Math.exp(value), 0)
        for (const [k, score] of scores.entries())
          nats += (Math.exp(score) / normal(scores)) * (score - found[k] - Math.log(normal(scores) / normal(found)))
      }
      expect(squaredError).toBe(error / energy)
      expect(divergence).toBeCloseTo(nats / heldBack.length, 9)
    }
    const { squaredError } = measured.baseline
    for (const entry of measured.losses.filter(({ choice }) => choice === 's8'))
      expect(entry.squaredError).toBe(squaredError)
  })

  it('goes on from what is known, and ends with the same record', async () => {
    const text = printSensitivities(measured)
    const known = parseSensitivities(JSON.parse(text), 'kept')
    expect(known).toEqual(measured)
    const halves = { ...known, losses: known.losses.filter((_, i) => i % 3 !== 1).reverse() }
    const steps: number[][] = []
    const onMeasured = (_: MeasuredSensitivities, done: number, total: number): void => void steps.push([done, total])
    const again = await measureSensitivities(glyphs, glyphPlan, reference, { choices, known: halves, onMeasured })
    expect(printSensitivities(again)).toBe(text)
    expect(steps).toEqual(layers.map((_, i) => [2 * layers.length + i + 1, 3 * layers.length]))
    // A search with other choices keeps them all, and is named by its own only.
    const fewer = await measureSensitivities(glyphs, glyphPlan, reference, { choices: chooseBits([4, 8]), known })
    expect(fewer.losses).toHaveLength(known.losses.length)
    const alone = { ...known, losses: known.losses.filter(({ choice }) => choice !== 's2') }
    expect(hashSensitivities(fewer, chooseBits([4, 8]))).toBe(hashSensitivities(alone, chooseBits([4, 8])))
    expect(hashSensitivities(fewer, chooseBits([4, 8]))).not.toBe(hashSensitivities(known, choices))
  })

  it('does not use what is known of another plan, other samples or other weights', async () => {
    const network = small()
    const { graph, plan } = await network
    const on = (seed: number): Promise<ReferenceOutputs> => referenceOutputs(graph, byteSet([2, 6, 6], { seed }))
    const base = await measureSensitivities(graph, plan, await on(5), { choices })
    const wrong = { ...base, losses: base.losses.map((entry) => ({ ...entry, squaredError: 1 })) }
    const other = {
      ...plan,
      tensors: { ...plan.tensors, v0: { ...plan.tensors.v0, scale: plan.tensors.v0.scale * 2 } },
    }
    const used = await measureSensitivities(graph, plan, await on(5), { choices, known: wrong })
    expect(used.losses).toEqual(wrong.losses)
    for (const [changedPlan, seed] of [
      [other, 5],
      [plan, 6],
    ] as const) {
      const found = await measureSensitivities(graph, changedPlan, await on(seed), { choices, known: wrong })
      expect(found.key).not.toBe(base.key)
      expect(found.losses.every(({ squaredError }) => squaredError < 1)).toBe(true)
    }
  })

  it('stops when it is told to', async () => {
    const controller = new AbortController()
    let kept = 0
    const run = measureSensitivities(glyphs, glyphPlan, reference, {
      choices,
      signal: controller.signal,
      onMeasured({ losses }) {
        kept = losses.length
        if (kept === 3) controller.abort()
      },
    })
    await expect(run).rejects.toThrow(/abort/i)
    expect(kept).toBe(3)
  })

  it('refuses records that are none', () => {
    for (const json of [null, {}, { ...measured, schema: 2 }, { ...measured, losses: [{ layer: 'a' }] }])
      expect(refusal(() => parseSensitivities(json, '"kept.json"')).message).toMatch(/^"kept\.json" is no record/)
    const [first] = measured.losses
    for (const [json, words] of [
      [{ ...measured, key: 'a' }, '"key":'],
      [{ ...measured, '\u001b[2J': 1 }, 'unknown "\\u{1b}[2J"'],
      [{ ...measured, losses: [{ ...first, squaredError: -1 }] }, '"losses.0.squaredError":'],
      [{ ...measured, losses: [{ ...first, layer: 'n'.repeat(1025) }] }, '"losses.0.layer":'],
      [{ ...measured, losses: [first, first] }, `two measurements of "${first.layer}"`],
    ] as const)
      expect(refusal(() => parseSensitivities(json, '"kept.json"')).message).toContain(words)
  })
})

describe('the best allocation', () => {
  it('is the best of all under the additive model', async () => {
    const { graph, plan } = await small()
    const outputs = await referenceOutputs(graph, byteSet([2, 6, 6], { seed: 5 }))
    const record = await measureSensitivities(graph, plan, outputs, { choices })
    const names = weightedNodes(graph).map(({ outputs: [name] }) => name)
    expect(names).toHaveLength(5)
    for (const kind of ['squaredError', 'divergence'] as const) {
      const sensitivities = measuredOmega(record, names, choices, kind)
      for (const omega of sensitivities.values()) expect(Math.min(...omega.values())).toBe(0)
      const { layers } = planLayers(graph, plan, { choices, sensitivities })
      for (const axis of ['bytes', 'bops'] as const) {
        const total = layers.reduce((sum, { options }) => sum + (options[2].cost[axis] as number), 0)
        for (const share of [0.45, 0.65, 0.9]) {
          const problem: AllocationProblem = { layers, budgets: { [axis]: share * total } }
          const best = allocateExhaustively(problem)
          const found = await allocateBits(problem)
          expect(found.sensitivity).toBe(best?.sensitivity)
          expect(found.cost[axis]).toBeLessThanOrEqual(share * total)
        }
      }
    }
  })
})

/** Five layers on 2 × 6 × 6 bytes. */
async function small() {
  const pads = { pads: [1, 1, 1, 1] }
  const set: DataSet = byteSet([2, 6, 6])
  const graph = prepare(
    net({ x: [1, 2, 6, 6] }, [
      { operator: 'Conv', inputs: ['x', { shape: [4, 2, 3, 3] }, { shape: [4] }], attributes: pads },
      { operator: 'Conv', inputs: ['v0', { shape: [4, 1, 3, 3] }], attributes: { ...pads, group: 4 } },
      { operator: 'Conv', inputs: ['v1', { shape: [6, 4, 1, 1] }] },
      { operator: 'Conv', inputs: ['v2', { shape: [4, 6, 3, 3] }] },
      { operator: 'Flatten', inputs: ['v3'] },
      { operator: 'Gemm', inputs: ['v4', { shape: [5, 64] }, { shape: [5] }], attributes: { transB: 1 } },
    ]),
  ).compiled
  return { graph, plan: await calibrate(graph, set) }
}
