/** Dense layers on several rows, however these lie in memory: whole numbers all the way, so integers equal reals. */
import { describe, expect, it } from 'vitest'
import type { Graph } from '../graph/graph.ts'
import { interpret } from '../program/interpret.ts'
import { loadGraph, runNetwork } from '../program/program.fixture.ts'
import type { Plan, TensorPlan } from '../quantize/plan.ts'
import { prepare } from '../quantize/prepare.ts'
import { int64, type Line, net } from '../reference/fast/net.fixture.ts'
import { createReferenceExecutor } from '../reference/run.ts'
import type { IntegerGraph } from './integer-graph.ts'
import { lower } from './lower.ts'
import { randomCodes } from './network.fixture.ts'

/** Weights −1, 0 and 1 and biases of whole numbers, so that scale 1 is exact. */
const whole = (seed: number, ...shape: number[]) => {
  const count = shape.reduce((product, size) => product * size, 1)
  return { shape, values: Array.from({ length: count }, (_, i) => ((i * i * 7 + i * seed + seed) % 3) - 1) }
}

function expectExact(shape: readonly number[], lines: readonly Line[]): { integers: IntegerGraph; compiled: Graph } {
  const graph = net({ x: shape }, lines)
  const { compiled } = prepare(graph)
  const entry: TensorPlan = { format: 's16', scale: 1, zeroPoint: 0 }
  const layers = compiled.nodes.filter(({ operator }) => operator === 'dyadic.Dense' || operator === 'dyadic.Conv')
  const plan: Plan = {
    ...{ schema: 1, kind: 'dyadic-plan', model: 'rows', origin: {} },
    inputs: { x: { format: 's8', scale: [1], zeroPoint: [0], layout: 'nchw' } },
    tensors: Object.fromEntries(layers.map(({ outputs: [name] }) => [name, entry])),
    weights: Object.fromEntries(
      layers.map(({ outputs: [name] }) => [name, { format: 's8', scale: [1], zeroPoint: [0] }]),
    ),
  }
  const integers = lower(compiled, plan)
  const inputs = randomCodes(integers, 5)
  const found = interpret(integers, inputs)
  expect(runNetwork(loadGraph(integers), inputs)).toEqual(found)
  const real = new Map([...inputs].map(([name, codes]) => [name, Float32Array.from(codes)]))
  for (const [name, values] of createReferenceExecutor(graph).run(real))
    expect(Array.from(found.get(name) ?? [])).toEqual(Array.from(values))
  return { integers, compiled }
}

const kinds = (graph: IntegerGraph): string[] => graph.instructions.map(({ kind }) => kind)

describe('rows of rank 2 to 4', () => {
  it.each([[[5, 6]], [[1, 5, 6]], [[1, 1, 6]], [[1, 2, 5, 6]], [[1, 1, 1, 6]]])('of shape %j', (shape) => {
    const { compiled } = expectExact(shape, [
      { operator: 'MatMul', inputs: ['x', whole(1, 6, 9)] },
      { operator: 'Add', inputs: [whole(2, 9), 'v0'] },
      { operator: 'MatMul', inputs: ['v1', whole(3, 9, 3)] },
    ])
    expect(compiled.nodes.map(({ operator }) => operator)).toEqual(['dyadic.Dense', 'dyadic.Dense'])
  })

  it('with residuals of the same rows', () => {
    const { integers } = expectExact(
      [1, 7, 6],
      [
        { operator: 'MatMul', inputs: ['x', whole(1, 6, 6)] },
        { operator: 'MatMul', inputs: ['v0', whole(2, 6, 6)] },
        { operator: 'Add', inputs: ['v0', 'v1'] },
        { operator: 'Relu', inputs: ['v2'] },
        { operator: 'MatMul', inputs: ['v3', whole(4, 6, 1)] },
      ],
    )
    expect(kinds(integers)).toEqual(['import', 'convolution', 'convolution', 'convolution', 'export'])
  })
})

describe('rows that lie in another order', () => {
  const toRows = (input: string, order: readonly number[], ...shape: number[]): Line[] => [
    { operator: 'Transpose', inputs: [input], attributes: { perm: order } },
    { operator: 'Reshape', inputs: ['v0', int64(...shape)] },
  ]

  it('the pixels of an image, read where they are', () => {
    const { integers } = expectExact(
      [1, 6, 3, 4],
      [
        ...toRows('x', [0, 2, 3, 1], 1, 12, 6),
        { operator: 'MatMul', inputs: ['v1', whole(1, 6, 9)] },
        { operator: 'MatMul', inputs: ['v2', whole(2, 9, 2)] },
      ],
    )
    expect(kinds(integers)).toEqual(['import', 'convolution', 'convolution', 'export'])
  })

  it('the pixels of an image, column by column', () => {
    for (const shape of [
      [1, 12, 6],
      [12, 6],
      [4, 3, 6],
    ])
      expectExact(
        [1, 6, 3, 4],
        [
          ...toRows('x', [0, 3, 2, 1], ...shape),
          { operator: 'MatMul', inputs: ['v1', whole(1, 6, 9)] },
          { operator: 'MatMul', inputs: ['v2', whole(2, 9, 2)] },
        ],
      )
  })

  it('with a residual in ONNX order', () => {
    expectExact(
      [1, 4, 3, 4],
      [
        { operator: 'Transpose', inputs: ['x'], attributes: { perm: [0, 3, 2, 1] } },
        { operator: 'Transpose', inputs: ['x'], attributes: { perm: [0, 2, 3, 1] } },
        { operator: 'Reshape', inputs: ['v0', int64(1, 12, 4)] },
        { operator: 'Reshape', inputs: ['v1', int64(1, 12, 4)] },
        { operator: 'MatMul', inputs: ['v2', whole(1, 4, 4)] },
        { operator: 'MatMul', inputs: ['v3', whole(2, 4, 4)] },
        { operator: 'Add', inputs: ['v4', 'v5'] },
      ],
    )
  })
})
