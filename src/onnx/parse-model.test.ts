import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { DyadicError } from '../error.ts'
import { readConstant, readNumbers } from '../graph/tensor.ts'
import { verifyGraph } from '../graph/verify.ts'
import { type ParseOptions, parseOnnx } from './index.ts'
import type { MessageInput } from './schema.ts'
import {
  attribute,
  convolutionGraph,
  floatTensor,
  floatValue,
  int64Tensor,
  model,
  node,
} from './small-model.fixture.ts'
import { encodeModel } from './write-wire.ts'

type GraphChange = (graph: ReturnType<typeof convolutionGraph>) => void

/** The small convolution network, changed. */
function parse(change: GraphChange = () => {}, options: ParseOptions = {}, opset = 13, irVersion = 8) {
  const graph = convolutionGraph()
  change(graph)
  return parseOnnx(encodeModel(model(graph, opset, irVersion)), options)
}

function failure(act: () => unknown): { code: string; message: string } {
  try {
    act()
  } catch (error) {
    if (error instanceof DyadicError) return { code: error.code, message: error.message }
    throw error
  }
  return expect.unreachable('the model was accepted')
}

/** A network of one node over x (1,2,3) and given constants. */
function single(given: MessageInput<'NodeProto'>, initializer: MessageInput<'TensorProto'>[] = [], opset = 13) {
  return parseOnnx(
    encodeModel(
      model(
        {
          node: [given],
          initializer,
          input: [floatValue('x', [1, 2, 3])],
          output: [floatValue('y', [])].map(({ name }) => ({ name })),
        },
        opset,
      ),
    ),
  )
}

describe('a small network', () => {
  it('becomes a legal graph', () => {
    const graph = parse()
    verifyGraph(graph, 'reading')
    expect([graph.name, graph.opset, graph.inputs, graph.outputs]).toEqual(['small', 13, ['x'], ['y']])
    expect(graph.nodes.map(({ name, operator, inputs, outputs }) => [name, operator, inputs, outputs])).toEqual([
      ['c node', 'Conv', ['x', 'w', 'b'], ['c']],
      ['y node', 'Relu', ['c'], ['y']],
    ])
    expect(graph.nodes[0].attributes.get('kernel_shape')).toEqual([3, 3])
    expect(graph.values.get('y')).toEqual({ name: 'y', type: 'float32', shape: [1, 2, 2, 2] })
    expect(Array.from(readConstant(graph.constants.get('b')!) as Float32Array)).toEqual([0.125, 0.125])
  })

  it('keeps constants as plain views into the file, also when that is a Buffer', () => {
    const bytes = Buffer.from(encodeModel(model(convolutionGraph())))
    const weights = parseOnnx(bytes).constants.get('w')!.bytes
    expect(weights.buffer).toBe(bytes.buffer)
    expect(Object.getPrototypeOf(weights)).toBe(Uint8Array.prototype)
  })

  it('takes initializers for constants where they are also listed as inputs', () => {
    const graph = parse(
      ({ input }) => void input.unshift(floatValue('w', [2, 1, 3, 3]), floatValue('b', [2])),
      {},
      8,
      3,
    )
    expect(graph.inputs).toEqual(['x'])
    expect(graph.constants.has('w')).toBe(true)
    expect(failure(() => parse(({ input }) => void input.push(floatValue('w', [2, 1, 3, 4]))))).toEqual({
      code: 'refused',
      message: expect.stringContaining(
        'input "w" is declared with shape [2,1,3,4], but the network computes shape [2,1,3,3]',
      ),
    })
  })

  it('gives nodes without a name, and with a name twice, names of their own', () => {
    const graph = parse(({ node }) => {
      node[0] = { ...node[0], name: '' }
      node[1] = { ...node[1], name: 'c' }
    })
    expect(graph.nodes.map(({ name }) => name)).toEqual(['c', 'c#2'])
  })

  it('accepts the newest and oldest operator sets, and the long name of the default domain', () => {
    for (const opset of [7, 8, 12, 22, 23]) expect(parse(undefined, {}, opset).opset).toBe(opset)
    const long = {
      ...model(convolutionGraph()),
      opsetImport: [
        { domain: 'ai.onnx', version: 13n },
        { domain: 'x', version: 1n },
      ],
    }
    expect(parseOnnx(encodeModel(long)).opset).toBe(13)
  })
})

describe('constants', () => {
  it.each<[string, MessageInput<'AttributeProto'>, string, number[], number[]]>([
    ['value', { name: 'value', type: 4, t: int64Tensor('', [1, 2]) }, 'int64', [2], [1, 2]],
    ['value_int', attribute('value_int', 7), 'int64', [], [7]],
    ['value_ints', attribute('value_ints', [7, -8]), 'int64', [2], [7, -8]],
    ['value_float', attribute('value_float', { f: 0.5 }), 'float32', [], [0.5]],
    ['value_floats', attribute('value_floats', { floats: [0.5, 2] }), 'float32', [2], [0.5, 2]],
  ])('from Constant nodes: %s', (_, value, type, shape, numbers) => {
    const graph = parse(({ node: nodes }) => void nodes.unshift(node('Constant', [], ['k'], value)))
    const constant = graph.constants.get('k')!
    expect([constant.type, constant.shape, readNumbers(constant)]).toEqual([type, shape, numbers])
    expect(graph.nodes.length).toBe(2)
  })

  it.each<[string, MessageInput<'AttributeProto'>[], string, string]>([
    ['without a value', [], 'refused', 'node "k node" (Constant) has 0 attributes'],
    ['with two', [attribute('value_int', 1), attribute('value_float', { f: 1 })], 'refused', 'has 2 attributes'],
    ['of a wrong kind', [attribute('value_int', { f: 1.5 })], 'refused', 'has no integer in value_int'],
    ['of text', [attribute('value_string', 'a')], 'unsupported', 'holds text'],
    ['sparse', [{ name: 'sparse_value', type: 11, sparseTensor: {} }], 'unsupported', 'sparseTensor'],
  ])('Constant nodes %s are refused', (_, attributes, code, message) => {
    const found = failure(() =>
      parse(({ node: nodes }) => void nodes.unshift(node('Constant', [], ['k'], ...attributes))),
    )
    expect(found).toEqual({ code, message: expect.stringContaining(message) })
  })

  it('made from old attributes take free names', () => {
    const given = { ...node('Clip', ['x'], ['y'], attribute('min', { f: 0 })), name: 'n' }
    const graph = parseOnnx(
      encodeModel(
        model(
          {
            node: [given],
            initializer: [floatTensor('n.min', [1])],
            input: [floatValue('x', [2])],
            output: [floatValue('y', [2])],
          },
          10,
        ),
      ),
    )
    expect(graph.nodes[0].inputs).toEqual(['x', 'n.min.2'])
    verifyGraph(graph, 'reading')
  })
})

describe('older operator sets', () => {
  it.each<[string, MessageInput<'NodeProto'>, number, number[]]>([
    [
      'Slice to the end',
      node(
        'Slice',
        ['x'],
        ['y'],
        attribute('starts', [1]),
        { name: 'ends', type: 7, ints: [2n ** 63n - 1n] },
        attribute('axes', [2]),
      ),
      9,
      [1, 2, 2],
    ],
    ['Pad', node('Pad', ['x'], ['y'], attribute('pads', [0, 0, 1, 0, 0, 2])), 10, [1, 2, 6]],
    ['Squeeze', node('Squeeze', ['x'], ['y'], attribute('axes', [0])), 11, [2, 3]],
    ['Unsqueeze', node('Unsqueeze', ['x'], ['y'], attribute('axes', [0])), 12, [1, 1, 2, 3]],
    ['Clip', node('Clip', ['x'], ['y'], { name: 'max', type: 1, f: Infinity }), 7, [1, 2, 3]],
    ['Dropout', node('Dropout', ['x'], ['y', ''], attribute('ratio', { f: 0.5 })), 7, [1, 2, 3]],
  ])('%s', (_, given, opset, shape) => {
    const graph = single(given, [], opset)
    verifyGraph(graph, 'reading')
    expect(graph.values.get('y')?.shape).toEqual(shape)
  })
})

describe('symbolic axes', () => {
  it('are bound to the batch first, and to given sizes', () => {
    expect(parse(undefined, { batch: 5 }).values.get('y')?.shape).toEqual([5, 2, 2, 2])
    expect(parse(undefined, { axes: { N: 3 } }).values.get('y')?.shape).toEqual([3, 2, 2, 2])
    const square: GraphChange = (graph) => {
      graph.input = [floatValue('x', [undefined, 1, 'height', 'width'])]
      graph.output = [floatValue('y', [undefined, 2, 'h', 'w'])]
      graph.valueInfo = []
    }
    expect(parse(square, { axes: { height: 6, width: 5 } }).values.get('y')?.shape).toEqual([1, 2, 4, 3])
    expect(failure(() => parse(square, { axes: { width: 5 } }))).toEqual({
      code: 'unsupported',
      message: 'axis 2 of input "x" is symbolic: give its size with --axis height=<size>',
    })
    const both = failure(() => parse(square)).message
    expect(both).toContain('--axis height=<size>')
    expect(both).toContain('--axis width=<size>')
  })

  it('of one name have one size, wherever they stand', () => {
    const graph = parseOnnx(
      encodeModel(
        model({
          node: [node('Add', ['x', 's'], ['y'])],
          input: [floatValue('s', [2, 'batch']), floatValue('x', ['batch', 1])],
          output: [floatValue('y', [2, 'batch'])],
        }),
      ),
      { batch: 2 },
    )
    expect(graph.values.get('s')?.shape).toEqual([2, 2])
  })

  it.each<[string, GraphChange, ParseOptions, string, string]>([
    ['an axis that is not there', () => {}, { axes: { M: 2 } }, 'usage', 'the model has no axis named "M"; it has "N"'],
    ['a size that is none', () => {}, { axes: { N: 0 } }, 'usage', 'axis "N" has size 0'],
    ['a batch that is none', () => {}, { batch: 1.5 }, 'usage', 'the batch has size 1.5'],
    [
      'a batch for fixed shapes',
      (graph) => {
        graph.input = [floatValue('x', [1, 1, 4, 4])]
      },
      { batch: 2 },
      'usage',
      'first axes are fixed',
    ],
    [
      'an axis without name or size',
      (graph) => {
        graph.input = [floatValue('x', [1, 1, undefined, 4])]
      },
      {},
      'unsupported',
      'axis 2 of input "x" has neither a size nor a name',
    ],
    [
      'an input without a shape',
      (graph) => {
        graph.input = [{ name: 'x', type: { tensorType: { elemType: 1 } } }]
      },
      {},
      'unsupported',
      'input "x" has no shape',
    ],
    [
      'an axis of size 0',
      (graph) => {
        graph.input = [floatValue('x', [0, 1, 4, 4])]
      },
      {},
      'refused',
      'input "x" has shape [0,1,4,4]: axis 0 has 0 elements',
    ],
    [
      'a negative axis',
      (graph) => {
        graph.input = [floatValue('x', [1, 1, -4, 4])]
      },
      {},
      'refused',
      'axis 2 has -4 elements',
    ],
    [
      'a size and a name at once',
      (graph) => {
        graph.input = [
          { name: 'x', type: { tensorType: { elemType: 1, shape: { dim: [{ dimValue: 1n, dimParam: 'N' }] } } } },
        ]
      },
      {},
      'refused',
      'a size (1) and a name ("N") at once',
    ],
  ])('%s', (_, change, options, code, message) => {
    expect(failure(() => parse(change, options))).toEqual({ code, message: expect.stringContaining(message) })
  })
})

describe('refusals', () => {
  it.each<[string, GraphChange, string, string]>([
    [
      'two producers',
      ({ node }) => {
        node[1] = { ...node[1], output: ['c'] }
      },
      'refused',
      'value "c" is produced twice: by node "y node" and by node "c node"',
    ],
    [
      'a producer beside an input',
      ({ node }) => {
        node[1] = { ...node[1], output: ['x'] }
      },
      'refused',
      'value "x" is produced twice: by node "y node" and as an input or initializer',
    ],
    [
      'an initializer twice',
      ({ initializer }) => void initializer.push(floatTensor('w', [1])),
      'refused',
      'initializer "w" is given twice',
    ],
    ['an input twice', ({ input }) => void input.push(input[0]), 'refused', 'input "x" of the graph is given twice'],
    [
      'an output twice',
      ({ output }) => void output.push(output[0]),
      'refused',
      'output "y" of the graph is given twice',
    ],
    [
      'a missing input',
      ({ node }) => {
        node[1] = { ...node[1], input: ['gone'] }
      },
      'refused',
      'node "y node" reads "gone", which is no input',
    ],
    [
      'an input without a type',
      ({ input }) => {
        input[0] = { name: 'x' }
      },
      'refused',
      'input "x" of the graph has no type',
    ],
    [
      'nameless values',
      ({ initializer }) => {
        initializer[0] = { ...initializer[0], name: '' }
      },
      'refused',
      'an initializer of the graph has no name',
    ],
    [
      'a cycle',
      ({ node }) => {
        node[0] = { ...node[0], input: ['y', 'w', 'b'] }
      },
      'refused',
      'the graph has a cycle of 2 nodes: "c node" reads from "y node"',
    ],
    [
      'a node that reads itself',
      ({ node }) => {
        node[1] = { ...node[1], input: ['y'] }
      },
      'refused',
      'the graph has a cycle of 1 nodes: "y node"',
    ],
    [
      'the wrong order',
      ({ node }) => void node.reverse(),
      'refused',
      'nodes are out of order: node "y node" reads "c", which node "c node" produces later',
    ],
    [
      'an output of nowhere',
      ({ output }) => {
        output[0] = floatValue('z', [])
      },
      'refused',
      'no node produces output "z"',
    ],
    ['no output', ({ output }) => void output.pop(), 'refused', 'the graph has no output'],
    [
      'a node without output',
      ({ node }) => {
        node[1] = { ...node[1], output: [''] }
      },
      'refused',
      'node "y node" ("Relu") has no output',
    ],
    [
      'NaN weights',
      ({ initializer }) => {
        initializer[0] = floatTensor('w', [2, 1, 3, 3], [1, 2, 3, NaN])
      },
      'refused',
      'initializer "w" has NaN at index 3',
    ],
    [
      'an attribute twice',
      ({ node }) => {
        node[0] = { ...node[0], attribute: [attribute('group', 1), attribute('group', 1)] }
      },
      'refused',
      'attribute "group" of node "c node" is given twice',
    ],
    [
      'an attribute of a wrong kind',
      ({ node }) => {
        node[0] = { ...node[0], attribute: [attribute('group', [1])] }
      },
      'refused',
      'attribute "group" is not of kind int',
    ],
    [
      'an attribute declared as another',
      ({ node }) => {
        node[0] = { ...node[0], attribute: [{ name: 'group', type: 1, i: 1n }] }
      },
      'refused',
      'is declared as f but also holds a value in i',
    ],
    [
      'an attribute without a type',
      ({ node }) => {
        node[0] = { ...node[0], attribute: [{ name: 'group' }] }
      },
      'refused',
      'attribute "group" of node "c node" has type none',
    ],
    [
      'an attribute of 2^60',
      ({ node }) => {
        node[0] = { ...node[0], attribute: [{ name: 'group', type: 2, i: 2n ** 60n }] }
      },
      'refused',
      'does not fit 53 bits',
    ],
    [
      'an attribute of NaN',
      ({ node }) => {
        node[0] = { ...node[0], attribute: [attribute('group', { f: NaN })] }
      },
      'refused',
      'is NaN; a finite number is needed',
    ],
    [
      'a reference outside of a function',
      ({ node }) => {
        node[0] = { ...node[0], attribute: [{ name: 'group', type: 2, refAttrName: 'g' }] }
      },
      'refused',
      'refers to "g" outside of a function',
    ],
    [
      'a subgraph',
      ({ node }) => {
        node[0] = { ...node[0], attribute: [{ name: 'group', type: 5, g: {} }] }
      },
      'unsupported',
      'attribute "group" of node "c node" is a subgraph',
    ],
    [
      'a declared shape that is wrong',
      ({ valueInfo }) => {
        valueInfo[0] = floatValue('c', ['N', 2, 3, 2])
      },
      'refused',
      'value "c" is declared with shape ["N",2,3,2], but the network computes shape [1,2,2,2]',
    ],
    [
      'a declared rank that is wrong',
      ({ output }) => {
        output[0] = floatValue('y', ['N', 8])
      },
      'refused',
      'output "y" is declared with shape ["N",8], but the network computes shape [1,2,2,2]',
    ],
    [
      'a declared type that is wrong',
      ({ output }) => {
        output[0] = floatValue('y', ['N', 2, 2, 2], 7)
      },
      'refused',
      'output "y" is declared as int64, but the network computes float32',
    ],
    [
      'weights that do not fit',
      ({ initializer }) => {
        initializer[0] = floatTensor('w', [2, 7, 3, 3])
      },
      'refused',
      'node "c node"',
    ],
    [
      'sparse initializers',
      (graph) => {
        Object.assign(graph, { sparseInitializer: [{ values: floatTensor('s', [1]) }] })
      },
      'unsupported',
      '1 sparse initializers (first: "s")',
    ],
    [
      'a sequence',
      ({ input }) => {
        input[0] = { name: 'x', type: { sequenceType: new Uint8Array(0) } }
      },
      'unsupported',
      'input "x" is no dense tensor',
    ],
    [
      'an escape sequence in a name',
      ({ node }) => {
        node[1] = { ...node[1], input: ['\x1b[31m'] }
      },
      'refused',
      'reads "\\u{1b}[31m"',
    ],
  ])('%s', (_, change, code, message) => {
    expect(failure(() => parse(change))).toEqual({ code, message: expect.stringContaining(message) })
  })

  it.each<[string, Partial<MessageInput<'ModelProto'>>, string, string]>([
    [
      'opset 6',
      { opsetImport: [{ version: 6n }] },
      'unsupported',
      'version 6 of operator set "ai.onnx"; versions 7 to 23 are read',
    ],
    [
      'opset 24',
      { opsetImport: [{ domain: 'ai.onnx', version: 24n }] },
      'unsupported',
      'version 24 of operator set "ai.onnx"',
    ],
    ['no opset', { opsetImport: [] }, 'refused', 'imports no version of the default operator set'],
    [
      'another opset only',
      { opsetImport: [{ domain: 'ai.onnx.ml', version: 2n }] },
      'unsupported',
      'only "ai.onnx.ml" version 2',
    ],
    [
      'two opsets',
      { opsetImport: [{ version: 12n }, { domain: 'ai.onnx', version: 13n }] },
      'refused',
      'in versions 12 and 13',
    ],
    ['no ir_version', { irVersion: undefined }, 'refused', 'gives no ir_version'],
    ['ir_version 2', { irVersion: 2n }, 'unsupported', 'ir_version 2; versions 3 to 14 are read'],
    [
      'functions',
      { functions: [{ name: 'f', domain: 'mine' }] },
      'unsupported',
      'defines 1 functions of its own ("mine::f")',
    ],
    ['no graph', { graph: undefined }, 'refused', 'the file has no graph'],
  ])('%s', (_, change, code, message) => {
    const bytes = encodeModel({ ...model(convolutionGraph()), ...change })
    expect(failure(() => parseOnnx(bytes))).toEqual({ code, message: expect.stringContaining(message) })
  })

  it('lists every unsupported operator at once, inside subgraphs too', () => {
    const { code, message } = failure(() =>
      parse(
        ({ node: nodes }) => {
          const inner = { node: [node('Quux', ['c'], ['q'])] }
          nodes.push(
            { ...node('If', ['c'], ['i'], { name: 'then_branch', type: 5, g: inner }) },
            ...['a', 'b', 'd', 'e'].map((name) => node('Foo', ['c'], [name])),
            { ...node('Gelu', ['c'], ['f']), domain: 'com.microsoft' },
            node('dyadic.Conv', ['x', 'w', 'b'], ['g']),
            node('Softmax', ['c'], ['h']),
          )
        },
        {},
        12,
      ),
    )
    expect(code).toBe('unsupported')
    for (const part of [
      'the model uses 6 operators that dyadic does not have (ai.onnx opset 12)',
      'ai.onnx::Foo × 4 ("a node", "b node", "d node", …)',
      'com.microsoft::Gelu × 1 ("f node")',
      'ai.onnx::If × 1 ("i node")',
      'ai.onnx::Quux × 1 ("q node")',
      'ai.onnx::dyadic.Conv × 1',
      'ai.onnx::Softmax × 1 in its form before opset 13 ("h node")',
    ])
      expect(message).toContain(part)
  })

  it('keeps to its limits, and names them', () => {
    const wide: GraphChange = ({ node: nodes }) => void nodes.push(node('Relu', ['n'.repeat(99)], ['m']))
    for (const [name, limit, change] of [
      ['fileBytes', 10, undefined],
      ['fields', 10, undefined],
      ['messages', 5, undefined],
      ['depth', 2, undefined],
      ['rank', 3, undefined],
      ['elements', 15, undefined],
      ['totalElements', 40, undefined],
      ['nameLength', 98, wide],
    ] as const)
      expect(failure(() => parse(change, { limits: { [name]: limit } }))).toEqual({
        code: 'limit',
        message: expect.stringContaining(`limit "${name}"`),
      })
  })
})

describe('the real networks', () => {
  const folder = new URL('../../../shared/models/', import.meta.url)
  const found = existsSync(folder)

  it('are there in continuous integration', () => {
    if (!found) console.warn('the shared models are not here: no real network is read')
    if (process.env.CI === 'true') expect(found).toBe(true)
  })

  it.runIf(found).each([
    ['mnist/opt-mnist', 8, 8, [1, 1, 28, 28], [1, 10]],
    ['resnet-cifar10/resnet20-cifar10', 73, 13, [1, 3, 32, 32], [1, 10]],
    ['mobilenet-v2/mobilenet_v2_1.0_224-qdq', 339, 13, [1, 3, 224, 224], [1, 1001]],
  ])('%s becomes a legal graph', (file, nodes, opset, input, output) => {
    const graph = parseOnnx(readFileSync(new URL(`${file}.onnx`, folder)))
    verifyGraph(graph, 'reading')
    expect([graph.nodes.length, graph.opset]).toEqual([nodes, opset])
    expect(graph.values.get(graph.inputs[0])?.shape).toEqual(input)
    expect(graph.values.get(graph.outputs[0])?.shape).toEqual(output)
  })
})
