import { describe, expect, it } from 'vitest'
import { runReference } from '../reference/run.ts'
import { parseOnnx } from './index.ts'
import vectors from './matmul-nbits.vectors.json' with { type: 'json' }
import type { MessageInput } from './schema.ts'
import { attribute, failureOf, floatTensor, floatValue, model, node } from './small-model.fixture.ts'
import { encodeModel } from './write-wire.ts'

type Case = (typeof vectors.cases)[number]
type Tensor = MessageInput<'TensorProto'>

const bytes = (name: string, base64: string, dataType = 2): Tensor => {
  const rawData = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
  return { name, dataType, dims: [BigInt(rawData.length)], rawData }
}

/** The network of a case: x (1, K) in, y out. Attributes, tensors and inputs may be replaced. */
function network(
  one: Case,
  attributes: Readonly<Record<string, number>> = {},
  tensors: readonly Tensor[] = [],
  inputs = ['x', 'B', 'scales', one.zeroPoints === null ? '' : 'zeros', '', one.bias === null ? '' : 'bias'],
) {
  const own: Tensor[] = [
    bytes('B', one.B),
    floatTensor('scales', [one.scales.length], one.scales),
    ...(one.zeroPoints === null ? [] : [bytes('zeros', one.zeroPoints)]),
    ...(one.bias === null ? [] : [floatTensor('bias', [one.bias.length], one.bias)]),
  ]
  const given = { K: one.K, N: one.N, bits: one.bits, block_size: one.block_size, ...attributes }
  const product = node(
    'MatMulNBits',
    inputs,
    ['y'],
    ...Object.entries(given).map(([name, value]) => attribute(name, value)),
  )
  const replaced = new Set(tensors.map(({ name }) => name))
  const graph = {
    name: 'g',
    node: [{ ...product, domain: 'com.microsoft' }],
    initializer: [...own.filter(({ name }) => !replaced.has(name)), ...tensors],
    input: [floatValue('x', [1, one.K])],
    output: [{ name: 'y' }],
  }
  return parseOnnx(encodeModel(model(graph)))
}

describe('MatMulNBits', () => {
  it.each(vectors.cases.map((one) => [`${one.bits} bits in blocks of ${one.block_size}, ${one.N} × ${one.K}`, one]))(
    'of %s is what ONNX Runtime computes',
    (_, one) => {
      const c = one as Case
      const x = { type: 'float32' as const, shape: [1, c.K], data: Float32Array.from(c.x) }
      const y = runReference(network(c, { accuracy_level: 4 }), new Map([['x', x]])).get('y')
      expect(y?.shape).toEqual([1, c.N])
      expect(Array.from(y?.data as Float32Array)).toEqual(c.y)
    },
  )

  const [, one] = vectors.cases as [Case, Case]
  it.each<[string, () => unknown, string, string]>([
    ['2 bits', () => network(one, { bits: 2 }), 'unsupported', '2 bits'],
    ['blocks of 24', () => network(one, { block_size: 24 }), 'refused', 'a power of two'],
    ['blocks of 2^40', () => network(one, { block_size: 2 ** 40 }), 'refused', 'more than a tensor can have'],
    ['no columns', () => network(one, { K: 0 }), 'refused', '"K"'],
    ['more rows than bytes', () => network(one, { N: 4 }), 'refused', 'has weights of shape [72]; 12 × 8 bytes'],
    ['an attribute of its own', () => network(one, { weight_prepacked: 1 }), 'unsupported', 'weight_prepacked'],
    [
      'too few scales',
      () => network(one, {}, [floatTensor('scales', [2], [1, 2])]),
      'refused',
      'has 2 scales; 3 rows of 3 blocks need 9',
    ],
    [
      'scales beyond float32',
      () => network(one, {}, [floatTensor('scales', [9], new Array(9).fill(3e38))]),
      'refused',
      'beyond float32',
    ],
    [
      'too few zero points',
      () => network(one, {}, [bytes('zeros', 'AA==')]),
      'refused',
      'has zero points of shape [1]',
    ],
    [
      'zero points in floats',
      () => network(one, {}, [floatTensor('zeros', [9], new Array(9).fill(8))]),
      'unsupported',
      'zero points of type float32',
    ],
    [
      'group indices',
      () => network(one, {}, [bytes('g', 'AAAA')], ['x', 'B', 'scales', 'zeros', 'g']),
      'unsupported',
      'group indices',
    ],
    [
      'computed weights',
      () => network(one, {}, [], ['x', 'x', 'scales']),
      'unsupported',
      'computes its weights (input 1)',
    ],
  ])('with %s is refused', (_, act, code, words) => {
    const error = failureOf(act)
    expect(error.code).toBe(code)
    expect(error.message).toContain('node "y node" ("MatMulNBits")')
    expect(error.message).toContain(words)
  })
})
