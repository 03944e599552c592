import { describe, expect, it } from 'vitest'
import type { AttributeValue, Node } from '../graph/graph.ts'
import { inferGraph } from '../graph/infer.ts'
import { type Constant, makeConstant, readNumbers } from '../graph/tensor.ts'
import { runReference } from '../reference/run.ts'
import { joinSoftmax, replaceNode } from './replace-node.ts'

const scales = (...values: number[]) => makeConstant('float32', [values.length], values)

function replace(
  operator: string,
  opset: number,
  attributes: Record<string, AttributeValue>,
  inputs = ['x'],
  known: Record<string, Constant> = {},
) {
  const constants = new Map(Object.entries(known))
  const node: Node = { name: 'n', operator, inputs, outputs: ['y'], attributes: new Map(Object.entries(attributes)) }
  const nodes = replaceNode(node, opset, {
    constants,
    addConstant: (name, constant) => {
      constants.set(name, constant)
      return name
    },
    freeName: (name) => name,
  })
  return { nodes, constants }
}

/** Resize or Upsample of a row of two elements. */
function enlarge(operator: string, opset: number, attributes: Record<string, AttributeValue>, scale?: number) {
  const inputs = scale === undefined ? ['x'] : ['x', 's']
  const { nodes, constants } = replace(operator, opset, attributes, inputs, scale ? { s: scales(1, scale) } : {})
  const x = { name: 'x', type: 'float32', shape: [1, 2] } as const
  const graph = inferGraph({ name: 'g', opset, inputs: [x], outputs: ['y'], nodes, constants })
  const data = Float32Array.of(2, 6)
  return Array.from(runReference(graph, new Map([['x', { ...x, data }]])).get('y')?.data ?? [], Number)
}

describe('Upsample and the first Resize', () => {
  it.each([
    ['Upsample', 7, { scales: [1, 2] }, undefined],
    ['Upsample', 9, { mode: 'nearest' }, 2],
    ['Resize', 10, {}, 2],
  ] as const)('%s of opset %i repeats', (operator, opset, attributes, scale) => {
    expect(enlarge(operator, opset, attributes, scale)).toEqual([2, 2, 6, 6])
  })

  it('blends from the left edge on', () => {
    expect(enlarge('Upsample', 9, { mode: 'linear' }, 2)).toEqual([2, 4, 6, 6])
    expect(enlarge('Resize', 10, { mode: 'linear' }, 2)).toEqual([2, 4, 6, 6])
  })

  it('keeps what is new enough', () => {
    const { nodes } = replace('Resize', 11, { mode: 'nearest' }, ['x', '', 's'])
    expect(nodes.map(({ attributes }) => Object.fromEntries(attributes))).toEqual([{ mode: 'nearest' }])
  })

  it.each([
    ['Upsample', 7, {}, ['x'], 'refused', 'needs the attribute "scales"'],
    ['Upsample', 9, { scales: [1, 2] }, ['x', 's'], 'refused', 'became an input in opset 9'],
    ['Upsample', 8, { scales: [1, 2] }, ['x', 's'], 'refused', 'has 2 inputs'],
    ['Resize', 10, {}, ['x'], 'refused', 'has 1 inputs'],
    ['Resize', 10, { nearest_mode: 'ceil' }, ['x', 's'], 'refused', 'attribute "nearest_mode"'],
    ['Resize', 10, {}, ['x', 's'], 'unsupported', 'shrinks by a fraction'],
  ] as const)('%s of opset %i with %j and inputs %j is %s', (operator, opset, attributes, inputs, code, message) => {
    expect(() => replace(operator, opset, attributes, [...inputs], { s: scales(1, 0.75) })).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    )
  })
})

describe('Softmax before opset 13', () => {
  const upgrade = (shape: readonly number[], attributes: Record<string, AttributeValue>) => {
    const { nodes, constants } = replace('Softmax', 11, attributes)
    const x = { name: 'x', type: 'float32', shape } as const
    return joinSoftmax(inferGraph({ name: 'g', opset: 11, inputs: [x], outputs: ['y'], nodes, constants }))
  }
  const axisOf = (shape: readonly number[], attributes: Record<string, AttributeValue>) =>
    upgrade(shape, attributes).nodes.map(({ operator, attributes: own }) => [operator, own.get('axis')])

  it.each([
    [[2, 3], {}, 1],
    [[1, 5, 2], { axis: 2 }, 2],
    [[1, 5, 2], { axis: -1 }, -1],
    [[2, 10, 1, 1], {}, 1],
    [[2, 1, 4], { axis: 1 }, 2],
    [[2, 1, 1], { axis: 1 }, 2],
  ] as const)('of %j with %j is one of today', (shape, attributes, axis) => {
    expect(axisOf(shape, attributes)).toEqual([['Softmax', axis]])
  })

  it('over several axes sums over all of them', () => {
    const shape = [2, 2, 2]
    const graph = upgrade(shape, { axis: -2 })
    expect(graph.nodes.map(({ operator }) => operator)).toEqual(['Flatten', 'Softmax', 'Reshape'])
    expect(readNumbers(graph.constants.get('y.shape') as Constant)).toEqual(shape)
    const data = Float32Array.from([0, 1, 2, 3, 5, 5, 5, 5], (value) => value * Math.log(2))
    const result = runReference(graph, new Map([['x', { type: 'float32', shape, data }]])).get('y')
    const expected = [1 / 15, 2 / 15, 4 / 15, 8 / 15, 0.25, 0.25, 0.25, 0.25]
    expected.forEach((value, index) => {
      expect(result?.data[index]).toBeCloseTo(value, 6)
    })
    expect(result?.shape).toEqual(shape)
  })

  it('refuses an axis that is no number', () => {
    expect(() => replace('Softmax', 11, { axis: 'one' })).toThrow('has an attribute "axis" that is no integer')
  })
})
