import { describe, expect, it } from 'vitest'
import type { Graph } from '../graph/graph.ts'
import { simplify } from '../graph/simplify.ts'
import { runReference } from '../reference/run.ts'
import { type ParseOptions, parseOnnx } from './index.ts'
import type { MessageInput } from './schema.ts'
import { attribute, failureOf, floatTensor, floatValue, int64Tensor, model, node } from './small-model.fixture.ts'
import { encodeModel } from './write-wire.ts'

type GraphInput = MessageInput<'GraphProto'>

const branch = (graph: GraphInput): GraphInput => ({ name: 'branch', ...graph })

function conditional(
  condition: string,
  output: readonly string[],
  then: GraphInput,
  other: GraphInput,
): MessageInput<'NodeProto'> {
  return {
    ...node('If', [condition], output),
    attribute: [
      { name: 'then_branch', type: 5, g: branch(then) },
      { name: 'else_branch', type: 5, g: branch(other) },
    ],
  }
}

/** An int64 input without axes. */
const integer = (name: string) => ({ name, type: { tensorType: { elemType: 7, shape: { dim: [] } } } })

function graphOf(nodes: MessageInput<'NodeProto'>[], parts: GraphInput = {}): GraphInput {
  return {
    name: 'g',
    node: nodes,
    input: [floatValue('x', [1, 2]), integer('mode')],
    output: [floatValue('y', [1, 2])],
    initializer: [int64Tensor('one', [1]), floatTensor('two', [1, 2], [2])],
    ...parts,
  }
}

const parse = (graph: GraphInput, options: ParseOptions = {}): Graph => parseOnnx(encodeModel(model(graph)), options)

function run(graph: Graph): number[] {
  const given = new Map([['x', { type: 'float32' as const, shape: [1, 2], data: Float32Array.of(3, -5) }]])
  return Array.from(runReference(simplify(graph), given).get('y')?.data ?? [], Number)
}

const double = { node: [node('Mul', ['x', 'two'], ['r'])], output: [floatValue('r', [1, 2])] }
const negate = { node: [node('Neg', ['x'], ['r'])], output: [floatValue('r', [1, 2])] }

describe('If with a known condition', () => {
  const chosen = graphOf([node('Equal', ['mode', 'one'], ['c']), conditional('c', ['y'], double, negate)])

  it('is its branch, which reads the values around it', () => {
    expect(run(parse(chosen, { bind: { mode: 1 } }))).toEqual([6, -10])
    const other = parse(chosen, { bind: { mode: 0 } })
    expect(run(other)).toEqual([-3, 5])
    expect(other.inputs).toEqual(['x'])
    expect(other.nodes.map(({ operator }) => operator)).toEqual(['Neg', 'Identity'])
  })

  it('may depend on shapes', () => {
    const graph = graphOf([
      node('Shape', ['x'], ['s']),
      node('Size', ['s'], ['n']),
      node('Equal', ['n', 'one'], ['c']),
      conditional('c', ['y'], double, negate),
    ])
    expect(run(parse(graph, { bind: { mode: 7 } }))).toEqual([-3, 5])
  })

  it('keeps names apart: two nodes with equal branches, initializers, and a branch in a branch', () => {
    const inner = (output: string): GraphInput => ({
      initializer: [floatTensor('two', [1, 2], [3])],
      node: [node('Mul', ['r', 'two'], ['s'])],
      output: [floatValue(output, [1, 2])],
    })
    const nested: GraphInput = {
      initializer: [floatTensor('shift', [1, 2], [1])],
      node: [node('Add', ['x', 'shift'], ['r']), conditional('c', ['t'], inner('s'), inner('r'))],
      output: [floatValue('t', [1, 2])],
    }
    const graph = graphOf([
      node('Equal', ['mode', 'one'], ['c']),
      conditional('c', ['a'], nested, nested),
      conditional('c', ['b'], nested, nested),
      node('Add', ['a', 'b'], ['r']),
      node('Add', ['r', 'two'], ['y']),
    ])
    // Then: 3 (x + 1), twice, and 2; else: x + 1, twice, and 2.
    expect(run(parse(graph, { bind: { mode: 1 } }))).toEqual([26, -22])
    expect(run(parse(graph, { bind: { mode: 0 } }))).toEqual([10, -6])
  })

  it('may give values from outside, constants, one value twice, and outputs that nobody wants', () => {
    const give = (...names: string[]): GraphInput => ({
      node: [],
      output: names.map((name) => floatValue(name, [1, 2])),
    })
    const graph = graphOf([
      node('Equal', ['mode', 'one'], ['c']),
      conditional('c', ['a', '', 'b', 'd'], give('x', 'two', 'two', 'x'), give('two', 'x', 'x', 'two')),
      node('Mul', ['a', 'b'], ['p']),
      node('Add', ['p', 'd'], ['y']),
    ])
    expect(run(parse(graph, { bind: { mode: 1 } }))).toEqual([9, -15])
    expect(run(parse(graph, { bind: { mode: 0 } }))).toEqual([8, -8])
  })

  it('converts old forms in branches', () => {
    const old = {
      node: [node('Clip', ['x'], ['r'], attribute('min', { f: -1 }), attribute('max', { f: 1 }))],
      output: [floatValue('r', [1, 2])],
    }
    const graph = graphOf([node('Equal', ['mode', 'one'], ['c']), conditional('c', ['y'], old, old)])
    expect(run(parseOnnx(encodeModel(model(graph, 9)), { bind: { mode: 1 } }))).toEqual([1, -1])
  })
})

describe('If that is refused', () => {
  const equal = node('Equal', ['mode', 'one'], ['c'])
  const bound = { bind: { mode: 1 } }
  it.each<[string, GraphInput, ParseOptions, string, string]>([
    [
      'a condition at run time',
      graphOf([equal, conditional('c', ['y'], double, negate)]),
      {},
      'unsupported',
      'node "y node" (If): its condition "c" is computed at run time, and programs have no branches; bind the input',
    ],
    [
      'no else branch',
      graphOf([
        equal,
        { ...node('If', ['c'], ['y']), attribute: [{ name: 'then_branch', type: 5, g: branch(double) }] },
      ]),
      bound,
      'refused',
      'needs one input and the attributes then_branch and else_branch',
    ],
    [
      'a condition that is no bool',
      graphOf([conditional('one', ['y'], double, negate)]),
      bound,
      'refused',
      'has a condition of type int64 and shape [1]; one bool is needed',
    ],
    [
      'too few outputs',
      graphOf([equal, conditional('c', ['y', 'z'], double, negate)]),
      bound,
      'refused',
      'has 2 outputs, but its branch gives 1',
    ],
    [
      'a branch with inputs',
      graphOf([equal, conditional('c', ['y'], { ...double, input: [floatValue('z', [1])] }, negate)]),
      bound,
      'refused',
      'has a branch with inputs of its own',
    ],
    [
      'an output that nothing gives',
      graphOf([equal, conditional('c', ['y'], { ...double, output: [floatValue('q', [1, 2])] }, negate)]),
      bound,
      'refused',
      'input "q" is not defined before it is used',
    ],
    [
      'a value that nothing gives',
      graphOf([
        equal,
        conditional('c', ['y'], { ...double, node: [node('Neg', ['later'], ['r'])] }, negate),
        node('Neg', ['x'], ['later']),
      ]),
      bound,
      'refused',
      'reads "later", which is no input, no initializer and no node\'s output',
    ],
  ])('%s', (_, graph, options, code, message) => {
    expect(failureOf(() => parse(graph, options))).toEqual({ code, message: expect.stringContaining(message) })
  })
})

describe('bindings', () => {
  const graph: GraphInput = {
    name: 'g',
    node: [node('Mul', ['x', 'gain'], ['y'])],
    input: [floatValue('x', ['N', 'length']), floatValue('gain', [1, 2])],
    output: [floatValue('y', ['N', 2])],
  }

  it('give axes their sizes and inputs their values', () => {
    const parsed = parse(graph, { bind: { length: [2], gain: [0.5, -1] } })
    expect(parsed.inputs).toEqual(['x'])
    expect(parsed.values.get('x')?.shape).toEqual([1, 2])
    expect(run(parsed)).toEqual([1.5, 5])
    expect(parse(graph, { axes: { length: 2 }, bind: { N: 3, gain: [1, 1] } }).values.get('y')?.shape).toEqual([3, 2])
  })

  it.each<[string, ParseOptions, string]>([
    [
      'unknown',
      { bind: { size: 2 } },
      'the model has no input and no axis named "size"; it has "x", "gain", "N", "length"',
    ],
    ['given twice', { axes: { length: 2 }, bind: { length: 2 } }, 'the size of axis "length" is given twice'],
    ['an axis with a list', { bind: { length: [2, 3] } }, 'axis "length" takes one size, not a list'],
    [
      'an axis of half an element',
      { bind: { length: 0.5 } },
      'axis "length" has size 0.5; a positive integer is needed',
    ],
    ['too few', { bind: { length: 2, gain: 1 } }, 'input "gain" of shape [1,2] is bound to 1 numbers; 2 are needed'],
    [
      'no number',
      { bind: { length: 2, gain: [1, Number.NaN] } },
      'input "gain" of type float32 cannot be bound to NaN',
    ],
  ])('%s are refused', (_, options, message) => {
    expect(failureOf(() => parse(graph, options))).toEqual({ code: 'usage', message: expect.stringContaining(message) })
  })

  it('of integers are integers of their type', () => {
    const typed = graphOf([node('Neg', ['x'], ['y'])])
    expect(failureOf(() => parse(typed, { bind: { mode: 1.5 } })).message).toContain(
      'input "mode" of type int64 cannot be bound to 1.5',
    )
  })
})
