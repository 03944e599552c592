import { describe, expect, it } from 'vitest'
import { conv, floatSet } from '../lower/network.fixture.ts'
import { net } from '../reference/fast/net.fixture.ts'
import { calibrateNear } from './calibrate-near.ts'
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
})
