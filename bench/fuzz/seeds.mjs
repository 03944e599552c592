/** Small honest networks that the fuzzer starts from: the operators of real networks, each graph with one idea. */
import { readFileSync } from 'node:fs'
import { decodeModel } from '../../dist/onnx/decode.js'
import { defaultLimits } from '../../dist/onnx/limits.js'

const UTF8 = new TextEncoder()

export const floats = (name, dims, values = [0.5, -0.25, 1]) => {
  const count = dims.reduce((product, size) => product * size, 1)
  const data = Float32Array.from({ length: count }, (_, i) => values[i % values.length])
  return { name, dataType: 1, dims: dims.map(BigInt), rawData: new Uint8Array(data.buffer) }
}

export const integers = (name, values) => ({
  name,
  dataType: 7,
  dims: [BigInt(values.length)],
  int64Data: values.map(BigInt),
})

const bytes = (name, dataType, dims, values) => ({
  name,
  dataType,
  dims: dims.map(BigInt),
  rawData: Uint8Array.from(values),
})

export const value = (name, dims, elemType = 1) => ({
  name,
  type: {
    tensorType: {
      elemType,
      shape: { dim: dims.map((size) => (typeof size === 'string' ? { dimParam: size } : { dimValue: BigInt(size) })) },
    },
  },
})

export const attribute = (name, given) => {
  if (typeof given === 'string') return { name, type: 3, s: UTF8.encode(given) }
  if (Array.isArray(given)) return { name, type: 7, ints: given.map(BigInt) }
  if (typeof given === 'bigint') return { name, type: 2, i: given }
  return { name, type: 1, f: given }
}

export const node = (opType, input, output, attributes = {}) => ({
  opType,
  input,
  output,
  name: `${opType} ${output[0]}`,
  attribute: Object.entries(attributes).map(([name, given]) => attribute(name, given)),
})

const model = (graph, opset = 13) => ({
  irVersion: 8n,
  opsetImport: [{ domain: '', version: BigInt(opset) }],
  graph: { name: 'seed', ...graph },
})

/** One node on one input of shape [1, 4, 6, 6], with initializers for its other inputs. */
const unary = (opType, dims, attributes, initializer = [], opset = 13) =>
  model(
    {
      node: [node(opType, ['x', ...initializer.map(({ name }) => name)], ['y'], attributes)],
      initializer,
      input: [value('x', [1, 4, 6, 6])],
      output: [value('y', dims)],
    },
    opset,
  )

const convolution = model({
  node: [
    node('Conv', ['x', 'w', 'b'], ['c'], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }),
    node('BatchNormalization', ['c', 's', 'b', 'm', 'v'], ['n']),
    node('Relu', ['n'], ['r']),
    node('MaxPool', ['r'], ['p'], { kernel_shape: [2, 2], strides: [2, 2] }),
    node('Flatten', ['p'], ['f']),
    node('Gemm', ['f', 'g', 'h'], ['y'], { transB: 1n }),
  ],
  initializer: [
    floats('w', [4, 2, 3, 3]),
    floats('b', [4]),
    floats('s', [4], [1]),
    floats('m', [4]),
    floats('v', [4], [1]),
    floats('g', [3, 16]),
    floats('h', [3]),
  ],
  input: [value('x', ['N', 2, 4, 4])],
  output: [value('y', ['N', 3])],
})

const residual = model({
  node: [
    node('Conv', ['x', 'w'], ['c'], { kernel_shape: [1, 1] }),
    node('Sigmoid', ['c'], ['s']),
    node('Mul', ['c', 's'], ['m']),
    node('Add', ['m', 'x'], ['a']),
    node('GlobalAveragePool', ['a'], ['g']),
    node('Concat', ['g', 'g'], ['k'], { axis: 1n }),
    node('Softmax', ['k'], ['y'], { axis: 1n }),
  ],
  initializer: [floats('w', [4, 4, 1, 1])],
  input: [value('x', [1, 4, 5, 5])],
  output: [value('y', [1, 8, 1, 1])],
})

const quantised = model({
  node: [
    node('QuantizeLinear', ['x', 'xs', 'xz'], ['xq']),
    node('DequantizeLinear', ['xq', 'xs', 'xz'], ['xd']),
    node('DequantizeLinear', ['wq', 'ws', 'wz'], ['wd'], { axis: 0n }),
    node('Conv', ['xd', 'wd'], ['c'], { kernel_shape: [3, 3] }),
    node('QuantizeLinear', ['c', 'ys', 'yz'], ['cq']),
    node('DequantizeLinear', ['cq', 'ys', 'yz'], ['y']),
  ],
  initializer: [
    floats('xs', [], [0.05]),
    bytes('xz', 2, [], [128]),
    floats('ws', [2], [0.01, 0.02]),
    bytes('wz', 3, [2], [0, 0]),
    bytes(
      'wq',
      3,
      [2, 1, 3, 3],
      Array.from({ length: 18 }, (_, i) => (i * 37) & 255),
    ),
    floats('ys', [], [0.1]),
    bytes('yz', 2, [], [3]),
  ],
  input: [value('x', [1, 1, 5, 5])],
  output: [value('y', [1, 2, 3, 3])],
})

const shapes = model({
  node: [
    node('Shape', ['x'], ['s']),
    node('Gather', ['s', 'zero'], ['n'], { axis: 0n }),
    node('Concat', ['n', 'rest'], ['t'], { axis: 0n }),
    node('Reshape', ['x', 't'], ['r']),
    node('Transpose', ['r'], ['u'], { perm: [0, 2, 1] }),
    node('Slice', ['u', 'starts', 'ends', 'axes'], ['v']),
    node('ReduceMean', ['v'], ['y'], { axes: [1], keepdims: 0n }),
  ],
  initializer: [
    integers('zero', [0]),
    integers('rest', [4, -1]),
    integers('starts', [1]),
    integers('ends', [5]),
    integers('axes', [1]),
  ],
  input: [value('x', [1, 4, 3, 3])],
  output: [value('y', [1, 4])],
})

/** 4-bit weights in two blocks of sixteen, with packed zero points. */
const blocks = {
  ...model({
    node: [
      {
        ...node('MatMulNBits', ['x', 'B', 's', 'z'], ['y'], { K: 20n, N: 2n, bits: 4n, block_size: 16n }),
        domain: 'com.microsoft',
      },
    ],
    initializer: [
      bytes(
        'B',
        2,
        [2, 2, 8],
        Array.from({ length: 32 }, (_, i) => (i * 37) & 255),
      ),
      floats('s', [4], [0.5, 0.25]),
      bytes('z', 2, [2], [0x78, 0x95]),
    ],
    input: [value('x', [1, 20])],
    output: [value('y', [1, 2])],
  }),
  opsetImport: [
    { domain: '', version: 13n },
    { domain: 'com.microsoft', version: 1n },
  ],
}

/** Two functions, one calling the other, with attributes handed on, by default and left out. */
const functions = {
  ...model({
    node: [
      { ...node('Twice', ['x', 'b'], ['c'], { slope: 0.25 }), domain: 'own' },
      { ...node('Twice', ['c'], ['y']), domain: 'own' },
    ],
    initializer: [floats('b', [4, 1, 1])],
    input: [value('x', [1, 4, 3, 3])],
    output: [value('y', [1, 4, 3, 3])],
  }),
  opsetImport: [
    { domain: '', version: 13n },
    { domain: 'own', version: 1n },
  ],
  functions: [
    {
      name: 'Twice',
      domain: 'own',
      input: ['a', 'bias'],
      output: ['z'],
      attribute: ['slope'],
      node: [
        { ...node('Leaky', ['a'], ['s']), domain: 'own', attribute: [{ name: 'k', type: 1, refAttrName: 'slope' }] },
        { ...node('Leaky', ['s'], ['t'], { k: 2 }), domain: 'own' },
        node('Max', ['t', 's'], ['z']),
      ],
      opsetImport: [{ domain: '', version: 13n }],
    },
    {
      name: 'Leaky',
      domain: 'own',
      input: ['a'],
      output: ['b'],
      attributeProto: [attribute('k', 0.5)],
      node: [{ ...node('LeakyRelu', ['a'], ['b']), attribute: [{ name: 'alpha', type: 1, refAttrName: 'k' }] }],
      opsetImport: [{ domain: '', version: 13n }],
    },
  ],
}

/** Name and message of every seed; the network of the examples is the one real file among them. */
export function readSeeds() {
  const glyphs = readFileSync(new URL('../../examples/glyphs/glyphs.onnx', import.meta.url))
  return [
    ['convolution', convolution],
    ['residual', residual],
    ['quantised', quantised],
    ['shapes', shapes],
    ['blocks', blocks],
    ['functions', functions],
    ['pad', unary('Pad', [1, 4, 8, 8], { mode: 'constant' }, [integers('p', [0, 0, 1, 1, 0, 0, 1, 1])])],
    ['tile', unary('Tile', [1, 4, 12, 6], {}, [integers('p', [1, 1, 2, 1])])],
    ['expand', unary('Expand', [3, 4, 6, 6], {}, [integers('p', [3, 4, 6, 6])])],
    [
      'resize',
      unary('Resize', [1, 4, 12, 12], { mode: 'linear', coordinate_transformation_mode: 'asymmetric' }, [
        { ...floats('roi', [0]) },
        floats('scales', [4], [1, 1, 2, 2]),
      ]),
    ],
    ['upsample', unary('Upsample', [1, 4, 12, 12], { mode: 'nearest' }, [floats('scales', [4], [1, 1, 2, 2])], 9)],
    ['split', unary('Split', [1, 2, 6, 6], { axis: 1n }, [integers('p', [4])])],
    ['average', unary('AveragePool', [1, 4, 6, 6], { kernel_shape: [3, 3], auto_pad: 'SAME_UPPER' })],
    ['softmax', unary('Softmax', [1, 4, 6, 6], { axis: 1n }, [], 11)],
    ['hardswish', unary('HardSwish', [1, 4, 6, 6], {}, [], 14)],
    ['prelu', unary('PRelu', [1, 4, 6, 6], {}, [floats('p', [4, 1, 1])])],
    ['clip', unary('Clip', [1, 4, 6, 6], {}, [floats('lo', [], [0]), floats('hi', [], [6])])],
    ['depth', unary('DepthToSpace', [1, 1, 12, 12], { blocksize: 2n, mode: 'CRD' })],
    ['squeeze', unary('Squeeze', [4, 6, 6], {}, [integers('p', [0])])],
    ['cast', unary('Cast', [1, 4, 6, 6], { to: 1n })],
    ['glyphs', decodeModel(new Uint8Array(glyphs), defaultLimits)],
  ]
}
