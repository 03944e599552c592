/** Values that are only seen in another way: shapes, orders, cuts, joins. Nothing is rounded, so everything is exact. */
import { describe, expect, it } from 'vitest'
import type { Graph } from '../graph/graph.ts'
import { elementCount } from '../graph/tensor.ts'
import { interpret } from '../program/interpret.ts'
import { createRandom, loadGraph, type Random, runNetwork } from '../program/program.fixture.ts'
import type { Plan, TensorPlan } from '../quantize/plan.ts'
import { prepare } from '../quantize/prepare.ts'
import { int64, type Line, net } from '../reference/fast/net.fixture.ts'
import { createReferenceExecutor } from '../reference/run.ts'
import type { IntegerGraph } from './integer-graph.ts'
import { lower } from './lower.ts'
import { randomCodes } from './network.fixture.ts'

/** A plan of scale 1 and zero point 0 everywhere: codes are the real values. */
function plainPlan(graph: Graph, format: TensorPlan['format'] = 's8'): Plan {
  const tensors = graph.nodes.flatMap((node) =>
    node.outputs.map((name): [string, TensorPlan] => [name, { format, scale: 1, zeroPoint: 0 }]),
  )
  return {
    ...{ schema: 1, kind: 'dyadic-plan', model: 'layout', origin: {}, weights: {} },
    inputs: Object.fromEntries(
      graph.inputs.map((name) => [name, { format: 's8', scale: [1], zeroPoint: [0], layout: 'nchw' }]),
    ),
    tensors: Object.fromEntries(tensors),
  }
}

/** Runs a graph of movements in integers, both ways, and in floats; all must be the same numbers. */
function expectExact(graph: Graph, seed: number): IntegerGraph {
  const { compiled } = prepare(graph)
  const integers = lower(compiled, plainPlan(compiled))
  const inputs = randomCodes(integers, seed)
  const found = interpret(integers, inputs)
  expect(runNetwork(loadGraph(integers), inputs)).toEqual(found)
  const expected = createReferenceExecutor(graph).run(
    new Map([...inputs].map(([name, codes]) => [name, Float32Array.from(codes)])),
  )
  for (const [name, codes] of found) expect(Array.from(codes)).toEqual(Array.from(expected.get(name) as Float32Array))
  return integers
}

const kinds = (graph: IntegerGraph): string[] => graph.instructions.map(({ kind }) => kind)

/** All ways to write a number of elements as a shape of some rank, one of them at random. */
function randomShape(random: Random, count: number, rank: number): number[] {
  const shape = new Array<number>(rank).fill(1)
  let rest = count
  for (let divisor = 2; rest > 1; )
    if (rest % divisor === 0) {
      shape[random.between(0, rank - 1)] *= divisor
      rest /= divisor
    } else divisor++
  return shape
}

function shuffled(random: Random, rank: number): number[] {
  const order = Array.from({ length: rank }, (_, i) => i)
  for (let i = rank - 1; i > 0; i--) {
    const j = random.between(0, i)
    ;[order[i], order[j]] = [order[j], order[i]]
  }
  return order
}

/** A chain of movements of one value; joins read the value twice. */
function randomChain(random: Random): Graph {
  const first = [1, random.pick([1, 2, 3, 8, 12]), random.between(1, 6), random.between(1, 6)]
  const lines: Line[] = []
  let [value, shape] = ['x', first]
  const push = (line: Line, next: number[]): void => {
    value = `v${lines.push(line) - 1}`
    shape = next
  }
  const axis = (): number => random.between(0, shape.length - 1)
  for (let step = 0; step < 6; step++) {
    const kind = random.pick(['reshape', 'transpose', 'slice', 'pad', 'concat', 'expand'] as const)
    if (kind === 'reshape') {
      const next = randomShape(random, elementCount(shape), random.between(1, 5))
      push({ operator: 'Reshape', inputs: [value, int64(...next)] }, next)
    } else if (kind === 'transpose') {
      const perm = shuffled(random, shape.length)
      push(
        { operator: 'Transpose', inputs: [value], attributes: { perm } },
        perm.map((i) => shape[i]),
      )
    } else if (kind === 'slice') {
      const at = axis()
      const stride = random.pick([1, 1, 2, -1])
      const size = shape[at]
      const [start, end] = stride > 0 ? [random.between(0, size - 1), size] : [random.between(0, size - 1), -size - 1]
      const count = Math.ceil(stride > 0 ? (end - start) / stride : (start + 1) / -stride)
      push(
        { operator: 'Slice', inputs: [value, int64(start), int64(end), int64(at), int64(stride)] },
        shape.with(at, count),
      )
    } else if (kind === 'pad') {
      const pads = shape.map(() => random.pick([0, 0, 1, 2]))
      const after = shape.map(() => random.pick([0, 0, 1]))
      const next = shape.map((size, i) => size + pads[i] + after[i])
      if (elementCount(next) < 4000) push({ operator: 'Pad', inputs: [value, int64(...pads, ...after)] }, next)
    } else if (kind === 'concat') {
      const at = axis()
      push({ operator: 'Concat', inputs: [value, value], attributes: { axis: at } }, shape.with(at, 2 * shape[at]))
    } else {
      const at = axis()
      if (shape[at] === 1 && elementCount(shape) < 1000) {
        const next = shape.with(at, 3)
        push({ operator: 'Expand', inputs: [value, int64(...next)] }, next)
      }
    }
  }
  return net({ x: first }, lines.length > 0 ? lines : [{ operator: 'Relu', inputs: ['x'] }])
}

describe('movements', () => {
  it('of random chains are exact', () => {
    for (let seed = 1; seed <= 150; seed++) expectExact(randomChain(createRandom(seed)), seed)
  })

  it('cost nothing where another view suffices', () => {
    const graph = net({ x: [1, 12, 4, 5] }, [
      { operator: 'Reshape', inputs: ['x', int64(1, 3, 2, 2, 4, 5)] },
      { operator: 'Transpose', inputs: ['v0'], attributes: { perm: [0, 1, 4, 2, 5, 3] } },
      { operator: 'Reshape', inputs: ['v1', int64(1, 3, 8, 10)] },
      { operator: 'Slice', inputs: ['v2', int64(0), int64(3), int64(1), int64(2)] },
    ])
    expect(kinds(expectExact(graph, 1))).toEqual(['import', 'export'])
  })

  it('of depth to space equal the operator, in both modes, and go back', () => {
    for (const mode of ['DCR', 'CRD'])
      expectExact(
        net({ x: [1, 12, 3, 2] }, [{ operator: 'DepthToSpace', inputs: ['x'], attributes: { blocksize: 2, mode } }]),
        2,
      )
    expectExact(
      net({ x: [1, 3, 6, 4] }, [{ operator: 'SpaceToDepth', inputs: ['x'], attributes: { blocksize: 2 } }]),
      3,
    )
  })

  it('split and gather', () => {
    const graph = net(
      { x: [1, 7, 4, 5] },
      [
        { operator: 'Split', inputs: ['x', int64(3, 4)], attributes: { axis: 1 }, outputs: ['a', 'b'] },
        { operator: 'Gather', inputs: ['b', int64(3, 1)], attributes: { axis: 2 } },
      ],
      ['a', 'v1'],
    )
    expectExact(graph, 4)
  })

  it('resize to the nearest repeat codes', () => {
    const resize = (scale: number): Line => ({
      operator: 'Resize',
      inputs: ['x', '', { shape: [4], values: [1, 1, scale, scale] }],
      attributes: { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' },
    })
    expect(kinds(expectExact(net({ x: [1, 5, 3, 4] }, [resize(2)]), 5))).toContain('move')
    expect(kinds(expectExact(net({ x: [1, 5, 4, 6] }, [resize(1.5)]), 5))).toContain('resize')
  })

  it('read images with their channels last as they are stored', () => {
    const graph = net({ x: [1, 5, 6, 3] }, [
      { operator: 'Transpose', inputs: ['x'], attributes: { perm: [0, 3, 1, 2] } },
      { operator: 'MaxPool', inputs: ['v0'], attributes: { kernel_shape: [2, 2] } },
      { operator: 'Transpose', inputs: ['v1'], attributes: { perm: [0, 2, 3, 1] } },
    ])
    expect(kinds(expectExact(graph, 6))).toEqual(['import', 'max-pool', 'export'])
  })

  it('reduce over any dimensions', () => {
    for (const axes of [[1], [2, 3], [0, 1], [1, 3], [0, 1, 2, 3]])
      for (const keepdims of [0, 1])
        expectExact(
          net({ x: [1, 5, 3, 4] }, [
            { operator: 'ReduceMax', inputs: ['x', int64(...axes)], attributes: { keepdims } },
          ]),
          7,
        )
  })
})
