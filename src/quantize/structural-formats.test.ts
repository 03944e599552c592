/** Formats that a transformer's structure asks for: in the plan of a small block, and in the rules themselves. */
import { describe, expect, it } from 'vitest'
import { floatSet } from '../lower/network.fixture.ts'
import { type Line, net, scalar } from '../reference/fast/net.fixture.ts'
import { type CalibrateOptions, calibrate } from './calibrate.ts'
import { chooseFormats } from './format-choice.ts'
import type { Plan } from './plan.ts'
import { prepare } from './prepare.ts'
import { shareBits } from './structural-formats.ts'

const [tokens, width] = [6, 8]
const norm = (input: string): Line => ({
  operator: 'LayerNormalization',
  inputs: [input, { shape: [width] }, { shape: [width] }],
})
const dense = (input: string): Line => ({ operator: 'MatMul', inputs: [input, { shape: [width, width] }] })
const mask = Array.from({ length: tokens * tokens }, (_, i) => (i % tokens > Math.floor(i / tokens) ? -1e9 : 0))

/** Embedding, one head of masked attention, one layer, a head: v4, v5 and v7 are query, key and value. */
const block = () =>
  net({ x: [1, tokens, width] }, [
    dense('x'),
    { operator: 'Add', inputs: ['v0', { shape: [1, tokens, width] }] },
    norm('v1'),
    { operator: 'Identity', inputs: ['v2'] },
    dense('v3'),
    dense('v3'),
    { operator: 'Transpose', inputs: ['v5'], attributes: { perm: [0, 2, 1] } },
    dense('v3'),
    { operator: 'MatMul', inputs: ['v4', 'v6'] },
    { operator: 'Mul', inputs: ['v8', scalar(0.35)] },
    { operator: 'Add', inputs: ['v9', { shape: [tokens, tokens], values: mask }] },
    { operator: 'Softmax', inputs: ['v10'], attributes: { axis: -1 } },
    { operator: 'MatMul', inputs: ['v11', 'v7'] },
    dense('v12'),
    { operator: 'Add', inputs: ['v1', 'v13'] },
    norm('v14'),
    dense('v15'),
  ])

async function planOf(options: CalibrateOptions = {}): Promise<Plan> {
  return calibrate(prepare(block()).compiled, floatSet([tokens, width]), options)
}

const formatsOf = ({ tensors }: Plan) =>
  Object.fromEntries(Object.entries(tensors).map(([name, { format }]) => [name, format]))

describe('a block of a transformer', () => {
  it('has 16 bits for its sums, scores and probabilities, and 8 for the rest', async () => {
    expect(formatsOf(await planOf())).toEqual({
      ...{ v0: 's16', v1: 's16', v2: 'u8', v4: 'u8', v5: 'u8', v7: 'u8' },
      ...{ v9: 's16', v10: 's16', v11: 's16', v12: 'u8', v14: 's16', v15: 'u8', v16: 's16' },
    })
  })

  it('has masked scores at the lowest code, and the grid of the others', async () => {
    const { tensors } = await planOf()
    const { scale } = tensors.v10 as { scale: number }
    expect(scale * 32767).toBeLessThan(40)
    expect(tensors.v11).toEqual({ format: 's16', scale: 2 ** -15, zeroPoint: 0 })
  })

  it('obeys rules first', async () => {
    const keep = [
      { pattern: 'v1', format: 'u8' },
      { pattern: 'v11', format: 'u8' },
    ] as const
    const { tensors } = await planOf({ keep })
    expect(tensors.v1?.format).toBe('u8')
    expect(tensors.v11).toEqual({ format: 'u8', scale: 1 / 256, zeroPoint: 0 })
  })

  it('with 16 bits everywhere keeps products of matrices within int32', async () => {
    const { compiled } = prepare(block())
    const { activations } = chooseFormats(compiled, { weights: 's8', activations: 's16' })
    expect(['v4', 'v5', 'v7', 'v2'].map(activations)).toEqual(['s16', 'u8', 'u8', 's16'])
  })
})

describe('probabilities', () => {
  it.each([
    [64, 15],
    [257, 15],
    [258, 14],
    [1024, 13],
  ])('of %i values that a product adds up have %i bits', (length, bits) => {
    const graph = net({ x: [1, length], y: [length, 4] }, [
      { operator: 'Softmax', inputs: ['x'] },
      { operator: 'Reshape', inputs: ['v0', { type: 'int64', shape: [2], values: [1, length] }] },
      { operator: 'MatMul', inputs: ['v1', 'y'] },
    ])
    const { compiled } = prepare(graph)
    const softmax = compiled.nodes.find(({ operator }) => operator === 'Softmax')
    expect(softmax && shareBits(compiled, softmax, () => 255)).toBe(bits)
  })
})

describe('other sums', () => {
  it('get 16 bits for products that are only added up, and no others', () => {
    const factor = () => ({ shape: [4, 1] })
    const graph = net({ x: [1, 4, 6] }, [
      { operator: 'Mul', inputs: ['x', factor()] },
      { operator: 'Neg', inputs: ['x'] },
      { operator: 'Mul', inputs: ['v1', factor()] },
      { operator: 'Sub', inputs: ['v0', 'v2'] },
      { operator: 'Mul', inputs: ['v3', factor()] },
      { operator: 'Add', inputs: ['v4', 'x'] },
      { operator: 'MatMul', inputs: ['v5', { shape: [6, 2] }] },
    ])
    const { compiled } = prepare(graph)
    const { activations } = chooseFormats(compiled, { weights: 's8', activations: 'u8' })
    const products = compiled.nodes.filter(({ operator }) => operator === 'Mul').map(({ outputs: [name] }) => name)
    expect(products.map((name) => [name, activations(name as string)])).toEqual([
      ['v0', 's16'],
      ['v2', 's16'],
      ['v4', 'u8'],
    ])
    expect(activations('v3')).toBe('u8')
  })
})
