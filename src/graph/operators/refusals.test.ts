/** What operators refuse: forms that contradict themselves when the graph is made, numbers that have no meaning when it runs. */
import { describe, expect, it } from 'vitest'
import { DyadicError } from '../../error.ts'
import { runReference } from '../../reference/run.ts'
import type { AttributeValue } from '../graph.ts'
import { inferGraph } from '../infer.ts'
import { type Constant, type ElementType, elementCount, makeConstant, readConstant, type Tensor } from '../tensor.ts'

type Operand = readonly [type: ElementType, shape: readonly number[], values?: readonly number[]]
type Attributes = Readonly<Record<string, AttributeValue>>

const constantOf = ([type, shape, values]: Operand): Constant =>
  makeConstant(type, shape, values ?? new Array<number>(elementCount(shape)).fill(1))

function graphOf(operator: string, operands: readonly Operand[], attributes: Attributes, fixed: readonly number[]) {
  const names = operands.map((_, i) => `x${i}`)
  return inferGraph({
    name: 'g',
    opset: 24,
    inputs: operands.flatMap(([type, shape], i) =>
      fixed.includes(i) ? [] : [{ name: names[i] as string, type, shape }],
    ),
    outputs: ['y'],
    constants: new Map(fixed.map((i) => [names[i] as string, constantOf(operands[i] as Operand)])),
    nodes: [{ name: 'n', operator, inputs: names, outputs: ['y'], attributes: new Map(Object.entries(attributes)) }],
  })
}

function refusal(action: () => unknown): DyadicError {
  try {
    action()
  } catch (error) {
    if (error instanceof DyadicError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

const f = (...shape: number[]): Operand => ['float32', shape]
const ints = (...values: number[]): Operand => ['int64', [values.length], values]

describe('when the graph is made', () => {
  it.each<[string, readonly Operand[], Attributes, readonly number[], string]>([
    ['ArgMax', [f(2, 0)], { axis: 1 }, [], 'holds no elements'],
    ['Attention', [f(1, 3, 2, 4), f(1, 2, 2, 4), f(1, 2, 2, 4)], {}, [], 'Attention of shapes'],
    ['Attention', [f(1, 2, 8), f(1, 2, 8), f(1, 2, 8)], {}, [], 'unknown number of'],
    ['BitCast', [f(2)], { to: 7 }, [], 'float32 (32 bits) to int64 (64 bits)'],
    [
      'BitShift',
      [
        ['int8', [1]],
        ['int8', [1]],
      ],
      { direction: 'LEFT' },
      [],
      'cannot be combined',
    ],
    [
      'BitShift',
      [
        ['uint8', [1]],
        ['uint8', [1]],
      ],
      { direction: 'UP' },
      [],
      'neither LEFT nor RIGHT',
    ],
    ['Col2Im', [f(1, 5, 4), ints(5, 5), ints(1, 5)], {}, [1, 2], 'are no 5 blocks'],
    ['Compress', [f(2), ['bool', [2]]], {}, [], 'computed at run time'],
    [
      'ConvInteger',
      [
        ['int8', [1, 1, 3]],
        ['uint8', [1, 1, 3]],
        ['uint8', []],
      ],
      {},
      [],
      'zero point in input 2',
    ],
    ['ConvTranspose', [f(1, 2, 3), f(3, 1, 2)], {}, [], 'do not fit 2 input channels'],
    ['ConvTranspose', [f(1, 1, 2), f(1, 1, 1)], { pads: [2, 2] }, [], 'spatial shape'],
    ['CumSum', [f(2), f(1)], {}, [], 'one int64 or int32'],
    ['Einsum', [f(2, 3), f(4, 2)], { equation: 'ij,jk->ik' }, [], 'stands for 3 elsewhere'],
    ['Einsum', [f(2, 3)], { equation: 'i1->i' }, [], 'made of letters'],
    ['Einsum', [f(2, 3)], { equation: 'ij->ijk' }, [], 'a label of no operand'],
    ['EyeLike', [f(2)], {}, [], 'a matrix is needed'],
    ['GatherElements', [f(2, 2), ['int64', [3, 3]]], { axis: 0 }, [], 'do not fit'],
    ['GatherND', [f(2, 2), ['int64', [1, 3]]], {}, [], 'tuples of 3 indices'],
    ['GridSample', [f(1, 1, 4, 4), f(1, 2, 2, 3)], {}, [], 'does not fit an image'],
    ['LpPool', [f(1, 1, 4)], { kernel_shape: [2], p: 0 }, [], 'below 1'],
    ['MatMulInteger', [f(2, 2), f(2, 2)], {}, [], 'int8 or uint8 is needed'],
    ['Mod', [f(1), f(1)], {}, [], 'needs the attribute fmod'],
    ['OneHot', [ints(0), ints(0), f(2)], {}, [1], 'depth of OneHot is 0'],
    ['QLinearMatMul', new Array<Operand>(8).fill(f()), {}, [], 'int8 or uint8 is needed'],
    ['QuantizeLinear', [f(4), f(3)], { block_size: 2, axis: 0 }, [], 'need scales of shape [2]'],
    ['ReduceL2', [['int32', [2]]], {}, [], 'ReduceL2 of int32'],
    ['ScatterElements', [f(2), ['int64', [3]], f(2)], {}, [], 'indices of shape [3] and updates'],
    ['ScatterND', [f(2), ['int64', [1, 1]], ['float64', [1]]], {}, [], 'updates of type float64'],
    ['TopK', [f(3), ints(4)], {}, [1], 'k is [4]'],
    ['Trilu', [f(3)], {}, [], 'a matrix is needed'],
  ])('%s: %#', (operator, operands, attributes, fixed, message) => {
    const error = refusal(() => graphOf(operator, operands, attributes, fixed))
    expect(error.message).toContain('node "n"')
    expect(error.message).toContain(message)
  })
})

describe('when it runs', () => {
  it.each<[string, readonly Operand[], Attributes, string]>([
    ['CumSum', [f(2), ints(1)], {}, 'axis 1 does not exist'],
    ['GatherElements', [f(2), ints(2)], {}, 'index 2 does not exist'],
    ['GatherND', [f(2), ['int64', [1, 1], [-3]]], {}, 'index -3 does not exist'],
    ['ReverseSequence', [f(2, 1), ints(3)], {}, 'has length 3 of 2'],
    [
      'RotaryEmbedding',
      [f(1, 1, 1, 2), f(3, 1), f(3, 1), ['int64', [1, 1], [3]]],
      {},
      'position 3 is not in a cache of 3',
    ],
    ['ScatterElements', [f(2), ints(-3), f(1)], {}, 'index -3 does not exist'],
    ['ScatterND', [f(2), ['int64', [1, 1], [2]], f(1)], {}, 'index 2 does not exist'],
  ])('%s: %#', (operator, operands, attributes, message) => {
    const graph = graphOf(operator, operands, attributes, [])
    const inputs = operands.map((operand, i): [string, Tensor] => {
      const constant = constantOf(operand)
      return [`x${i}`, { type: constant.type, shape: constant.shape, data: readConstant(constant) }]
    })
    const error = refusal(() => runReference(graph, new Map(inputs)))
    expect(error.code).toBe('refused')
    expect(error.message).toContain('node "n"')
    expect(error.message).toContain(message)
  })
})
