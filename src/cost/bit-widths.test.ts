import { describe, expect, it } from 'vitest'
import type { Plan } from '../quantize/plan.ts'
import { prepare } from '../quantize/prepare.ts'
import { net } from '../reference/fast/net.fixture.ts'
import { planBits, uniformBits } from './bit-widths.ts'
import { countNetwork } from './count.ts'

describe('uniformBits', () => {
  it('refuses what is no width', () => {
    for (const bits of [0, 65, 1.5, Number.NaN]) expect(() => uniformBits(bits, 8)).toThrow(/bits for weights/)
    expect(() => uniformBits(8, -1)).toThrow(/-1 bits for values/)
  })
})

describe('planBits', () => {
  const { compiled } = prepare(
    net({ x: [1, 2, 6, 6] }, [
      { operator: 'Conv', inputs: ['x', { shape: [3, 2, 3, 3] }, { shape: [3] }] },
      { operator: 'MaxPool', inputs: ['v0'], attributes: { kernel_shape: [2, 2], strides: [2, 2] } },
      { operator: 'Flatten', inputs: ['v1'] },
      { operator: 'Gemm', inputs: ['v2', { shape: [5, 12] }, { shape: [5] }], attributes: { transB: 1 } },
    ]),
  )
  const tensor = (format: 'u8' | 's16') => ({ format, scale: 1, zeroPoint: 0 })
  const weight = (format: 's8' | 's3') => ({ format, scale: [1], zeroPoint: [0] })
  const plan: Plan = {
    schema: 1,
    kind: 'dyadic-plan',
    model: 'test',
    origin: {},
    inputs: { x: { format: 'u8', scale: [1], zeroPoint: [0], layout: 'nchw' } },
    tensors: { v0: tensor('u8'), v3: tensor('s16') },
    weights: { v0: weight('s8'), v3: weight('s3') },
  }

  it('gives layers and values the bits of the plan; what moves values keeps theirs', () => {
    const { layers, totals } = countNetwork(compiled, planBits(compiled, plan))
    expect(layers.map(({ name, weightBits, inputBits }) => [name, weightBits, inputBits])).toEqual([
      ['v0', 8, 8],
      ['v1', 0, 0],
      ['v2', 0, 0],
      ['v3', 3, 8],
    ])
    expect(totals.bops).toBe(54 * 16 * 64 + 60 * 24)
    // 60 weights of 3 bits are 22.5 bytes.
    expect(totals.weightBytes).toBe(54 + 23)
    expect(totals.activationBytes).toBe(48 + 12 + 12 + 10)
  })

  it.each<[string, Partial<Plan>, RegExp]>([
    ['an input', { inputs: {} }, /no entry "inputs" for "x"/],
    ['a layer', { weights: { v0: weight('s8') } }, /no entry "weights" for "v3"/],
  ])('refuses a plan without %s', (_, change, message) => {
    expect(() => countNetwork(compiled, planBits(compiled, { ...plan, ...change }))).toThrow(message)
  })
})
