/** What transformers are made of, lowered: near the float network, the same bytes in WebAssembly, refused by name. */
import { describe, expect, it } from 'vitest'
import { makeGraph, type NodeDescription } from '../graph/make-graph.ts'
import { interpret } from '../program/interpret.ts'
import { loadGraph, runNetwork } from '../program/program.fixture.ts'
import { withNonlinear } from '../quantize/nonlinear.ts'
import type { NonlinearFamily, Plan } from '../quantize/plan.ts'
import { prepare } from '../quantize/prepare.ts'
import { noise } from '../reference/fast/net.fixture.ts'
import { createReferenceExecutor } from '../reference/run.ts'
import { lower } from './lower.ts'
import { floatSet, lowered, refusal, stepErrors } from './network.fixture.ts'

/** Largest difference of the output `y` to the float network. */
const realError = (...[graph, plan, lowering]: Parameters<typeof stepErrors>): number =>
  (stepErrors(graph, plan, lowering).y as number) * (plan.tensors.y as Plan['tensors'][string]).scale

const float = (shape: readonly number[], seed: number, spread = 1) => ({
  shape,
  data: noise(
    shape.reduce((product, size) => product * size, 1),
    seed,
  ).map((number) => number * spread),
})
const integers = (...data: number[]) => ({ shape: [data.length], data, type: 'int64' as const })
const line = (operator: string, inputs: string[], outputs: string | string[], attributes = {}): NodeDescription => ({
  ...{ operator, inputs, outputs: [outputs].flat(), attributes },
})

/** One block of attention over `tokens` rows of 16, two heads of 8, with a mask where one is asked for. */
function attention(tokens: number, mask?: number) {
  const hidden = Array.from({ length: tokens * tokens }, (_, i) =>
    i % tokens > Math.floor(i / tokens) ? (mask ?? 0) : 0,
  )
  return makeGraph({
    name: 'attention',
    inputs: [{ name: 'x', type: 'float32', shape: [1, tokens, 16] }],
    outputs: ['y'],
    constants: {
      gamma: float([16], 1, 0.5),
      beta: float([16], 2, 0.3),
      w: float([16, 48], 3, 0.5),
      b: float([48], 4, 0.2),
      o: float([16, 16], 5, 0.5),
      split: integers(1, tokens, 3, 2, 8),
      join: integers(1, tokens, 16),
      parts: integers(1, 1, 1),
      head: integers(1, 2, tokens, 8),
      mask: { shape: [tokens, tokens], data: hidden },
      scale: { shape: [], data: [1 / Math.sqrt(8)] },
    },
    nodes: [
      line('LayerNormalization', ['x', 'gamma', 'beta'], 'n'),
      line('MatMul', ['n', 'w'], 'p'),
      line('Add', ['b', 'p'], 'qkv'),
      line('Reshape', ['qkv', 'split'], 'r'),
      line('Transpose', ['r'], 't', { perm: [2, 0, 3, 1, 4] }),
      line('Split', ['t', 'parts'], ['q5', 'k5', 'v5'], { axis: 0 }),
      ...['q', 'k', 'v'].map((name) => line('Reshape', [`${name}5`, 'head'], name)),
      line('Transpose', ['k'], 'kt', { perm: [0, 1, 3, 2] }),
      line('MatMul', ['q', 'kt'], 'products'),
      line('Mul', ['products', 'scale'], 'scaled'),
      ...(mask === undefined ? [] : [line('Add', ['scaled', 'mask'], 'masked')]),
      line('Softmax', [mask === undefined ? 'scaled' : 'masked'], 'shares', { axis: -1 }),
      line('MatMul', ['shares', 'v'], 'sums'),
      line('Transpose', ['sums'], 's', { perm: [0, 2, 1, 3] }),
      line('Reshape', ['s', 'join'], 'j'),
      line('MatMul', ['j', 'o'], 'out'),
      line('Add', ['x', 'out'], 'z'),
      line('Gelu', ['z'], 'y'),
    ],
  })
}

describe('attention', () => {
  it.each([
    [5, undefined],
    [9, -1e9],
    [16, -Infinity],
    [16, -1e9],
    [16, undefined],
    [9, -Infinity],
    [8, undefined],
    [1, undefined],
  ])('over %d tokens with mask %d stays near the float network', async (tokens, mask) => {
    const graph = attention(tokens, mask)
    const { compiled, plan, integers: lowering } = await lowered(graph, floatSet([tokens, 16]))
    expect(realError(compiled, plan, lowering)).toBeLessThan(0.05)
  })

  it('moves nothing: heads, transposes and splits are other steps of the same tensors', async () => {
    const { integers: lowering } = await lowered(attention(9), floatSet([9, 16]))
    const kinds = lowering.instructions.map(({ kind }) => kind)
    // The rescaling brings the 8 bits of the input, the residual, to 16.
    expect(kinds).toEqual([
      ...[
        'import',
        'normalize',
        'convolution',
        'product',
        'softmax',
        'product',
        'rescale',
        'convolution',
        'curve',
        'export',
      ],
    ])
  })

  it('gives masked positions no share at all', async () => {
    const { compiled, integers: lowering } = await lowered(attention(9, -1e9), floatSet([9, 16]))
    const shares = lowering.tensors.find(({ name }) => name === 'shares')
    let seen = 0
    const codes = new Map([['x', Int8Array.from(noise(9 * 16, 8), (number) => Math.round(number * 127))]])
    interpret(lowering, codes, (tensor, { data, stride }) => {
      if (tensor.id !== shares?.id) return
      for (let row = 0; row < 18; row++)
        for (let column = (row % 9) + 1; column < 9; column++) {
          expect(data[row * stride + column]).toBe(shares.zeroPoint)
          seen++
        }
    })
    expect([seen, compiled.nodes.length > 0]).toEqual([72, true])
  })

  it.each<[NonlinearFamily, number]>([
    ['poly', 0.06],
    ['shift', 0.25],
    ['shift-deployment', 0.25],
  ])('computes by the family %s', async (family, most) => {
    const { compiled, plan } = await lowered(attention(9), floatSet([9, 16]))
    const chosen = withNonlinear(compiled, plan, family)
    const lowering = lower(compiled, chosen)
    const kinds = lowering.instructions.map(({ kind }) => kind)
    expect(kinds).toContain('family-softmax')
    expect(kinds.includes('shift-gelu')).toBe(family !== 'poly')
    expect(lowering.instructions.find(({ kind }) => kind === 'normalize')).toMatchObject({ rule: family })
    expect(realError(compiled, chosen, lowering)).toBeLessThan(most)
  })

  it('refuses a softmax scale that a family cannot give', async () => {
    const { compiled, plan } = await lowered(attention(9), floatSet([9, 16]))
    const shares = { ...(plan.tensors.shares as Plan['tensors'][string]), scale: 0.004 }
    const error = refusal(() => lower(compiled, { ...plan, nonlinear: 'shift', tensors: { ...plan.tensors, shares } }))
    expect([error.code, error.message]).toEqual([
      'refused',
      expect.stringMatching(/"shift" gives multiples of powers of two; the scale of "shares" in the plan is 0\.004/),
    ])
  })
})

describe('normalisation', () => {
  const over = (operator: string, shape: readonly number[], axis: number, parameters: readonly number[]) =>
    makeGraph({
      name: 'normalisation',
      inputs: [{ name: 'x', type: 'float32', shape }],
      outputs: ['y'],
      constants: { gamma: float(parameters, 1), beta: float(parameters, 2) },
      nodes: [line(operator, ['x', 'gamma', ...(operator === 'LayerNormalization' ? ['beta'] : [])], 'y', { axis })],
    })

  it.each([
    ['LayerNormalization', [1, 4, 24], -1, [24]],
    ['LayerNormalization', [1, 3, 4, 5], 2, [4, 5]],
    ['LayerNormalization', [1, 3, 4, 5], 2, [4, 1]],
    ['RMSNormalization', [1, 4, 24], -1, [24]],
    ['RMSNormalization', [1, 7], 1, [7]],
  ] as const)('%s of [%s] from axis %d is exact to the last steps', async (operator, shape, axis, parameters) => {
    const graph = over(operator, shape, axis, parameters)
    const { compiled, plan, integers: lowering } = await lowered(graph, floatSet(shape.slice(1)))
    expect(realError(compiled, plan, lowering)).toBeLessThan(0.001)
  })

  it('refuses an epsilon that is no fraction of its input', async () => {
    const graph = over('LayerNormalization', [1, 4, 24], -1, [24])
    const { compiled, plan } = await lowered(graph, floatSet([4, 24]))
    const tiny = { ...plan, inputs: { x: { ...(plan.inputs.x as Plan['inputs'][string]), scale: [1e-12] } } }
    expect(refusal(() => lower(compiled, tiny)).message).toMatch(
      /epsilon is .* squared units of the input, whose scale/,
    )
  })
})

describe('embeddings', () => {
  const graph = makeGraph({
    name: 'embedding',
    inputs: [{ name: 'ids', type: 'int64', shape: [1, 3] }],
    outputs: ['y'],
    constants: { table: float([7, 5], 1), w: float([5, 4], 2) },
    nodes: [line('Gather', ['table', 'ids'], 'e', { axis: 0 }), line('MatMul', ['e', 'w'], 'y')],
  })
  const plan: Plan = {
    ...{ schema: 1, kind: 'dyadic-plan', model: 'embedding', origin: {} },
    inputs: { ids: { format: 's32', scale: [1], zeroPoint: [0], layout: 'nchw' } },
    tensors: {
      e: { format: 's16', scale: 1 / 32767, zeroPoint: 0 },
      y: { format: 's16', scale: 4 / 32767, zeroPoint: 0 },
    },
    weights: { y: { format: 's8', scale: [1 / 127], zeroPoint: [0] } },
  }

  it('are rows of the table as codes, and the port knows how many there are', () => {
    const { compiled } = prepare(graph)
    const lowering = lower(compiled, plan)
    expect(lowering.inputs[0]).toMatchObject({ format: 's32', range: { low: 0, high: 6 } })
    const ids = new Map([['ids', Int32Array.of(6, 0, 3)]])
    const found = interpret(lowering, ids)
    const network = loadGraph(lowering)
    expect(runNetwork(network, ids)).toEqual(found)
    const expected = createReferenceExecutor(graph).run(new Map([['ids', Float32Array.of(6, 0, 3)]]))
    for (const [i, code] of (found.get('y') as Int16Array).entries())
      expect(Math.abs(code * (4 / 32767) - (expected.get('y') as Float32Array)[i]!)).toBeLessThan(0.02)
    expect(() => network.runInteger({ ids: Int32Array.of(7, 0, 0) })).toThrow(/"ids".*7.*0 to 6/)
    expect(() => network.runInteger({ ids: Int32Array.of(1, 2) })).toThrow(/3/)
  })

  it('need indices that are an input', () => {
    const tables = { ...plan, inputs: { ids: { ...plan.inputs.ids, format: 's16' as const } } } as Plan
    expect(refusal(() => lower(prepare(graph).compiled, tables)).message).toMatch(/no network input of integers/)
  })
})

describe('magnitudes and reflections', () => {
  it('are near √(a² + b²) of what a reflected signal holds', async () => {
    const graph = makeGraph({
      name: 'spectrum',
      inputs: [{ name: 'x', type: 'float32', shape: [1, 8] }],
      outputs: ['y'],
      constants: {
        reflect: integers(2, 1, 0, 1, 2, 3, 4, 5, 6, 7, 6, 5),
        front: integers(0),
        mid: integers(6),
        end: integers(12),
        axis: integers(1),
      },
      nodes: [
        line('Gather', ['x', 'reflect'], 'padded', { axis: 1 }),
        line('Slice', ['padded', 'front', 'mid', 'axis'], 'a'),
        line('Slice', ['padded', 'mid', 'end', 'axis'], 'b'),
        line('Mul', ['a', 'a'], 'aa'),
        line('Mul', ['b', 'b'], 'bb'),
        line('Add', ['aa', 'bb'], 'sum'),
        line('Sqrt', ['sum'], 'y'),
      ],
    })
    const { compiled, plan, integers: lowering } = await lowered(graph, floatSet([8]))
    expect(lowering.instructions.map(({ kind }) => kind)).toContain('magnitude')
    expect(compiled.nodes.map(({ operator }) => operator)).toContain('dyadic.Magnitude')
    // Integer roots are floors: up to one step of the input's 8 bits.
    expect(realError(compiled, plan, lowering)).toBeLessThan(1.5 / 127)
  })
})
