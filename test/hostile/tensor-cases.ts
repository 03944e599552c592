/** Tensors in the file and quantisation: what they say of themselves, and what their bytes are. */
import { accepted, either, group, refused } from './hostile-case.ts'
import { file, floats, honestGraph, honestResult, longs, net, node, octets, type TensorInput, value } from './sketch.ts'

/** The honest network with another w. */
const withW = (tensor: TensorInput) => () => file({ ...honestGraph, initializer: [{ name: 'w', ...tensor }] })
const zeros = (count: number): Uint8Array => new Uint8Array(count)
const single = (number: number): Uint8Array => new Uint8Array(Float32Array.of(0, number, 0, 0).buffer)

export const tensorCases = group('tensors', [
  refused(
    'raw-short',
    'raw data of 15 bytes for 4 floats',
    ['bytes', '"w"'],
    withW({ dataType: 1, dims: [4n], rawData: zeros(15) }),
  ),
  refused(
    'raw-long',
    'raw data of 20 bytes for 4 floats',
    ['bytes', '"w"'],
    withW({ dataType: 1, dims: [4n], rawData: zeros(20) }),
  ),
  refused(
    'raw-empty',
    'empty raw data for 4 floats',
    ['bytes', '"w"'],
    withW({ dataType: 1, dims: [4n], rawData: zeros(0) }),
  ),
  refused('no-data', 'no data at all', '"w"', withW({ dataType: 1, dims: [4n] })),
  refused(
    'both',
    'raw data and typed data',
    '"w"',
    withW({ dataType: 1, dims: [4n], rawData: zeros(16), floatData: [1, 2, 3, 4] }),
  ),
  refused('typed-short', 'three floats for four', '"w"', withW({ dataType: 1, dims: [4n], floatData: [1, 2, 3] })),
  refused(
    'typed-wrong',
    'floats in the list of integers',
    '"w"',
    withW({ dataType: 1, dims: [4n], int32Data: [1, 2, 3, 4] }),
  ),
  refused(
    'typed-doubles',
    'floats in the list of doubles',
    '"w"',
    withW({ dataType: 1, dims: [4n], doubleData: [1, 2, 3, 4] }),
  ),
  refused(
    'typed-two',
    'two typed lists',
    '"w"',
    withW({ dataType: 1, dims: [4n], floatData: [1, 2, 3, 4], int64Data: [1n] }),
  ),
  refused(
    'int8-range',
    'an int8 of 300',
    ['300', '"w"'],
    withW({ dataType: 3, dims: [4n], int32Data: [1, 2, 300, 4] }),
  ),
  refused('uint8-range', 'a uint8 of −1', ['-1', '"w"'], withW({ dataType: 2, dims: [4n], int32Data: [1, 2, -1, 4] })),
  refused(
    'bool-two',
    'a boolean of 2',
    ['boolean', '"w"'],
    withW({ dataType: 9, dims: [4n], rawData: Uint8Array.of(0, 1, 2, 1) }),
  ),
  refused(
    'float-nan',
    'NaN among the weights',
    ['NaN', '"w"'],
    withW({ dataType: 1, dims: [4n], rawData: single(Number.NaN) }),
  ),
  refused(
    'float-infinite',
    'an infinite weight',
    ['Infinity', '"w"'],
    withW({ dataType: 1, dims: [4n], rawData: single(Number.POSITIVE_INFINITY) }),
  ),
  refused(
    'double-nan',
    'a double NaN',
    ['NaN', '"w"'],
    withW({ dataType: 11, dims: [4n], doubleData: [1, Number.NaN, 1, 1] }),
  ),
  refused('type-none', 'no element type', ['type', '"w"'], withW({ dims: [4n], rawData: zeros(16) })),
  refused('type-far', 'element type 1000', ['type', '"w"'], withW({ dataType: 1000, dims: [4n], rawData: zeros(16) })),
  refused('type-negative', 'element type −1', ['type', '"w"'], withW({ dataType: -1, dims: [4n], rawData: zeros(16) })),
  refused('type-text', 'strings', ['string', '"w"'], withW({ dataType: 8, dims: [1n], stringData: [zeros(3)] })),
  refused(
    'segment',
    'a segment of a tensor',
    ['segment', '"w"'],
    withW({ dataType: 1, dims: [4n], rawData: zeros(16), segment: zeros(2) }),
  ),
  refused(
    'dims-negative',
    'a negative dimension',
    ['-1', '"w"'],
    withW({ dataType: 1, dims: [-1n, 4n], rawData: zeros(16) }),
  ),
  refused(
    'dims-zero',
    'a dimension of 0 among others',
    ['"w"', 'axis'],
    withW({ dataType: 1, dims: [4n, 0n], rawData: zeros(0) }),
  ),
  refused(
    'dims-least',
    'a dimension of −2^63',
    '"w"',
    withW({ dataType: 1, dims: [-(2n ** 63n)], rawData: zeros(16) }),
  ),
  refused(
    'dims-most',
    'a dimension of 2^63 − 1',
    ['elements', '"w"'],
    withW({ dataType: 1, dims: [2n ** 63n - 1n], rawData: zeros(16) }),
  ),
  refused(
    'dims-wrap-64',
    'dimensions whose product is 4 modulo 2^64',
    ['elements', '"w"'],
    withW({ dataType: 1, dims: [2n ** 62n, 4n, 4n], rawData: zeros(16) }),
  ),
  refused(
    'dims-wrap-32',
    'dimensions whose product is 0 modulo 2^32',
    ['elements', '"w"'],
    withW({ dataType: 1, dims: [65536n, 65536n], rawData: zeros(0) }),
  ),
  refused(
    'dims-wrap-bytes',
    'dimensions whose size in bytes is 16 modulo 2^32',
    '"w"',
    withW({ dataType: 1, dims: [2n ** 30n + 4n], rawData: zeros(16) }),
  ),
  refused(
    'dims-rank-33',
    '33 axes',
    ['rank', 'axes', '"w"'],
    withW({ dataType: 1, dims: Array<bigint>(33).fill(1n), rawData: zeros(4) }),
  ),
  refused(
    'dims-rank-100000',
    '100,000 axes',
    ['rank', 'axes', '"w"'],
    withW({ dataType: 1, dims: Array<bigint>(100_000).fill(1n), rawData: zeros(4) }),
  ),
  accepted('typed-floats', 'typed data', withW({ dataType: 1, dims: [4n], floatData: [1, -2, 3, -4] }), honestResult),
  accepted(
    'denormal',
    'the smallest float32 among the weights',
    withW({ dataType: 1, dims: [4n], floatData: [1, -2, 3, -4] }),
    honestResult,
  ),
  accepted(
    'half',
    'float16 weights',
    withW({ dataType: 10, dims: [4n], rawData: new Uint8Array(Uint16Array.of(0x3c00, 0xc000, 0x4200, 0xc400).buffer) }),
    honestResult,
  ),
  accepted(
    'many-unused',
    '50,000 initializers that nobody reads',
    () =>
      file({
        ...honestGraph,
        initializer: [
          ...(honestGraph.initializer ?? []),
          ...Array.from({ length: 50_000 }, (_, i) => ({ name: `i${i}`, dataType: 1, dims: [1n], rawData: zeros(4) })),
        ],
      }),
    honestResult,
  ),
])

/** x → QuantizeLinear → DequantizeLinear → y, with tensors of choice. */
const qdq = (scale: TensorInput, zero: TensorInput, axis?: bigint) => () =>
  net(
    [
      node('QuantizeLinear', ['x', 's', 'z'], ['q'], axis === undefined ? {} : { axis }),
      node('DequantizeLinear', ['q', 's', 'z'], ['y'], axis === undefined ? {} : { axis }),
    ],
    [
      { ...scale, name: 's' },
      { ...zero, name: 'z' },
    ],
  )
const zeroPoint = octets('z', 2, [], [128])
const scaleOf = (...values: number[]) => floats('s', values.length === 1 ? [] : [values.length], values)
/** Weights of a dense layer, dequantised. */
const weights = (scale: TensorInput, zero: TensorInput, axis: bigint) => () =>
  net(
    [node('DequantizeLinear', ['q', 's', 'z'], ['w'], { axis }), node('MatMul', ['x', 'w'], ['y'])],
    [octets('q', 3, [4, 2], [1, 2, 3, 4, 5, 6, 7, 8]), { ...scale, name: 's' }, { ...zero, name: 'z' }],
    [1, 4],
    [1, 2],
  )

export const quantisationCases = group('quantisation', [
  ...([0, -0, -1, -1e-30, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY] as const).map((number) =>
    refused(
      `scale-${Object.is(number, -0) ? 'minus-zero' : number}`,
      `an activation scale of ${number}`,
      ['scale', '"s"'],
      qdq(scaleOf(number), zeroPoint),
    ),
  ),
  ...([0, -1, Number.NaN, Number.POSITIVE_INFINITY] as const).map((number) =>
    refused(
      `weight-scale-${number}`,
      `a weight scale of ${number}`,
      ['scale', '"s"'],
      weights(scaleOf(1, number), octets('z', 3, [2], [0, 0]), 1n),
    ),
  ),
  refused('scale-integer', 'a scale that is an integer', ['scale', 'type', 'int64'], qdq(longs('s', [1]), zeroPoint)),
  refused(
    'scale-two',
    'two scales for a tensor of four channels',
    ['scale', 'shape', 'axis'],
    qdq(scaleOf(1, 2), octets('z', 2, [2], [0, 0]), 1n),
  ),
  refused(
    'scale-matrix',
    'a matrix of scales',
    ['scale', 'shape', 'block'],
    qdq(floats('s', [2, 2], [1, 1, 1, 1]), octets('z', 2, [2, 2], [0, 0, 0, 0])),
  ),
  refused('zero-two', 'two zero points for one scale', ['zero', 'shape'], qdq(scaleOf(1), octets('z', 2, [2], [0, 0]))),
  refused(
    'zero-float',
    'a zero point that is a float',
    ['zero', 'type', 'float32'],
    qdq(scaleOf(1), floats('z', [], [3])),
  ),
  refused(
    'zero-wide',
    'a zero point that is int64',
    ['zero', 'type', 'int64'],
    qdq(scaleOf(1), { name: 'z', dataType: 7, dims: [], int64Data: [3n] }),
  ),
  refused(
    'zero-outside',
    'a uint8 zero point of 300',
    ['300', '"z"'],
    qdq(scaleOf(1), { name: 'z', dataType: 2, dims: [], int32Data: [300] }),
  ),
  refused(
    'axis-outside',
    'scales along axis 9',
    'axis',
    qdq(scaleOf(1, 1, 1, 1), octets('z', 2, [4], [0, 0, 0, 0]), 9n),
  ),
  refused(
    'type-differs',
    'weights that are int8 with a uint8 zero point',
    ['zero', 'type', 'uint8'],
    weights(scaleOf(1, 1), octets('z', 2, [2], [0, 0]), 1n),
  ),
  refused('dequantise-float', 'DequantizeLinear of floats', ['type', 'float32'], () =>
    net([node('DequantizeLinear', ['x', 's', 'z'], ['y'])], [scaleOf(1), zeroPoint]),
  ),
  refused('quantise-codes', 'QuantizeLinear of integers', ['type', 'uint8', 'int8'], () =>
    net(
      [node('QuantizeLinear', ['x', 's', 'z'], ['q']), node('QuantizeLinear', ['q', 's', 'z'], ['y'])],
      [scaleOf(1), zeroPoint],
    ),
  ),
  refused('scale-at-run', 'a scale that is an input', ['scale', '"s"'], () =>
    file({
      node: [node('QuantizeLinear', ['x', 's', 'z'], ['q']), node('DequantizeLinear', ['q', 's', 'z'], ['y'])],
      initializer: [zeroPoint],
      input: [value('x', [1, 4]), value('s', [])],
      output: [value('y', [1, 4])],
    }),
  ),
  accepted(
    'scale-least',
    'the smallest normal scale',
    weights(scaleOf(2 ** -126, 2 ** -126), octets('z', 3, [2], [0, 0]), 1n),
    undefined,
  ),
  either('scale-denormal', 'a denormal scale', qdq(scaleOf(1e-45), zeroPoint)),
  either('scale-most', 'the largest scale', qdq(scaleOf(3.4e38), zeroPoint)),
])
