import { describe, expect, it } from 'vitest'
import { parseOnnx } from './index.ts'
import type { MessageInput } from './schema.ts'
import {
  attribute,
  convolutionGraph,
  failureOf,
  floatTensor,
  floatValue,
  type GraphChange,
  model,
  node,
  parseChanged,
} from './small-model.fixture.ts'
import { encodeModel } from './write-wire.ts'

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
    expect(failureOf(() => parseChanged(change))).toEqual({ code, message: expect.stringContaining(message) })
  })

  it.each<[string, Partial<MessageInput<'ModelProto'>>, string, string]>([
    [
      'opset 6',
      { opsetImport: [{ version: 6n }] },
      'unsupported',
      'version 6 of operator set "ai.onnx"; versions 7 to 28 are read',
    ],
    [
      'opset 29',
      { opsetImport: [{ domain: 'ai.onnx', version: 29n }] },
      'unsupported',
      'version 29 of operator set "ai.onnx"',
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
    ['no graph', { graph: undefined }, 'refused', 'the file has no graph'],
  ])('%s', (_, change, code, message) => {
    const bytes = encodeModel({ ...model(convolutionGraph()), ...change })
    expect(failureOf(() => parseOnnx(bytes))).toEqual({ code, message: expect.stringContaining(message) })
  })

  it('lists every unsupported operator at once, inside subgraphs too', () => {
    const { code, message } = failureOf(() =>
      parseChanged(
        ({ node: nodes }) => {
          const inner = { node: [node('Quux', ['c'], ['q'])] }
          nodes.push(
            { ...node('If', ['c'], ['i'], { name: 'then_branch', type: 5, g: inner }) },
            ...['a', 'b', 'd', 'e'].map((name) => node('Foo', ['c'], [name])),
            { ...node('Gelu', ['c'], ['f']), domain: 'com.microsoft' },
            node('dyadic.Conv', ['x', 'w', 'b'], ['g']),
            node('HardSwish', ['c'], ['h']),
          )
        },
        {},
        12,
      ),
    )
    expect(code).toBe('unsupported')
    for (const part of [
      'the model uses 5 operators that dyadic does not have (ai.onnx opset 12)',
      'ai.onnx::Foo × 4 ("a node", "b node", "d node", …)',
      'com.microsoft::Gelu × 1 ("f node")',
      'ai.onnx::Quux × 1 ("q node")',
      'ai.onnx::dyadic.Conv × 1',
      'ai.onnx::HardSwish × 1 in its form before opset 14 ("h node")',
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
      expect(failureOf(() => parseChanged(change, { limits: { [name]: limit } }))).toEqual({
        code: 'limit',
        message: expect.stringContaining(`limit "${name}"`),
      })
  })
})
