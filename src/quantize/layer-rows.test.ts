import { describe, expect, it } from 'vitest'
import type { Graph } from '../graph/graph.ts'
import { byteSet, lowered } from '../lower/network.fixture.ts'
import { type Line, net, noise } from '../reference/fast/net.fixture.ts'
import { createFastExecutor } from '../reference/fast.ts'
import { layersOf, observedInput } from './layer.ts'
import { choosePositions, outputRows, rowReader } from './layer-rows.ts'
import { channelsLast } from './layer-walk.ts'
import { WeightProducts } from './weight-products.ts'

const layer = (operator: string, shape: number[], attributes: Line['attributes'] = {}): Line => ({
  operator,
  inputs: ['x', { shape }],
  attributes,
})

const cases: [string, number[], Line[]][] = [
  ['a convolution', [3, 7, 6], [layer('Conv', [4, 3, 3, 3], { pads: [1, 0, 1, 2], strides: [2, 1] })]],
  ['a dilated one', [2, 8, 8], [layer('Conv', [3, 2, 3, 2], { dilations: [2, 1] })]],
  ['a grouped one', [4, 6, 6], [layer('Conv', [6, 2, 3, 3], { group: 2, pads: [1, 1, 1, 1] })]],
  ['a depthwise one', [9, 6, 6], [layer('Conv', [9, 1, 3, 3], { group: 9 })]],
  ['a convolution of a signal', [3, 11], [layer('Conv', [4, 3, 3], { pads: [1, 2], strides: [2], dilations: [2] })]],
  ['a dense layer on rows', [5, 6], [{ operator: 'MatMul', inputs: ['x', { shape: [6, 4] }] }]],
  ['a dense layer on rows of rank 4', [2, 5, 6], [{ operator: 'MatMul', inputs: ['x', { shape: [6, 4] }] }]],
  [
    'a dense layer after a flattening',
    [3, 4, 5],
    [
      { operator: 'Flatten', inputs: ['x'] },
      { operator: 'Gemm', inputs: ['v0', { shape: [11, 60] }], attributes: { transB: 1 } },
    ],
  ],
]

/** All outputs of a network's one layer, [position][output], by rows and weights, through the kernels. */
async function byRows(graph: Graph, shape: number[], input: Float32Array): Promise<Float32Array> {
  const { plan } = await lowered(graph, byteSet(shape))
  const [found] = layersOf(graph, plan)
  if (found === undefined) throw new Error('no layer')
  const reader = rowReader(graph, found)
  const rows = new Float32Array(reader.positions * reader.width)
  const values = channelsLast(graph, observedInput(graph, found.node), input)
  for (let p = 0; p < reader.positions; p++) reader.read(values, p, rows, p * reader.width)
  const { groups, outputs, weights } = found
  const taps = reader.width / groups
  const batch = reader.positions
  const products = new WeightProducts({ rows: batch, batch, groups, taps, outputs }, rows)
  weights.forEach((weight, i) => {
    products.weights[products.place(Math.floor(i / taps), i % taps, taps)] = weight
  })
  products.forward(Int32Array.from({ length: batch }, (_, i) => i))
  return Float32Array.from(
    { length: batch * outputs },
    (_, i) => products.values[products.place(i % outputs, Math.floor(i / outputs), batch)] as number,
  )
}

describe('rowReader', () => {
  it.each(cases)('gives rows that times the weights are the outputs of %s', async (_name, shape, lines) => {
    const graph = net({ x: [1, ...shape] }, lines)
    const { compiled } = await lowered(graph, byteSet(shape))
    const input = Float32Array.from(
      noise(
        shape.reduce((a, b) => a * b, 1),
        8,
      ),
    )
    const expected = createFastExecutor(compiled)
      .run(new Map([['x', input]]))
      .get(compiled.outputs[0] as string)
    const found = await byRows(compiled, shape, input)
    const outputs = compiled.values.get(compiled.outputs[0] as string)?.shape[1] as number
    const positions = found.length / outputs
    const rowMajor = compiled.nodes.at(-1)?.operator === 'dyadic.Dense'
    found.forEach((value, i) => {
      const planar = (i % outputs) * positions + Math.floor(i / outputs)
      expect(value).toBeCloseTo((expected as Float32Array)[rowMajor ? i : planar] as number, 4)
    })
  })

  it('finds the rows of what executors report of a dense layer of rank 4', async () => {
    const graph = net({ x: [1, 2, 5, 6] }, [layer('MatMul', [6, 3])])
    const { compiled, plan } = await lowered(graph, byteSet([2, 5, 6]))
    const [found] = layersOf(compiled, plan)
    let rows: Float32Array | undefined
    const outputs = createFastExecutor(compiled).run(new Map([['x', noise(60, 3)]]), (_, values) => {
      rows = found && outputRows(compiled, found, values)
    })
    expect(rows).toEqual(outputs.get('v0'))
  })
})

describe('WeightProducts', () => {
  it('multiplies chosen rows, and the errors of those rows by them', () => {
    const [rows, batch, groups, taps, outputs] = [9, 5, 2, 7, 20]
    const inputs = Float32Array.from(noise(rows * groups * taps, 1))
    const products = new WeightProducts({ rows, batch, groups, taps, outputs }, inputs)
    const weights = noise(outputs * taps, 2)
    weights.forEach((weight, i) => {
      products.weights[products.place(Math.floor(i / taps), i % taps, taps)] = weight
    })
    const chosen = Int32Array.from([3, 0, 8, 3, 5])
    const inputAt = (m: number, o: number, t: number): number =>
      inputs[((chosen[m] as number) * groups + Math.floor(o / (outputs / groups))) * taps + t] as number
    products.forward(chosen)
    for (let m = 0; m < batch; m++)
      for (let o = 0; o < outputs; o++) {
        let sum = 0
        for (let t = 0; t < taps; t++) sum += inputAt(m, o, t) * (weights[o * taps + t] as number)
        expect(products.values[products.place(o, m, batch)]).toBeCloseTo(sum, 5)
        products.values[products.place(o, m, batch)] = m - o / 3
      }
    products.backward(chosen)
    for (let o = 0; o < outputs; o++)
      for (let t = 0; t < taps; t++) {
        let sum = 0
        for (let m = 0; m < batch; m++) sum += inputAt(m, o, t) * (m - o / 3)
        expect(products.gradients[products.place(o, t, taps)]).toBeCloseTo(sum, 4)
      }
  })
})

describe('choosePositions', () => {
  it('gives different positions in order, the same ones every time', () => {
    const chosen = choosePositions(50, 20, 1, 2, 3)
    expect(chosen).toHaveLength(20)
    expect([...new Set(chosen)].sort((a, b) => a - b)).toEqual([...chosen])
    expect(chosen.every((position) => position >= 0 && position < 50)).toBe(true)
    expect(choosePositions(50, 20, 1, 2, 3)).toEqual(chosen)
    expect(choosePositions(50, 20, 1, 2, 4)).not.toEqual(chosen)
    expect([...choosePositions(4, 9, 1, 2, 3)]).toEqual([0, 1, 2, 3])
  })
})
