/** Quantisation operators taken out of a graph: operators on codes, zero points of inputs, and what is refused. */
import { describe, expect, it } from 'vitest'
import type { Graph } from '../graph/graph.ts'
import { readNumbers } from '../graph/tensor.ts'
import { refusal } from '../lower/network.fixture.ts'
import { type Line, net, type Parameter, scalar } from '../reference/fast/net.fixture.ts'
import { absorbQuantisation } from './absorb.ts'

const codes = (type: Parameter['type'], ...values: number[]): Parameter => ({
  type,
  shape: values.length === 1 ? [] : [values.length],
  values,
})
const quantise = (value: string, scale: number, zero: Parameter): Line => ({
  operator: 'QuantizeLinear',
  inputs: [value, scalar(scale), zero],
})
const dequantise = (value: string, scale: number, zero: Parameter): Line => ({
  ...quantise(value, scale, zero),
  operator: 'DequantizeLinear',
})
const zero = codes('uint8', 3)
const graphOf = (lines: Line[]): Graph => net({ x: [1, 2, 4, 4] }, lines)

describe('operators on codes', () => {
  it('that move them stay, on reals', () => {
    const { graph, tensors } = absorbQuantisation(
      graphOf([
        { operator: 'Sigmoid', inputs: ['x'] },
        quantise('v0', 0.5, zero),
        { operator: 'MaxPool', inputs: ['v1'], attributes: { kernel_shape: [2, 2] } },
        dequantise('v2', 0.5, zero),
        { operator: 'Sigmoid', inputs: ['v3'] },
      ]),
    )
    expect(graph.nodes.map(({ operator, inputs }) => [operator, inputs[0]])).toEqual([
      ['Sigmoid', 'x'],
      ['MaxPool', 'v0'],
      ['Sigmoid', 'v2'],
    ])
    expect(graph.values.get('v2')?.type).toBe('float32')
    const plan = { format: 'u8', scale: 0.5, zeroPoint: 3 }
    expect([tensors.get('v0'), tensors.get('v2')]).toEqual([plan, plan])
  })

  it('Clip has its bounds as reals', () => {
    const { graph } = absorbQuantisation(
      graphOf([
        quantise('x', 0.5, zero),
        { operator: 'Clip', inputs: ['v0', codes('uint8', 1), codes('uint8', 13)] },
        dequantise('v1', 0.5, zero),
        { operator: 'Sigmoid', inputs: ['v2'] },
      ]),
    )
    const [clip] = graph.nodes
    const bounds = clip?.inputs.slice(1).map((name) => readNumbers(graph.constants.get(name) as never)[0])
    expect(bounds).toEqual([-1, 5])
  })

  it.each<[string, Line[], RegExp]>([
    [
      'compute with them',
      [
        quantise('x', 0.5, zero),
        { operator: 'Add', inputs: ['v0', 'v0'] },
        dequantise('v1', 0.5, zero),
        { operator: 'Relu', inputs: ['v2'] },
      ],
      /node "n1" \(Add\) computes with quantised codes/,
    ],
    [
      'join codes of two grids',
      [
        quantise('x', 0.5, zero),
        { operator: 'Relu', inputs: ['x'] },
        quantise('v1', 0.25, zero),
        { operator: 'Concat', inputs: ['v0', 'v2'], attributes: { axis: 1 } },
        dequantise('v3', 0.5, zero),
        { operator: 'Relu', inputs: ['v4'] },
      ],
      /node "n3" \(Concat\) computes with quantised codes/,
    ],
    [
      'hand them to another scale',
      [
        quantise('x', 0.5, zero),
        { operator: 'MaxPool', inputs: ['v0'], attributes: { kernel_shape: [2, 2] } },
        dequantise('v1', 0.25, zero),
        { operator: 'Relu', inputs: ['v2'] },
      ],
      /node "n2" quantises "v1" with scale 0.25 and zero point 3, another node with 0.5 and 3/,
    ],
  ])('that %s are refused', (_, lines, pattern) => {
    const { code, message } = refusal(() => absorbQuantisation(graphOf(lines)))
    expect(code).toBe('unsupported')
    expect(message).toMatch(pattern)
  })
})

describe('an input', () => {
  const zeros = codes('uint8', 3, 120)
  const scales = codes('float32', 0.5, 0.5)
  const pair = (value: string, axis: number, given: Parameter = scales): Line[] => [
    { operator: 'QuantizeLinear', inputs: [value, given, zeros], attributes: { axis } },
    { operator: 'DequantizeLinear', inputs: ['v0', given, zeros], attributes: { axis } },
    { operator: 'Relu', inputs: ['v1'] },
  ]

  it('may have a zero point for each channel', () => {
    const { inputs } = absorbQuantisation(graphOf(pair('x', 1)))
    expect(inputs.get('x')).toEqual({ format: 'u8', scale: [0.5], zeroPoint: [3, 120], layout: 'nchw' })
  })

  it('may have 16 bits', () => {
    const wide = codes('int16', -9)
    const lines = [quantise('x', 0.5, wide), dequantise('v0', 0.5, wide), { operator: 'Relu', inputs: ['v1'] }]
    expect(absorbQuantisation(graphOf(lines)).inputs.get('x')).toMatchObject({ format: 's16', zeroPoint: [-9] })
  })

  it('with a scale for each channel is refused', () => {
    const { message } = refusal(() => absorbQuantisation(graphOf(pair('x', 1, codes('float32', 0.5, 0.25)))))
    expect(message).toMatch(/node "n0" quantises an activation per channel/)
  })
})
