/** LSTM and GRU step by step: equal to the operators, in every form that has steps. */
import { describe, expect, it } from 'vitest'
import { fuse } from '../fuse.ts'
import type { AttributeValue } from '../graph.ts'
import { simplify } from '../simplify.ts'
import { expectSameMeaning, operatorsOf, Sketch } from './sketch.fixture.ts'
import { unrollProblem, unrollRecurrent } from './unroll-recurrent.ts'

type Attributes = Record<string, AttributeValue>

/** A recurrent layer of 3 inputs and 4 units over x (steps, batch, 3), all of its outputs shown. */
function layer(
  operator: 'LSTM' | 'GRU',
  options: {
    readonly steps?: number
    readonly batch?: number
    readonly attributes?: Attributes
    readonly initial?: 'computed' | 'constant' | 'zero'
    readonly bias?: boolean
    /** Whether the output of all steps is left out. */
    readonly lastOnly?: boolean
  } = {},
) {
  const { steps = 3, batch = 2, attributes = {}, initial, bias = true, lastOnly = false } = options
  const batchFirst = attributes.layout === 1
  const directions = attributes.direction === 'bidirectional' ? 2 : 1
  const rows = (operator === 'LSTM' ? 4 : 3) * 4
  const sketch = new Sketch(batchFirst ? [batch, steps, 3] : [steps, batch, 3])
  const state = batchFirst ? [batch, directions, 4] : [directions, batch, 4]
  const start = (name: string): string => {
    if (initial === undefined) return ''
    const zeros = initial === 'zero' ? new Array<number>(directions * batch * 4).fill(0) : undefined
    sketch.constant(`${name}.0`, state, zeros)
    if (initial !== 'computed') return `${name}.0`
    sketch.node('ReduceMean', ['x'], `${name}.mean`, { keepdims: 0 })
    return sketch.node('Mul', [`${name}.0`, `${name}.mean`], name)
  }
  sketch.constant('w', [directions, rows, 3])
  sketch.constant('r', [directions, rows, 4])
  if (bias) sketch.constant('b', [directions, 2 * rows])
  const inputs = ['x', 'w', 'r', bias ? 'b' : '', '', start('h0')]
  const outputs = ['y', 'yh']
  if (operator === 'LSTM') {
    inputs.push(start('c0'))
    outputs.push('yc')
  }
  while (inputs.at(-1) === '') inputs.pop()
  const made = lastOnly ? ['', ...outputs.slice(1)] : outputs
  sketch.nodes.push({ name: 'layer', operator, inputs, outputs: made, attributes: new Map(Object.entries(attributes)) })
  return sketch.graph(...made.filter((name) => name !== ''))
}

describe('recurrent layers in steps', () => {
  const forms: [string, Parameters<typeof layer>[1]][] = [
    ['forward', {}],
    ['reverse', { attributes: { direction: 'reverse' } }],
    ['in both directions', { attributes: { direction: 'bidirectional' }, initial: 'computed' }],
    ['with the batch first', { attributes: { layout: 1, direction: 'bidirectional' }, initial: 'constant' }],
    ['from computed states', { initial: 'computed' }],
    ['from zeros', { initial: 'zero' }],
    ['without bias', { bias: false }],
    ['whose last state alone is read', { lastOnly: true }],
    ['of one step', { steps: 1, batch: 1, initial: 'computed' }],
    ['of one step from nothing', { steps: 1, batch: 1 }],
  ]
  for (const operator of ['LSTM', 'GRU'] as const)
    it.each(forms)(`${operator} %s`, (_, options) => {
      const kinds: Attributes[] = operator === 'GRU' ? [{ linear_before_reset: 0 }, { linear_before_reset: 1 }] : [{}]
      for (const more of kinds) {
        const before = layer(operator, { ...options, attributes: { ...options?.attributes, ...more } })
        const after = unrollRecurrent(before)
        expect(operatorsOf(after)).not.toContain(operator)
        expectSameMeaning(before, after)
        expectSameMeaning(before, fuse(simplify(after)))
        expectSameMeaning(before, simplify(before))
      }
    })

  it('take other functions that have operators, one set for each direction', () => {
    const activations = 'Relu,tanh,Sigmoid,Sigmoid,Relu,Tanh'
    const before = layer('LSTM', { attributes: { direction: 'bidirectional', activations } })
    expectSameMeaning(before, unrollRecurrent(before))
  })

  it('round a gate sum once: the product with the state takes that with the input as its addend', () => {
    const after = fuse(simplify(unrollRecurrent(layer('LSTM', { steps: 1, batch: 1, initial: 'computed' }))))
    const dense = after.nodes.filter(({ operator }) => operator === 'dyadic.Dense')
    expect(dense.map(({ inputs }) => inputs.length)).toEqual([3, 4])
    expect(operatorsOf(after).filter((name) => name === 'dyadic.Add')).toHaveLength(1)
  })

  it.each<[Attributes, RegExp]>([
    [{ clip: 1.5 }, /"clip"/],
    [{ input_forget: 1 }, /"input_forget"/],
    [{ activations: 'Sigmoid,Softsign,Tanh' }, /"Softsign"/],
  ])('leave %j alone and say why', (attributes, reason) => {
    const graph = layer('LSTM', { attributes })
    expect(unrollRecurrent(graph)).toBe(graph)
    expect(unrollProblem(graph, graph.nodes[0])).toMatch(reason)
  })

  it('stop before a sequence that is too long', () => {
    expect(() => unrollRecurrent(layer('GRU', { steps: 40 }), 500)).toThrow(/40 steps.*500 nodes/)
  })
})
