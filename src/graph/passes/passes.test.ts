import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fuse } from '../fuse.ts'
import type { Graph } from '../graph.ts'
import { simplify } from '../simplify.ts'
import { type Constant, readNumbers } from '../tensor.ts'
import { expectSameMeaning, named, operatorsOf, Sketch } from './sketch.fixture.ts'

describe('simplify', () => {
  it('folds BatchNormalization, constant Add and Mul into a convolution under the last name', () => {
    const sketch = new Sketch([1, 2, 5, 5])
    sketch.node('Conv', ['x', sketch.constant('w', [3, 2, 3, 3])], 'c')
    sketch.normalise('c', 3, 'n')
    sketch.node('Add', [sketch.constant('k', [3, 1, 1]), 'n'], 'a')
    sketch.node('Mul', ['a', sketch.constant('s', [])], 'y')
    const before = sketch.graph('y')
    const after = simplify(before)
    expect(operatorsOf(after)).toEqual(['Conv'])
    expect(after.nodes[0].outputs).toEqual(['y'])
    expectSameMeaning(before, after)
  })

  it('keeps the weights constant when only a bias is added', () => {
    const sketch = new Sketch([2, 4])
    sketch.node('MatMul', ['x', sketch.constant('w', [4, 3])], 'm')
    sketch.node('Add', ['m', sketch.constant('b', [3])], 'y')
    const before = sketch.graph('y')
    const after = simplify(before)
    expect(operatorsOf(after)).toEqual(['Gemm'])
    expect(after.nodes[0].inputs[1]).toBe('w')
    expectSameMeaning(before, after)
  })

  it('folds into Gemm with alpha, beta, a transposed weight and an exact parameter', () => {
    const sketch = new Sketch([2, 4])
    const weights = [sketch.constant('w', [3, 4]), sketch.constant('c', [1, 3])]
    sketch.node('Gemm', ['x', ...weights], 'g', { alpha: 0.5, beta: 3, transB: 1 })
    sketch.constant('s', [3], [0.1, 0.2, -0.3], 'float64')
    sketch.node('Mul', ['g', 's'], 'y')
    const before = sketch.graph('y')
    const after = simplify(before)
    expect(operatorsOf(after)).toEqual(['Gemm'])
    expect(after.constants.get(after.nodes[0].inputs[1])?.type).toBe('float64')
    expect(after.values.get('y')?.type).toBe('float32')
    expectSameMeaning(before, after)
  })

  it('makes a depthwise convolution of a normalisation that nothing before it can take', () => {
    const sketch = new Sketch([1, 2, 4, 4])
    sketch.node('Conv', ['x', sketch.constant('w', [2, 2, 1, 1])], 'c')
    sketch.normalise('c', 2, 'n')
    sketch.node('Relu', ['n'], 'r')
    sketch.node('Add', ['r', 'c'], 'a')
    sketch.normalise('a', 2, 'y')
    const before = sketch.graph('y')
    const after = simplify(before)
    expect(operatorsOf(after)).toEqual(['Conv', 'Conv', 'Relu', 'Add', 'Conv'])
    expect(named(after, 'n').attributes.get('group')).toBe(2)
    expectSameMeaning(before, after)
  })

  it('copies a shared weight before it changes it', () => {
    const sketch = new Sketch([1, 2, 4, 4])
    sketch.constant('w', [2, 2, 1, 1])
    sketch.node('Conv', ['x', 'w'], 'c')
    sketch.normalise('c', 2, 'n')
    sketch.node('Conv', ['n', 'w'], 'y')
    const before = sketch.graph('y')
    const after = simplify(before)
    expect(named(after, 'n').inputs[1]).not.toBe('w')
    expect(named(after, 'y').inputs[1]).toBe('w')
    expectSameMeaning(before, after)
  })

  it('merges zero Pad into convolutions only, with auto_pad resolved on the padded input', () => {
    const sketch = new Sketch([1, 2, 5, 5])
    sketch.constant('pads', [8], [0, 0, 1, 0, 0, 0, 2, 1], 'int64')
    sketch.node('Pad', ['x', 'pads'], 'p')
    sketch.node('Conv', ['p', sketch.constant('w', [2, 2, 2, 2])], 'c', { auto_pad: 'SAME_UPPER', strides: [2, 2] })
    sketch.node('MaxPool', ['p'], 'm', { kernel_shape: [2, 2] })
    const before = sketch.graph('c', 'm')
    const after = simplify(before)
    expect(operatorsOf(after)).toEqual(['Pad', 'Conv', 'MaxPool'])
    expect(named(after, 'c').inputs[0]).toBe('x')
    expectSameMeaning(before, after)
  })

  it('leaves a Pad with another value, of channels, or cropping', () => {
    for (const [pads, value] of [
      [[0, 0, 1, 1, 0, 0, 1, 1], 0.5],
      [[0, 1, 0, 0, 0, 1, 0, 0], 0],
      [[0, 0, -1, 0, 0, 0, 0, 0], 0],
    ] as const) {
      const sketch = new Sketch([1, 2, 5, 5])
      sketch.node('Pad', ['x', sketch.constant('p', [8], pads, 'int64'), sketch.constant('v', [], [value])], 'q')
      const channels = pads[1] === 1 ? 4 : 2
      sketch.node('Conv', ['q', sketch.constant('w', [2, channels, 2, 2])], 'y')
      const before = sketch.graph('y')
      expect(operatorsOf(simplify(before))).toEqual(['Pad', 'Conv'])
      expectSameMeaning(before, simplify(before))
    }
  })

  it('removes what changes nothing and renames the value before a graph output', () => {
    const sketch = new Sketch([1, 2, 3])
    sketch.node('Identity', ['x'], 'i')
    sketch.node('Dropout', ['i', sketch.constant('ratio', [], [0.5])], 'd')
    sketch.node('Relu', ['d'], 'r')
    sketch.node('Reshape', ['r', sketch.constant('shape', [3], [0, 2, -1], 'int64')], 's')
    sketch.node('Transpose', ['s'], 't', { perm: [0, 1, 2] })
    sketch.node('Clip', ['t', sketch.constant('low', [], [-Infinity]), ''], 'y')
    const before = sketch.graph('y')
    const after = simplify(before)
    expect(operatorsOf(after)).toEqual(['Relu'])
    expect(after.nodes[0]).toMatchObject({ inputs: ['x'], outputs: ['y'] })
    expect(after.constants.size).toBe(0)
    expectSameMeaning(before, after)
  })

  it('keeps an Identity from an input, and one that gives a second name to an output', () => {
    const sketch = new Sketch([2])
    sketch.node('Identity', ['x'], 'a')
    sketch.node('Relu', ['x'], 'b')
    sketch.node('Identity', ['b'], 'c')
    const before = sketch.graph('a', 'b', 'c')
    expect(simplify(before)).toBe(before)
  })

  it('folds constant chains, dequantised weights included, but no constant output', () => {
    const sketch = new Sketch([1, 1, 2, 2])
    sketch.constant('q', [1, 1, 1, 2], [10, -20], 'int8')
    sketch.node('DequantizeLinear', ['q', sketch.constant('scale', [], [0.5])], 'f')
    sketch.node('Transpose', ['f'], 'w', { perm: [0, 1, 3, 2] })
    sketch.node('Conv', ['x', 'w'], 'y')
    sketch.node('Relu', ['f'], 'z')
    const before = sketch.graph('y', 'z')
    const after = simplify(before)
    expect(operatorsOf(after)).toEqual(['Conv', 'Relu'])
    expect(readNumbers(after.constants.get('w') as Constant)).toEqual([5, -10])
    expectSameMeaning(before, after)
  })
})

describe('fuse', () => {
  it('takes bias and activation bounds into a convolution, several in a row composed', () => {
    const sketch = new Sketch([1, 2, 5, 5])
    sketch.node('Conv', ['x', sketch.constant('w', [2, 2, 3, 3]), sketch.constant('b', [2])], 'c', {
      auto_pad: 'SAME_LOWER',
      strides: [2, 2],
    })
    sketch.node('Relu', ['c'], 'r')
    sketch.node('Clip', ['r', sketch.constant('low', [], [-1]), sketch.constant('high', [], [0.75])], 'y')
    const before = sketch.graph('y')
    const after = fuse(simplify(before))
    expect(after.nodes).toHaveLength(1)
    expect(after.nodes[0]).toMatchObject({ operator: 'dyadic.Conv', inputs: ['x', 'w', 'b'], outputs: ['y'] })
    expect(Object.fromEntries(after.nodes[0].attributes)).toEqual({
      kernel_shape: [3, 3],
      strides: [2, 2],
      dilations: [1, 1],
      pads: [1, 1, 1, 1],
      group: 1,
      low: 0,
      high: 0.75,
    })
    expectSameMeaning(before, after)
  })

  it('composes clips whose ranges do not meet', () => {
    const sketch = new Sketch([1, 3])
    sketch.node('MatMul', ['x', sketch.constant('w', [3, 2])], 'm')
    sketch.node('Clip', ['m', '', sketch.constant('high', [], [-2])], 'c')
    sketch.node('Relu', ['c'], 'y')
    const after = fuse(sketch.graph('y'))
    expect(Object.fromEntries(after.nodes[0].attributes)).toEqual({ low: 0, high: 0 })
    expectSameMeaning(sketch.graph('y'), after)
  })

  /** Two convolutions of x, added, then a Relu. */
  function residualSketch(): Sketch {
    const sketch = new Sketch([1, 2, 4, 4])
    sketch.node('Conv', ['x', sketch.constant('w1', [2, 2, 1, 1])], 'c1')
    sketch.node('Conv', ['x', sketch.constant('w2', [2, 2, 1, 1])], 'c2')
    sketch.node('Add', ['c2', 'c1'], 'a')
    sketch.node('Relu', ['a'], 'y')
    return sketch
  }

  it('hosts a residual in the later of two convolutions', () => {
    const before = residualSketch().graph('y')
    const after = fuse(simplify(before))
    expect(after.nodes.map((node) => node.name)).toEqual(['c1_node', 'c2_node'])
    expect(after.nodes[1]).toMatchObject({ inputs: ['x', 'w2', '', 'c1'], outputs: ['y'] })
    expect(after.nodes[1].attributes.get('low')).toBe(0)
    expectSameMeaning(before, after)
  })

  it('can leave additions alone', () => {
    const before = residualSketch().graph('y')
    const after = fuse(before, { residual: false })
    expect(operatorsOf(after)).toEqual(['dyadic.Conv', 'dyadic.Conv', 'dyadic.Add'])
    expect(after.nodes[2].attributes.get('low')).toBe(0)
    expectSameMeaning(before, after)
  })

  it('hosts no residual in a convolution with another reader, a bound, or a name of its own', () => {
    const shared = residualSketch().graph('c1', 'c2', 'y')
    expect(operatorsOf(fuse(shared))).toEqual(['dyadic.Conv', 'dyadic.Conv', 'dyadic.Add'])
    expectSameMeaning(shared, fuse(shared))

    const sketch = new Sketch([1, 2, 4, 4])
    sketch.node('Conv', ['x', sketch.constant('w', [2, 2, 1, 1])], 'c')
    sketch.node('Relu', ['c'], 'r')
    sketch.node('Add', ['r', 'x'], 'y')
    const bounded = sketch.graph('y')
    expect(operatorsOf(fuse(bounded))).toEqual(['dyadic.Conv', 'dyadic.Add'])
    expectSameMeaning(bounded, fuse(bounded))
  })

  it('moves a host behind the residual it takes', () => {
    const sketch = new Sketch([1, 2, 4, 4])
    sketch.node('Conv', ['x', sketch.constant('w', [2, 2, 1, 1])], 'c')
    sketch.node('Sigmoid', ['x'], 's')
    sketch.node('Add', ['c', 's'], 'y')
    const after = fuse(sketch.graph('y'))
    expect(operatorsOf(after)).toEqual(['Sigmoid', 'dyadic.Conv'])
    expectSameMeaning(sketch.graph('y'), after)
  })

  it('turns products into dense layers with output-major weights and a bias vector', () => {
    const sketch = new Sketch([2, 4])
    sketch.constant('w', [4, 3])
    sketch.node('Gemm', ['x', 'w', sketch.constant('c', [])], 'g', { alpha: 2, beta: 0.5 })
    sketch.node('Relu', ['g'], 'r')
    sketch.node('Gemm', ['r', sketch.constant('v', [2, 3]), sketch.constant('d', [2])], 'h', { transB: 1 })
    sketch.node('Gemm', ['x', 'w', sketch.constant('rows', [2, 3])], 'y')
    const before = sketch.graph('h', 'y')
    const after = fuse(before)
    expect(operatorsOf(after)).toEqual(['dyadic.Dense', 'dyadic.Dense', 'Gemm'])
    expect(after.values.get(after.nodes[0].inputs[1])?.shape).toEqual([3, 4])
    expect(after.nodes[1].inputs).toEqual(['r', 'v', 'd'])
    expectSameMeaning(before, after)
  })
})

/** What a random step appends to the current value, which always has shape [1, 4, 5, 5]. */
const STEPS = [
  'conv',
  'grouped',
  'pad',
  'shared',
  'norm',
  'relu',
  'clip',
  'add',
  'bias',
  'scale',
  'identity',
  'pool',
] as const

function randomGraph(steps: readonly (readonly [(typeof STEPS)[number], number])[], seed: number, taps: number): Graph {
  const sketch = new Sketch([1, 4, 5, 5], seed)
  const values = ['x']
  sketch.constant('shared', [4, 4, 1, 1])
  sketch.constant('pads', [8], [0, 0, 1, 1, 0, 0, 1, 1], 'int64')
  steps.forEach(([step, choice], index) => {
    const from = values[Math.max(0, values.length - 1 - (choice % 3 === 0 ? choice % 5 : 0))]
    const to = `v${index}`
    const weight = (depth: number) => sketch.constant(`${to}.w`, [4, depth, 3, 3])
    const pads = [1, 1, 1, 1]
    if (step === 'conv') sketch.node('Conv', [from, weight(4), sketch.constant(`${to}.b`, [4])], to, { pads })
    else if (step === 'grouped') sketch.node('Conv', [from, weight(2)], to, { pads, group: 2 })
    else if (step === 'pad') sketch.node('Conv', [sketch.node('Pad', [from, 'pads'], `${to}.p`), weight(4)], to)
    else if (step === 'shared') sketch.node('Conv', [from, 'shared'], to)
    else if (step === 'norm') sketch.normalise(from, 4, to)
    else if (step === 'relu') sketch.node('Relu', [from], to)
    else if (step === 'clip')
      sketch.node('Clip', [from, sketch.constant(`${to}.l`, [], [-0.5]), sketch.constant(`${to}.h`, [], [1.5])], to)
    else if (step === 'add') sketch.node('Add', [from, values[choice % values.length]], to)
    else if (step === 'bias') sketch.node('Add', [from, sketch.constant(`${to}.k`, [1, 4, 1, 1])], to)
    else if (step === 'scale') sketch.node('Mul', [sketch.constant(`${to}.k`, [1]), from], to)
    else if (step === 'identity') sketch.node('Identity', [from], to)
    else sketch.node('AveragePool', [from], to, { kernel_shape: [3, 3], pads })
    values.push(to)
  })
  const outputs = new Set([values.at(-1) as string, values[1 + (taps % steps.length)]])
  return sketch.graph(...outputs)
}

describe('random graphs', () => {
  it('keep their meaning through simplify and fuse', () => {
    const step = fc.tuple(fc.constantFrom(...STEPS), fc.nat(20))
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 10 }), fc.nat(), fc.nat(20), (steps, seed, taps) => {
        const before = randomGraph(steps, seed, taps)
        const simple = simplify(before)
        expectSameMeaning(before, simple)
        expect(operatorsOf(simple)).not.toContain('BatchNormalization')
        expect(simplify(simple)).toBe(simple)
        expectSameMeaning(before, fuse(simple))
        expectSameMeaning(before, fuse(simple, { residual: false }))
      }),
      { numRuns: 150, seed: 1 },
    )
  })
})
