import { describe, expect, it } from 'vitest'
import { simplify } from '../simplify.ts'
import { readNumbers } from '../tensor.ts'
import { padsToGathers } from './pads-to-gathers.ts'
import { expectSameMeaning, named, operatorsOf, Sketch } from './sketch.fixture.ts'

/** Mean over the last axis of `name`. */
function mean(sketch: Sketch, name: string, axes: readonly number[] = [-1]): string {
  const list = sketch.constant(`${name}.axes`, [axes.length], axes, 'int64')
  return sketch.node('ReduceMean', [name, list], `${name}.mean`)
}

type Invert = (sketch: Sketch, value: string, radicand: string) => string

/** The ways to divide by a root. */
const INVERSIONS: readonly [string, Invert][] = [
  ['Div', (s, value, radicand) => s.node('Div', [value, s.node('Sqrt', [radicand], 'root')], 'ratio')],
  [
    'Reciprocal',
    (s, value, radicand) =>
      s.node('Mul', [s.node('Reciprocal', [s.node('Sqrt', [radicand], 'root')], 'inverse'), value], 'ratio'),
  ],
  [
    'one over',
    (s, value, radicand) => {
      const inverse = s.node('Div', [s.constant('one', [], [1]), s.node('Sqrt', [radicand], 'root')], 'inverse')
      return s.node('Mul', [value, inverse], 'ratio')
    },
  ],
  [
    'a power',
    (s, value, radicand) =>
      s.node('Mul', [value, s.node('Pow', [radicand, s.constant('minus half', [], [-0.5])], 'inverse')], 'ratio'),
  ],
]

/** x − mean over √(variance + ε), with the square as Pow or as a product of two subtractions. */
function layerNorm(sketch: Sketch, invert: Invert, power: boolean, axes: readonly number[] = [-1]): string {
  const centre = sketch.node('Sub', ['x', mean(sketch, 'x', axes)], 'd')
  const again = power ? centre : sketch.node('Sub', ['x', 'x.mean'], 'd2')
  const square = power
    ? sketch.node('Pow', [centre, sketch.constant('two', [], [2])], 'q')
    : sketch.node('Mul', [again, again], 'q')
  const variance = mean(sketch, square, axes)
  const radicand = sketch.node('Add', [sketch.constant('epsilon', [], [0.25]), variance], 'v')
  return invert(sketch, centre, radicand)
}

describe('written-out normalisation', () => {
  it.each(INVERSIONS.flatMap(([name, invert]) => [true, false].map((power) => [name, power, invert] as const)))(
    'becomes LayerNormalization (%s, square by Pow: %s), with its scale and shift',
    (_, power, invert) => {
      const sketch = new Sketch([2, 3, 5])
      const ratio = layerNorm(sketch, invert, power)
      sketch.node('Mul', [sketch.constant('gamma', [5]), ratio], 'm')
      sketch.node('Add', ['m', sketch.constant('beta', [1, 1, 5])], 'y')
      const before = sketch.graph('y')
      const after = simplify(before)
      expect(operatorsOf(after)).toEqual(['LayerNormalization'])
      expect(after.nodes[0]).toMatchObject({ outputs: ['y'] })
      expect(after.nodes[0].attributes.get('axis')).toBe(-1)
      expect(after.nodes[0].attributes.get('epsilon')).toBe(0.25)
      expect(readNumbers(after.constants.get(after.nodes[0].inputs[1])!)).toEqual(
        readNumbers(before.constants.get('gamma')!),
      )
      expectSameMeaning(before, after)
    },
  )

  it.each(INVERSIONS)('becomes RMSNormalization (%s), with its scale', (_, invert) => {
    const sketch = new Sketch([2, 3, 5])
    const variance = mean(sketch, sketch.node('Mul', ['x', 'x'], 'q'))
    const ratio = invert(sketch, 'x', sketch.node('Add', [variance, sketch.constant('epsilon', [], [0.25])], 'v'))
    sketch.node('Mul', [ratio, sketch.constant('gamma', [5])], 'y')
    const before = sketch.graph('y')
    const after = simplify(before)
    expect(operatorsOf(after)).toEqual(['RMSNormalization'])
    expectSameMeaning(before, after)
  })

  it('over two axes, or over the last axis but for one of length 1', () => {
    for (const [shape, axes, axis] of [
      [[2, 3, 5], [1, 2], -2],
      [[2, 6, 1], [1], -2],
    ] as const) {
      const sketch = new Sketch(shape)
      sketch.node('Mul', [layerNorm(sketch, INVERSIONS[0][1], true, axes), sketch.constant('g', shape.slice(1))], 'y')
      const before = sketch.graph('y')
      const after = simplify(before)
      expect(operatorsOf(after)).toEqual(['LayerNormalization'])
      expect(after.nodes[0].attributes.get('axis')).toBe(axis)
      expectSameMeaning(before, after)
    }
  })

  it('before a transposition moves into it', () => {
    const sketch = new Sketch([1, 4, 6])
    sketch.node('Transpose', ['x'], 't', { perm: [0, 2, 1] })
    sketch.node('Sub', ['t', mean(sketch, 't')], 'd')
    sketch.node('Mul', ['d', 'd'], 'q')
    sketch.node('Add', [mean(sketch, 'q'), sketch.constant('epsilon', [], [0.5])], 'v')
    sketch.node('Div', ['d', sketch.node('Sqrt', ['v'], 'root')], 'y')
    const before = sketch.graph('y')
    const after = simplify(before)
    expect(operatorsOf(after)).toEqual(['Transpose', 'LayerNormalization'])
    expectSameMeaning(before, after)
  })

  it('stays where the axes are not the last, a mean is of another value, or a parameter varies along other axes', () => {
    const first = new Sketch([2, 3, 5])
    first.node('Add', [layerNorm(first, INVERSIONS[0][1], true, [1]), 'x'], 'y')
    expect(operatorsOf(simplify(first.graph('y')))).not.toContain('LayerNormalization')

    const other = new Sketch([2, 5])
    other.node('Relu', ['x'], 'r')
    other.node('Sub', ['x', mean(other, 'r')], 'd')
    other.node('Mul', ['d', 'd'], 'q')
    other.node('Add', [mean(other, 'q'), other.constant('epsilon', [], [0.5])], 'v')
    other.node('Div', ['d', other.node('Sqrt', ['v'], 'root')], 'y')
    const before = other.graph('y')
    // What is divided by the root of its own mean square is one, whatever it is made from.
    expect(operatorsOf(simplify(before))).toEqual(['Relu', 'ReduceMean', 'Sub', 'RMSNormalization'])
    expectSameMeaning(before, simplify(before))

    const wide = new Sketch([2, 3, 5])
    wide.node('Mul', [layerNorm(wide, INVERSIONS[0][1], true), wide.constant('g', [3, 1])], 'y')
    const kept = wide.graph('y')
    expect(operatorsOf(simplify(kept))).toEqual(['LayerNormalization', 'Mul'])
    expectSameMeaning(kept, simplify(kept))
  })

  it('keeps a result that others read, and its parameters apart', () => {
    const sketch = new Sketch([2, 5])
    const ratio = layerNorm(sketch, INVERSIONS[0][1], true)
    sketch.node('Mul', [ratio, sketch.constant('gamma', [5])], 'y')
    const before = sketch.graph('y', ratio)
    const after = simplify(before)
    expect(operatorsOf(after)).toEqual(['LayerNormalization', 'Mul'])
    expectSameMeaning(before, after)
  })
})

const TANH = Math.sqrt(2 / Math.PI)

/** Gelu as exporters write it. */
const GELUS: readonly [string, string, (s: Sketch, c: (value: number) => string) => void][] = [
  [
    'x / √2, half at the end',
    'none',
    (s, c) => {
      s.node('Erf', [s.node('Div', ['x', c(Math.SQRT2)], 'a')], 't')
      s.node('Mul', [s.node('Mul', ['x', s.node('Add', ['t', c(1)], 'g')], 'p'), c(0.5)], 'y')
    },
  ],
  [
    'half of x first',
    'none',
    (s, c) => {
      s.node('Erf', [s.node('Mul', [c(Math.SQRT1_2), 'x'], 'a')], 't')
      s.node('Mul', [s.node('Mul', ['x', c(0.5)], 'h'), s.node('Add', [c(1), 't'], 'g')], 'y')
    },
  ],
  [
    'half of the gate',
    'none',
    (s, c) => {
      s.node('Erf', [s.node('Mul', ['x', c(Math.SQRT1_2)], 'a')], 't')
      s.node('Mul', [s.node('Mul', [s.node('Add', ['t', c(1)], 'g'), c(0.5)], 'h'), 'x'], 'y')
    },
  ],
  [
    'a gate of halves',
    'none',
    (s, c) => {
      s.node('Erf', [s.node('Mul', ['x', c(Math.SQRT1_2)], 'a')], 't')
      s.node('Mul', ['x', s.node('Add', [s.node('Mul', ['t', c(0.5)], 'h'), c(0.5)], 'g')], 'y')
    },
  ],
  [
    'the cube by Pow',
    'tanh',
    (s, c) => {
      s.node('Mul', [s.node('Pow', ['x', c(3)], 'cube'), c(0.044715)], 'k')
      s.node('Tanh', [s.node('Mul', [s.node('Add', ['x', 'k'], 'sum'), c(TANH)], 'a')], 't')
      s.node('Mul', [s.node('Mul', ['x', c(0.5)], 'h'), s.node('Add', ['t', c(1)], 'g')], 'y')
    },
  ],
  [
    'the cube by products',
    'tanh',
    (s, c) => {
      s.node('Mul', [s.node('Mul', ['x', 'x'], 'square'), 'x'], 'cube')
      s.node('Add', [s.node('Mul', ['cube', c(0.044715)], 'k'), 'x'], 'sum')
      s.node('Tanh', [s.node('Mul', ['sum', c(TANH)], 'a')], 't')
      s.node('Mul', [c(0.5), s.node('Mul', ['x', s.node('Add', ['t', c(1)], 'g')], 'p')], 'y')
    },
  ],
  [
    'x factored out',
    'tanh',
    (s, c) => {
      s.node('Add', [s.node('Mul', [s.node('Mul', ['x', 'x'], 'square'), c(0.044715)], 'k'), c(1)], 'sum')
      s.node('Tanh', [s.node('Mul', [s.node('Mul', ['x', c(TANH)], 'z'), 'sum'], 'a')], 't')
      s.node('Mul', [s.node('Mul', [s.node('Add', ['t', c(1)], 'g'), 'x'], 'p'), c(0.5)], 'y')
    },
  ],
]

describe('written-out Gelu', () => {
  it.each(GELUS)('with %s', (_, approximate, write) => {
    const sketch = new Sketch([2, 7])
    let count = 0
    write(sketch, (value) => sketch.constant(`c${count++}`, [], [value]))
    const before = sketch.graph('y')
    const after = simplify(before)
    expect(operatorsOf(after)).toEqual(['Gelu'])
    expect(after.nodes[0]).toMatchObject({ inputs: ['x'], outputs: ['y'] })
    expect(after.nodes[0].attributes.get('approximate')).toBe(approximate)
    expectSameMeaning(before, after)
  })

  it('stays where a constant is another', () => {
    for (const [half, root, cube] of [
      [0.5, 0.8, 0.044715],
      [0.4, TANH, 0.044715],
      [0.5, TANH, 0.05],
    ]) {
      const sketch = new Sketch([2, 7])
      let count = 0
      const c = (value: number) => sketch.constant(`c${count++}`, [], [value])
      sketch.node('Mul', [sketch.node('Pow', ['x', c(3)], 'cube'), c(cube)], 'k')
      sketch.node('Tanh', [sketch.node('Mul', [sketch.node('Add', ['x', 'k'], 'sum'), c(root)], 'a')], 't')
      sketch.node('Mul', [sketch.node('Mul', ['x', c(half)], 'h'), sketch.node('Add', ['t', c(1)], 'g')], 'y')
      const before = sketch.graph('y')
      expect(operatorsOf(simplify(before))).toContain('Tanh')
      expectSameMeaning(before, simplify(before))
    }
  })
})

describe('other forms', () => {
  it('powers of 2, 1/2 and −1 are products, roots and reciprocals, others stay', () => {
    const sketch = new Sketch([2, 3])
    sketch.node('Exp', ['x'], 'e')
    const outputs = [2, 0.5, -1, 3].map((power, index) =>
      sketch.node('Pow', ['e', sketch.constant(`p${index}`, [], [power])], `y${index}`),
    )
    const before = sketch.graph(...outputs)
    const after = simplify(before)
    expect(operatorsOf(after)).toEqual(['Exp', 'Mul', 'Sqrt', 'Reciprocal', 'Pow'])
    expectSameMeaning(before, after)
  })

  it('a power whose exponent adds an axis stays', () => {
    const sketch = new Sketch([3])
    sketch.node('Pow', ['x', sketch.constant('p', [1, 1], [2])], 'y')
    expect(operatorsOf(simplify(sketch.graph('y')))).toEqual(['Pow'])
  })

  it.each(['reflect', 'edge'])('Pad in mode %s becomes a Gather per axis', (mode) => {
    const sketch = new Sketch([2, 3, 5])
    sketch.constant('pads', [6], [0, 1, 2, 0, 0, 3], 'int64')
    sketch.node('Pad', ['x', 'pads'], 'y', { mode })
    const before = sketch.graph('y')
    const after = padsToGathers(before)
    expect(operatorsOf(after)).toEqual(['Gather', 'Gather'])
    expectSameMeaning(before, after)
    expect(operatorsOf(simplify(before))).toEqual(['Gather', 'Gather'])
  })

  it('the scale of attention scores is no convolution', () => {
    const sketch = new Sketch([1, 2, 4, 3])
    sketch.node('Transpose', ['x'], 't', { perm: [0, 1, 3, 2] })
    sketch.node('MatMul', ['x', 't'], 'scores')
    sketch.node('Mul', ['scores', sketch.constant('scale', [], [0.5])], 's')
    sketch.node('Softmax', ['s'], 'y')
    const before = sketch.graph('y')
    const after = simplify(before)
    expect(named(after, 's').operator).toBe('Mul')
    expectSameMeaning(before, after)
  })

  it('Cast to the type that is there does nothing', () => {
    const sketch = new Sketch([2, 3])
    sketch.node('Relu', [sketch.node('Cast', ['x'], 'c', { to: 1 })], 'y')
    expect(operatorsOf(simplify(sketch.graph('y')))).toEqual(['Relu'])
  })
})
