/** What attention and its layers are brought into: rows times weights, products with a factor, repetitions as views. */
import { describe, expect, it } from 'vitest'
import { fuse } from '../fuse.ts'
import type { Graph } from '../graph.ts'
import { simplify } from '../simplify.ts'
import { expectSameMeaning, Sketch } from './sketch.fixture.ts'

const operatorsOf = (graph: Graph): string[] => graph.nodes.map(({ operator }) => operator)

describe('dense layers on rows', () => {
  it.each([
    ['a vector', [5]],
    ['a row', [1, 5]],
    ['a row of more axes', [1, 1, 5]],
    ['one number', [1]],
  ])('take %s that is added as their bias, on either side', (_, shape) => {
    for (const first of [true, false]) {
      const sketch = new Sketch([2, 3, 4])
      sketch.node('MatMul', ['x', sketch.constant('w', [4, 5])], 'p')
      sketch.constant('b', shape)
      sketch.node('Add', first ? ['b', 'p'] : ['p', 'b'], 'y')
      const before = sketch.graph('y')
      const after = fuse(before)
      expect(operatorsOf(after)).toEqual(['dyadic.Dense'])
      expect(after.nodes[0].outputs).toEqual(['y'])
      expect(after.values.get(after.nodes[0].inputs[2])?.shape).toEqual([5])
      expectSameMeaning(before, after)
    }
  })

  it('leave an addend by row, one that widens, and a sum that others read', () => {
    const sketch = new Sketch([2, 3, 4])
    sketch.constant('w', [4, 5])
    sketch.node('MatMul', ['x', 'w'], 'p')
    sketch.node('Add', ['p', sketch.constant('rows', [3, 1])], 'a')
    sketch.node('MatMul', ['x', 'w'], 'q')
    sketch.node('Add', ['q', sketch.constant('wide', [1, 1, 1, 5])], 'b')
    sketch.node('MatMul', ['x', 'w'], 'r')
    sketch.node('Add', ['r', sketch.constant('bias', [5])], 'c')
    const before = sketch.graph('a', 'b', 'c', 'r')
    const after = fuse(before)
    expect(operatorsOf(after).filter((name) => name === 'Add')).toHaveLength(3)
    expectSameMeaning(before, after)
  })

  it('take weights with leading axes of 1, and no others', () => {
    const sketch = new Sketch([2, 3, 4])
    sketch.node('MatMul', ['x', sketch.constant('w', [1, 4, 5])], 'y')
    sketch.node('MatMul', ['x', sketch.constant('v', [2, 4, 5])], 'z')
    sketch.node('MatMul', ['x', sketch.constant('u', [1, 1, 4, 5])], 'a')
    const before = sketch.graph('y', 'z', 'a')
    const after = fuse(before)
    expect(operatorsOf(after)).toEqual(['dyadic.Dense', 'MatMul', 'MatMul'])
    expectSameMeaning(before, after)
  })

  it('take the addition of a residual connection', () => {
    const sketch = new Sketch([1, 3, 4])
    sketch.node('MatMul', ['x', sketch.constant('w', [4, 4])], 'p')
    sketch.node('Add', [sketch.constant('b', [4]), 'p'], 'q')
    sketch.node('Add', ['x', 'q'], 'r')
    sketch.node('Relu', ['r'], 'y')
    const before = sketch.graph('y')
    const after = fuse(before)
    expect(after.nodes).toHaveLength(1)
    expect(after.nodes[0]).toMatchObject({ operator: 'dyadic.Dense', inputs: ['x', 'w:dense', 'b', 'x'] })
    expect(after.nodes[0].attributes.get('low')).toBe(0)
    expectSameMeaning(before, after)
  })
})

describe('products of two computed matrices', () => {
  it('take factors before and behind them', () => {
    const sketch = new Sketch([1, 2, 3, 4])
    sketch.node('Mul', ['x', sketch.constant('before', [], [0.5])], 'q')
    sketch.node('Transpose', ['x'], 't', { perm: [0, 1, 3, 2] })
    sketch.node('MatMul', ['q', 't'], 'p')
    sketch.node('Mul', [sketch.constant('behind', [1], [0.25]), 'p'], 'y')
    const before = sketch.graph('y')
    const after = fuse(before)
    expect(operatorsOf(after)).toEqual(['Transpose', 'dyadic.MatMul'])
    expect(after.nodes[1]).toMatchObject({ inputs: ['x', 't'], outputs: ['y'] })
    expect(after.nodes[1].attributes.get('factor')).toBe(0.125)
    expectSameMeaning(before, after)
  })

  it('leave factors that are negative, are read by others, or are no single number', () => {
    const sketch = new Sketch([1, 2, 3, 3])
    sketch.node('Mul', ['x', sketch.constant('negative', [], [-2])], 'a')
    sketch.node('Mul', ['x', sketch.constant('shared', [], [3])], 'b')
    sketch.node('MatMul', ['a', 'b'], 'p')
    sketch.node('Mul', ['p', sketch.constant('heads', [2, 1, 1])], 'y')
    const before = sketch.graph('y', 'b')
    const after = fuse(before)
    expect(operatorsOf(after)).toEqual(['Mul', 'Mul', 'dyadic.MatMul', 'Mul'])
    expect(after.nodes[2].attributes.get('factor')).toBe(1)
    expectSameMeaning(before, after)
  })
})

describe('Tile', () => {
  it.each([
    ['an axis of 1', [1, 1, 3], [1, 4, 1], ['Expand']],
    ['a longer axis', [2, 3], [3, 1], ['Reshape', 'Expand', 'Reshape']],
    ['both', [2, 1, 3], [2, 5, 3], ['Reshape', 'Expand', 'Reshape']],
  ])('of %s becomes Expand', (_, shape, repeats, expected) => {
    const sketch = new Sketch(shape)
    sketch.constant('repeats', [repeats.length], repeats, 'int64')
    sketch.node('Tile', ['x', 'repeats'], 'y')
    const before = sketch.graph('y')
    const after = simplify(before)
    expect(operatorsOf(after)).toEqual(expected)
    expectSameMeaning(before, after)
  })

  it('of no copies stays', () => {
    const sketch = new Sketch([2, 3])
    sketch.node('Tile', ['x', sketch.constant('repeats', [2], [0, 1], 'int64')], 'y')
    expect(operatorsOf(simplify(sketch.graph('y')))).toEqual(['Tile'])
  })
})
