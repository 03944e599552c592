import { describe, expect, it } from 'vitest'
import { fuse } from '../fuse.ts'
import { makeGraph } from '../make-graph.ts'
import { expectSameMeaning, operatorsOf, Sketch } from './sketch.fixture.ts'

describe('fuse-magnitude', () => {
  const spectrum = (square: (sketch: Sketch, part: string, output: string) => void): Sketch => {
    const sketch = new Sketch([1, 3, 4])
    const b = sketch.node('Mul', ['x', sketch.constant('k', [3, 1])], 'b')
    square(sketch, 'x', 'xx')
    square(sketch, b, 'bb')
    sketch.node('Add', ['xx', 'bb'], 'sum')
    sketch.node('Sqrt', ['sum'], 'y')
    return sketch
  }

  it('finds √(a·a + b·b), written with Mul or with Pow', () => {
    const ways: ((sketch: Sketch, part: string, output: string) => void)[] = [
      (sketch, part, output) => void sketch.node('Mul', [part, part], output),
      (sketch, part, output) => void sketch.node('Pow', [part, sketch.constant(`${output}.two`, [], [2])], output),
    ]
    for (const way of ways) {
      const before = spectrum(way).graph('y')
      const after = fuse(before)
      expect(operatorsOf(after)).toEqual(['Mul', 'dyadic.Magnitude'])
      expectSameMeaning(before, after)
    }
  })

  it('leaves a sum alone that somebody else reads, and other powers', () => {
    const sketch = spectrum((own, part, output) => void own.node('Mul', [part, part], output))
    expect(operatorsOf(fuse(sketch.graph('y', 'sum')))).not.toContain('dyadic.Magnitude')
    const cubes = spectrum((own, part, output) => {
      own.node('Pow', [part, own.constant(`${output}.three`, [], [3])], output)
    })
    expect(operatorsOf(fuse(cubes.graph('y')))).not.toContain('dyadic.Magnitude')
  })
})

describe('fuse-lookup', () => {
  const embedding = (attributes: Record<string, number>, shape = [5, 3]) =>
    makeGraph({
      name: 'embedding',
      inputs: [{ name: 'ids', type: 'int64', shape: [1, 2] }],
      outputs: ['y'],
      constants: { table: { shape, data: Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => i / 2) } },
      nodes: [{ operator: 'Gather', inputs: ['table', 'ids'], outputs: ['y'], attributes }],
    })

  it('makes rows of a constant matrix by computed indices one operator', () => {
    for (const axis of [0, -2]) {
      const after = fuse(embedding({ axis }))
      expect(operatorsOf(after)).toEqual(['dyadic.Lookup'])
      expect(after.values.get('y')?.shape).toEqual([1, 2, 3])
    }
  })

  it('leaves columns and tables of other ranks alone', () => {
    expect(operatorsOf(fuse(embedding({ axis: 1 })))).toEqual(['Gather'])
    expect(operatorsOf(fuse(embedding({ axis: 0 }, [5, 3, 2])))).toEqual(['Gather'])
  })
})
