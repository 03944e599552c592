/** Concat: where inputs come to the numbers of the output (R8, R10). */
import { describe, expect, it } from 'vitest'
import { interpret } from '../program/interpret.ts'
import type { Plan } from '../quantize/plan.ts'
import { prepare } from '../quantize/prepare.ts'
import { int64, type Line, net } from '../reference/fast/net.fixture.ts'
import { lower } from './lower.ts'

const part = (start: number, axis: number): Line => ({
  operator: 'Slice',
  inputs: ['x', int64(start), int64(4), int64(axis), int64(2)],
})
const plan = (outputs: Plan['tensors']): Plan => ({
  ...{ schema: 1, kind: 'dyadic-plan', model: 'concat', origin: {} },
  inputs: { x: { format: 'u8', scale: [1], zeroPoint: [0], layout: 'nchw' } },
  tensors: outputs,
  weights: {},
})
const picture = Uint8Array.from({ length: 48 }, (_, index) => 5 * index)

describe('Concat in other numbers than its inputs', () => {
  it('joins parts of one tensor first and rescales once', () => {
    const lines = [part(0, 2), part(1, 2), { operator: 'Concat', inputs: ['v0', 'v1'], attributes: { axis: 1 } }]
    const numbers = { format: 's16', scale: 1 / 64, zeroPoint: 0 } as const
    const graph = lower(prepare(net({ x: [1, 3, 4, 4] }, lines)).compiled, plan({ v2: numbers }))
    expect(graph.instructions.map(({ kind }) => kind)).toEqual(['import', 'move', 'rescale', 'export'])
    const [found] = interpret(graph, new Map([['x', picture]])).values()
    // Rows 0 and 2 of the three channels, then rows 1 and 3.
    const expected = [0, 1].flatMap((first) =>
      [0, 1, 2].flatMap((channel) =>
        [first, first + 2].flatMap((row) => [0, 1, 2, 3].map((x) => 64 * 5 * (16 * channel + 4 * row + x))),
      ),
    )
    expect([...(found as Int16Array)]).toEqual(expected)
  })

  it('rescales each input by itself where their numbers differ', () => {
    const lines = [
      part(0, 2),
      { operator: 'Sigmoid', inputs: ['v0'] },
      { operator: 'Concat', inputs: ['v0', 'v1'], attributes: { axis: 1 } },
    ]
    const graph = lower(
      prepare(net({ x: [1, 3, 4, 4] }, lines)).compiled,
      plan({
        v1: { format: 's16', scale: 1 / 32767, zeroPoint: 0 },
        v2: { format: 's16', scale: 1 / 64, zeroPoint: 0 },
      }),
    )
    const kinds = graph.instructions.map(({ kind }) => kind)
    expect(kinds.filter((kind) => kind === 'rescale')).toHaveLength(2)
    const [found] = interpret(graph, new Map([['x', picture]])).values()
    const rows = [0, 1, 2].flatMap((channel) =>
      [0, 2].flatMap((row) => [0, 1, 2, 3].map((x) => 16 * channel + 4 * row + x)),
    )
    expect([...(found as Int16Array).subarray(0, 24)]).toEqual(rows.map((pixel) => 64 * 5 * pixel))
    expect([...(found as Int16Array).subarray(24)]).toEqual(rows.map((pixel) => (pixel === 0 ? 32 : 64)))
  })
})
