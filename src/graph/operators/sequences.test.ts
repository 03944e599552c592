import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { DyadicError } from '../../error.ts'
import { runReference } from '../../reference/run.ts'
import type { AttributeValue, Graph } from '../graph.ts'
import { inferGraph, nodeMacs } from '../infer.ts'
import { constantOf } from '../rewrite.ts'
import { allocate, type Constant, type ElementType, elementCount, makeConstant, type Tensor } from '../tensor.ts'

interface EncodedTensor {
  readonly type: ElementType
  readonly shape: readonly number[]
  readonly data: readonly number[]
}

interface Case {
  readonly name: string
  readonly operator: string
  readonly inputs: readonly (EncodedTensor | null)[]
  readonly constants: readonly number[]
  readonly outputs: readonly string[]
  readonly attributes: Readonly<Record<string, AttributeValue>>
  readonly expected: readonly EncodedTensor[]
}

function decode({ type, shape, data }: EncodedTensor): Tensor {
  const values = allocate(type, elementCount(shape))
  data.forEach((value, index) => {
    if (values instanceof BigInt64Array || values instanceof BigUint64Array) values[index] = BigInt(value)
    else values[index] = Number(value)
  })
  return { type, shape, data: values }
}

const cases: Case[] = JSON.parse(readFileSync(new URL('sequences.json', import.meta.url), 'utf8'))

interface NodeParts {
  readonly operator: string
  readonly tensors: readonly (Tensor | null)[]
  readonly constants?: readonly number[]
  readonly outputs: readonly string[]
  readonly attributes?: Readonly<Record<string, AttributeValue>>
}

/** A graph of one node; inputs that are not constant are run-time inputs `i0`, `i1` … */
function graphOf({ operator, tensors, constants = [], outputs, attributes = {} }: NodeParts): Graph {
  const names = tensors.map((tensor, index) => (tensor ? `i${index}` : ''))
  const tensor = (index: number) => tensors[index] as Tensor
  const runtime = names.flatMap((name, index) => (name === '' || constants.includes(index) ? [] : [index]))
  return inferGraph({
    name: operator,
    opset: 21,
    inputs: runtime.map((index) => ({ name: `i${index}`, type: tensor(index).type, shape: tensor(index).shape })),
    outputs: outputs.filter((name) => name !== ''),
    nodes: [{ name: 'node', operator, inputs: names, outputs, attributes: new Map(Object.entries(attributes)) }],
    constants: new Map<string, Constant>(constants.map((index) => [`i${index}`, constantOf(tensor(index))])),
  })
}

/** Made by test/vectors/sequences.py with ONNX Runtime. */
describe('operators on sequences agree with ONNX Runtime', () => {
  it.each(cases.map((golden) => [golden.name, golden] as const))('%s', (_, golden) => {
    const tensors = golden.inputs.map((input) => input && decode(input))
    const graph = graphOf({ ...golden, tensors })
    const given = new Map(graph.inputs.map((name) => [name, tensors[Number(name.slice(1))] as Tensor]))
    // Sizes fold while the graph is made: what has become a constant needs no run.
    const found = runReference(graph, given)
    graph.outputs.forEach((name, index) => {
      const expected = decode(golden.expected[index] as EncodedTensor)
      const result = found.get(name) as Tensor
      expect({ type: result.type, shape: result.shape }).toEqual({ type: expected.type, shape: expected.shape })
      expected.data.forEach((value, i) => {
        const number = Number(result.data[i])
        if (expected.type !== 'float32') expect(number).toBe(Number(value))
        else expect(Math.abs(number - Number(value))).toBeLessThanOrEqual(3e-6 * Math.max(1, Math.abs(Number(value))))
      })
    })
  })
})

const floats = (...shape: number[]): Tensor => ({
  type: 'float32',
  shape,
  data: Float32Array.from({ length: elementCount(shape) }, (_, i) => Math.sin(i)),
})
const integers = (type: 'int32' | 'int64', ...values: number[]): Tensor => {
  const data = allocate(type, values.length)
  values.forEach((value, i) => {
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[i] = BigInt(value)
    else data[i] = value
  })
  return { type, shape: [values.length], data }
}

function refusal(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    if (error instanceof DyadicError) return `${error.code}: ${error.message}`
    throw error
  }
  throw new Error('nothing was refused')
}

describe('layouts and costs', () => {
  it.each([
    ['LSTM', 4],
    ['GRU', 3],
  ])('%s with the batch first is the same, transposed', (operator, gates) => {
    const [steps, batch, width, units] = [3, 2, 4, 5]
    const first: Tensor = floats(batch, steps, width)
    const data = new Float32Array(first.data.length)
    for (let b = 0; b < batch; b++)
      for (let t = 0; t < steps; t++)
        for (let i = 0; i < width; i++)
          data[(t * batch + b) * width + i] = first.data[(b * steps + t) * width + i] as number
    const rest = [floats(1, gates * units, width), floats(1, gates * units, units)]
    const outputs = ['y', 'h']
    const make = (x: Tensor, layout: number) =>
      graphOf({ operator, tensors: [x, ...rest], constants: [1, 2], outputs, attributes: { layout } })
    const plain: Tensor = { type: 'float32', shape: [steps, batch, width], data }
    const expected = runReference(make(plain, 0), new Map([['i0', plain]]))
    const graph = make(first, 1)
    const found = runReference(graph, new Map([['i0', first]]))
    const [y, wanted] = [found.get('y') as Tensor, expected.get('y') as Tensor]
    expect(y.shape).toEqual([batch, steps, 1, units])
    for (let b = 0; b < batch; b++)
      for (let t = 0; t < steps; t++)
        for (let i = 0; i < units; i++)
          expect(y.data[(b * steps + t) * units + i]).toBe(wanted.data[(t * batch + b) * units + i])
    expect(found.get('h')?.shape).toEqual([batch, 1, units])
    expect(found.get('h')?.data).toEqual(expected.get('h')?.data)
    expect(nodeMacs(graph, graph.nodes[0]!)).toBe(steps * batch * gates * units * (width + units))
  })

  it('RMSNormalization is x over the root of its mean square', () => {
    const x: Tensor = { type: 'float32', shape: [1, 2], data: Float32Array.of(3, 4) }
    const scale: Tensor = { type: 'float32', shape: [2], data: Float32Array.of(1, 2) }
    const attributes = { epsilon: 0 }
    const graph = graphOf({ operator: 'RMSNormalization', tensors: [x, scale], outputs: ['y'], attributes })
    const y = runReference(
      graph,
      new Map([
        ['i0', x],
        ['i1', scale],
      ]),
    ).get('y') as Tensor
    expect(Array.from(y.data as Float32Array)).toEqual([
      Math.fround(3 / Math.sqrt(12.5)),
      Math.fround(8 / Math.sqrt(12.5)),
    ])
  })
})

describe('operators on sequences refuse, naming the node', () => {
  const [x, w, r] = [floats(3, 2, 4), floats(1, 20, 4), floats(1, 20, 5)]
  const lstm = (tensors: (Tensor | null)[], attributes = {}, constants: number[] = []) =>
    refusal(() => graphOf({ operator: 'LSTM', tensors, constants, outputs: ['y'], attributes }))
  it.each<[string, () => string, string]>([
    [
      'short sequences',
      () => lstm([x, w, r, null, integers('int32', 3, 2)], {}, [4]),
      'unsupported: node "node": sequence_lens',
    ],
    ['lengths at run time', () => lstm([x, w, r, null, integers('int32', 3, 3)]), 'not constant and all 3'],
    ['a direction', () => lstm([x, w, r], { direction: 'up' }), 'refused: node "node": its direction is none of'],
    [
      'two directions of one weight',
      () => lstm([x, w, r], { direction: 'bidirectional' }),
      'input 1 has shape [1,20,4]; [2,20,4] is needed',
    ],
    [
      'a state of the wrong size',
      () => lstm([x, w, r, null, null, floats(1, 2, 4)]),
      'input 5 has shape [1,2,4]; [1,2,5] is needed',
    ],
    ['hidden_size', () => lstm([x, w, r], { hidden_size: 4 }), 'hidden_size is 4, but R of shape [1,20,5] has 5 units'],
    [
      'an unknown function',
      () => lstm([x, w, r], { activations: 'Sigmoid,Sine,Tanh' }),
      'activation "Sine" is not known',
    ],
    ['too few functions', () => lstm([x, w, r], { activations: 'Sigmoid' }), '1 activations are named; 3 are needed'],
    [
      'a scale of another size',
      () => refusal(() => graphOf({ operator: 'LayerNormalization', tensors: [x, floats(3)], outputs: ['y'] })),
      'parameter 1 of shape [3] does not fit the normalised axes [4]',
    ],
    [
      'an index beyond the end at run time',
      () => {
        const [table, ids] = [floats(4, 3), integers('int64', 1, 4)]
        const graph = graphOf({ operator: 'Gather', tensors: [table, ids], constants: [0], outputs: ['y'] })
        return refusal(() => runReference(graph, new Map([['i1', ids]])))
      },
      'refused: node "node": index 4 does not exist along axis 0, which has 4 elements',
    ],
    [
      'a range without steps',
      () =>
        refusal(() => {
          const tensors = [0, 4, 0].map((value) => ({ ...integers('int64', value), shape: [] }))
          graphOf({ operator: 'Range', tensors, constants: [0, 1, 2], outputs: ['y'] })
        }),
      'the step of Range is 0',
    ],
    [
      'a negative size',
      () =>
        refusal(() =>
          graphOf({ operator: 'ConstantOfShape', tensors: [integers('int64', 2, -1)], constants: [0], outputs: ['y'] }),
        ),
      'shape [2,-1] has a negative size',
    ],
    [
      'comparing floats with integers',
      () =>
        refusal(() => graphOf({ operator: 'Equal', tensors: [floats(2), integers('int64', 1, 2)], outputs: ['y'] })),
      'types float32 and int64 cannot be compared',
    ],
  ])('%s', (_, action, message) => {
    expect(action()).toContain(message)
  })

  it('sizes that a model computes are constants', () => {
    const shape = makeConstant('int64', [2], [2, -1])
    const graph = inferGraph({
      name: 'sizes',
      opset: 17,
      inputs: [{ name: 'x', type: 'float32', shape: [1, 3] }],
      outputs: ['y'],
      nodes: (
        [
          ['ConstantOfShape', ['rank'], 'ones', { value: makeConstant('int64', [1], [1]) }],
          ['Equal', ['shape', 'minus'], 'free', {}],
          ['Where', ['free', 'ones', 'shape'], 'target', {}],
          ['Expand', ['x', 'target'], 'y', {}],
        ] as const
      ).map(([operator, inputs, output, attributes]) => ({
        name: output,
        operator,
        inputs,
        outputs: [output],
        attributes: new Map(Object.entries(attributes)),
      })),
      constants: new Map([
        ['shape', shape],
        ['rank', makeConstant('int64', [1], [2])],
        ['minus', makeConstant('int64', [], [-1])],
      ]),
    })
    expect(graph.nodes.map((node) => node.operator)).toEqual(['Expand'])
    expect(graph.values.get('y')?.shape).toEqual([2, 3])
  })
})
