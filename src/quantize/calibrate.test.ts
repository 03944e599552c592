/** What calibration does with range methods, methods and layers that bring a grid. */
import { describe, expect, it } from 'vitest'
import { byteSet, conv, lowered, refusal, stepErrors } from '../lower/network.fixture.ts'
import { net } from '../reference/fast/net.fixture.ts'
import { completePlan } from './prepare.ts'

const set = byteSet([2, 6, 6])
const two = () =>
  net({ x: [1, 2, 6, 6] }, [conv('x', 4, 2, 3, 3), { operator: 'Relu', inputs: ['v0'] }, conv('v1', 3, 4, 4, 4)])

describe('calibrate', () => {
  it.each(['mse', 'entropy', 'percentile:90'] as const)('keeps the extremes of wide scores under %s', async (range) => {
    const [plain, chosen] = [await lowered(two(), set), await lowered(two(), set, { range })]
    expect(chosen.plan.tensors.v2).toEqual(plain.plan.tensors.v2)
    expect(chosen.plan.tensors.v1?.zeroPoint).toBe(0)
    expect(chosen.plan.tensors.v1?.scale).toBeLessThanOrEqual(plain.plan.tensors.v1?.scale as number)
  })

  it('keeps the grid of weights that were integers, and computes them exactly', async () => {
    const values = Array.from({ length: 24 }, (_, i) => (((i * 37) % 256) - 100) * 0.03)
    const graph = net({ x: [1, 2, 6, 6] }, [
      { operator: 'Conv', inputs: ['x', { shape: [3, 2, 2, 2], values: [-3, -2.97, ...values.slice(2)] }] },
    ])
    const { compiled, plan, integers } = await lowered(graph, set)
    expect(plan.weights.v0).toMatchObject({ format: 'u8', zeroPoint: [100] })
    expect(plan.weights.v0?.scale[0]).toBeCloseTo(0.03, 7)
    // Half a step for the output's own rounding.
    expect(stepErrors(compiled, plan, integers).v0).toBeLessThan(0.51)
    const { plan: coarse } = await lowered(graph, set, { weights: 's4' })
    expect(coarse.weights.v0?.format).toBe('s4')
  })

  it.each(['bias-correction', 'gptq', 'migrate'] as const)(
    'refuses what %s made beside the weights of a quantised file',
    async (method) => {
      const { plan } = await lowered(two(), set)
      const { plan: improved } = await lowered(two(), set, { methods: [method] })
      expect(completePlan(plan, plan).weights).toEqual(plan.weights)
      expect(refusal(() => completePlan(improved, plan)).message).toMatch(/calibrate without methods/)
    },
  )
})
