import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { readConstant, readNumbers } from '../graph/tensor.ts'
import { verifyGraph } from '../graph/verify.ts'
import { type ParseOptions, parseOnnx } from './index.ts'
import type { MessageInput } from './schema.ts'
import {
  attribute,
  convolutionGraph,
  failureOf,
  floatTensor,
  floatValue,
  type GraphChange,
  int64Tensor,
  model,
  node,
  parseChanged,
} from './small-model.fixture.ts'
import { encodeModel } from './write-wire.ts'

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
    const graph = parseChanged()
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
    const graph = parseChanged(
      ({ input }) => void input.unshift(floatValue('w', [2, 1, 3, 3]), floatValue('b', [2])),
      {},
      8,
      3,
    )
    expect(graph.inputs).toEqual(['x'])
    expect(graph.constants.has('w')).toBe(true)
    expect(failureOf(() => parseChanged(({ input }) => void input.push(floatValue('w', [2, 1, 3, 4]))))).toEqual({
      code: 'refused',
      message: expect.stringContaining(
        'input "w" is declared with shape [2,1,3,4], but the network computes shape [2,1,3,3]',
      ),
    })
  })

  it('gives nodes without a name, and with a name twice, names of their own', () => {
    const graph = parseChanged(({ node }) => {
      node[0] = { ...node[0], name: '' }
      node[1] = { ...node[1], name: 'c' }
    })
    expect(graph.nodes.map(({ name }) => name)).toEqual(['c', 'c#2'])
  })

  it('accepts the newest and oldest operator sets, and the long name of the default domain', () => {
    for (const opset of [7, 8, 12, 22, 23]) expect(parseChanged(undefined, {}, opset).opset).toBe(opset)
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
    const graph = parseChanged(({ node: nodes }) => void nodes.unshift(node('Constant', [], ['k'], value)))
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
    const found = failureOf(() =>
      parseChanged(({ node: nodes }) => void nodes.unshift(node('Constant', [], ['k'], ...attributes))),
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
    expect(parseChanged(undefined, { batch: 5 }).values.get('y')?.shape).toEqual([5, 2, 2, 2])
    expect(parseChanged(undefined, { axes: { N: 3 } }).values.get('y')?.shape).toEqual([3, 2, 2, 2])
    const square: GraphChange = (graph) => {
      graph.input = [floatValue('x', [undefined, 1, 'height', 'width'])]
      graph.output = [floatValue('y', [undefined, 2, 'h', 'w'])]
      graph.valueInfo = []
    }
    expect(parseChanged(square, { axes: { height: 6, width: 5 } }).values.get('y')?.shape).toEqual([1, 2, 4, 3])
    expect(failureOf(() => parseChanged(square, { axes: { width: 5 } }))).toEqual({
      code: 'unsupported',
      message: 'axis 2 of input "x" is symbolic: give its size with --axis height=<size>',
    })
    const both = failureOf(() => parseChanged(square)).message
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
    expect(failureOf(() => parseChanged(change, options))).toEqual({ code, message: expect.stringContaining(message) })
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
