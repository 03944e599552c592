/** Attributes: of the wrong kind, impossible, contradictory, huge, not finite. */
import type { MessageInput } from '../../src/onnx/schema.ts'
import { group, refused } from './hostile-case.ts'
import { attribute, floats, longs, net, node, single } from './sketch.ts'

/** Dropout in training mode, and what it was drawn by. */
const training = { name: 'training', dataType: 9, dims: [], rawData: Uint8Array.of(1) }
const dropout = (seed: bigint, ratio: number, shape: readonly number[]) => () =>
  net([node('Dropout', ['x', 'ratio', 'training'], ['y'], { seed })], [floats('ratio', [], [ratio]), training], shape)

const image = [1, 1, 8, 8] as const
const kernel = floats('w', [1, 1, 3, 3], Array<number>(9).fill(1))
const conv = (attributes: Parameters<typeof single>[1]) => () =>
  single('Conv', attributes, [kernel], image, [1, 1, 6, 6])
const pool = (attributes: Parameters<typeof single>[1]) => () => single('MaxPool', attributes, [], image, [1, 1, 4, 4])
const raw =
  (operator: string, ...attributes: MessageInput<'AttributeProto'>[]) =>
  () =>
    net([{ ...node(operator, ['x'], ['y']), attribute: attributes }])

const CONV: readonly (readonly [string, Parameters<typeof single>[1]])[] = [
  ['strides', { strides: [0, 0] }],
  ['strides', { strides: [-1, 1] }],
  ['strides', { strides: [1] }],
  ['strides', { strides: [1, 1, 1, 1] }],
  ['dilations', { dilations: [0, 1] }],
  ['dilations', { dilations: [2n ** 40n, 1n] }],
  ['pads', { pads: [-5, 0, 0, 0] }],
  ['pads', { pads: [1, 1] }],
  ['pads', { pads: [2n ** 53n - 1n, 0n, 0n, 0n] }],
  ['pads', { pads: [2n ** 62n, 0n, 0n, 0n] }],
  ['kernel_shape', { kernel_shape: [5, 5] }],
  ['kernel_shape', { kernel_shape: [0, 0] }],
  ['group', { group: 0n }],
  ['group', { group: -1n }],
  ['group', { group: 7n }],
  ['group', { group: 2n ** 63n - 1n }],
  ['auto_pad', { auto_pad: 'EVERYWHERE' }],
]

const POOL: readonly (readonly [string, Parameters<typeof single>[1]])[] = [
  ['kernel_shape', {}],
  ['kernel_shape', { kernel_shape: [0, 0] }],
  ['kernel_shape', { kernel_shape: [-2, 2] }],
  ['ceil_mode', { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 7n }],
  ['storage_order', { kernel_shape: [2, 2], strides: [2, 2], storage_order: 9n }],
  ['kernel', { kernel_shape: [9, 9] }],
  ['strides', { kernel_shape: [2, 2], strides: [0, 1] }],
  ['pad', { kernel_shape: [2, 2], pads: [5, 5, 5, 5] }],
]

const NOT_FINITE = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]

export const attributeCases = group('attributes', [
  ...CONV.map(([name, attributes], index) =>
    refused(
      `conv-${index}-${name}`,
      `Conv with ${JSON.stringify(attributes, (_, v) => (typeof v === 'bigint' ? String(v) : v))}`,
      [name, 'Conv', name.replace(/s$/, '')],
      conv(attributes),
    ),
  ),
  ...POOL.map(([name, attributes], index) =>
    refused(
      `pool-${index}-${name}`,
      `MaxPool with ${JSON.stringify(attributes, (_, v) => (typeof v === 'bigint' ? String(v) : v))}`,
      [name, 'MaxPool'],
      pool(attributes),
    ),
  ),
  ...NOT_FINITE.map((number) =>
    refused(`leaky-${number}`, `LeakyRelu with alpha ${number}`, 'alpha', () => single('LeakyRelu', { alpha: number })),
  ),
  ...NOT_FINITE.map((number) =>
    refused(`elu-${number}`, `Elu with alpha ${number}`, 'alpha', () => single('Elu', { alpha: number })),
  ),
  refused('epsilon-nan', 'BatchNormalization with epsilon NaN', 'epsilon', () =>
    single(
      'BatchNormalization',
      { epsilon: Number.NaN },
      ['s', 'b', 'm', 'v'].map((name) => floats(name, [4], [1, 1, 1, 1])),
    ),
  ),
  refused('clip-nan', 'an old Clip up to NaN', 'max', () =>
    single('Clip', { min: 0, max: Number.NaN }, [], [1, 4], [1, 4], 8),
  ),
  refused('kind-int', 'an axis that is a float', 'axis', () => single('Softmax', { axis: 1.5 })),
  refused('kind-string', 'an axis that is text', 'axis', () => single('Softmax', { axis: 'one' })),
  refused('kind-list', 'an axis that is a list', 'axis', () => single('Softmax', { axis: [1] })),
  refused('kind-tensor', 'an axis that is a tensor', 'axis', () =>
    single('Softmax', { axis: { tensor: longs('', [1]) } }),
  ),
  refused('kind-graph', 'an axis that is a graph', 'axis', () => single('Softmax', { axis: { graph: {} } })),
  refused('kind-undefined', 'an attribute of type 99', '"axis"', raw('Softmax', { name: 'axis', type: 99, i: 1n })),
  refused(
    'kind-contradiction',
    'an attribute that holds a float beside its integer',
    '"axis"',
    raw('Softmax', { name: 'axis', type: 2, i: 1n, f: 2 }),
  ),
  refused(
    'kind-many',
    'an attribute without a type that holds two values',
    '"axis"',
    raw('Softmax', { name: 'axis', i: 1n, f: 2 }),
  ),
  refused('twice', 'an attribute given twice', 'twice', raw('Softmax', attribute('axis', 1n), attribute('axis', 0n))),
  refused('unknown', 'an attribute that the operator does not have', '"speed"', raw('Relu', attribute('speed', 1n))),
  refused('unnamed', 'an attribute without a name', 'attribute', raw('Relu', attribute('', 1n))),
  refused(
    'reference',
    'a reference to a function attribute outside of functions',
    'refers',
    raw('Softmax', { name: 'axis', type: 2, refAttrName: 'a' }),
  ),
  refused(
    'text-utf8',
    'a mode that is not UTF-8',
    'UTF-8',
    raw('Softmax', { name: 'axis', type: 3, s: Uint8Array.of(0xff) }),
  ),
  refused('list-huge', 'a list of 1,000,001 integers', ['attributeValues', 'values'], () =>
    single('Transpose', { perm: Array<number>(1_000_001).fill(0) }),
  ),
  refused('list-long', 'a permutation of 100,000 axes', ['perm', 'Transpose'], () =>
    single('Transpose', { perm: Array<number>(100_000).fill(0) }),
  ),
  refused('perm-twice', 'a permutation with an axis twice', ['perm', 'Transpose'], () =>
    single('Transpose', { perm: [0, 0] }),
  ),
  refused('perm-outside', 'a permutation with an axis that is not there', ['perm', 'Transpose'], () =>
    single('Transpose', { perm: [0, 9] }),
  ),
  refused('axis-outside', 'Softmax along axis 9', 'axis', () => single('Softmax', { axis: 9n })),
  refused('axis-far', 'Softmax along axis −2^63', 'axis', () => single('Softmax', { axis: -(2n ** 63n) })),
  refused('concat-axis', 'Concat along axis 7', 'axis', () => net([node('Concat', ['x', 'x'], ['y'], { axis: 7n })])),
  refused('concat-no-axis', 'Concat without an axis', 'axis', () => net([node('Concat', ['x', 'x'], ['y'])])),
  refused('gather-axis', 'Gather along axis 5', 'axis', () => single('Gather', { axis: 5n }, [longs('w', [0])])),
  refused('gather-index', 'Gather of index 99', ['index', 'indices', 'Gather'], () =>
    single('Gather', { axis: 1n }, [longs('w', [99])], [1, 4], [1, 1]),
  ),
  refused('gather-far', 'Gather of index 2^62', ['index', 'indices', 'Gather', '53 bits'], () =>
    single('Gather', { axis: 1n }, [longs('w', [2n ** 62n])], [1, 4], [1, 1]),
  ),
  refused('flatten-axis', 'Flatten at axis 9', 'axis', () => single('Flatten', { axis: 9n })),
  refused('depth-zero', 'DepthToSpace in blocks of 0', 'blocksize', () =>
    single('DepthToSpace', { blocksize: 0n }, [], [1, 4, 2, 2]),
  ),
  refused('depth-odd', 'DepthToSpace of channels that do not divide', ['blocksize', 'channels', 'DepthToSpace'], () =>
    single('DepthToSpace', { blocksize: 3n }, [], [1, 4, 2, 2]),
  ),
  refused('depth-far', 'DepthToSpace in blocks of 2^31', ['blocksize', 'channels', 'DepthToSpace'], () =>
    single('DepthToSpace', { blocksize: 2n ** 31n }, [], [1, 4, 2, 2]),
  ),
  refused('depth-mode', 'DepthToSpace in an unknown mode', 'mode', () =>
    single('DepthToSpace', { blocksize: 2n, mode: 'XYZ' }, [], [1, 4, 2, 2]),
  ),
  refused('cast-none', 'Cast to type 0', ['"to"', 'type', 'Cast'], () => single('Cast', { to: 0n })),
  refused('cast-text', 'Cast to strings', ['string', 'type', 'Cast'], () => single('Cast', { to: 8n })),
  refused('cast-far', 'Cast to type 2^40', ['type', 'Cast'], () => single('Cast', { to: 2n ** 40n })),
  refused('constant-two', 'a Constant with two values', 'Constant', () =>
    net([node('Constant', [], ['c'], { value_int: 1n, value_float: 1 }), node('Relu', ['x'], ['y'])]),
  ),
  refused('constant-none', 'a Constant without a value', 'Constant', () =>
    net([node('Constant', [], ['c']), node('Relu', ['x'], ['y'])]),
  ),
  refused('constant-text', 'a Constant that is text', 'Constant', () =>
    net([node('Constant', [], ['c'], { value_string: 'abc' }), node('Relu', ['x'], ['y'])]),
  ),
  refused('constant-nan', 'a Constant that is NaN', ['NaN', 'finite'], () =>
    net([node('Constant', [], ['c'], { value_float: Number.NaN }), node('Add', ['x', 'c'], ['y'])]),
  ),
  refused('dropout-large', 'a random mask of 2^30 elements', ['drawnElements'], dropout(0n, 0.5, [1, 2 ** 30])),
  refused('dropout-seed', 'a random mask by a negative seed', ['seed'], dropout(-1n, 0.5, [1, 4])),
  refused('dropout-ratio', 'a random mask that drops more than everything', ['ratio'], dropout(0n, 1.5, [1, 4])),
])
