import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { prepare } from '../quantize/prepare.ts'
import { net } from '../reference/fast/net.fixture.ts'
import { allocationLayers } from './allocation-layers.ts'
import { allocateBits } from './bit-allocation.ts'
import { quantisationError, weightSensitivities } from './sensitivity.ts'

const numbers = fc.array(fc.double({ min: -4, max: 4, noNaN: true }), { minLength: 12, maxLength: 12 })

/** Two convolutions (3·8·9 and 8·4·9 weights) and a dense layer (4·16·10) on 4 × 4 pixels. */
const { compiled } = prepare(
  net({ x: [1, 3, 4, 4] }, [
    { operator: 'Conv', inputs: ['x', { shape: [8, 3, 3, 3] }, { shape: [8] }], attributes: { pads: [1, 1, 1, 1] } },
    { operator: 'Relu', inputs: ['v0'] },
    { operator: 'Conv', inputs: ['v1', { shape: [4, 8, 3, 3] }], attributes: { pads: [1, 1, 1, 1] } },
    { operator: 'Flatten', inputs: ['v2'] },
    { operator: 'Gemm', inputs: ['v3', { shape: [10, 64] }, { shape: [10] }], attributes: { transB: 1 } },
  ]),
)

describe('quantisationError', () => {
  it('is what rounding to the grid of each channel loses', () => {
    // Channel 0: step 1, errors 0, 0.25, 0.5 (half goes to the even code). Channel 1: step 2.
    expect(quantisationError([7, 1.25, 2.5, -14, 1, 0], 2, 4)).toBe(0.0625 + 0.25 + 1)
    expect(quantisationError([127, 0.5, 1.5], 1, 8)).toBe(0.5)
    expect(quantisationError([0, 0, 0], 1, 4)).toBe(0)
  })

  it('is at most a quarter step squared per weight, and falls with the bits', () => {
    fc.assert(
      fc.property(numbers, fc.constantFrom(2, 3, 4, 6, 8, 12, 16), (weights, bits) => {
        const bound = [0, 1, 2].reduce((sum, o) => {
          const step = Math.max(...weights.slice(4 * o, 4 * o + 4).map(Math.abs)) / (2 ** (bits - 1) - 1)
          return sum + 4 * (step / 2) ** 2
        }, 0)
        expect(quantisationError(weights, 3, bits)).toBeLessThanOrEqual(bound * (1 + 1e-9))
      }),
    )
    const weights = Array.from({ length: 400 }, (_, i) => Math.sin(i * i))
    const errors = [2, 3, 4, 5, 6, 7, 8, 16].map((bits) => quantisationError(weights, 4, bits))
    expect(errors).toEqual(errors.toSorted((a, b) => b - a))
    expect(errors[2] / errors[6]).toBeCloseTo((127 / 7) ** 2, -2)
  })

  it('refuses one bit and more than 16', () => {
    for (const bits of [1, 17, 4.5, Number.NaN])
      expect(() => quantisationError([1], 1, bits)).toThrow(/bits for weights/)
  })
})

describe('weightSensitivities', () => {
  it('multiplies the error of each layer with its trace', () => {
    const plain = weightSensitivities(compiled, [4, 8])
    expect(plain.map(({ name }) => name)).toEqual(['v1', 'v2', 'v4'])
    const traces = new Map(plain.map(({ name }, i) => [name, i * 0.5]))
    for (const [i, { sensitivity }] of weightSensitivities(compiled, [4, 8], traces).entries())
      for (const bits of [4, 8])
        expect(sensitivity.get(bits)).toBe((plain[i].sensitivity.get(bits) as number) * i * 0.5)
  })

  it('refuses traces of layers that do not exist, and missing ones', () => {
    expect(() => weightSensitivities(compiled, [4], new Map([['v9', 1]]))).toThrow(/given for "v9", no layer/)
    expect(() => weightSensitivities(compiled, [4], new Map([['v1', 1]]))).toThrow(/layer "v2" is undefined/)
  })
})

describe('allocationLayers', () => {
  it('counts packed weights with biases, and products of bits', () => {
    const layers = allocationLayers(compiled, { bits: [2, 4, 8, 16] })
    expect(layers.map(({ options }) => options.map(({ cost }) => cost.bytes))).toEqual([
      [54 + 32, 108 + 32, 216 + 32, 432 + 32],
      [72, 144, 288, 576],
      [160 + 40, 320 + 40, 640 + 40, 1280 + 40],
    ])
    expect(layers[0].options.map(({ cost }) => cost.bops)).toEqual([2, 4, 8, 16].map((bits) => 216 * 16 * bits * 8))
    const same = allocationLayers(compiled, { inputBits: 'same' })
    expect(same[1].options.map(({ cost }) => cost.bops)).toEqual([288 * 16 * 16, 288 * 16 * 64])
  })

  it('makes a problem that can be solved, with the first and last layer at 8 bits', async () => {
    const layers = allocationLayers(compiled, {
      fixed: new Map([
        ['v1', 8],
        ['v4', 8],
      ]),
      milliseconds: new Map([['v2', new Map([[4, 1]])]]),
    })
    expect(layers.map(({ options }) => options.map(({ bits }) => bits))).toEqual([[8], [4, 8], [8]])
    expect(layers[1].options[0].cost.milliseconds).toBe(1)
    const { bits } = await allocateBits({ layers, budgets: { bytes: 248 + 680 + 200 } })
    expect(bits).toEqual([8, 4, 8])
  })

  it('refuses widths of layers that do not exist', () => {
    expect(() => allocationLayers(compiled, { fixed: new Map([['stem', 8]]) })).toThrow(/"stem", no layer/)
  })
})
