import { describe, expect, it } from 'vitest'
import { lower } from '../lower/lower.ts'
import { byteSet, randomNetwork, refusal } from '../lower/network.fixture.ts'
import { calibrate } from '../quantize/calibrate.ts'
import { parsePlan } from '../quantize/plan.ts'
import { prepare } from '../quantize/prepare.ts'
import { net } from '../reference/fast/net.fixture.ts'
import { applyChoices, type BitChoice, bitChoices, choiceName, chooseBits, sharedInputs } from './bit-choice.ts'
import { weightedNodes } from './sensitivity.ts'

const S4: BitChoice = { bits: 4, weights: 's4' }

/** A convolution whose output two others read, one behind a pool; then a sum and a dense layer. */
const branches = prepare(
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
).compiled
const branchPlan = await calibrate(branches, byteSet([3, 8, 8], { perChannel: true }))

describe('chooseBits', () => {
  it('takes what the table has, in the order given', () => {
    expect(chooseBits([8, 4]).map(choiceName)).toEqual(['s8', 's4'])
    expect(bitChoices.map(({ bits }) => bits)).toEqual([2, 3, 4, 5, 6, 7, 8, 16])
  })

  it('refuses what is not in the table, twice the same, and nothing', () => {
    for (const bits of [[1], [4, 9], [4, 4], [], [Number.NaN]])
      expect(refusal(() => chooseBits(bits)).message).toMatch(/give some of 2, 3, 4, 5, 6, 7, 8, 16, each once$/)
  })
})

describe('applyChoices', () => {
  it('gives every layer the weights that calibration with that format gives', async () => {
    for (let seed = 1; seed <= 30; seed++) {
      const { graph, set } = randomNetwork(seed)
      const { compiled } = prepare(graph)
      const plan = await calibrate(compiled, set)
      const all = new Map(weightedNodes(compiled).map(({ outputs: [name] }) => [name, S4]))
      const wanted = await calibrate(compiled, set, { weights: 's4' })
      const found = applyChoices(compiled, plan, all)
      expect(found.weights).toEqual(wanted.weights)
      expect(found.tensors).toEqual(plan.tensors)
    }
    const all = new Map(weightedNodes(branches).map(({ outputs: [name] }) => [name, S4]))
    const wanted = await calibrate(branches, byteSet([3, 8, 8], { perChannel: true }), { weights: 's4' })
    expect(applyChoices(branches, branchPlan, all).weights).toEqual(wanted.weights)
  })

  it('changes the layers that are named, and keeps entries that have the bits already', () => {
    const [first] = weightedNodes(branches).map(({ outputs: [name] }) => name)
    const changed = applyChoices(branches, branchPlan, new Map([[first, S4]]))
    for (const [name, entry] of Object.entries(changed.weights))
      expect(entry === branchPlan.weights[name]).toBe(name !== first)
    const grid = { ...branchPlan.weights[first], format: 'u8' as const, zeroPoint: [3] }
    const given = { ...branchPlan, weights: { ...branchPlan.weights, [first]: grid } }
    expect(applyChoices(branches, given, new Map([[first, { bits: 8, weights: 's8' }]])).weights[first]).toBe(grid)
    expect(refusal(() => applyChoices(branches, branchPlan, new Map([['nowhere', S4]]))).message).toContain('"nowhere"')
  })

  it('changes what a layer reads, behind operators that only move it; a network input stays', () => {
    const wide: BitChoice = { bits: 16, weights: 's8', activations: 's16' }
    const [stem, left, right, dense] = weightedNodes(branches).map(({ outputs: [name] }) => name)
    expect(applyChoices(branches, branchPlan, new Map([[stem, wide]]))).toBe(branchPlan)
    for (const layer of [left, right]) {
      const { tensors } = applyChoices(branches, branchPlan, new Map([[layer, wide]]))
      const { scale, zeroPoint } = branchPlan.tensors[stem]
      expect(tensors[stem]).toEqual({
        format: 's16',
        scale: (Math.max(zeroPoint, 255 - zeroPoint) * scale) / 32767,
        zeroPoint: 0,
      })
      expect(tensors[dense]).toBe(branchPlan.tensors[dense])
    }
    expect(sharedInputs(branches, branchPlan, [S4])).toEqual([])
    expect(sharedInputs(branches, branchPlan, [S4, wide])).toEqual([[1, 2]])
  })

  it('makes plans of 4-bit values that are plans, and can be compiled', () => {
    const narrow: BitChoice = { bits: 4, weights: 's4', activations: 'u4' }
    const plan = applyChoices(branches, branchPlan, new Map(weightedNodes(branches).map((n) => [n.outputs[0], narrow])))
    expect(parsePlan(JSON.parse(JSON.stringify(plan)), 'plan')).toEqual(plan)
    const stem = weightedNodes(branches)[0].outputs[0]
    expect(plan.tensors[stem].format).toBe('u4')
    expect(plan.tensors[stem].scale).toBeCloseTo((branchPlan.tensors[stem].scale * 255) / 15, 12)
    expect(lower(branches, plan).tensors.find(({ name }) => name === stem)?.range.high).toBeLessThanOrEqual(15)
  })
})
