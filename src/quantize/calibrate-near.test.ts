import { describe, expect, it } from 'vitest'
import type { Graph } from '../graph/graph.ts'
import { lower } from '../lower/lower.ts'
import { conv, floatSet } from '../lower/network.fixture.ts'
import { net } from '../reference/fast/net.fixture.ts'
import type { CalibrateOptions } from './calibrate.ts'
import { calibrateNear } from './calibrate-near.ts'
import { outputNearness } from './nearness.ts'
import { prepare } from './prepare.ts'

describe('activations by nearness', () => {
  /** A chain whose second layer undoes what makes the first one's channels as different as 1 and 1,000. */
  const graph = (spread: number) =>
    prepare(
      net({ x: [1, 2, 6, 6] }, [
        { operator: 'Conv', inputs: ['x', { shape: [2, 2, 1, 1], values: [spread, 0, 0, 1] }] },
        { operator: 'Relu', inputs: ['v0'] },
        { operator: 'Conv', inputs: ['v1', { shape: [2, 2, 1, 1], values: [1 / spread, 0, 0, 1] }] },
        conv('v2', 3, 2, 3, 3),
      ]),
    ).compiled

  const formats = async (spread: number): Promise<{ inner: string[]; notes: string[] }> => {
    const notes: string[] = []
    const plan = await calibrateNear(graph(spread), floatSet([2, 6, 6], 1, 20), { onNote: (note) => notes.push(note) })
    const inner = ['v1', 'v2'].map((name) => plan.tensors[name]?.format as string)
    return { inner, notes: notes.filter((note) => note.startsWith('activations:')) }
  }

  it('are 8 bits where these suffice', async () => {
    expect(await formats(1)).toEqual({ inner: ['u8', 'u8'], notes: [] })
  })

  it('are 16 bits where 8 leave an output too far off, and a note says so', async () => {
    const { inner, notes } = await formats(1000)
    expect(inner).toEqual(['s16', 's16'])
    expect(notes).toHaveLength(1)
    expect(notes[0]).toMatch(/with 8 bits output "v3" comes to -?[\d.]+ dB .* they get 16 bits/)
  })

  const planOf = async (given: Graph, options: Omit<CalibrateOptions, 'activations'> = {}) => {
    const notes: string[] = []
    const { compiled } = prepare(given)
    const plan = await calibrateNear(compiled, floatSet([2, 6, 6], 1, 20), {
      ...options,
      onNote: (note) => notes.push(note),
    })
    const [worst] = await outputNearness(compiled, plan, floatSet([2, 6, 6], 2, 4))
    return { compiled, plan, worst: worst as number, notes }
  }

  it('have a scale for each channel around a Swish that 16 bits are too few for', async () => {
    const small = 1 / 20_000
    const { compiled, plan, worst, notes } = await planOf(
      net({ x: [1, 2, 6, 6] }, [
        { operator: 'Conv', inputs: ['x', { shape: [2, 2, 1, 1], values: [1, 0.5, small, -small] }] },
        { operator: 'Swish', inputs: ['v0'] },
        { operator: 'Conv', inputs: ['v1', { shape: [2, 2, 1, 1], values: [0.1, 0, 0, 1 / small] }] },
        { operator: 'Relu', inputs: ['v2'] },
        { operator: 'Conv', inputs: ['v3', { shape: [2, 2, 1, 1], values: [0.01, 1, 0, 1] }] },
      ]),
    )
    expect(plan.origin.channelScales).toEqual(['v0', 'v1'])
    expect(plan.tensors.v0?.channelScales).toEqual([1, 2 ** -10])
    expect(plan.tensors.v1?.channelScales).toEqual(plan.tensors.v0?.channelScales)
    expect(notes.filter((note) => /scale for each channel of "v0", "v1"/.test(note))).toHaveLength(1)
    expect(worst).toBeGreaterThan(38)
    expect(() => lower(compiled, plan)).not.toThrow()
  })

  /** Two inputs of a sum, one a thousand times larger than the other with a weight as much smaller. */
  const uneven = net({ x: [1, 2, 6, 6] }, [
    { operator: 'Conv', inputs: ['x', { shape: [2, 2, 1, 1], values: [1000, 0, 0, 1] }] },
    { operator: 'Relu', inputs: ['v0'] },
    { operator: 'Conv', inputs: ['v1', { shape: [2, 2, 1, 1], values: [0.0013, 1, 0.0017, -1] }] },
    conv('v2', 3, 2, 3, 3),
  ])

  it('of 16 bits come with 16-bit weights where 8 cost most', async () => {
    for (const methods of [[], ['bias-correction']] as const) {
      const { compiled, plan, worst, notes } = await planOf(uneven, { methods })
      expect(plan.origin.weights16).toEqual(['v2'])
      expect([plan.weights.v1?.format, plan.weights.v2?.format]).toEqual(['s8', 's16'])
      expect(notes.filter((note) => note.startsWith('weights:'))).toHaveLength(1)
      expect(worst).toBeGreaterThan(30)
      expect(plan.biases === undefined).toBe(methods.length === 0)
      expect(() => lower(compiled, plan)).not.toThrow()
    }
  })

  it('leave the weights that a rule names', async () => {
    const { plan, worst } = await planOf(uneven, { keep: [{ pattern: 'v2', format: 'w8' }] })
    expect(plan.weights.v2?.format).toBe('s8')
    expect(worst).toBeLessThan(20)
  })
})
