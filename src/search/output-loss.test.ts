import { describe, expect, it } from 'vitest'
import { byteSet } from '../lower/network.fixture.ts'
import { calibrate } from '../quantize/calibrate.ts'
import { realInput } from '../quantize/input.ts'
import { prepare } from '../quantize/prepare.ts'
import { net } from '../reference/fast/net.fixture.ts'
import { createReferenceExecutor } from '../reference/run.ts'
import type { Network } from '../runtime/network.ts'
import { instantiatePlan } from './instantiate-plan.ts'
import { decibels, measureLoss, type ReferenceOutputs, referenceOutputs } from './output-loss.ts'

const samples = byteSet([2, 4, 4], { length: 2 })
const port = {
  ...{ name: 'x', shape: [1, 2, 4, 4], format: 'u8', scale: [...samples.scale], zeroPoint: [...samples.offset] },
  ...{ channelAxis: 1, offset: 0, count: 32 },
} as const

/** A program that answers by a list. */
function answering(answers: readonly Record<string, number[]>[]): Network {
  let calls = 0
  const run = (): Record<string, Float32Array> =>
    Object.fromEntries(Object.entries(answers[calls++]).map(([name, values]) => [name, Float32Array.from(values)]))
  return { inputs: [port], run } as unknown as Network
}

const reference: ReferenceOutputs = {
  samples,
  stored: [new Uint8Array(32), new Uint8Array(32)],
  outputs: new Map([
    ['a', [Float32Array.of(3, 4), Float32Array.of(0, 5)]],
    ['b', [Float32Array.of(2), Float32Array.of(0)]],
  ]),
}

describe('measureLoss', () => {
  it('is 0 for equal outputs', () => {
    const equal = answering([
      { a: [3, 4], b: [2] },
      { a: [0, 5], b: [0] },
    ])
    expect(measureLoss(equal, reference)).toEqual({ squaredError: 0, divergence: 0 })
    expect(decibels(0)).toBe(Infinity)
    expect(decibels(0.01)).toBeCloseTo(20, 12)
  })

  it('is relative to each output over all samples, and averaged over the outputs', () => {
    const wrong = answering([
      { a: [3, 5], b: [3] },
      { a: [0, 5], b: [-1] },
    ])
    const { squaredError, divergence } = measureLoss(wrong, reference)
    // 1 of 50 and 2 of 4.
    expect(squaredError).toBe((1 / 50 + 2 / 4) / 2)
    // One of four score vectors has moved: softmax(3, 4) against softmax(3, 5), with their second shares.
    const [p, q] = [1 / (1 + Math.exp(-1)), 1 / (1 + Math.exp(-2))]
    expect(divergence).toBeCloseTo((p * Math.log(p / q) + (1 - p) * Math.log((1 - p) / (1 - q))) / 4, 12)
  })

  it('does not divide by outputs that are 0', () => {
    const zeros = new Map([['a', [Float32Array.of(0), Float32Array.of(0)]]])
    const network = answering([{ a: [0.5] }, { a: [0] }])
    expect(measureLoss(network, { ...reference, outputs: zeros }).squaredError).toBe(0.25)
  })
})

describe('referenceOutputs', () => {
  const graph = prepare(
    net(
      { x: [1, 2, 4, 4] },
      [
        { operator: 'Conv', inputs: ['x', { shape: [3, 2, 3, 3] }] },
        { operator: 'Relu', inputs: ['v0'] },
        { operator: 'Conv', inputs: ['v1', { shape: [2, 3, 1, 1] }] },
        { operator: 'Conv', inputs: ['v1', { shape: [4, 3, 2, 2] }] },
      ],
      ['v2', 'v3'],
    ),
  ).compiled

  it('has every output of every sample, which the program comes close to', async () => {
    const found = await referenceOutputs(graph, samples)
    for (let i = 0; i < samples.length; i++) {
      const outputs = createReferenceExecutor(graph).run(new Map([['x', realInput(samples, await samples.read(i))]]))
      for (const [name, values] of outputs)
        for (const [k, value] of values.entries()) expect(found.outputs.get(name)?.[i][k]).toBeCloseTo(value, 4)
    }
    const { squaredError } = measureLoss(await instantiatePlan(graph, await calibrate(graph, samples)), found)
    expect(decibels(squaredError)).toBeGreaterThan(30)
  })

  it('refuses no samples and samples of another shape, and stops when it is told to', async () => {
    await expect(referenceOutputs(graph, { ...samples, length: 0 })).rejects.toThrow(/"bytes" has no samples/)
    await expect(referenceOutputs(graph, byteSet([3, 4, 4]))).rejects.toThrow(/wants \[2,4,4\]/)
    await expect(referenceOutputs(graph, samples, AbortSignal.abort())).rejects.toThrow(/abort/i)
  })
})
