/** Models with functions of their own: definitions and calls that contradict themselves, never end, or grow without bound. */
import type { MessageInput } from '../../src/onnx/schema.ts'
import { encodeModel } from '../../src/onnx/write-wire.ts'
import { accepted, group, refused } from './hostile-case.ts'
import { attribute, floats, honestResult, longs, type NodeInput, node, value } from './sketch.ts'

type FunctionInput = MessageInput<'FunctionProto'>

/** A function of the domain `own` from `a` to `b`. */
function own(name: string, nodes: readonly NodeInput[], details: FunctionInput = {}): FunctionInput {
  const opsetImport = [
    { domain: '', version: 13n },
    { domain: 'own', version: 1n },
  ]
  return { name, domain: 'own', input: ['a'], output: ['b'], node: nodes, opsetImport, ...details }
}

function call(name: string, input: readonly string[] = ['a'], output: readonly string[] = ['b']): NodeInput {
  return { ...node(name, input, output), domain: 'own' }
}

/** A file with functions whose graph goes from `x` to `y`. */
function calling(
  functions: readonly FunctionInput[],
  nodes: readonly NodeInput[] = [call('F', ['x'], ['y'])],
): Uint8Array {
  return encodeModel({
    irVersion: 10n,
    opsetImport: [
      { domain: '', version: 13n },
      { domain: 'own', version: 1n },
    ],
    graph: {
      name: 'g',
      node: nodes,
      initializer: [floats('w', [4], [1, -2, 3, -4])],
      input: [value('x', [1, 4])],
      output: [value('y', [1, 4])],
    },
    functions,
  })
}

const negated = own('F', [node('Neg', ['a'], ['b'])])
const refers = (one: NodeInput, name: string, refAttrName: string, type = 1): NodeInput => ({
  ...one,
  attribute: [{ name, refAttrName, type }],
})

/** `levels` functions, each of which calls the one before `calls` times, one behind the other; F0 is given. */
function tower(levels: number, calls: number, first: FunctionInput): FunctionInput[] {
  const values = ['a', ...Array.from({ length: calls - 1 }, (_, i) => `v${i}`), 'b']
  const above = Array.from({ length: levels }, (_, level) =>
    own(
      `F${level + 1}`,
      Array.from({ length: calls }, (_, i) => call(`F${level}`, [values[i] as string], [values[i + 1] as string])),
    ),
  )
  return [first, ...above]
}

/** A subgraph, as an attribute of If, that gives `n`. */
const branch = (nodes: readonly NodeInput[]) => ({ graph: { node: nodes, output: [value('n', [1, 4])] } })

const condition = { name: 'c', dataType: 9, dims: [], rawData: Uint8Array.of(1) }

/** Functions that nest an If with a call of the one before into each other. */
function nested(levels: number): FunctionInput[] {
  const first = own('F0', [node('Neg', ['a'], ['b'])])
  const above = Array.from({ length: levels }, (_, level) => {
    const taken = branch([{ ...call(`F${level}`, ['a'], ['n']), name: 'c' }])
    return own(`F${level + 1}`, [
      { ...node('Constant', [], ['c']), attribute: [attribute('value', { tensor: condition })] },
      {
        ...node('If', ['c'], ['b'], { then_branch: taken, else_branch: branch([node('Abs', ['a'], ['n'])]) }),
        name: 'i',
      },
    ])
  })
  return [first, ...above]
}

const large = longs('axes', Array<number>(1000).fill(0))

export const functionCases = group('functions', [
  accepted(
    'honest-function',
    'nothing: Add and Relu as a function',
    () =>
      calling(
        [own('F', [node('Add', ['a', 'k'], ['s']), node('Relu', ['s'], ['b'])], { input: ['a', 'k'] })],
        [call('F', ['x', 'w'], ['y'])],
      ),
    honestResult,
  ),
  accepted(
    'honest-tower',
    'nothing: functions that call functions, 2^5 nodes in all',
    () => calling(tower(5, 2, own('F0', [node('Neg', ['a'], ['b'])])), [call('F5', ['x'], ['y'])]),
    { x: [1, -2, 3, 0], y: [1, -2, 3, 0] },
  ),
  accepted(
    'honest-large-tower',
    'nothing: 8,000 nodes out of functions that call each other',
    () => calling(tower(3, 20, own('F0', [node('Neg', ['a'], ['b'])])), [call('F3', ['x'], ['y'])]),
    { x: [1, -2, 3, 0], y: [1, -2, 3, 0] },
  ),
  accepted(
    'function-unused',
    'a function that nothing calls, of an operator that nobody has',
    () => calling([negated, own('G', [node('NoSuchOperator', ['a'], ['b'])])]),
    { x: [1, 2, 3, 4], y: [-1, -2, -3, -4] },
  ),
  accepted(
    'function-hands-on',
    'a function whose output is its input',
    () => calling([own('F', [], { output: ['a'] })]),
    { x: [1, 2, 3, 4], y: [1, 2, 3, 4] },
  ),
  accepted(
    'function-prototype',
    'a function, its values and attribute named like members of objects',
    () => {
      const leaky = refers(node('LeakyRelu', ['constructor'], ['toString']), 'alpha', 'valueOf')
      const names = { input: ['constructor'], output: ['toString'], attribute: ['valueOf'] }
      const called = { ...call('__proto__', ['x'], ['y']), attribute: [attribute('valueOf', 0.5)] }
      return calling([own('__proto__', [leaky], names)], [called])
    },
    { x: [2, -4, 0, -2], y: [2, -2, 0, -1] },
  ),
  refused('function-recursive', 'a function that calls itself', ['own::F', 'itself'], () =>
    calling([own('F', [call('F')])]),
  ),
  refused('function-recursive-three', 'three functions that call each other in turn', ['own::F', 'own::G'], () =>
    calling([own('F', [call('G')]), own('G', [call('H')]), own('H', [call('F')])]),
  ),
  refused('function-recursive-unused', 'a function that calls itself, and that nothing calls', 'own::G', () =>
    calling([negated, own('G', [call('G')])]),
  ),
  refused('function-recursive-branch', 'a function that calls itself in a branch', 'own::F', () =>
    calling([
      own('F', [
        { ...node('Constant', [], ['c']), attribute: [attribute('value', { tensor: condition })] },
        node('If', ['c'], ['b'], { then_branch: branch([call('F', ['a'], ['n'])]), else_branch: branch([]) }),
      ]),
    ]),
  ),
  refused('function-recursive-long', 'a circle of 50,000 functions', 'own::F', () =>
    calling(
      Array.from({ length: 50_000 }, (_, i) => own(`F${i}`, [call(`F${(i + 1) % 50_000}`)])),
      [call('F0', ['x'], ['y'])],
    ),
  ),
  refused('function-bomb', '10 functions, each of which calls the one before 10 times', ['inlinedNodes'], () =>
    calling(tower(10, 10, own('F0', [node('Neg', ['a'], ['b'])])), [call('F10', ['x'], ['y'])]),
  ),
  refused('function-bomb-deep', '2,000 functions, each of which calls the one before twice', ['inlinedNodes'], () =>
    calling(tower(2000, 2, own('F0', [node('Neg', ['a'], ['b'])])), [call('F2000', ['x'], ['y'])]),
  ),
  refused('function-bomb-empty', '60 functions without nodes, calling twice', ['inlinedNodes'], () =>
    calling(tower(60, 2, own('F0', [], { output: ['a'] })), [call('F60', ['x'], ['y'])]),
  ),
  refused('function-bomb-names', 'a function of 10,000 inputs called 8,000 times', ['inlinedBytes'], () => {
    const wide = own('F0', [node('Neg', ['a'], ['b'])], {
      input: ['a', ...Array.from({ length: 10_000 }, (_, i) => `p${i}`)],
    })
    return calling(tower(3, 20, wide), [call('F3', ['x'], ['y'])])
  }),
  refused('function-bomb-list', 'one list of 500,000 numbers, read by 8,000 nodes', ['inlinedBytes'], () => {
    const ints = attribute('value_ints', Array<number>(500_000).fill(7))
    const first = own(
      'F0',
      [
        { ...node('Constant', [], ['l']), attribute: [{ name: 'value_ints', refAttrName: 'ints', type: 7 }] },
        node('Neg', ['a'], ['b']),
      ],
      { attributeProto: [{ ...ints, name: 'ints' }] },
    )
    return calling(tower(3, 20, first), [call('F3', ['x'], ['y'])])
  }),
  refused('function-bomb-tensor', 'one tensor of 400 KB, made by 8,000 nodes', ['inlinedBytes'], () => {
    const tensor = floats('', [100_000], Array<number>(100_000).fill(1))
    const constant = { ...node('Constant', [], ['l']), attribute: [attribute('value', { tensor })] }
    return calling(tower(3, 20, own('F0', [constant, node('Neg', ['a'], ['b'])])), [call('F3', ['x'], ['y'])])
  }),
  refused('function-nested-branches', '3,000 functions, each with the one before in a branch', ['depth'], () =>
    calling(nested(3000), [call('F3000', ['x'], ['y'])]),
  ),
  refused('function-path', 'a chain of 3,000 functions, whose paths grow', ['nameLength'], () =>
    calling(tower(3000, 1, own('F0', [node('Neg', ['a'], ['b'])])), [call('F3000', ['x'], ['y'])]),
  ),
  refused('function-twice', 'two functions of one name', 'own::F', () => calling([negated, negated])),
  refused('function-nameless', 'a function without a name', 'no name', () => calling([{ ...negated, name: '' }])),
  refused('function-many', '50,000 empty functions', 'function', () =>
    calling(Array.from({ length: 50_000 }, (_, i) => ({ name: `F${i}`, domain: 'own' }))),
  ),
  refused('function-unused-order', 'an unused function whose nodes stand in the wrong order', 'own::G', () =>
    calling([negated, own('G', [node('Neg', ['t'], ['b']), node('Neg', ['a'], ['t'])])]),
  ),
  refused('function-unused-cycle', 'an unused function whose nodes read each other', 'own::G', () =>
    calling([negated, own('G', [node('Add', ['a', 'b'], ['t']), node('Neg', ['t'], ['b'])])]),
  ),
  refused('function-unused-output', 'an unused function whose output nothing makes', 'own::G', () =>
    calling([negated, own('G', [node('Neg', ['a'], ['t'])])]),
  ),
  refused('function-input-twice', 'a function with two inputs of one name', '"a" twice', () =>
    calling([own('F', [node('Neg', ['a'], ['b'])], { input: ['a', 'a'] })]),
  ),
  refused('function-output-twice', 'a function with two outputs of one name', '"b" twice', () =>
    calling([own('F', [node('Neg', ['a'], ['b'])], { output: ['b', 'b'] })]),
  ),
  refused('function-attribute-twice', 'an attribute with a default and without', '"k" twice', () =>
    calling([own('F', [node('Neg', ['a'], ['b'])], { attribute: ['k'], attributeProto: [attribute('k', 1)] })]),
  ),
  refused('function-value-twice', 'a body that makes its input', 'produced twice', () =>
    calling([own('F', [node('Neg', ['a'], ['a']), node('Neg', ['a'], ['b'])])]),
  ),
  refused('function-inputs', 'a call with more inputs than there are', 'has 2 inputs', () =>
    calling([negated], [call('F', ['x', 'x'], ['y'])]),
  ),
  refused('function-no-inputs', 'a call without the input that the body needs', ['omitted', 'inputs'], () =>
    calling([negated], [call('F', [], ['y'])]),
  ),
  refused('function-outputs', 'a call with more outputs than there are', 'has 2 outputs', () =>
    calling([negated], [call('F', ['x'], ['y', 'z'])]),
  ),
  refused('function-no-outputs', 'a call without outputs', 'no output', () =>
    calling([negated], [call('F', ['x'], ['y']), call('F', ['x'], [''])]),
  ),
  refused('function-outside', 'a body that reads a value of the graph', '"w"', () =>
    calling([own('F', [node('Add', ['a', 'w'], ['b'])])]),
  ),
  refused('function-outside-branch', 'a branch in a body that reads a value of the graph', '"w"', () =>
    calling([
      own('F', [
        { ...node('Constant', [], ['c']), attribute: [attribute('value', { tensor: condition })] },
        node('If', ['c'], ['b'], {
          then_branch: branch([node('Add', ['a', 'w'], ['n'])]),
          else_branch: branch([node('Neg', ['a'], ['n'])]),
        }),
      ]),
    ]),
  ),
  refused('function-attribute-unknown', 'a call with an attribute that the function has not', '"k"', () =>
    calling([negated], [{ ...call('F', ['x'], ['y']), attribute: [attribute('k', 1)] }]),
  ),
  refused('function-attribute-missing', 'a needed attribute that the call leaves out', ['"to"'], () =>
    calling([own('F', [refers(node('Cast', ['a'], ['b']), 'to', 'kind', 2)], { attribute: ['kind'] })]),
  ),
  refused('function-attribute-nowhere', 'a body that refers to an attribute that the function has not', '"slope"', () =>
    calling([own('F', [refers(node('LeakyRelu', ['a'], ['b']), 'alpha', 'slope')])]),
  ),
  refused(
    'function-attribute-kind',
    'an integer for an attribute that is used as a float',
    ['"alpha"', '"slope"'],
    () =>
      calling(
        [own('F', [refers(node('LeakyRelu', ['a'], ['b']), 'alpha', 'slope')], { attribute: ['slope'] })],
        [{ ...call('F', ['x'], ['y']), attribute: [attribute('slope', 1n)] }],
      ),
  ),
  refused('function-attribute-graph', 'a subgraph as an attribute of a call', '"k"', () =>
    calling(
      [own('F', [node('Neg', ['a'], ['b'])], { attribute: ['k'] })],
      [{ ...call('F', ['x'], ['y']), attribute: [attribute('k', branch([node('Neg', ['x'], ['n'])]))] }],
    ),
  ),
  refused('function-attribute-circle', 'a default that refers to an attribute', '"k"', () =>
    calling([own('F', [node('Neg', ['a'], ['b'])], { attributeProto: [{ name: 'k', type: 1, refAttrName: 'k' }] })]),
  ),
  refused('function-opset', 'a function of another version of the operators', 'version 12', () =>
    calling([own('F', [node('Neg', ['a'], ['b'])], { opsetImport: [{ domain: '', version: 12n }] })]),
  ),
  refused('function-opset-none', 'a function that imports no operators', 'ai.onnx', () =>
    calling([own('F', [node('Neg', ['a'], ['b'])], { opsetImport: [] })]),
  ),
  refused('function-opset-twice', 'a function that imports one operator set in two versions', 'versions', () =>
    calling([
      own('F', [node('Neg', ['a'], ['b'])], {
        opsetImport: [
          { domain: '', version: 13n },
          { domain: 'ai.onnx', version: 14n },
        ],
      }),
    ]),
  ),
  refused('function-overload', 'a call of an overload that there is not', 'own::F:other', () =>
    calling([negated], [{ ...call('F', ['x'], ['y']), overload: 'other' }]),
  ),
  refused('function-operator', 'a called function of an operator that nobody has', 'NoSuchOperator', () =>
    calling([own('F', [node('NoSuchOperator', ['a'], ['b'])])]),
  ),
  refused('function-terminal', 'a function whose name would clear a terminal', 'u{1b}[2J', () =>
    calling([own('\u001b[2J', [call('\u001b[2J')])]),
  ),
  refused('function-terminal-input', 'a call whose function has an input that would clear a terminal', 'u{1b}[2J', () =>
    calling([own('F', [node('Neg', ['\u001b[2J'], ['b'])], { input: ['\u001b[2J'] })], [call('F', ['x', 'x'], ['y'])]),
  ),
  refused('function-type', 'a call on a tensor of the wrong shape', ['axes'], () =>
    calling(
      [own('F', [node('ReduceSum', ['a', 'k'], ['b'])], { input: ['a', 'k'] })],
      [
        { ...node('Constant', [], ['axes']), attribute: [attribute('value', { tensor: large })] },
        call('F', ['x', 'axes'], ['y']),
      ],
    ),
  ),
])
