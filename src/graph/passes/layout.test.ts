import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fuse } from '../fuse.ts'
import type { AttributeValue, Graph, Value } from '../graph.ts'
import { simplify } from '../simplify.ts'
import { expectSameMeaning, operatorsOf, Sketch } from './sketch.fixture.ts'

const LAST = { perm: [0, 2, 3, 1] }
const FIRST = { perm: [0, 3, 1, 2] }

describe('transpositions', () => {
  it('vanish around an activation that was written for channels last', () => {
    const sketch = new Sketch([1, 3, 6, 6])
    sketch.node('Conv', ['x', sketch.constant('w', [4, 3, 3, 3])], 'c')
    sketch.node('Transpose', ['c'], 't', LAST)
    sketch.node('Relu', [sketch.node('Neg', ['t'], 'n')], 'r')
    sketch.node('Mul', ['r', sketch.constant('slope', [1, 1, 4])], 'm')
    sketch.node('Transpose', ['m'], 'u', FIRST)
    sketch.node('Add', [sketch.node('Relu', ['c'], 'p'), 'u'], 'a')
    sketch.node('Conv', ['a', sketch.constant('v', [2, 4, 1, 1])], 'y')
    const before = sketch.graph('y')
    const after = simplify(before)
    expect(operatorsOf(after)).toEqual(['Conv', 'PRelu', 'Conv'])
    expect(after.nodes[1].outputs).toEqual(['a'])
    expectSameMeaning(before, after)
  })

  it('pass sums, joins, pads, slices and reductions, whose axes they rename', () => {
    const sketch = new Sketch([1, 3, 4, 6])
    const t = sketch.node('Transpose', ['x'], 't', LAST)
    const u = sketch.node('Transpose', [sketch.node('Exp', ['x'], 'e')], 'u', LAST)
    sketch.node('Concat', [sketch.node('Sub', [t, u], 's'), sketch.constant('k', [1, 4, 6, 2])], 'j', { axis: -1 })
    sketch.node(
      'Pad',
      ['j', sketch.constant('pads', [4], [1, 0, 0, 2], 'int64'), '', sketch.constant('pa', [2], [1, 3], 'int64')],
      'p',
    )
    const list = (name: string, ...values: number[]) => sketch.constant(name, [values.length], values, 'int64')
    sketch.node('Slice', ['p', list('st', 1, 0), list('en', 5, 7), list('ax', -1, 1), list('sp', 2, 3)], 'q')
    sketch.node('ReduceMax', ['q', list('ra', 1)], 'y')
    sketch.node('ReduceMean', ['q', list('rb', 1, 2)], 'z', { keepdims: 0 })
    const before = sketch.graph('y', 'z')
    const after = simplify(before)
    // What is left stands before the graph output that has another layout.
    expect(operatorsOf(after).filter((operator) => operator === 'Transpose')).toHaveLength(1)
    expect(after.nodes.find((node) => node.operator === 'Transpose')?.outputs).toEqual(['y'])
    expectSameMeaning(before, after)
  })

  it('need no transposition after a reduction that keeps the order of what is left', () => {
    const sketch = new Sketch([2, 3, 4, 5])
    sketch.node('Transpose', ['x'], 't', LAST)
    sketch.node('ReduceMax', ['t', sketch.constant('axes', [2], [1, 2], 'int64')], 'y', { keepdims: 0 })
    const before = sketch.graph('y')
    const after = simplify(before)
    expect(operatorsOf(after)).toEqual(['ReduceMax'])
    expectSameMeaning(before, after)
  })

  it('rename the axis of Softmax', () => {
    const sketch = new Sketch([1, 3, 4, 5])
    sketch.node('Softmax', [sketch.node('Transpose', ['x'], 't', LAST)], 's')
    sketch.node('Transpose', ['s'], 'y', FIRST)
    const before = sketch.graph('y')
    const after = simplify(before)
    expect(operatorsOf(after)).toEqual(['Softmax'])
    expect(after.nodes[0].attributes.get('axis')).toBe(1)
    expectSameMeaning(before, after)
  })

  it('keep the layout of a graph output, and stay before what does not commute', () => {
    const sketch = new Sketch([1, 3, 4, 5])
    const t = sketch.node('Transpose', ['x'], 't', LAST)
    sketch.node('Exp', [t], 'y')
    sketch.node('Reshape', [sketch.node('Tanh', ['y'], 'h'), sketch.constant('shape', [2], [20, 3], 'int64')], 'z')
    const before = sketch.graph('y', 'z')
    const after = simplify(before)
    expect(after.values.get('y')?.shape).toEqual([1, 4, 5, 3])
    expectSameMeaning(before, after)
  })

  it('merge in their order, and stay where a graph output has their layout', () => {
    const sketch = new Sketch([2, 3, 4, 5])
    sketch.node('Transpose', ['x'], 't', LAST)
    sketch.node('Transpose', ['t'], 'y', { perm: [0, 2, 1, 3] })
    sketch.node('Exp', ['y'], 'z')
    const before = sketch.graph('y', 'z')
    const after = simplify(before)
    expect(operatorsOf(after)).toEqual(['Transpose', 'Exp'])
    expect(after.nodes[0].attributes.get('perm')).toEqual([0, 3, 2, 1])
    expect(after.nodes[1].inputs).toEqual(['y'])
    expectSameMeaning(before, after)
  })

  it('become Reshapes where they move nothing but axes of length 1, and Reshapes merge', () => {
    const sketch = new Sketch([2, 1, 3, 4])
    sketch.node('Transpose', ['x'], 't', LAST)
    sketch.node('Reshape', ['t', sketch.constant('a', [2], [2, 12], 'int64')], 'r')
    sketch.node('Unsqueeze', ['r', sketch.constant('b', [1], [1], 'int64')], 'y')
    const before = sketch.graph('y')
    const after = simplify(before)
    expect(operatorsOf(after)).toEqual(['Reshape'])
    expectSameMeaning(before, after)
  })
})

describe('slices', () => {
  const list = (sketch: Sketch, name: string, ...values: number[]) =>
    sketch.constant(name, [values.length], values, 'int64')

  it('of joined tensors read the part itself', () => {
    const sketch = new Sketch([1, 4, 2])
    sketch.node('Concat', [sketch.node('Exp', ['x'], 'e'), sketch.node('Tanh', ['x'], 't')], 'j', { axis: 2 })
    sketch.node('Slice', ['j', list(sketch, 's0', 0), list(sketch, 'e0', 2), list(sketch, 'a', 2)], 'p')
    sketch.node('Slice', ['j', list(sketch, 's1', 3), list(sketch, 'e1', 99), list(sketch, 'b', -1)], 'q')
    sketch.node('Slice', ['j', list(sketch, 's2', 1), list(sketch, 'e2', 3), list(sketch, 'c', 2)], 'z')
    sketch.node('Add', ['p', 'q'], 'y')
    const before = sketch.graph('y', 'z')
    const after = simplify(before)
    const reads = (output: string) => after.nodes.find((node) => node.outputs[0] === output)?.inputs[0]
    expect([reads('y'), reads('q'), reads('z')]).toEqual(['e', 't', 'j'])
    expectSameMeaning(before, after)
  })

  it('that are a whole part and a graph output stay', () => {
    const sketch = new Sketch([1, 4, 2])
    sketch.node('Concat', [sketch.node('Exp', ['x'], 'e'), 'x'], 'j', { axis: 2 })
    sketch.node('Slice', ['j', list(sketch, 's', 0), list(sketch, 'n', 2), list(sketch, 'a', 2)], 'y')
    const before = sketch.graph('e', 'y', 'j')
    const after = simplify(before)
    expect(after.nodes.find((node) => node.outputs[0] === 'y')?.inputs[0]).toBe('e')
    expectSameMeaning(before, after)
  })

  it('of different axes merge, of one axis do not', () => {
    const sketch = new Sketch([1, 3, 8, 8])
    sketch.node(
      'Slice',
      ['x', list(sketch, 's', 1), list(sketch, 'e', 2 ** 40), list(sketch, 'a', 2), list(sketch, 'p', 2)],
      'r',
    )
    sketch.node(
      'Slice',
      ['r', list(sketch, 't', 0), list(sketch, 'f', 7), list(sketch, 'b', 3), list(sketch, 'q', 3)],
      'c',
    )
    sketch.node('Slice', ['c', list(sketch, 'u', 1), list(sketch, 'g', 3), list(sketch, 'd', 2)], 'y')
    const before = sketch.graph('y')
    const after = simplify(before)
    expect(operatorsOf(after)).toEqual(['Slice', 'Slice'])
    expectSameMeaning(before, after)
  })
})

describe('DepthToSpace', () => {
  it.each([
    ['CRD', [1, 2, 3, 3, 4, 5], [0, 1, 4, 2, 5, 3]],
    ['DCR', [1, 3, 3, 2, 4, 5], [0, 3, 4, 1, 5, 2]],
  ])('is seen in Reshape, Transpose, Reshape (%s)', (mode, split, perm) => {
    const sketch = new Sketch([1, 18, 4, 5])
    sketch.node('Reshape', ['x', sketch.constant('a', [6], split, 'int64')], 'r')
    sketch.node('Transpose', ['r'], 't', { perm })
    sketch.node('Reshape', ['t', sketch.constant('b', [4], [1, 2, 12, 15], 'int64')], 'y')
    const before = sketch.graph('y')
    const after = simplify(before)
    expect(operatorsOf(after)).toEqual(['DepthToSpace'])
    expect(after.nodes[0].attributes.get('mode')).toBe(mode)
    expectSameMeaning(before, after)
  })

  it('is not seen in blocks with unequal sides', () => {
    const sketch = new Sketch([1, 12, 4, 5])
    sketch.node('Reshape', ['x', sketch.constant('a', [6], [1, 2, 2, 3, 4, 5], 'int64')], 'r')
    sketch.node('Transpose', ['r'], 't', { perm: [0, 1, 4, 2, 5, 3] })
    sketch.node('Reshape', ['t', sketch.constant('b', [4], [1, 2, 8, 15], 'int64')], 'y')
    const before = sketch.graph('y')
    expect(operatorsOf(simplify(before))).not.toContain('DepthToSpace')
    expectSameMeaning(before, simplify(before))
  })
})

const STEPS = [
  'last',
  'first',
  'swap',
  'unary',
  'constant',
  'channel',
  'sum',
  'join',
  'pad',
  'slice',
  'reduce',
  'softmax',
  'flat',
] as const
type Step = readonly [(typeof STEPS)[number], number]

/** Every step takes a value of rank 4 and makes one. */
function randomGraph(steps: readonly Step[], seed: number, taps: number): Graph {
  const sketch = new Sketch([2, 3, 4, 2], seed)
  const shapes = new Map<string, readonly number[]>([['x', [2, 3, 4, 2]]])
  const list = (name: string, ...values: number[]) => sketch.constant(name, [values.length], values, 'int64')
  steps.forEach(([step, choice], index) => {
    const names = [...shapes.keys()]
    const from = choice % 3 === 0 ? names[choice % names.length] : (names.at(-1) as string)
    const shape = shapes.get(from) as readonly number[]
    const to = `v${index}`
    const axis = choice % 4
    const attributes: Record<string, AttributeValue> = {}
    let made = shape
    const permuted = (perm: readonly number[]) => {
      sketch.node('Transpose', [from], to, { perm })
      made = perm.map((source) => shape[source])
    }
    if (step === 'last') permuted(LAST.perm)
    else if (step === 'first') permuted(FIRST.perm)
    else if (step === 'swap') permuted([0, 2, 1, 3])
    else if (step === 'unary') sketch.node(['Tanh', 'Relu', 'Sigmoid', 'Neg'][choice % 4], [from], to, attributes)
    else if (step === 'constant') sketch.node('Add', [sketch.constant(`${to}.k`, shape.slice(axis)), from], to)
    else if (step === 'channel') sketch.node('Mul', [from, sketch.constant(`${to}.k`, [shape[1], 1, 1])], to)
    else if (step === 'sum') {
      const other = names.findLast((name) => name !== from && String(shapes.get(name)) === String(shape)) ?? from
      sketch.node(choice % 2 === 0 ? 'Add' : 'Sub', [other, from], to)
    } else if (step === 'join') {
      if (shape[axis] > 4) sketch.node('Identity', [from], to)
      else {
        sketch.node('Concat', [from, sketch.node('Tanh', [from], `${to}.e`)], to, { axis })
        made = shape.map((size, i) => (i === axis ? 2 * size : size))
      }
    } else if (step === 'pad') {
      sketch.node('Pad', [from, list(`${to}.p`, 1, 0), '', list(`${to}.a`, axis)], to)
      made = shape.map((size, i) => (i === axis ? size + 1 : size))
    } else if (step === 'slice') {
      const lists = [list(`${to}.s`, shape[axis] > 1 ? 1 : 0), list(`${to}.e`, 99), list(`${to}.a`, axis)]
      sketch.node('Slice', [from, ...lists], to)
      made = shape.map((size, i) => (i === axis && size > 1 ? size - 1 : size))
    } else if (step === 'reduce') {
      sketch.node('ReduceMean', [from, list(`${to}.a`, axis)], to)
      made = shape.map((size, i) => (i === axis ? 1 : size))
    } else if (step === 'softmax') sketch.node('Softmax', [from], to, { axis })
    else {
      made = [shape[0], shape[2], shape[1], shape[3]]
      sketch.node('Reshape', [from, list(`${to}.n`, ...made)], to)
    }
    shapes.set(to, made)
  })
  const last = `v${steps.length - 1}`
  return sketch.graph(...new Set([last, `v${taps % steps.length}`]))
}

describe('random graphs of layouts', () => {
  it('keep their meaning and reach a fixed point', () => {
    const step = fc.tuple(fc.constantFrom(...STEPS), fc.nat(40))
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), fc.nat(), fc.nat(20), (steps, seed, taps) => {
        const before = randomGraph(steps, seed, taps)
        const simple = simplify(before)
        for (const name of before.outputs)
          expect((simple.values.get(name) as Value).shape).toEqual((before.values.get(name) as Value).shape)
        expectSameMeaning(before, simple)
        expect(simplify(simple)).toBe(simple)
        expectSameMeaning(before, fuse(simple))
      }),
      { numRuns: 200, seed: 1 },
    )
  })
})
