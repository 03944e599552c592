import { describe, expect, it } from 'vitest'
import { runReference } from '../reference/run.ts'
import { makeGraph } from './make-graph.ts'

describe('makeGraph', () => {
  const description = {
    name: 'line',
    inputs: [{ name: 'x', type: 'float32' as const, shape: [1, 2] }],
    outputs: ['y'],
    constants: { w: { shape: [2, 1], data: [3, 4] }, shape: { shape: [1], data: [1], type: 'int64' as const } },
    nodes: [
      { operator: 'MatMul', inputs: ['x', 'w'], outputs: ['product'] },
      { operator: 'Reshape', inputs: ['product', 'shape'], outputs: ['y'], name: 'flat' },
    ],
  }

  it('infers every shape, fills in attributes and runs', () => {
    const graph = makeGraph(description)
    expect(graph.nodes.map(({ name }) => name)).toEqual(['product', 'flat'])
    expect(graph.values.get('y')?.shape).toEqual([1])
    const x = { type: 'float32' as const, shape: [1, 2], data: Float32Array.of(10, 1) }
    expect(runReference(graph, new Map([['x', x]])).get('y')?.data).toEqual(Float32Array.of(34))
  })

  it('refuses what a file with it would be refused for', () => {
    const wrong = { operator: 'MatMul', inputs: ['x', 'nowhere'], outputs: ['y'] }
    expect(() => makeGraph({ ...description, nodes: [wrong] })).toThrow(/"nowhere" is not defined before it is used/)
    expect(() => makeGraph({ ...description, nodes: [{ ...wrong, operator: 'Magic' }] })).toThrow(/Magic/)
    const short = { ...description.constants, w: { shape: [2, 1], data: [3] } }
    expect(() => makeGraph({ ...description, constants: short })).toThrow(/1 values for a constant of shape \[2,1\]/)
  })
})
