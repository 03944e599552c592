import { describe, expect, it } from 'vitest'
import { createReferenceExecutor } from '../reference/run.ts'
import { parseOnnx } from './index.ts'
import type { MessageInput } from './schema.ts'
import { attribute, failureOf, floatTensor, floatValue, model, node } from './small-model.fixture.ts'
import { encodeModel } from './write-wire.ts'

type FunctionInput = MessageInput<'FunctionProto'>
type NodeInput = MessageInput<'NodeProto'>

const opsetImport = [{ domain: '', version: 13n }]

/** A function of the domain `own` from `a` to `b`. */
function own(name: string, nodes: readonly NodeInput[], details: FunctionInput = {}): FunctionInput {
  return { name, domain: 'own', input: ['a'], output: ['b'], node: nodes, opsetImport, ...details }
}

/** A call, named `name`. */
function call(callee: string, input: readonly string[], output: readonly string[], name = ''): NodeInput {
  return { ...node(callee, input, output), domain: 'own', name }
}

function parse(functions: readonly FunctionInput[], nodes: readonly NodeInput[], options = {}) {
  const graph = {
    name: 'g',
    node: nodes,
    initializer: [floatTensor('w', [1], [8])],
    input: [floatValue('x', [1, 2])],
    output: [floatValue('y', [1, 2])],
  }
  return parseOnnx(encodeModel({ ...model(graph), functions }), options)
}

function run(...given: Parameters<typeof parse>): number[] {
  const result = createReferenceExecutor(parse(...given)).run(new Map([['x', Float32Array.of(-2, 4)]]))
  return Array.from(result.get('y') as Float32Array)
}

const twice = own('Twice', [node('Neg', ['a'], ['t']), { ...node('Abs', ['t'], ['b']), name: 'last' }])

describe('inlined functions', () => {
  it('have readable names, that are nobody else’s', () => {
    const outer = own('Outer', [call('Twice', ['a'], ['m'], 'first'), call('Twice', ['m'], ['b'])])
    const { nodes } = parse(
      [outer, twice],
      [
        call('Outer', ['x'], ['p'], 'layer'),
        call('Outer', ['p'], ['layer/first/t'], 'layer'),
        call('Twice', ['layer/first/t'], ['y']),
      ],
    )
    expect(nodes.map(({ name }) => name)).toEqual([
      'layer/first/t node',
      'layer/first/last',
      'layer/b/t node',
      'layer/b/last',
      'layer/first/t node#2',
      'layer/first/last#2',
      'layer/b/t node#2',
      'layer/b/last#2',
      'y/t node',
      'y/last',
    ])
    expect(nodes.map(({ outputs }) => outputs[0])).toEqual([
      ...['layer/first/t.2', 'layer/m', 'layer/b/t', 'p'],
      ...['layer/first/t.3', 'layer/m.2', 'layer/b/t.2', 'layer/first/t', 'y/t', 'y'],
    ])
  })

  it('come before operators of the same name, in both spellings of the domain', () => {
    const abs = { ...own('Relu', [node('Neg', ['a'], ['b'])]), domain: 'ai.onnx' }
    expect(run([abs], [node('Relu', ['x'], ['y'])])).toEqual([2, -4])
    expect(run([], [node('Relu', ['x'], ['y'])])).toEqual([0, 4])
  })

  it('leave a graph without calls as it is', () => {
    const nodes = [node('Relu', ['x'], ['y'])]
    expect(parse([twice], nodes)).toEqual(parse([], nodes))
  })

  it('hand inputs on, under one name or two', () => {
    const swap = own('Swap', [], { input: ['a', 'b'], output: ['b', 'a'] })
    expect(run([swap], [call('Swap', ['x', 'w'], ['p', 'q']), node('Sub', ['p', 'q'], ['y'])])).toEqual([10, 4])
  })

  it('are called in branches, and see the graph through their inputs only', () => {
    const branch = (nodes: NodeInput[]) => ({ type: 5, g: { node: nodes, output: [{ name: 'n' }] } })
    const choose: NodeInput = {
      ...node('If', ['c'], ['y']),
      attribute: [
        { name: 'then_branch', ...branch([call('Twice', ['x'], ['n'])]) },
        { name: 'else_branch', ...branch([node('Neg', ['x'], ['n'])]) },
      ],
    }
    const yes = { ...node('Constant', [], ['c']), attribute: [{ name: 'value', type: 4, t: boolean(1) }] }
    const no = { ...yes, attribute: [{ name: 'value', type: 4, t: boolean(0) }] }
    expect(run([twice], [yes, choose])).toEqual([2, 4])
    expect(run([twice], [no, choose])).toEqual([2, -4])
  })

  it('are told from each other whatever their domains and names join to', () => {
    const [first, second] = [
      { ...own('b::c', [node('Neg', ['a'], ['b'])]), domain: 'a' },
      { ...own('c', [node('Abs', ['a'], ['b'])]), domain: 'a::b' },
    ]
    const called = { ...node('c', ['x'], ['y']), domain: 'a::b' }
    expect(run([first, second], [called])).toEqual([2, 4])
  })
})

function boolean(value: number): MessageInput<'TensorProto'> {
  return { dataType: 9, dims: [], rawData: Uint8Array.of(value) }
}

describe('functions are refused', () => {
  const onX = call('F', ['x'], ['y'], 'here')
  const neg = node('Neg', ['a'], ['b'])

  it.each<[string, FunctionInput[], NodeInput[], string, string]>([
    [
      'that call each other',
      [own('F', [call('G', ['a'], ['b'])]), own('G', [call('F', ['a'], ['b'])])],
      [onX],
      'refused',
      'functions of the model call themselves without end: "own::F" calls "own::G" calls "own::F"',
    ],
    ['twice', [own('F', [neg]), own('F', [neg])], [onX], 'refused', 'function "own::F" of the model is defined twice'],
    [
      'that read the graph',
      [own('F', [node('Add', ['a', 'w'], ['b'])])],
      [onX],
      'refused',
      'function "own::F" of the model: node "b node" reads "w", which is no input',
    ],
    [
      'with too many inputs',
      [own('F', [neg])],
      [call('F', ['x', 'w'], ['y'], 'here')],
      'refused',
      'node "here", which calls function "own::F" of the model, has 2 inputs; the function has 1: "a"',
    ],
    [
      'with an unknown attribute',
      [own('F', [neg], { attribute: ['k'] })],
      [{ ...onX, attribute: [attribute('l', 1)] }],
      'refused',
      'is given attribute "l"; the function has "k"',
    ],
    [
      'with an attribute twice',
      [own('F', [neg], { attribute: ['k'] })],
      [{ ...onX, attribute: [attribute('k', 1), attribute('k', 1)] }],
      'refused',
      'is given attribute "k" twice',
    ],
    [
      'with a reference outside of them',
      [own('F', [neg], { attribute: ['k'] })],
      [{ ...onX, attribute: [{ name: 'k', type: 2, refAttrName: 'm' }] }],
      'refused',
      'has attribute "k", which refers to "m" outside of a function',
    ],
    [
      'of another version of an operator set',
      [own('F', [neg], { opsetImport: [{ domain: 'ai.onnx', version: 14n }] })],
      [onX],
      'unsupported',
      'would use version 14 of operator set "ai.onnx" in it, but the model uses version 13',
    ],
    [
      'that hand on an input that is left out',
      [own('F', [neg], { input: ['a', 'c'], output: ['b', 'c'] })],
      [call('F', ['x'], ['y', 'z'])],
      'refused',
      'leaves out the input "c", which is an output of the function too',
    ],
    [
      'that are not there',
      [own('F', [neg])],
      [{ ...onX, overload: 'v2' }],
      'unsupported',
      'own::F:v2 × 1, no function of the file ("here")',
    ],
  ])('%s', (_, functions, nodes, code, message) => {
    expect(failureOf(() => parse(functions, nodes))).toEqual({ code, message: expect.stringContaining(message) })
  })

  it('beyond limits, each by its name', () => {
    const four = own('Four', [call('Twice', ['a'], ['m'], 'one'), call('Twice', ['m'], ['b'], 'two')])
    const nodes = [call('Four', ['x'], ['y'], 'here')]
    const failure = (limits: Record<string, number>) => failureOf(() => parse([four, twice], nodes, { limits }))
    // Two calls with two nodes each, and one more for every output that might be an input.
    expect(parse([four, twice], nodes, { limits: { inlinedNodes: 9 } }).nodes.length).toBe(4)
    expect(failure({ inlinedNodes: 8 })).toEqual({
      code: 'limit',
      message:
        'the calls of functions, first of all of "own::Four", become 9 nodes; at most 8 are read (limit "inlinedNodes")',
    })
    expect(failure({ nodes: 9 }).message).toContain('(limit "nodes")')
    expect(failure({ inlinedBytes: 2000 }).message).toMatch(/\(limit "inlinedBytes"\), reached at node "here\/two"/)
  })
})
