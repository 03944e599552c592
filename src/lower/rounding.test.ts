/** The roundings of additions, folded normalisation and averages: HAWQ-V3's checks A5 to A7, stated for rules R5 and R6. */
import { describe, expect, it } from 'vitest'
import { fuse } from '../graph/fuse.ts'
import { simplify } from '../graph/simplify.ts'
import { add, type StoredCodes } from '../kernels/scalar/elementwise.ts'
import { interpret } from '../program/interpret.ts'
import type { InputPlan } from '../quantize/plan.ts'
import { prepare } from '../quantize/prepare.ts'
import { net, noise, relativeError, TOLERANCE } from '../reference/fast/net.fixture.ts'
import { createReferenceExecutor } from '../reference/run.ts'
import type { AddInstruction, AveragePoolInstruction } from './integer-graph.ts'
import { lower } from './lower.ts'
import { byteSet, lowered } from './network.fixture.ts'

describe('A5: a residual addition', () => {
  /** `Add` of two inputs whose codes take all 256 values. */
  function addition(scales: readonly [number, number, number]): AddInstruction {
    const { compiled } = prepare(net({ a: [1, 1, 1, 1], b: [1, 1, 1, 1] }, [{ operator: 'Add', inputs: ['a', 'b'] }]))
    const input = (scale: number, zeroPoint: number): InputPlan => ({
      format: 'u8',
      scale: [scale],
      zeroPoint: [zeroPoint],
      layout: 'nchw',
    })
    const integers = lower(compiled, {
      ...{ schema: 1, kind: 'dyadic-plan', model: 'a5', origin: {}, weights: {} },
      inputs: { a: input(scales[0], 31), b: input(scales[1], 200) },
      tensors: { v0: { format: 'u8', scale: scales[2], zeroPoint: 117 } },
    })
    return integers.instructions.find((instruction) => instruction.kind === 'add') as AddInstruction
  }

  it.each([
    [0.1, 0.1, 0.2],
    [0.013, 0.09, 0.07],
    [1 / 3, 0.001, 0.25],
    [0.05, 0.05, 0.011],
  ])('scales %s and %s to %s: all 65,536 pairs are within one unit of exact real addition', (a, b, y) => {
    const instruction = addition([a, b, y])
    const size = { height: 256, width: 256, channels: 1, stride: 1 }
    const left = { data: Int8Array.from({ length: 65536 }, (_, i) => (i >> 8) - 128), ...size }
    const right = { data: Int8Array.from({ length: 65536 }, (_, i) => (i & 255) - 128), ...size }
    const wide = { data: new Int32Array(65536), ...size }
    // Unclamped, so that every pair counts.
    add(left, right, wide as unknown as StoredCodes, { ...instruction, low: -(2 ** 31), high: 2 ** 31 - 1 })
    let worst = 0
    for (let i = 0; i < 65536; i++) {
      const exact =
        (((left.data[i] as number) - instruction.leftZeroPoint) * a +
          ((right.data[i] as number) - instruction.rightZeroPoint) * b) /
          y +
        instruction.outputZeroPoint
      worst = Math.max(worst, Math.abs((wide.data[i] as number) - exact))
    }
    // One rounding, where A5 has two: half a unit and the multipliers' error.
    expect(worst).toBeLessThanOrEqual(0.5 + 2 ** -11)
    expect(worst).toBeLessThan(1)
  })
})

describe('A6: folding normalisation', () => {
  it('keeps the float result to 1e-5 of its largest element', () => {
    for (const [seed, group] of [
      [1, 1],
      [2, 1],
      [3, 4],
    ] as const) {
      const channels = (spread: number, offset: number, at: number) => ({
        shape: [8],
        values: noise(8, 31 * seed + at).map((value) => value * spread + offset),
      })
      const graph = net({ x: [1, 4, 9, 9] }, [
        { operator: 'Conv', inputs: ['x', { shape: [8, 4 / group, 3, 3] }], attributes: { pads: [1, 1, 1, 1], group } },
        {
          operator: 'BatchNormalization',
          inputs: ['v0', channels(0.5, 1, 1), channels(0.3, 0, 2), channels(0.3, 0, 3), channels(0.4, 0.5, 4)],
        },
        { operator: 'Relu', inputs: ['v1'] },
      ])
      const folded = fuse(simplify(graph))
      expect(folded.nodes.map(({ operator }) => operator)).toEqual(['dyadic.Conv'])
      const input = new Map([['x', Float32Array.from(noise(4 * 81, seed))]])
      const expected = createReferenceExecutor(graph).run(input).get('v2') as Float32Array
      expect(relativeError(createReferenceExecutor(folded).run(input).get('v2'), expected)).toBeLessThan(TOLERANCE)
    }
  })
})

describe('A7: the average pool', () => {
  /** A 7×7 average at equal scales: the ratio is 1/49. */
  async function average(sums: readonly number[]): Promise<number[]> {
    const graph = net({ x: [1, 1, 7, 7] }, [{ operator: 'GlobalAveragePool', inputs: ['x'] }])
    const { compiled, plan } = await lowered(graph, byteSet([1, 7, 7]))
    const input = { format: 's8' as const, scale: [0.25], zeroPoint: [0], layout: 'nchw' as const }
    const tensors = { v0: { format: 's8' as const, scale: 0.25, zeroPoint: 0 } }
    const integers = lower(compiled, { ...plan, inputs: { x: input }, tensors })
    const pool = integers.instructions.find((one) => one.kind === 'average-pool') as AveragePoolInstruction
    expect(pool.bounds.accumulator).toEqual({ low: -128 * 49, high: 127 * 49 })
    return sums.map((sum) => {
      const codes = new Int8Array(49)
      for (let left = Math.abs(sum), i = 0; left > 0; i++) {
        const part = Math.min(left, 127)
        codes[i] = Math.sign(sum) * part
        left -= part
      }
      return (interpret(integers, new Map([['x', codes]])).get('v0') as Int8Array)[0] as number
    })
  }

  it('rounds half up where HAWQ-V3 truncates (its values: 0, 1, 0, 0 for 48, 49, -48, -49)', async () => {
    expect(await average([48, 49, -48, -49])).toEqual([1, 1, -1, -1])
    expect(await average([24, 25, -24, -25, 73, 74, -73, -74])).toEqual([0, 1, 0, -1, 1, 2, -1, -2])
  })

  it('is the correctly rounded quotient for every sum', async () => {
    const sums = Array.from({ length: 255 }, (_, index) => (index - 127) * 45)
    // 49 is odd: no sum is a tie.
    expect(await average(sums)).toEqual(sums.map((sum) => Math.round(sum / 49) + 0))
  })
})
