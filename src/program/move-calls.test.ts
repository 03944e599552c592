/** Which kernel calls a strided copy becomes; that they copy the right bytes is tested with the kernels. */
import { describe, expect, it } from 'vitest'
import type { ExportInstruction, IntegerTensor, Loop } from '../lower/integer-graph.ts'
import { copyCalls, exportCalls, mergeLoops } from './move-calls.ts'

const loop = (count: number, sourceStep: number, targetStep: number): Loop => ({ count, sourceStep, targetStep })
const IDLE = [1, 0, 0]

describe('mergeLoops', () => {
  it('joins loops that continue each other and leaves out loops of one', () => {
    const merged = (...loops: Loop[]) => mergeLoops(loops)?.loops
    expect(merged(loop(2, 12, 24), loop(3, 4, 8), loop(4, 1, 2))).toEqual([loop(24, 1, 2)])
    expect(merged(loop(1, 99, 7), loop(3, 8, 4), loop(4, 1, 1))).toEqual([loop(3, 8, 4), loop(4, 1, 1)])
    expect(merged(loop(3, -1, 1), loop(1, 5, 5))).toEqual([loop(3, -1, 1)])
    expect(merged(loop(1, 2, 3))).toEqual([])
  })

  it('orders loops by the target only where no element is written twice', () => {
    expect(mergeLoops([loop(4, 1, 1), loop(3, 4, 4)])).toEqual({ loops: [loop(12, 1, 1)], once: true })
    expect(mergeLoops([loop(4, 1, 1), loop(3, 4, 2)])).toEqual({ loops: [loop(4, 1, 1), loop(3, 4, 2)], once: false })
    expect(mergeLoops([loop(4, 1, -1), loop(3, 4, 4)])?.once).toBe(true)
    expect(mergeLoops([loop(4, 1, 0)])?.once).toBe(false)
  })

  it('knows copies of nothing', () => {
    expect(mergeLoops([loop(3, 1, 1), loop(0, 1, 1)])).toBeUndefined()
    expect(copyCalls(0, 0, 1, [loop(0, 1, 1)])).toEqual([])
  })
})

describe('copyCalls', () => {
  it('copies a whole tensor as one run', () => {
    expect(copyCalls(100, 200, 2, [loop(4, 80, 80), loop(10, 8, 8), loop(8, 1, 1)])).toEqual([
      { kernel: 'move', arguments: [100, 200, 640, ...IDLE, ...IDLE, ...IDLE, ...IDLE] },
    ])
  })

  it('gives steps in bytes, and elements as runs where nothing is contiguous', () => {
    expect(copyCalls(0, 0, 2, [loop(5, 8, 1), loop(3, 1, 16)])).toEqual([
      { kernel: 'move', arguments: [0, 0, 2, ...IDLE, ...IDLE, 3, 2, 32, 5, 16, 2] },
    ])
  })

  it('ends with a long loop', () => {
    const loops = [loop(784, 116, 116), loop(58, 1, 2), loop(2, 58, 1)]
    expect(copyCalls(0, 0, 1, loops)).toEqual([
      { kernel: 'move', arguments: [0, 0, 1, ...IDLE, ...[784, 116, 116], ...[2, 58, 1], ...[58, 1, 2]] },
    ])
  })

  it('transposes bytes in blocks, outer loops as calls of their own', () => {
    expect(copyCalls(0, 1000, 1, [loop(2, 640, 700), loop(8, 1, 80), loop(80, 8, 1)])).toEqual([
      { kernel: 'transposeCodes', arguments: [0, 8, 1000, 80, 80, 8, 0] },
      { kernel: 'transposeCodes', arguments: [640, 8, 1700, 80, 80, 8, 0] },
    ])
    const [call] = copyCalls(0, 1000, 1, [loop(17, 640, 700), loop(8, 1, 80), loop(80, 8, 1)])
    expect(call?.kernel).toBe('move')
  })

  it('does not take overlapping rows for a transposition', () => {
    expect(copyCalls(0, 0, 1, [loop(80, 1, 4), loop(80, 8, 1)])[0]?.kernel).toBe('move')
  })

  it('unrolls what four loops cannot do', () => {
    const loops = [loop(2, 1, 729), loop(3, 3, 243), loop(3, 10, 81), loop(3, 31, 27), loop(3, 100, 9)]
    const calls = copyCalls(5, 6, 4, loops)
    expect(calls.map((call) => call.arguments.slice(0, 3))).toEqual([
      [5, 6, 4],
      [9, 6 + 4 * 729, 4],
    ])
    expect(calls[0]?.arguments.slice(3)).toEqual(
      loops.slice(1).flatMap((one) => [one.count, 4 * one.sourceStep, 4 * one.targetStep]),
    )
  })
})

describe('exportCalls', () => {
  const input: IntegerTensor = {
    ...{ id: 0, name: 'x', format: 's8', height: 5, width: 6, channels: 13, scale: 1, zeroPoint: 0 },
    range: { low: -128, high: 127 },
  }
  const calls = (loops: ExportInstruction['loops'], more: Partial<ExportInstruction> = {}) =>
    exportCalls({ kind: 'export', name: 'y', outputName: 'y', input, format: 'u8', start: 0, loops, ...more }, 64, 9000)
  const [pixels, lanes] = [
    { count: 30, step: 16 },
    { count: 13, step: 1 },
  ]

  it('copies rows and transposes with the sign flipped on the way', () => {
    expect(calls([pixels, lanes])).toEqual([{ kernel: 'copyCodes', arguments: [64, 16, 9000, 13, 30, 13, 128] }])
    expect(calls([lanes, pixels], { format: 's8' })).toEqual([
      { kernel: 'transposeCodes', arguments: [64, 16, 9000, 30, 30, 13, 0] },
    ])
  })

  it('flips in place after any other order', () => {
    const turned = { count: 13, step: -1 }
    expect(calls([pixels, turned], { start: 12 })).toEqual([
      { kernel: 'move', arguments: [76, 9000, 1, ...IDLE, ...IDLE, 30, 16, 13, 13, -1, 1] },
      { kernel: 'copyCodes', arguments: [9000, 390, 9000, 390, 1, 390, 128] },
    ])
    expect(calls([pixels, turned], { start: 12, format: 's8' }).length).toBe(1)
  })

  it('moves words as they are', () => {
    const wide: IntegerTensor = { ...input, format: 's32' }
    expect(calls([lanes], { input: wide, format: 's32', start: 2 })).toEqual([
      { kernel: 'move', arguments: [72, 9000, 52, ...IDLE, ...IDLE, ...IDLE, ...IDLE] },
    ])
  })
})
