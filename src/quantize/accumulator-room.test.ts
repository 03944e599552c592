import { describe, expect, it } from 'vitest'
import { lower } from '../lower/lower.ts'
import { conv, floatSet, lowered, refusal } from '../lower/network.fixture.ts'
import { net } from '../reference/fast/net.fixture.ts'
import { fitAccumulators } from './accumulator-room.ts'
import { encodeWeightCodes } from './base64-codes.ts'
import { codesOf, layersOf } from './layer.ts'
import type { Plan } from './plan.ts'

/** Two convolutions with 16-bit values between them; a Relu makes one of its ends 0. */
const graph = (relu: boolean) =>
  net({ x: [1, 3, 7, 7] }, [
    conv('x', 24, 3, 3, 3),
    { operator: relu ? 'Relu' : 'Elu', inputs: ['v0'] },
    conv('v1', 8, 24, 5, 5),
    { operator: 'Flatten', inputs: ['v2'] },
  ])

const WIDE = { activations: 's16', weights: 's16' } as const

/** The plan's weights at the finest scales that their largest magnitudes allow. */
function finest(plan: Plan, name: string, factor: number): Plan {
  const entry = plan.weights[name] as Plan['weights'][string]
  return {
    ...plan,
    weights: { ...plan.weights, [name]: { ...entry, scale: entry.scale.map((scale) => scale * factor) } },
  }
}

describe('fitAccumulators', () => {
  it('leaves layers of constants to the lowering', () => {
    const dense = [{ shape: [1, 4] }, { shape: [3, 4] }]
    const graph = net({ x: [1, 4] }, [{ operator: 'dyadic.Dense', inputs: dense }])
    const weights = { v0: { format: 's16' as const, scale: [1], zeroPoint: [0] } }
    const plan: Plan = { schema: 1, kind: 'dyadic-plan', model: '', origin: {}, inputs: {}, tensors: {}, weights }
    expect(fitAccumulators(graph, plan)).toBe(plan)
  })

  it.each([true, false])('enlarges scales until the proof holds, and not much further (Relu: %s)', async (relu) => {
    const { compiled, plan, integers } = await lowered(graph(relu), floatSet([3, 7, 7]), WIDE)
    const layer = integers.instructions.find((one) => one.kind === 'convolution' && one.weights.length === 8 * 600)
    if (layer?.kind !== 'convolution') throw new Error('no layer')
    expect(layer.weightFormat).toBe('s16')
    expect(layer.weights).toBeInstanceOf(Int16Array)
    const { low, high } = layer.bounds.accumulator
    expect(Math.max(-low, high)).toBeGreaterThan(2 ** 30)
    const { name } = layer.output
    expect(refusal(() => lower(compiled, finest(plan, name, 1 / 4))).message).toMatch(/beyond int32/)
    const fitted = fitAccumulators(compiled, finest(plan, name, 1 / 4))
    expect(() => lower(compiled, fitted)).not.toThrow()
    fitted.weights[name]?.scale.forEach((scale, o) => {
      expect(scale / (plan.weights[name]?.scale[o] as number)).toBeCloseTo(1, 2)
    })
  })

  it('gives channels whose codes leave int32 their nearest ones', async () => {
    const { compiled, plan } = await lowered(graph(false), floatSet([3, 7, 7]), WIDE)
    const layer = layersOf(compiled, plan)[1]
    if (layer === undefined) throw new Error('no layer')
    const codes = new Int16Array(layer.weights.length).fill(1)
    codes.fill(-2000, 600, 1200)
    const entry = { ...(plan.weights[layer.name] as Plan['weights'][string]), codes: encodeWeightCodes('s16', codes) }
    const coded = { ...plan, weights: { ...plan.weights, [layer.name]: entry } }
    expect(refusal(() => lower(compiled, coded)).code).toBe('limit')
    const fitted = fitAccumulators(compiled, coded)
    expect(() => lower(compiled, fitted)).not.toThrow()
    const after = codesOf(layer, fitted.weights[layer.name] as Plan['weights'][string])
    const nearest = codesOf(layer, { ...entry, codes: undefined })
    expect([...after]).toEqual(Array.from(codes, (code, i) => (i >= 600 && i < 1200 ? nearest[i] : code)))
    expect(fitAccumulators(compiled, fitted)).toBe(fitted)
  })

  it('leaves a plan of 8 bits as it is', async () => {
    const { compiled, plan } = await lowered(graph(true), floatSet([3, 7, 7]))
    expect(fitAccumulators(compiled, plan)).toBe(plan)
  })

  it('refuses more weights than any scale could keep within int32, by name', async () => {
    const wide = net({ x: [1, 33_000, 2, 2] }, [
      { operator: 'Elu', inputs: ['x'] },
      { operator: 'Flatten', inputs: ['v0'] },
      { operator: 'Gemm', inputs: ['v1', { shape: [1, 132_000] }], attributes: { transB: 1 } },
    ])
    await expect(lowered(wide, floatSet([33_000, 2, 2], 1, 1), WIDE)).rejects.toThrow(
      /layer "v2": output channels have 132000 weights, .* give its input 8 bits/,
    )
  })
})
