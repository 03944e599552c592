import { describe, expect, it } from 'vitest'
import { DyadicError } from '../error.ts'
import type { AttributeValue, Graph } from './graph.ts'
import { inferGraph, nodeMacs } from './infer.ts'
import { printGraph } from './print.ts'
import { makeConstant } from './tensor.ts'
import { verifyGraph } from './verify.ts'

/** One input or constant: its shape, and numbers where it is a constant (int64 unless the type is given). */
type Operand = readonly [
  shape: readonly number[],
  type?: 'float32' | 'int64' | 'int8' | 'float64',
  values?: readonly number[],
]

function single(
  operator: string,
  operands: readonly (Operand | null)[],
  attributes: Record<string, AttributeValue> = {},
): Graph {
  const names = operands.map((operand, index) => (operand ? `i${index}` : ''))
  const given = operands.flatMap((operand, index) => (operand ? [{ name: names[index], operand }] : []))
  return inferGraph({
    name: 'g',
    opset: 13,
    inputs: given
      .filter(({ operand }) => operand[2] === undefined)
      .map(({ name, operand: [shape, type = 'float32'] }) => ({ name, type, shape })),
    outputs: ['y'],
    nodes: [{ name: 'n', operator, inputs: names, outputs: ['y'], attributes: new Map(Object.entries(attributes)) }],
    constants: new Map(
      given.flatMap(({ name, operand: [shape, type = 'int64', values] }) =>
        values ? [[name, makeConstant(type, shape, values)] as const] : [],
      ),
    ),
  })
}

function refusal(action: () => unknown): DyadicError {
  try {
    action()
  } catch (error) {
    if (error instanceof DyadicError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

const ints = (...values: number[]): Operand => [[values.length], 'int64', values]
const image: Operand = [[1, 2, 4, 4]]

describe('inferGraph refuses, naming the node', () => {
  it.each<[string, RegExp, string, readonly (Operand | null)[], Record<string, AttributeValue>?]>([
    ['missing input', /has 1 inputs; 2 to 3 are needed/, 'Conv', [image]],
    ['omitted needed input', /input 0 is omitted/, 'Relu', [null]],
    ['unknown attribute', /attribute "colour" is not defined/, 'Relu', [image], { colour: 1 }],
    ['types of bounds', /bound of Clip has type float32, its input int64/, 'Clip', [[[2], 'int64'], [[]]]],
    [
      'a flag of 7',
      /attribute "ceil_mode" is 7; it must be 0 or 1/,
      'MaxPool',
      [image],
      { kernel_shape: [1, 1], ceil_mode: 7 },
    ],
    ['wrong attribute kind', /attribute "group" is not of kind int/, 'Conv', [image, [[2, 2, 1, 1]]], { group: 1.5 }],
    ['missing attribute', /attribute "kernel_shape" is missing/, 'MaxPool', [image]],
    ['channels', /need 3 input channels; the input has 2/, 'Conv', [image, [[2, 3, 1, 1]]]],
    ['groups', /3 output channels do not divide into 2 groups/, 'Conv', [image, [[3, 1, 1, 1]]], { group: 2 }],
    ['kernel_shape', /contradicts weights/, 'Conv', [image, [[2, 2, 1, 1]]], { kernel_shape: [3, 3] }],
    ['conv bias', /bias of shape \[3\] is not \[2\]/, 'Conv', [image, [[2, 2, 1, 1]], [[3]]]],
    ['window too large', /does not fit spatial axis 0/, 'Conv', [image, [[2, 2, 5, 5]]]],
    ['stride 0', /strides \[0,1\] has an entry below 1/, 'Conv', [image, [[2, 2, 1, 1]]], { strides: [0, 1] }],
    ['pads length', /pads \[1,1\] has 2 entries; 4 are needed/, 'Conv', [image, [[2, 2, 1, 1]]], { pads: [1, 1] }],
    ['auto_pad name', /auto_pad is not one of/, 'Conv', [image, [[2, 2, 1, 1]]], { auto_pad: 'SAME' }],
    [
      'auto_pad and pads',
      /contradicts pads/,
      'Conv',
      [image, [[2, 2, 1, 1]]],
      { auto_pad: 'VALID', pads: [1, 1, 1, 1] },
    ],
    ['pool padding', /padding 2 is not smaller/, 'MaxPool', [image], { kernel_shape: [2, 2], pads: [2, 0, 0, 0] }],
    ['float needed', /type int8; a float tensor is needed/, 'Sigmoid', [[[2], 'int8']]],
    [
      'normalisation size',
      /has shape \[3\]; the input \[1,2,4,4\] has 2 channels/,
      'BatchNormalization',
      [image, [[3]], [[2]], [[2]], [[2]]],
    ],
    ['broadcast', /shapes \[2,3\] and \[2\] do not broadcast/, 'Add', [[[2, 3]], [[2]]]],
    ['mixed types', /types float32 and int8 cannot be combined/, 'Mul', [[[2]], [[2], 'int8']]],
    ['gemm inner', /inner sizes 3 and 2/, 'Gemm', [[[2, 3]], [[2, 4]]]],
    ['gemm C', /does not broadcast/, 'Gemm', [[[2, 3]], [[3, 4]], [[3]]]],
    ['matmul', /cannot be multiplied/, 'MatMul', [[[2, 3]], [[2, 3]]]],
    ['reshape total', /6 elements of shape \[2,3\] cannot be arranged as \[4,-1\]/, 'Reshape', [[[2, 3]], ints(4, -1)]],
    ['reshape twice open', /more than one size open/, 'Reshape', [[[2, 3]], ints(-1, -1)]],
    ['reshape copies', /copies axis 2/, 'Reshape', [[[2, 3]], ints(2, 3, 0)]],
    ['squeeze', /only size 1 can be dropped/, 'Squeeze', [[[2, 3]], ints(0)]],
    ['axes twice', /name an axis twice/, 'Unsqueeze', [[[2, 3]], ints(0, -4)]],
    ['axis range', /axis 2 does not exist in a tensor of rank 2/, 'Softmax', [[[2, 3]]], { axis: 2 }],
    ['perm', /perm \[0\] is no permutation of 2 axes/, 'Transpose', [[[2, 3]]], { perm: [0] }],
    ['slice step', /step 0/, 'Slice', [[[4]], ints(0), ints(1), ints(0), ints(0)]],
    ['pad crops', /crop more than the input/, 'Pad', [[[4]], ints(-3, -2)]],
    ['concat', /does not join/, 'Concat', [[[2, 3]], [[3, 2]]], { axis: 0 }],
    ['scales', /2 scales for axis 1/, 'QuantizeLinear', [[[1, 3]], [[2]], [[2], 'int8']]],
    [
      'zero point type',
      /zero point of type float32 for elements of type int8/,
      'DequantizeLinear',
      [[[3], 'int8'], [[]], [[], 'float32']],
    ],
    [
      'residual',
      /residual of shape/,
      'dyadic.Conv',
      [image, [[2, 2, 1, 1]], null, [[1, 2, 3, 4]]],
      { kernel_shape: [1, 1], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0], group: 1 },
    ],
    ['dense', /does not match weights/, 'dyadic.Dense', [[[1, 3]], [[3, 2]]]],
    ['fused add', /different shapes/, 'dyadic.Add', [[[1, 3]], [[3]]]],
  ])('%s', (_, message, operator, operands, attributes) => {
    const error = refusal(() => single(operator, operands, attributes))
    expect(error.message).toMatch(message)
    expect(error.message).toContain('node "n"')
    expect(['refused', 'unsupported']).toContain(error.code)
  })

  it('what is legal ONNX but not done, as unsupported', () => {
    for (const action of [
      () => single('NonZero', [[[4]]]),
      () => single('Reshape', [[[2, 3]], [[2], 'int64']]),
      () => single('TopK', [[[4]], [[1], 'int64']]),
      () => single('Dropout', [image, [[]], [[]]]),
    ])
      expect(refusal(action).code).toBe('unsupported')
  })

  it('all unknown operators at once', () => {
    const node = (operator: string) => ({
      name: `${operator}1`,
      operator,
      inputs: [],
      outputs: [],
      attributes: new Map(),
    })
    const parts = { name: 'g', opset: 13, inputs: [], outputs: [], constants: new Map() }
    const error = refusal(() => inferGraph({ ...parts, nodes: [node('Loop'), node('Relu'), node('If')] }))
    expect(error.code).toBe('unsupported')
    expect(error.message).toMatch(/2 node\(s\).*"Loop" at node "Loop1"; "If" at node "If1"/)
  })

  it('values beyond 2^31 elements', () => {
    expect(refusal(() => single('Pad', [[[4]], ints(2 ** 40, 0)])).code).toBe('limit')
    expect(refusal(() => single('MatMul', [[[2 ** 30, 1]], [[1, 2 ** 30]]])).code).toBe('limit')
  })
})

describe('a graph', () => {
  it('carries inferred shapes, filled-in attributes and costs', () => {
    const graph = single('Conv', [image, [[3, 2, 3, 3]]], { pads: [1, 1, 1, 1] })
    expect(graph.values.get('y')).toEqual({ name: 'y', type: 'float32', shape: [1, 3, 4, 4] })
    expect(Object.fromEntries(graph.nodes[0].attributes)).toEqual({ auto_pad: 'NOTSET', group: 1, pads: [1, 1, 1, 1] })
    expect(nodeMacs(graph, graph.nodes[0])).toBe(3 * 16 * 18)
    expect(
      nodeMacs(
        single('Gemm', [[[5, 2]], [[5, 3]]], { transA: 1 }),
        single('Gemm', [[[5, 2]], [[5, 3]]], { transA: 1 }).nodes[0],
      ),
    ).toBe(30)
  })

  it('does not let exact constants widen what is computed at run time', () => {
    expect(single('Mul', [[[2]], [[2], 'float64', [1, 2]]]).values.get('y')?.type).toBe('float32')
    expect(
      single('Mul', [
        [[2], 'float32', [1, 2]],
        [[2], 'float64', [1, 2]],
      ]).values.get('y')?.type,
    ).toBe('float64')
  })

  it('prints deterministically, with escaped names', () => {
    const graph = inferGraph({
      name: 'a\nb',
      opset: 13,
      inputs: [{ name: 'x"', type: 'float32', shape: [1, 6] }],
      outputs: ['ÿ'],
      nodes: [
        { name: 'n', operator: 'Add', inputs: ['x"', 'k'], outputs: ['s'], attributes: new Map() },
        { name: 'm', operator: 'Softmax', inputs: ['s'], outputs: ['ÿ'], attributes: new Map([['axis', 1]]) },
      ],
      constants: new Map([['k', makeConstant('float32', [6], [0, 0.5, 1, -1, 2, 3])]]),
    })
    expect(printGraph(graph)).toBe(
      [
        'graph "a\\u{a}b" opset 13',
        'input "x\\"": float32[1, 6]',
        'constant "k": float32[6] = [0, 0.5, 1, -1, …]',
        'node "n" "s": float32[1, 6] = Add("x\\"", "k")',
        'node "m" "\\u{ff}": float32[1, 6] = Softmax("s") axis=1',
        'output "\\u{ff}": float32[1, 6]',
        '',
      ].join('\n'),
    )
  })
})

describe('verifyGraph', () => {
  const graph = inferGraph({
    name: 'g',
    opset: 13,
    inputs: [{ name: 'x', type: 'float32', shape: [2] }],
    outputs: ['z'],
    nodes: [
      { name: 'a', operator: 'Mul', inputs: ['x', 'k'], outputs: ['y'], attributes: new Map() },
      { name: 'b', operator: 'LeakyRelu', inputs: ['y'], outputs: ['z'], attributes: new Map() },
    ],
    constants: new Map([['k', makeConstant('float32', [2], [1, 2])]]),
  })
  const [a, b] = graph.nodes
  const without = (name: string) => new Map([...graph.values].filter(([key]) => key !== name))

  it('accepts what inferGraph makes', () => {
    expect(() => verifyGraph(graph, 'import')).not.toThrow()
  })

  it.each<[string, Partial<Graph>, RegExp]>([
    ['order', { nodes: [b, a] }, /"y" is not defined before it is used/],
    ['two definitions', { nodes: [a, { ...b, outputs: ['y'] }] }, /"y" is defined twice/],
    ['two names', { nodes: [a, { ...b, name: 'a' }] }, /two nodes are named "a"/],
    ['dangling output', { outputs: ['w'] }, /output "w" is never computed/],
    ['output twice', { outputs: ['z', 'z'] }, /listed twice/],
    ['missing constant', { constants: new Map() }, /"k" is not defined/],
    [
      'short constant',
      { constants: new Map([['k', { type: 'float32', shape: [2], bytes: new Uint8Array(4) }]]) },
      /has 4 bytes/,
    ],
    ['missing value', { values: without('y') }, /lists|should be/],
    [
      'stale shape',
      { values: new Map(graph.values).set('z', { name: 'z', type: 'float32', shape: [3] }) },
      /"z" should be float32\[2\]/,
    ],
    [
      'superfluous value',
      { values: new Map(graph.values).set('q', { name: 'q', type: 'float32', shape: [] }) },
      /nothing defines/,
    ],
    ['missing default', { nodes: [a, { ...b, attributes: new Map() }] }, /lacks attribute defaults/],
    ['unknown input', { inputs: ['x', 'w'] }, /graph input "w"/],
  ])('refuses: %s', (_, change, message) => {
    const error = refusal(() => verifyGraph({ ...graph, ...change }, 'somePass'))
    expect(error.message).toMatch(/not legal after somePass/)
    expect(error.message).toMatch(message)
  })
})

describe('expansion', () => {
  const relu = (input: string, output: string) => ({
    name: output,
    operator: 'Relu',
    inputs: [input],
    outputs: [output],
    attributes: new Map<string, AttributeValue>(),
  })
  const parts = {
    name: 'g',
    opset: 13,
    inputs: [{ name: 'x', type: 'float32' as const, shape: [2] }],
    outputs: ['y'],
    nodes: [{ ...relu('x', 'y'), operator: 'Many' }],
    constants: new Map(),
  }

  it('puts nodes in the place of one, more than a call has room for, and expands these in their turn', () => {
    const count = 130_000
    let known = true
    const graph = inferGraph(parts, ({ operator }, values) => {
      known &&= values.has('x')
      const chain = (length: number) =>
        Array.from({ length }, (_, i) => relu(i === 0 ? 'x' : `n${i - 1}`, i === length - 1 ? 'y' : `n${i}`))
      if (operator === 'Many') return { nodes: [{ ...relu('x', 'y'), operator: 'More' }], constants: new Map() }
      return operator === 'More' ? { nodes: chain(count), constants: new Map() } : undefined
    })
    expect(known).toBe(true)
    expect(graph.nodes.length).toBe(count)
    expect(graph.nodes.every(({ operator }) => operator === 'Relu')).toBe(true)
  })

  it('brings constants, and refuses what it does not know', () => {
    const graph = inferGraph(parts, ({ operator }) =>
      operator === 'Many'
        ? {
            nodes: [{ ...relu('x', 'y'), operator: 'Add', inputs: ['x', 'k'] }],
            constants: new Map([['k', makeConstant('float32', [2], [1, 2])]]),
          }
        : undefined,
    )
    expect([...graph.constants.keys()]).toEqual(['k'])
    expect(refusal(() => inferGraph(parts, () => undefined)).message).toContain('"Many" at node "y"')
    expect(refusal(() => inferGraph(parts)).code).toBe('unsupported')
  })
})
