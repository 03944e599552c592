import { describe, expect, it } from 'vitest'
import type { AttributeValue, Graph, Node } from './graph.ts'
import { inferGraph } from './infer.ts'
import { simplify } from './simplify.ts'
import { makeConstant } from './tensor.ts'
import { verifyGraph } from './verify.ts'

const node = (operator: string, inputs: string[], output: string, attributes: Record<string, AttributeValue> = {}) =>
  ({ name: output, operator, inputs, outputs: [output], attributes: new Map(Object.entries(attributes)) }) as Node

const int64 = (...values: number[]) => makeConstant('int64', [values.length], values)

function graphOf(nodes: Node[], outputs: string[], constants: Record<string, ReturnType<typeof int64>> = {}): Graph {
  return inferGraph({
    name: 'g',
    opset: 13,
    inputs: [{ name: 'x', type: 'float32', shape: [2, 3, 4, 5] }],
    outputs,
    nodes,
    constants: new Map(Object.entries(constants)),
  })
}

describe('sizes that a model computes', () => {
  it('are known to the shape rules behind them', () => {
    const graph = graphOf(
      [
        node('Shape', ['x'], 'shape'),
        node('Gather', ['shape', 'first'], 'batch'),
        node('Unsqueeze', ['batch', 'zero'], 'batches'),
        node('Slice', ['shape', 'two', 'four'], 'plane'),
        node('Gather', ['plane', 'zero'], 'height'),
        node('Gather', ['plane', 'one'], 'width'),
        node('Mul', ['height', 'width'], 'pixels'),
        node('Reshape', ['pixels', 'one'], 'pixel'),
        node('Concat', ['batches', 'open', 'pixel'], 'target', { axis: 0 }),
        node('Reshape', ['x', 'target'], 'y'),
      ],
      ['y'],
      {
        first: makeConstant('int64', [], [0]),
        zero: int64(0),
        one: int64(1),
        two: int64(2),
        four: int64(4),
        open: int64(-1),
      },
    )
    expect(graph.values.get('y')?.shape).toEqual([2, 3, 20])
    expect(graph.nodes.map(({ operator }) => operator)).toEqual(['Reshape'])
    verifyGraph(graph, 'the test')
    expect(simplify(graph).nodes).toHaveLength(1)
  })

  it('leave the given constants as they are', () => {
    const constants = new Map([['one', int64(1)]])
    inferGraph({
      name: 'g',
      opset: 13,
      inputs: [{ name: 'x', type: 'float32', shape: [2] }],
      outputs: ['y'],
      nodes: [node('Shape', ['x'], 'shape'), node('Mul', ['shape', 'one'], 'y')],
      constants,
    })
    expect([...constants.keys()]).toEqual(['one'])
  })

  it('are small: large integer constants stay nodes', () => {
    const graph = graphOf([node('Add', ['table', 'table'], 'y')], ['y'], { table: int64(...Array(257).keys()) })
    expect(graph.nodes).toHaveLength(1)
    expect(graph.constants.has('y')).toBe(false)
  })

  it('refuse what has no value, by node', () => {
    expect(() => graphOf([node('Div', ['one', 'zero'], 'y')], ['y'], { one: int64(1), zero: int64(0) })).toThrow(
      expect.objectContaining({ code: 'refused', message: expect.stringContaining('node "y": Div of these integers') }),
    )
  })
})
