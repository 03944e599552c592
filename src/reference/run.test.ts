import { describe, expect, it } from 'vitest'
import type { AttributeValue } from '../graph/graph.ts'
import { inferGraph } from '../graph/infer.ts'
import { makeConstant } from '../graph/tensor.ts'
import { createReferenceExecutor, runReference } from './run.ts'

const conv = (attributes: Record<string, AttributeValue>) =>
  new Map<string, AttributeValue>(
    Object.entries({
      kernel_shape: [1, 2],
      strides: [1, 1],
      dilations: [1, 1],
      pads: [0, 1, 0, 0],
      group: 1,
      ...attributes,
    }),
  )

/** y = clip(conv(x) + b + x), z = dense of y; by hand below. */
const graph = inferGraph({
  name: 'g',
  opset: 13,
  inputs: [{ name: 'x', type: 'float32', shape: [1, 1, 1, 3] }],
  outputs: ['z'],
  nodes: [
    {
      name: 'c',
      operator: 'dyadic.Conv',
      inputs: ['x', 'w', 'b', 'x'],
      outputs: ['y'],
      attributes: conv({ low: 0, high: 9 }),
    },
    { name: 'f', operator: 'Flatten', inputs: ['y'], outputs: ['f'], attributes: new Map() },
    { name: 'd', operator: 'dyadic.Dense', inputs: ['f', 'v'], outputs: ['e'], attributes: new Map([['high', 20]]) },
    { name: 'a', operator: 'dyadic.Add', inputs: ['e', 'e'], outputs: ['z'], attributes: new Map([['low', -5]]) },
  ],
  constants: new Map([
    ['w', makeConstant('float32', [1, 1, 1, 2], [2, 3])],
    ['b', makeConstant('float32', [1], [-4])],
    ['v', makeConstant('float64', [2, 3], [1, 2, 3, 0, -1, 0])],
  ]),
})

describe('the reference executor', () => {
  it('runs fused nodes as their formulas say, and shows each value', () => {
    const seen = new Map<string, number[]>()
    const input = new Map([['x', Float32Array.of(1, 2, -1)]])
    const result = createReferenceExecutor(graph).run(input, (name, values) => seen.set(name, [...values]))
    // conv: 0·2+1·3, 1·2+2·3, 2·2−1·3; then −4 and the residual x; then the clip to 0..9.
    expect(seen.get('y')).toEqual([0, 6, 0])
    expect(seen.get('e')).toEqual([12, -6])
    expect([...(result.get('z') as Float32Array)]).toEqual([24, -5])
    expect([...seen.keys()]).toEqual(['y', 'f', 'e', 'z'])
  })

  it('refuses missing, unknown, misshapen and mistyped inputs', () => {
    const executor = createReferenceExecutor(graph)
    expect(() => executor.run(new Map())).toThrow(/no value is given for input "x"/)
    expect(() => executor.run(new Map([['x', new Float32Array(2)]]))).toThrow(
      /has 2 elements; its shape \[1,1,1,3\] needs 3/,
    )
    expect(() => executor.run(new Map([['q', new Float32Array(2)]]))).toThrow(/has no input "q"/)
    const bytes = { type: 'int8', shape: [1, 1, 1, 3], data: new Int8Array(3) } as const
    expect(() => runReference(graph, new Map([['x', bytes]]))).toThrow(/has type int8, not float32/)
  })
})
