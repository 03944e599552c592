import { describe, expect, it } from 'vitest'
import { byteSet, conv, lowered } from '../lower/network.fixture.ts'
import { net, noise } from '../reference/fast/net.fixture.ts'
import { calibrationNotes } from './calibration-notes.ts'

async function notesOf(graph: Parameters<typeof lowered>[0], length: number): Promise<string[]> {
  const notes: string[] = []
  await lowered(graph, byteSet([8, 6, 6], { length }), { onNote: (text) => notes.push(text) })
  return notes
}

describe('notes of calibration', () => {
  it('say how few samples are too few', async () => {
    const graph = net({ x: [1, 8, 6, 6] }, [conv('x', 3, 8, 3, 3)])
    expect(await notesOf(graph, 1)).toEqual([
      '1 calibration sample of "bytes" is too few for trustworthy ranges; give at least 16, better some hundred',
    ])
    expect(await notesOf(graph, 16)).toEqual([])
  })

  it('count the indices of sequences, not the sequences', async () => {
    const notes = (indices: number) => {
      const graph = net({ x: [1, 4] }, [{ operator: 'Gemm', inputs: ['x', { shape: [4, 4] }] }])
      return calibrationNotes(graph, new Map(), { count: 1, name: 'text', indices })
    }
    expect(notes(1)).toEqual([
      'the calibration samples of "text" have 1 index in all, too few for trustworthy ranges; give at least 256, better some thousand',
    ])
    expect(notes(256)).toEqual([])
  })

  it('name constant values, dead channels and outliers', async () => {
    const values = noise(8 * 8 * 9, 1).map((value, i) => (i === 100 ? 90 : i < 144 && i >= 72 ? 0 : value))
    values[100] = 0
    values[200] = 90
    const graph = net({ x: [1, 8, 6, 6] }, [
      { operator: 'Conv', inputs: ['x', { shape: [8, 8, 3, 3], values }] },
      { operator: 'Conv', inputs: ['v0', { shape: [2, 8, 1, 1], values: new Array(16).fill(-1e-9) }] },
      { operator: 'Relu', inputs: ['v1'] },
      { operator: 'Conv', inputs: ['v2', { shape: [1, 2, 1, 1], values: [0, 0] }, { shape: [1], values: [3] }] },
    ])
    const notes = await notesOf(graph, 16)
    expect(notes).toContain('layer "v0": 1 of 8 output channels have no weights (1); they are constant')
    expect(notes.find((note) => /"v0": the largest weight is \d+ times the 99th percentile/.test(note))).toBeDefined()
    expect(notes).toContain('"v3" has the value 3 in all calibration samples; any other value will be cut off')
  })
})
