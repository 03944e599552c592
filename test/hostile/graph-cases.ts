/** Graphs: cycles, dead ends, order, arity, missing and repeated ends, subgraphs, versions, functions, long chains. */
import { encodeModel } from '../../src/onnx/write-wire.ts'
import { accepted, either, group, refused } from './hostile-case.ts'
import { file, floats, honestGraph, honestResult, longs, type NodeInput, net, node, single, value } from './sketch.ts'

const chain = (length: number, operator: string, from = 'x', to = 'y'): NodeInput[] =>
  Array.from({ length }, (_, i) =>
    node(operator, [i === 0 ? from : `v${i}`], [i === length - 1 ? to : `v${i + 1}`]),
  ).map(({ name: _, ...one }) => one)

/** Operators of one input and output, with the number of inputs they must not have. */
const ARITY: readonly (readonly [string, number])[] = [
  ['Relu', 0],
  ['Relu', 2],
  ['Add', 1],
  ['Add', 3],
  ['Conv', 1],
  ['Conv', 4],
  ['MatMul', 1],
  ['Gemm', 4],
  ['BatchNormalization', 2],
  ['Concat', 0],
  ['Reshape', 1],
  ['Softmax', 2],
  ['MaxPool', 2],
  ['Clip', 4],
  ['Transpose', 2],
]

export const graphCases = group('graph', [
  refused('cycle-one', 'a node that reads its own result', 'cycle', () => net([node('Add', ['x', 'y'], ['y'])])),
  refused('cycle-two', 'two nodes that read each other', 'cycle', () =>
    net([node('Add', ['x', 'b'], ['a']), node('Relu', ['a'], ['b']), node('Relu', ['b'], ['y'])]),
  ),
  refused('cycle-long', 'a cycle of 20,000 nodes', 'cycle', () =>
    net([node('Add', ['x', 'y'], ['c']), ...chain(20_000, 'Relu', 'c')]),
  ),
  refused('order-two', 'a node before the one it reads', 'order', () =>
    net([node('Relu', ['a'], ['y']), node('Abs', ['x'], ['a'])]),
  ),
  refused('order-reversed', '1,000 nodes in reverse order', 'order', () => net(chain(1000, 'Relu').reverse())),
  refused('missing-value', 'a value that nothing gives', '"nowhere"', () =>
    net([node('Add', ['x', 'nowhere'], ['y'])]),
  ),
  refused('missing-output', 'an output that nothing gives', '"y"', () => net([node('Relu', ['x'], ['z'])])),
  refused('missing-one-output', 'a second output that nothing gives', '"z"', () =>
    file({ ...honestGraph, output: [value('y', [1, 4]), value('z', [1, 4])] }),
  ),
  refused('no-output', 'a graph without outputs', 'output', () => file({ ...honestGraph, output: [] })),
  refused('no-node', 'a graph without nodes', '"y"', () => net([])),
  refused('node-no-output', 'a node without outputs', 'output', () =>
    net([node('Relu', ['x'], []), node('Relu', ['x'], ['y'])]),
  ),
  refused('no-graph', 'a model without a graph', 'graph', () =>
    encodeModel({ irVersion: 8n, opsetImport: [{ domain: '', version: 13n }] }),
  ),
  refused('input-no-type', 'an input without a type', 'type', () => file({ ...honestGraph, input: [{ name: 'x' }] })),
  refused('input-no-shape', 'an input without a shape', 'shape', () =>
    file({ ...honestGraph, input: [{ name: 'x', type: { tensorType: { elemType: 1 } } }] }),
  ),
  refused('input-wrong-type', 'an input of element type 99', 'type', () =>
    file({ ...honestGraph, input: [value('x', [1, 4], 99)] }),
  ),
  refused('input-text', 'an input of strings', 'string', () =>
    file({ ...honestGraph, input: [value('x', [1, 4], 8)] }),
  ),
  refused('input-complex', 'an input of complex numbers', 'complex', () =>
    file({ ...honestGraph, input: [value('x', [1, 4], 14)] }),
  ),
  refused('input-sequence', 'an input that is a sequence', 'sequence', () =>
    file({ ...honestGraph, input: [{ name: 'x', type: { sequenceType: new Uint8Array(0) } }] }),
  ),
  refused('output-wrong-shape', 'an output declared with another shape', 'shape', () =>
    file({ ...honestGraph, output: [value('y', [2, 4])] }),
  ),
  refused('output-wrong-rank', 'an output declared with another rank', 'shape', () =>
    file({ ...honestGraph, output: [value('y', [4])] }),
  ),
  refused('output-wrong-type', 'an output declared as integers', 'int64', () =>
    file({ ...honestGraph, output: [value('y', [1, 4], 7)] }),
  ),
  refused('info-wrong-shape', 'an inner value declared with another shape', 'shape', () =>
    file({ ...honestGraph, valueInfo: [value('s', [7, 7])] }),
  ),
  ...ARITY.map(([operator, count]) =>
    refused(`arity-${operator}-${count}`, `${operator} with ${count} inputs`, ['input', operator], () =>
      net(
        [
          node(
            operator,
            Array.from({ length: count }, (_, i) => (i === 0 ? 'x' : 'w')),
            ['y'],
          ),
        ],
        [floats('w', [4], [1, 2, 3, 4])],
      ),
    ),
  ),
  refused('arity-outputs', 'Relu with three outputs', 'output', () => net([node('Relu', ['x'], ['y', 'z', 'u'])])),
  refused('arity-many', 'Relu with 100,000 inputs', 'input', () =>
    net([node('Relu', Array<string>(100_000).fill('x'), ['y'])]),
  ),
  refused('rank-conv', 'Conv on two axes', ['Conv', 'axes', 'rank'], () =>
    single('Conv', {}, [floats('w', [1, 4], [1, 2, 3, 4])]),
  ),
  refused('rank-pool', 'MaxPool on two axes', ['MaxPool', 'axes', 'rank'], () =>
    single('MaxPool', { kernel_shape: [1] }),
  ),
  refused('rank-matmul', 'MatMul whose inner sizes differ', ['MatMul', 'shape'], () =>
    single('MatMul', {}, [floats('w', [3, 1], [1, 2, 3])]),
  ),
  refused('rank-gemm', 'Gemm on three axes', ['Gemm', 'rank', 'shape', 'axes'], () =>
    single('Gemm', {}, [floats('w', [4, 1], [1, 2, 3, 4])], [1, 1, 4]),
  ),
  refused('rank-add', 'Add of shapes that do not broadcast', 'broadcast', () =>
    single('Add', {}, [floats('w', [3], [1, 2, 3])]),
  ),
  refused('rank-batch', 'BatchNormalization with statistics of another size', ['BatchNormalization', 'shape'], () =>
    single(
      'BatchNormalization',
      {},
      ['s', 'b', 'm', 'v'].map((name) => floats(name, [3], [1, 2, 3])),
    ),
  ),
  refused('type-mixed', 'Add of floats and integers', ['type', 'int64'], () =>
    single('Add', {}, [longs('w', [1, 2, 3, 4])]),
  ),
  refused('type-shape', 'Reshape to a shape of floats', ['type', 'int64'], () =>
    single('Reshape', {}, [floats('w', [2], [2, 2])], [1, 4], [2, 2]),
  ),
  refused('shape-at-run', 'Reshape to a shape that is an input', 'Reshape', () =>
    file({
      node: [node('Reshape', ['x', 't'], ['y'])],
      input: [value('x', [1, 4]), value('t', [2], 7)],
      output: [value('y', [2, 2])],
    }),
  ),
  accepted(
    'dead-end',
    'a node whose result nobody reads',
    () => file({ ...honestGraph, node: [...honestGraph.node, node('Neg', ['s'], ['nobody'])] }),
    honestResult,
  ),
  accepted(
    'dead-initializer',
    'an initializer that nobody reads',
    () => file({ ...honestGraph, initializer: [...(honestGraph.initializer ?? []), floats('idle', [3], [1, 2, 3])] }),
    honestResult,
  ),
  accepted('chain-1000', 'a chain of 1,000 nodes', () => net(chain(1000, 'Relu')), {
    x: [1, -1, 2, -2],
    y: [1, 0, 2, 0],
  }),
  accepted(
    'readers-20000',
    'one value with 20,000 readers',
    () =>
      net([
        node('Relu', ['x'], ['y']),
        ...Array.from({ length: 20_000 }, (_, i) => ({ opType: 'Abs', input: ['x'], output: [`d${i}`] })),
      ]),
    { x: [1, -1, 2, -2], y: [1, 0, 2, 0] },
  ),
  either('chain-30000', 'a chain of 30,000 nodes', () => net(chain(30_000, 'Relu'))),
  either('same-name-30000', '30,000 nodes of one name', () =>
    net(chain(30_000, 'Neg').map((one) => ({ ...one, name: 'same' }))),
  ),
  either('identities-30000', '30,000 nodes that do nothing', () => net(chain(30_000, 'Identity'))),
  either('outputs-20000', '20,000 outputs', () =>
    file({
      node: Array.from({ length: 20_000 }, (_, i) => ({ opType: 'Relu', input: ['x'], output: [`y${i}`] })),
      input: [value('x', [4])],
      output: Array.from({ length: 20_000 }, (_, i) => value(`y${i}`, [4])),
    }),
  ),
  either('inputs-20000', '20,000 inputs', () =>
    file({
      node: [{ opType: 'Max', input: Array.from({ length: 20_000 }, (_, i) => `x${i}`), output: ['y'] }],
      input: Array.from({ length: 20_000 }, (_, i) => value(`x${i}`, [4])),
      output: [value('y', [4])],
    }),
  ),
  either('unsupported-100000', '100,000 nodes of an unknown operator', () => net(chain(100_000, 'NoSuchOperator'))),
  either('doubling-60', 'a value added to itself 60 times', () =>
    net(
      Array.from({ length: 60 }, (_, i) =>
        node('Add', [i === 0 ? 'x' : `v${i}`, i === 0 ? 'x' : `v${i}`], [i === 59 ? 'y' : `v${i + 1}`]),
      ),
    ),
  ),
  either('shapes-2000', '2,000 sizes computed from each other', () =>
    net(
      [
        node('Shape', ['x'], ['v0']),
        ...Array.from({ length: 2000 }, (_, i) => node('Add', [`v${i}`, 'zero'], [`v${i + 1}`])),
        node('Reshape', ['x', 'v2000'], ['y']),
      ],
      [longs('zero', [0])],
    ),
  ),
])

/** Versions, domains, functions and control flow. */
export const versionCases = group('versions', [
  ...[0n, 1n, 6n, 29n, 1000n, -1n, 2n ** 63n - 1n].map((version) =>
    refused(`opset-${version}`, `operator set ${version}`, 'version', () =>
      encodeModel({ irVersion: 8n, opsetImport: [{ domain: '', version }], graph: { name: 'g', ...honestGraph } }),
    ),
  ),
  ...[0n, 1n, 2n, 1000n, -1n, 2n ** 62n].map((irVersion) =>
    refused(`ir-${irVersion}`, `ir_version ${irVersion}`, 'ir_version', () =>
      encodeModel({ irVersion, opsetImport: [{ domain: '', version: 13n }], graph: { name: 'g', ...honestGraph } }),
    ),
  ),
  refused('ir-none', 'no ir_version', 'ir_version', () =>
    encodeModel({ opsetImport: [{ domain: '', version: 13n }], graph: { name: 'g', ...honestGraph } }),
  ),
  refused('opset-none', 'no operator set', 'operator set', () =>
    encodeModel({ irVersion: 8n, graph: { name: 'g', ...honestGraph } }),
  ),
  refused('opset-unversioned', 'an operator set without a version', 'version', () =>
    encodeModel({ irVersion: 8n, opsetImport: [{ domain: '' }], graph: { name: 'g', ...honestGraph } }),
  ),
  refused('opset-twice', 'two versions of one operator set', 'versions', () =>
    encodeModel({
      irVersion: 8n,
      opsetImport: [
        { domain: '', version: 13n },
        { domain: 'ai.onnx', version: 14n },
      ],
      graph: { name: 'g', ...honestGraph },
    }),
  ),
  refused('opset-other', 'only a foreign operator set', 'evil.domain', () =>
    encodeModel({
      irVersion: 8n,
      opsetImport: [{ domain: 'evil.domain', version: 1n }],
      graph: { name: 'g', ...honestGraph },
    }),
  ),
  refused('domain-foreign', 'an operator of a foreign domain', 'evil.domain', () =>
    net([{ ...node('Relu', ['x'], ['y']), domain: 'evil.domain' }]),
  ),
  refused('operator-unknown', 'an operator that does not exist', 'NoSuchOperator', () => single('NoSuchOperator')),
  refused('operator-case', 'an operator in lower case', 'relu', () => single('relu')),
  refused('operator-space', 'an operator with a space', 'Relu ', () => single('Relu ')),
  refused('sparse', 'a sparse initializer', 'sparse', () =>
    file({ ...honestGraph, sparseInitializer: [{ values: floats('w2', [1], [1]) }] }),
  ),
  ...['Loop', 'Scan', 'If', 'SequenceMap'].map((operator) =>
    refused(`control-${operator}`, `${operator} with a body that reads what does not exist`, operator, () =>
      net(
        [
          node(operator, operator === 'If' ? ['c'] : ['x'], ['y'], {
            body: { graph: { node: [node('Relu', ['nothing'], ['z'])], output: [value('z', [1])] } },
          }),
        ],
        [{ name: 'c', dataType: 9, dims: [], rawData: Uint8Array.of(1) }],
      ),
    ),
  ),
  refused('loop-forever', 'a Loop of 2^62 rounds', 'Loop', () =>
    net(
      [
        node('Loop', ['m', '', 'x'], ['y'], {
          body: {
            graph: {
              node: [node('Relu', ['a'], ['b'])],
              input: [value('i', [], 7), value('c', [], 9), value('a', [1, 4])],
              output: [value('c', [], 9), value('b', [1, 4])],
            },
          },
        }),
      ],
      [{ name: 'm', dataType: 7, dims: [], int64Data: [2n ** 62n] }],
    ),
  ),
])
