import { describe, expect, it } from 'vitest'
import type { AttributeValue, Node } from '../graph/graph.ts'
import { type Constant, makeConstant } from '../graph/tensor.ts'
import { upgradeNode } from './upgrade.ts'

function upgrade(
  operator: string,
  opset: number,
  attributes: Record<string, AttributeValue>,
  inputs = ['x'],
  outputs = ['y'],
) {
  const constants = new Map<string, Constant>()
  const node: Node = { name: 'n', operator, inputs, outputs, attributes: new Map(Object.entries(attributes)) }
  const result = upgradeNode(node, opset, (name, constant) => {
    constants.set(name, constant)
    return name
  })
  return {
    inputs: result.inputs,
    attributes: Object.fromEntries(result.attributes),
    constants: Object.fromEntries(constants),
  }
}

const int64 = (...values: number[]) => makeConstant('int64', [values.length], values)
const scalar = (value: number) => makeConstant('float32', [], [value])

describe('functions of recurrent operators', () => {
  it('are one string, without a list or with an empty one none', () => {
    expect(upgrade('LSTM', 14, { activations: ['Sigmoid', 'Tanh', 'Relu'], hidden_size: 2 }).attributes).toEqual({
      activations: 'Sigmoid,Tanh,Relu',
      hidden_size: 2,
    })
    expect(upgrade('GRU', 7, { activations: [] }).attributes).toEqual({})
    expect(upgrade('GRU', 7, { hidden_size: 2 }).attributes).toEqual({ hidden_size: 2 })
  })

  it('are refused when they are no names', () => {
    for (const activations of [[1, 2], ['Sigmoid,Tanh']])
      expect(() => upgrade('GRU', 14, { activations })).toThrow(
        'attribute "activations" of node "n" is no list of names',
      )
  })
})

describe('attributes that became inputs', () => {
  const cases: [string, number, Record<string, AttributeValue>, string[], Record<string, Constant>][] = [
    ['Clip', 10, { min: 0, max: 6 }, ['x', 'n.min', 'n.max'], { 'n.min': scalar(0), 'n.max': scalar(6) }],
    ['Clip', 7, { max: 6 }, ['x', '', 'n.max'], { 'n.max': scalar(6) }],
    ['Clip', 6, { min: 0, max: Math.fround(3.4028234663852886e38) }, ['x', 'n.min'], { 'n.min': scalar(0) }],
    ['Clip', 6, { min: -Infinity, max: Infinity }, ['x'], {}],
    [
      'Pad',
      10,
      { pads: [0, 1, 0, 1], value: 2 },
      ['x', 'n.pads', 'n.value'],
      { 'n.pads': int64(0, 1, 0, 1), 'n.value': scalar(2) },
    ],
    ['Pad', 7, { pads: [1, 1], mode: 'constant' }, ['x', 'n.pads'], { 'n.pads': int64(1, 1) }],
    [
      'Slice',
      9,
      { starts: [0], ends: [Number.MAX_SAFE_INTEGER], axes: [1] },
      ['x', 'n.starts', 'n.ends', 'n.axes'],
      { 'n.starts': int64(0), 'n.ends': int64(Number.MAX_SAFE_INTEGER), 'n.axes': int64(1) },
    ],
    ['Squeeze', 12, { axes: [0, 2] }, ['x', 'n.axes'], { 'n.axes': int64(0, 2) }],
    ['Squeeze', 12, {}, ['x'], {}],
    ['Unsqueeze', 11, { axes: [-1] }, ['x', 'n.axes'], { 'n.axes': int64(-1) }],
    ['Split', 11, { split: [2, 3], axis: 1 }, ['x', 'n.split'], { 'n.split': int64(2, 3) }],
    ['ReduceSum', 12, { axes: [1], keepdims: 0 }, ['x', 'n.axes'], { 'n.axes': int64(1) }],
    ['ReduceMean', 17, { axes: [1] }, ['x', 'n.axes'], { 'n.axes': int64(1) }],
    ['TopK', 9, { k: 3, axis: -1 }, ['x', 'n.k'], { 'n.k': int64(3) }],
    ['Dropout', 10, { ratio: 0.5 }, ['x', 'n.ratio'], { 'n.ratio': scalar(0.5) }],
    ['BatchNormalization', 7, { spatial: 1 }, ['x'], {}],
  ]
  it.each(cases)('%s of opset %i', (operator, opset, attributes, inputs, constants) => {
    const result = upgrade(operator, opset, attributes)
    expect(result.inputs).toEqual(inputs)
    expect(result.constants).toEqual(constants)
    for (const name of ['mode', 'axis', 'keepdims']) expect(result.attributes[name]).toEqual(attributes[name])
    for (const name of Object.keys(result.attributes)) expect(['mode', 'axis', 'keepdims']).toContain(name)
  })

  it('leaves newer nodes and padding modes alone', () => {
    for (const [operator, opset] of [
      ['Clip', 11],
      ['ReduceSum', 13],
      ['ReduceMean', 18],
      ['Slice', 10],
    ] as const)
      expect(upgrade(operator, opset, { axes: [1] })).toEqual({
        inputs: ['x'],
        attributes: { axes: [1] },
        constants: {},
      })
    expect(upgrade('Conv', 7, { auto_pad: 'SAME_UPPER' }).attributes).toEqual({ auto_pad: 'SAME_UPPER' })
  })
})

describe('refusals', () => {
  it.each([
    [
      'a list where a number belongs',
      () => upgrade('Clip', 6, { min: [0] }),
      'attribute "min" of node "n" (Clip) must be one number',
    ],
    ['a number where a list belongs', () => upgrade('Squeeze', 6, { axes: 1 }), 'must be a list of integers'],
    ['text', () => upgrade('Pad', 6, { pads: ['1'] }), 'must be a list of integers'],
    ['both forms', () => upgrade('Clip', 6, { min: 0 }, ['x', 'low']), 'has both the attribute "min" and input 1'],
    ['training', () => upgrade('BatchNormalization', 13, { training_mode: 1 }), 'training form'],
    ['training outputs', () => upgrade('BatchNormalization', 9, {}, ['x'], ['y', 'mean']), 'training form'],
    ['statistics per activation', () => upgrade('BatchNormalization', 7, { spatial: 0 }), 'spatial=0'],
  ])('%s', (_, act, message) => {
    expect(act).toThrow(message)
  })
})
