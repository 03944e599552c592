import { describe, expect, it } from 'vitest'
import { runReference } from '../../reference/run.ts'
import type { AttributeValue } from '../graph.ts'
import { inferGraph } from '../infer.ts'
import { elementCount, makeConstant, type Tensor } from '../tensor.ts'

/** One node over `x`, of shape `shape` (default: a list), with constant int64 lists as further inputs. */
function apply(
  operator: string,
  values: readonly number[],
  attributes: Readonly<Record<string, AttributeValue>> = {},
  shape: readonly number[] = [values.length],
  ...lists: readonly (readonly number[])[]
): Tensor {
  const graph = inferGraph({
    name: 'test',
    opset: 23,
    inputs: [{ name: 'x', type: 'float32', shape }],
    outputs: ['y'],
    nodes: [
      {
        name: 'node',
        operator,
        inputs: ['x', ...lists.map((_, index) => `list${index}`)],
        outputs: ['y'],
        attributes: new Map(Object.entries(attributes)),
      },
    ],
    constants: new Map(lists.map((list, index) => [`list${index}`, makeConstant('int64', [list.length], list)])),
  })
  expect(elementCount(shape)).toBe(values.length)
  return runReference(graph, new Map([['x', { type: 'float32', shape, data: Float32Array.from(values) }]])).get(
    'y',
  ) as Tensor
}

const INPUTS = [-9, -2.5, -1.5, -1, -0.5, -0.0, 0.25, 0.5, 1, 1.5, 2.5, 9]
const POSITIVE = [0.125, 0.5, 1, 2.5, 9]

/** Results of the reference evaluator of onnx 1.23.2, which computes in float32. */
const CASES: readonly [string, Record<string, AttributeValue>, readonly number[], readonly number[]][] = [
  ['Abs', {}, INPUTS, [9.0, 2.5, 1.5, 1.0, 0.5, 0.0, 0.25, 0.5, 1.0, 1.5, 2.5, 9.0]],
  ['Sign', {}, INPUTS, [-1.0, -1.0, -1.0, -1.0, -1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]],
  ['Floor', {}, INPUTS, [-9.0, -3.0, -2.0, -1.0, -1.0, -0.0, 0.0, 0.0, 1.0, 1.0, 2.0, 9.0]],
  ['Ceil', {}, INPUTS, [-9.0, -2.0, -1.0, -1.0, -0.0, -0.0, 1.0, 1.0, 1.0, 2.0, 3.0, 9.0]],
  ['Round', {}, INPUTS, [-9.0, -2.0, -2.0, -1.0, -0.0, -0.0, 0.0, 0.0, 1.0, 2.0, 2.0, 9.0]],
  [
    'Erf',
    {},
    INPUTS,
    [
      -1.0, -0.999593, -0.9661052, -0.8427008, -0.5204999, -0.0, 0.2763264, 0.5204999, 0.8427008, 0.9661052, 0.999593,
      1.0,
    ],
  ],
  [
    'Softplus',
    {},
    INPUTS,
    [
      0.0001234022,
      0.07888974,
      0.2014133,
      0.3132617,
      0.474077,
      Math.LN2,
      0.8259394,
      0.974077,
      1.313262,
      1.701413,
      2.57889,
      9.000123,
    ],
  ],
  ['Softsign', {}, INPUTS, [-0.9, -0.7142857, -0.6, -0.5, -0.3333333, -0.0, 0.2, 0.3333333, 0.5, 0.6, 0.7142857, 0.9]],
  [
    'Elu',
    { alpha: 0.75 },
    INPUTS,
    [-0.7499074, -0.6884363, -0.5826524, -0.4740904, -0.295102, -0.0, 0.25, 0.5, 1.0, 1.5, 2.5, 9.0],
  ],
  [
    'Selu',
    {},
    INPUTS,
    [
      -1.757882, -1.613786, -1.365814, -1.111331, -0.6917582, -0.0, 0.2626753, 0.5253505, 1.050701, 1.576051, 2.626753,
      9.456309,
    ],
  ],
  [
    'Swish',
    {},
    INPUTS,
    [
      -0.001110551, -0.1896455, -0.2736383, -0.2689414, -0.1887703, -0.0, 0.1405441, 0.3112297, 0.7310586, 1.226362,
      2.310354, 8.99889,
    ],
  ],
  [
    'Swish',
    { alpha: 1.5 },
    INPUTS,
    [
      -1.233861e-5, -0.05744343, -0.1430242, -0.1824255, -0.1604106, -0.0, 0.1481667, 0.3395894, 0.8175745, 1.356976,
      2.442557, 8.999987,
    ],
  ],
  [
    'Mish',
    {},
    INPUTS,
    [
      -0.00111062, -0.1968162, -0.2980998, -0.3034015, -0.2207438, -0.0, 0.1695724, 0.3752452, 0.8650984, 1.403378,
      2.471392, 8.999999,
    ],
  ],
  [
    'Gelu',
    {},
    INPUTS,
    [
      -0.0, -0.01552418, -0.1002108, -0.1586553, -0.1542688, -0.0, 0.1496766, 0.3457312, 0.8413447, 1.399789, 2.484476,
      9.0,
    ],
  ],
  [
    'Gelu',
    { approximate: 'tanh' },
    INPUTS,
    [-0.0, -0.01508422, -0.1004284, -0.158808, -0.154286, -0.0, 0.1496754, 0.345714, 0.841192, 1.399572, 2.484916, 9.0],
  ],
  ['ThresholdedRelu', { alpha: 0.5 }, INPUTS, [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.5, 2.5, 9.0]],
  ['Log', {}, POSITIVE, [-2.079442, -Math.LN2, 0.0, 0.9162908, 2.197225]],
  ['Reciprocal', {}, POSITIVE, [8.0, 2.0, 1.0, 0.4, 0.1111111]],
]

describe('functions of one element agree with the reference evaluator of ONNX', () => {
  it.each(CASES)('%s %o', (operator, attributes, inputs, expected) => {
    const { data } = apply(operator, inputs, attributes)
    expected.forEach((value, index) => {
      expect(Math.abs(Number(data[index]) - value)).toBeLessThanOrEqual(1e-6 * Math.max(0.1, Math.abs(value)))
    })
  })

  it('stay finite and exact where their exponentials do not', () => {
    expect([...apply('Softplus', [-1000, 1000]).data]).toEqual([0, 1000])
    expect([...apply('Swish', [-1000, 1000]).data]).toEqual([-0, 1000])
    expect([...apply('Mish', [-1000, 1000]).data]).toEqual([-0, 1000])
    expect([...apply('Elu', [-1000, 1000]).data]).toEqual([-1, 1000])
    expect([...apply('Erf', [-1000, 1000, Number.POSITIVE_INFINITY]).data]).toEqual([-1, 1, 1])
    expect(apply('Erf', [Number.NaN]).data[0]).toBeNaN()
  })

  it('refuse an unknown approximation of Gelu', () => {
    expect(() => apply('Gelu', [1], { approximate: 'fast' })).toThrow(/neither "none" nor "tanh"/)
  })
})

describe('Expand', () => {
  it('broadcasts both ways', () => {
    const { shape, data } = apply('Expand', [1, 2], {}, [2, 1], [3, 1, 2])
    expect(shape).toEqual([3, 2, 2])
    expect([...data]).toEqual([1, 1, 2, 2, 1, 1, 2, 2, 1, 1, 2, 2])
    expect(apply('Expand', [1, 2], {}, [2], [1]).shape).toEqual([2])
  })

  it('refuses shapes that do not broadcast', () => {
    expect(() => apply('Expand', [1, 2], {}, [2], [3])).toThrow(/do not broadcast/)
    expect(() => apply('Expand', [1, 2], {}, [2], [-1])).toThrow(/negative size/)
  })
})

describe('Tile', () => {
  it('repeats along every axis', () => {
    const { shape, data } = apply('Tile', [1, 2, 3, 4], {}, [2, 2], [2, 2])
    expect(shape).toEqual([4, 4])
    expect([...data]).toEqual([1, 2, 1, 2, 3, 4, 3, 4, 1, 2, 1, 2, 3, 4, 3, 4])
    expect(apply('Tile', [1, 2], {}, [1, 2], [0, 1]).shape).toEqual([0, 2])
  })

  it('refuses another number of counts than axes', () => {
    expect(() => apply('Tile', [1, 2], {}, [2], [1, 1])).toThrow(/do not fit/)
  })
})

describe('ReduceMin', () => {
  it('keeps the least element of each group', () => {
    const { shape, data } = apply('ReduceMin', [3, -1, 2, 5, 4, 9], { keepdims: 0 }, [2, 3], [1])
    expect(shape).toEqual([2])
    expect([...data]).toEqual([-1, 4])
  })
})
