/** Quantised operators of other styles become QDQ with the file's own numbers; what has no such form is refused by name. */
import { describe, expect, it } from 'vitest'
import { readNumbers } from '../graph/tensor.ts'
import { parseOnnx } from './index.ts'
import type { MessageInput } from './schema.ts'
import { attribute, failureOf, floatTensor, floatValue, model, node } from './small-model.fixture.ts'
import { encodeModel } from './write-wire.ts'

type Tensor = MessageInput<'TensorProto'>
type NodeInput = MessageInput<'NodeProto'>

const bytesTensor = (name: string, dims: readonly number[], values: readonly number[], dataType = 2): Tensor => ({
  name,
  dataType,
  dims: dims.map(BigInt),
  rawData: dataType === 6 ? new Uint8Array(Int32Array.from(values).buffer) : Uint8Array.from(values),
})
const from = (domain: string, one: NodeInput): NodeInput => ({ ...one, domain })
const microsoft = (...given: Parameters<typeof node>): NodeInput => from('com.microsoft', node(...given))
const qonnx = (...given: Parameters<typeof node>): NodeInput => from('qonnx.custom_op.general', node(...given))

/** x (1,2,3,3) in, y out. */
function read(nodes: NodeInput[], initializer: Tensor[], options: Parameters<typeof parseOnnx>[1] = {}) {
  const graph = { name: 'g', node: nodes, initializer, input: [floatValue('x', [1, 2, 3, 3])], output: [{ name: 'y' }] }
  return parseOnnx(encodeModel(model(graph)), options)
}

const constants = [
  floatTensor('s', [], [0.5]),
  floatTensor('t', [], [0.25]),
  bytesTensor('z', [], [7]),
  floatTensor('ws', [2], [0.5, 0.125]),
  bytesTensor('w', [2, 2, 1, 1], [1, 255, 3, 4], 3),
  bytesTensor('wz', [2], [0, 0], 3),
  bytesTensor('b', [2], [10, -20], 6),
]
const codes = node('QuantizeLinear', ['x', 's', 'z'], ['q'])
const convolution = node('QLinearConv', ['q', 's', 'z', 'w', 'ws', 'wz', 't', 'z', 'b'], ['p'])
const reals = node('DequantizeLinear', ['p', 't', 'z'], ['y'])

describe('operators on codes', () => {
  it('become DequantizeLinear, the float operator and QuantizeLinear', () => {
    const graph = read([codes, convolution, reals], constants)
    expect(graph.nodes.map(({ operator }) => operator)).toEqual([
      ...['QuantizeLinear', 'DequantizeLinear', 'DequantizeLinear', 'DequantizeLinear', 'Conv', 'QuantizeLinear'],
      'DequantizeLinear',
    ])
    const [, x, w, b, conv, quantised] = graph.nodes
    expect(x?.inputs).toEqual(['q', 's', 'z'])
    expect(w?.inputs).toEqual(['w', 'ws', 'wz'])
    expect(w?.attributes.get('axis')).toBe(0)
    expect(conv?.inputs).toEqual([x?.outputs[0], w?.outputs[0], b?.outputs[0]])
    expect(quantised?.inputs.slice(1)).toEqual(['t', 'z'])
    expect(quantised?.outputs).toEqual(['p'])
    // The bias is in units of input scale × weight scale, exactly.
    expect(readNumbers(graph.constants.get(b?.inputs[1] ?? '') as never)).toEqual([0.25, 0.0625])
  })

  it.each([
    ['QLinearAdd', ['q', 's', 'z', 'q', 's', 'z', 't', 'z'], [], 'Add'],
    ['QLinearMul', ['q', 's', 'z', 'q', 's', 'z', 't', 'z'], [], 'Mul'],
    ['QLinearConcat', ['t', 'z', 'q', 's', 'z', 'q', 's', 'z'], [attribute('axis', 1)], 'Concat'],
    ['QLinearGlobalAveragePool', ['q', 's', 'z', 't', 'z'], [attribute('channels_last', 0)], 'GlobalAveragePool'],
    ['QLinearAveragePool', ['q', 's', 'z', 't', 'z'], [attribute('kernel_shape', [2, 2])], 'AveragePool'],
    ['QLinearSigmoid', ['q', 's', 'z', 't', 'z'], [], 'Sigmoid'],
    ['QLinearLeakyRelu', ['q', 's', 'z', 't', 'z'], [attribute('alpha', { f: 0.2 })], 'LeakyRelu'],
    ['QLinearSoftmax', ['q', 's', 'z', 't', 'z'], [attribute('axis', 1), attribute('opset', 13)], 'Softmax'],
    ['QLinearReduceMean', ['q', 's', 'z', 't', 'z'], [attribute('axes', [2, 3])], 'ReduceMean'],
  ] as const)('%s of com.microsoft is %s', (name, inputs, attributes, operator) => {
    const graph = read([codes, microsoft(name, inputs, ['p'], ...attributes), reals], constants)
    const [first, ...rest] = graph.nodes.map((one) => one.operator)
    expect(first).toBe('QuantizeLinear')
    expect(rest.filter((one) => one !== 'DequantizeLinear')).toEqual([operator, 'QuantizeLinear'])
    const float = graph.nodes.find((one) => one.operator === operator)
    const quantised = graph.nodes.find(({ outputs }) => outputs[0] === 'p')
    expect(quantised?.inputs).toEqual([float?.outputs[0], 't', 'z'])
  })

  it('are read with scales of their own only', () => {
    const computed = node('Relu', ['s'], ['r'])
    const dynamic = node('QLinearConv', ['q', 'r', 'z', 'w', 'ws', 'wz', 't', 'z', 'b'], ['p'])
    const { code, message } = failureOf(() => read([codes, computed, dynamic, reals], constants))
    expect(code).toBe('unsupported')
    expect(message).toMatch(/node "p node" \(QLinearConv\) computes its scale \(input 1\) at run time/)
  })

  it('with channels last are refused', () => {
    const last = microsoft('QLinearGlobalAveragePool', ['q', 's', 'z', 't', 'z'], ['p'], attribute('channels_last', 1))
    expect(failureOf(() => read([codes, last, reals], constants)).message).toMatch(/"p node".*channels last/)
  })

  it('of a domain that is not known are still refused by domain and name', () => {
    const foreign = from('com.example', node('QLinearAdd', ['x'], ['y']))
    expect(failureOf(() => read([foreign], [])).message).toMatch(/com\.example::QLinearAdd/)
  })
})

describe('dynamic quantisation', () => {
  it('becomes the float network that it approximates', () => {
    const graph = read(
      [
        node('DynamicQuantizeLinear', ['x'], ['q', 'qs', 'qz']),
        node('ConvInteger', ['q', 'w', 'qz'], ['c']),
        node('Cast', ['c'], ['f'], attribute('to', 1)),
        node('Mul', ['qs', 't'], ['m']),
        node('Mul', ['f', 'm'], ['y']),
      ],
      constants,
    )
    const convolved = graph.nodes.find(({ operator }) => operator === 'Conv')
    expect(convolved?.inputs[0]).toBe('q')
    expect(graph.nodes.find(({ outputs }) => outputs[0] === 'q')).toMatchObject({ operator: 'Identity', inputs: ['x'] })
    expect(graph.values.get('y')?.type).toBe('float32')
  })
})

describe('QONNX', () => {
  const numbers = [floatTensor('one', [], [1]), floatTensor('zero', [], [0]), floatTensor('bits', [], [4])]

  it('Quant of a constant becomes its codes', () => {
    const weights = { ...floatTensor('v', [4], [0.6, -9, 1.5, 2.5]) }
    const nodes = [qonnx('Quant', ['v', 'one', 'zero', 'bits'], ['k']), node('Identity', ['k'], ['y'])]
    const graph = read(nodes, [...numbers, weights])
    const [dequantise] = graph.nodes
    expect(dequantise?.operator).toBe('DequantizeLinear')
    // Half to even, and limited to 4 bits with sign.
    expect(readNumbers(graph.constants.get(dequantise?.inputs[0] ?? '') as never)).toEqual([1, -8, 2, 2])
  })

  it('Quant of a computed value is a Clip where the type holds more codes, and a rounding', () => {
    const graph = read(
      [qonnx('Quant', ['x', 's', 'zero', 'bits'], ['y'], attribute('narrow', 1))],
      [...numbers, ...constants],
    )
    expect(graph.nodes.map(({ operator }) => operator)).toEqual(['Clip', 'QuantizeLinear', 'DequantizeLinear'])
    const [clip] = graph.nodes
    const bounds = clip?.inputs.slice(1).map((name) => readNumbers(graph.constants.get(name) as never)[0])
    expect(bounds).toEqual([-3.5, 3.5])
  })

  it.each([
    ['rounds a computed value by FLOOR', ['x', 's', 'zero', 'bits'], [attribute('rounding_mode', 'FLOOR')]],
    ['rounding mode SOMEHOW', ['x', 's', 'zero', 'bits'], [attribute('rounding_mode', 'SOMEHOW')]],
    ['several scales', ['x', 'ws', 'zero', 'bits'], []],
    ['has 0.5 bits', ['x', 's', 'zero', 's'], []],
    ['a zero point that is none of its codes', ['x', 's', 's', 'bits'], []],
    ['is not positive and finite', ['x', 'zero', 'zero', 'bits'], []],
  ] as const)('Quant that %s is refused', (reason, inputs, attributes) => {
    const { message } = failureOf(() =>
      read([qonnx('Quant', inputs, ['y'], ...attributes)], [...numbers, ...constants]),
    )
    expect(message).toContain('node "y node" ("Quant")')
    expect(message).toContain(reason)
  })

  it.each([
    ['BipolarQuant', ['x', 'one']],
    ['Trunc', ['x', 'one', 'zero', 'bits', 'bits']],
  ])('%s of a computed value is refused', (name, inputs) => {
    const { code, message } = failureOf(() => read([qonnx(name, inputs, ['y'])], [...numbers]))
    expect(code).toBe('unsupported')
    expect(message).toContain(`node "y node" ("${name}")`)
  })
})
