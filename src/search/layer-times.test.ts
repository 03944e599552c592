import { describe, expect, it } from 'vitest'
import { byteSet } from '../lower/network.fixture.ts'
import { calibrate } from '../quantize/calibrate.ts'
import { prepare } from '../quantize/prepare.ts'
import { net } from '../reference/fast/net.fixture.ts'
import { chooseBits } from './bit-choice.ts'
import { measureLayerTimes } from './layer-times.ts'

/** A residual, a depthwise and a dense layer: every way in which a layer has operands. */
const graph = prepare(
  net({ x: [1, 8, 6, 6] }, [
    { operator: 'Conv', inputs: ['x', { shape: [8, 8, 3, 3] }], attributes: { pads: [1, 1, 1, 1] } },
    { operator: 'Conv', inputs: ['v0', { shape: [8, 8, 3, 3] }], attributes: { pads: [1, 1, 1, 1] } },
    { operator: 'Add', inputs: ['v1', 'v0'] },
    { operator: 'Conv', inputs: ['v2', { shape: [8, 1, 3, 3] }], attributes: { group: 8 } },
    { operator: 'Flatten', inputs: ['v3'] },
    { operator: 'Gemm', inputs: ['v4', { shape: [5, 128] }], attributes: { transB: 1 } },
  ]),
).compiled

describe('measureLayerTimes', () => {
  it('times every layer alone; bits of weights share one time, and the sum is the whole', async () => {
    const plan = await calibrate(graph, byteSet([8, 6, 6]))
    const { layers, others, whole } = await measureLayerTimes(graph, plan, chooseBits([2, 4, 8]), () =>
      performance.now(),
    )
    expect([...layers.keys()]).toEqual(['v0', 'v2', 'v3', 'v5'])
    let sum = 0
    for (const times of layers.values()) {
      expect([...times.keys()]).toEqual([2, 4, 8])
      expect(new Set(times.values()).size).toBe(1)
      expect(times.get(8)).toBeGreaterThan(0)
      sum += times.get(8) as number
    }
    expect(others).toBeGreaterThanOrEqual(0)
    expect(sum + others).toBe(whole)
  })

  it('divides the clock by the runs, and takes the median', async () => {
    const plan = await calibrate(graph, byteSet([8, 6, 6]))
    // Every reading is one round of 7 ms, long enough at the first run: one run takes 7 ms.
    let now = 0
    const { layers } = await measureLayerTimes(graph, plan, chooseBits([8]), () => (now += 7))
    expect([...layers.values()].map((times) => times.get(8))).toEqual([7, 7, 7, 7])
  })
})
