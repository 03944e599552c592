import { describe, expect, it } from 'vitest'
import type { DataSet } from '../data/data-set.ts'
import type { Graph } from '../graph/graph.ts'
import { type Constant, readNumbers } from '../graph/tensor.ts'
import { lower } from '../lower/lower.ts'
import { byteSet, floatSet, lowered, randomNetwork, refusal } from '../lower/network.fixture.ts'
import { interpret } from '../program/interpret.ts'
import { type Line, net } from '../reference/fast/net.fixture.ts'
import { createReferenceExecutor } from '../reference/run.ts'
import { realInput } from './input.ts'
import { type Plan, parsePlan, printPlan } from './plan.ts'

const layer = (operator: string, input: string, shape: number[], attributes: Line['attributes'] = {}): Line => ({
  operator,
  inputs: [input, { shape }, { shape: [shape[0] as number] }],
  attributes,
})

/** Mean of program − float for each output channel of a network that ends in a layer without activation. */
async function meanErrors(graph: Graph, plan: Plan, set: DataSet): Promise<number[]> {
  const integers = lower(graph, plan)
  const [{ name, shape, scale, zeroPoint }] = integers.outputs as [(typeof integers.outputs)[0]]
  const channels = shape[1] as number
  const errors = new Float64Array(channels)
  for (let index = 0; index < set.length; index++) {
    const stored = (await set.read(index)) as Uint8Array
    const found = interpret(integers, new Map([[graph.inputs[0] as string, stored]])).get(name) as Int32Array
    const real = createReferenceExecutor(graph).run(new Map([[graph.inputs[0] as string, realInput(set, stored)]]))
    const expected = real.get(name) as Float32Array
    const inner = found.length / channels
    for (let i = 0; i < found.length; i++)
      errors[Math.floor(i / inner)] +=
        (((found[i] as number) - (zeroPoint[0] as number)) * (scale[0] as number) - (expected[i] as number)) /
        (inner * set.length)
  }
  return [...errors]
}

/** A single layer on exact inputs: bias correction must leave nothing but roundings of the output. */
const single: [string, number[], Line[]][] = [
  ['a convolution', [3, 7, 6], [layer('Conv', 'x', [4, 3, 3, 3], { pads: [1, 0, 1, 2], strides: [2, 1] })]],
  ['a dilated one', [2, 8, 8], [layer('Conv', 'x', [3, 2, 3, 2], { dilations: [2, 1] })]],
  ['a grouped one', [4, 6, 6], [layer('Conv', 'x', [6, 2, 3, 3], { group: 2, pads: [1, 1, 1, 1] })]],
  ['a depthwise one', [4, 6, 6], [layer('Conv', 'x', [4, 1, 3, 3], { group: 4 })]],
  [
    'a dense layer after a flattening',
    [3, 4, 5],
    [{ operator: 'Flatten', inputs: ['x'] }, layer('Gemm', 'v0', [5, 60], { transB: 1 })],
  ],
]

describe('bias-correction', () => {
  it.each(single)('takes the mean error of %s away', async (_name, shape, lines) => {
    for (const perChannel of [false, true]) {
      const graph = net({ x: [1, ...shape] }, lines)
      const set = byteSet(shape, { perChannel, length: 5 })
      // Two-bit weights make errors that no rounding of the output could hide.
      const options = { weights: 's2' } as const
      const { compiled, plan } = await lowered(graph, set, options)
      const { plan: corrected } = await lowered(graph, set, { ...options, methods: ['bias-correction'] })
      const worst = (errors: number[]): number => Math.max(...errors.map(Math.abs))
      const [before, after] = [
        worst(await meanErrors(compiled, plan, set)),
        worst(await meanErrors(compiled, corrected, set)),
      ]
      const step = plan.tensors[compiled.outputs[0] as string]?.scale as number
      expect(before).toBeGreaterThan(4 * step)
      expect(after).toBeLessThan(Math.max(step, before / 50))
    }
  })

  it('is carried by the plan file alone, and changes nothing but biases', async () => {
    const { graph, set } = randomNetwork(5)
    const { compiled, plan } = await lowered(graph, set)
    const { plan: corrected, integers } = await lowered(graph, set, { methods: ['bias-correction'] })
    const { biases, origin, ...rest } = corrected
    expect(rest).toEqual({ ...plan, origin: undefined, biases: undefined })
    expect(origin.methods).toEqual(['bias-correction'])
    expect(Object.keys(biases ?? {})).toEqual(Object.keys(plan.weights))
    expect(lower(compiled, parsePlan(JSON.parse(printPlan(corrected)), 'a plan'))).toEqual(integers)
  })

  it('works on float data, a single sample, and constant inputs', async () => {
    const graph = net({ x: [1, 2, 4, 4] }, [layer('Conv', 'x', [3, 2, 3, 3]), { operator: 'Relu', inputs: ['v0'] }])
    const bias = graph.constants.get(graph.nodes[0]?.inputs[2] as string) as Constant
    const zeros: DataSet = { ...floatSet([2, 4, 4]), read: async () => new Float32Array(32) }
    for (const set of [floatSet([2, 4, 4], 1, 1), floatSet([2, 4, 4]), zeros]) {
      const { plan } = await lowered(graph, set, { methods: ['bias-correction'] })
      expect(plan.biases?.v1?.every(Number.isFinite)).toBe(true)
      // Without an input there is no error to correct.
      if (set === zeros) expect(plan.biases?.v1).toEqual([...readNumbers(bias)])
    }
  })

  it('refuses biases of another length', async () => {
    const graph = net({ x: [1, 2, 4, 4] }, [layer('Conv', 'x', [3, 2, 3, 3])])
    const { compiled, plan } = await lowered(graph, byteSet([2, 4, 4]))
    expect(refusal(() => lower(compiled, { ...plan, biases: { v0: [1, 2] } })).message).toMatch(
      /"biases" "v0" of the plan has 2 values, the layer has 3 output channels/,
    )
    expect(() => parsePlan({ ...plan, biases: { v0: [Number.NaN] } }, 'a plan')).toThrow(/biases\.v0\.0/)
  })
})
