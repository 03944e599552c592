/** Lowering and plans: entries that do not fit, edits, and numbers that would overflow. */
import { describe, expect, it } from 'vitest'
import { interpret } from '../program/interpret.ts'
import { encodeWeightCodes } from '../quantize/base64-codes.ts'
import { foldedWeights, type Layer, layersOf, storedWeights } from '../quantize/layer.ts'
import { type Plan, parsePlan, printPlan } from '../quantize/plan.ts'
import { prepare } from '../quantize/prepare.ts'
import { net, noise } from '../reference/fast/net.fixture.ts'
import type { ConvolutionInstruction, IntegerGraph } from './integer-graph.ts'
import { lower } from './lower.ts'
import { byteSet, conv, lowered, randomCodes, refusal, weights, worstStep } from './network.fixture.ts'
import { printIntegerGraph } from './print.ts'

const small = () => ({
  graph: net({ x: [1, 2, 4, 4] }, [
    conv('x', 4, 2, 3, 3),
    { operator: 'Relu', inputs: ['v0'] },
    conv('v1', 3, 4, 2, 2),
    { operator: 'Flatten', inputs: ['v2'] },
  ]),
  set: byteSet([2, 4, 4]),
})

describe('a plan that does not fit is refused, naming the entry', () => {
  const edits: [string, (plan: Plan) => void, string, RegExp][] = [
    ['no input', (plan) => delete plan.inputs.x, 'refused', /no entry "inputs" for "x"/],
    [
      'no tensor',
      (plan) => delete plan.tensors.v1,
      'refused',
      /no entry "tensors" for "v1", the output of node "n0" \(dyadic.Conv\)/,
    ],
    ['no weights', (plan) => delete plan.weights.v1, 'refused', /no entry "weights" for layer "v1"/],
    [
      '3 scales of 4',
      (plan) => plan.weights.v1!.scale.splice(0, 1),
      'refused',
      /"v1" of the plan has 3 values in "scale", the layer has 4/,
    ],
    ['2 zero points', (plan) => plan.weights.v1!.zeroPoint.push(0), 'refused', /2 values in "zeroPoint"/],
    [
      '3 input scales',
      (plan) => plan.inputs.x!.scale.push(1, 1),
      'refused',
      /"inputs" "x" of the plan has 3 values in "scale"; give 1 or 2/,
    ],
    [
      'a ratio of scales',
      (plan) => (plan.tensors.v1!.scale = 1e-20),
      'refused',
      /layer "v1": scale ratio .* is outside/,
    ],
    [
      'a tiny weight scale',
      (plan) => (plan.weights.v1!.scale = [1e-300]),
      'limit',
      /bias of output channel 0 is .* beyond int32/,
    ],
    [
      'a wide value in the middle',
      (plan) => (plan.tensors.v1!.format = 's32'),
      'unsupported',
      /"v1", which the plan stores as s32/,
    ],
    [
      'an activation zero point',
      (plan) => (plan.tensors.v1!.zeroPoint = 300),
      'refused',
      /"tensors" "v1" of the plan has zero point 300, which is no u8 code/,
    ],
    [
      'a weight zero point',
      (plan) => (plan.weights.v1!.zeroPoint = [200]),
      'refused',
      /"weights" "v1" of the plan has zero point 200, which is no s8 code; give one in -128..127/,
    ],
    [
      'an input zero point',
      (plan) => (plan.inputs.x!.zeroPoint = [40_000]),
      'refused',
      /"inputs" "x" of the plan has zero point 40000/,
    ],
  ]
  it.each(edits)('%s', async (_, edit, code, message) => {
    const graph = net({ x: [1, 2, 4, 4] }, [
      { operator: 'Conv', inputs: ['x', weights(4, 2, 3, 3), weights(4)] },
      { operator: 'Relu', inputs: ['v0'] },
      conv('v1', 3, 4, 2, 2),
    ])
    const { compiled, plan } = await lowered(graph, byteSet([2, 4, 4]))
    const edited = structuredClone(plan)
    edit(edited)
    const error = refusal(() => lower(compiled, edited))
    expect(error.message).toMatch(message)
    expect(error.code).toBe(code)
  })

  it('names such as __proto__ are not found in it', async () => {
    const { compiled, plan } = await lowered(small().graph, small().set)
    const nodes = compiled.nodes.map((node) => ({
      ...node,
      outputs: node.outputs.map((name) => (name === 'v1' ? '__proto__' : name)),
    }))
    const { v1: _, ...weights } = plan.weights
    expect(refusal(() => lower({ ...compiled, nodes }, { ...plan, weights })).message).toMatch(
      /no entry "tensors" for "__proto__"/,
    )
  })
})

describe('parsePlan', () => {
  it('reads what printPlan writes', async () => {
    const { plan } = await lowered(small().graph, small().set)
    expect(parsePlan(JSON.parse(printPlan(plan)), 'plan.json')).toEqual(plan)
    expect(printPlan(parsePlan(JSON.parse(printPlan(plan)), 'plan.json'))).toBe(printPlan(plan))
  })

  it('names every wrong field by its path', async () => {
    const { plan } = await lowered(small().graph, small().set)
    const wrong = {
      ...structuredClone(plan),
      colour: 'red',
      inputs: { x: { format: 's24', scale: [], zeroPoint: [0] } },
      tensors: { v1: { format: 'u8', scale: -1, zeroPoint: 0.5, comment: '' } },
    }
    const error = refusal(() => parsePlan(wrong, '"plan.json"'))
    expect(error.code).toBe('refused')
    for (const path of [
      /"plan.json" is not a dyadic plan/,
      /inputs\.x\.format/,
      /inputs\.x\.scale/,
      /tensors\.v1\.scale/,
      /tensors\.v1\.zeroPoint/,
      /comment/,
      /colour/,
    ])
      expect(error.message).toMatch(path)
  })

  it.each([null, 3, [], {}, { schema: 2, kind: 'dyadic-plan' }])('refuses %j', (json) => {
    expect(refusal(() => parsePlan(json, 'p')).code).toBe('refused')
  })
})

describe('an edited plan', () => {
  it('changes the results, and always in the same way', async () => {
    const { compiled, plan, integers } = await lowered(small().graph, small().set)
    const inputs = randomCodes(integers, 1)
    const edited = structuredClone(plan)
    edited.weights.v1 = {
      ...edited.weights.v1!,
      format: 's3',
      scale: edited.weights.v1!.scale.map((scale) => scale * 42),
    }
    const [first, second] = [lower(compiled, edited), lower(compiled, parsePlan(JSON.parse(printPlan(edited)), 'p'))]
    expect(printIntegerGraph(first)).toBe(printIntegerGraph(second))
    expect(printIntegerGraph(lower(compiled, plan))).toBe(printIntegerGraph(integers))
    expect(printIntegerGraph(first)).not.toBe(printIntegerGraph(integers))
    expect(interpret(first, inputs)).toEqual(interpret(second, inputs))
    expect(interpret(first, inputs)).not.toEqual(interpret(integers, inputs))
    const layer = first.instructions.find((one) => one.kind === 'convolution') as ConvolutionInstruction
    expect([Math.min(...layer.weights), Math.max(...layer.weights)]).toEqual([-3, 3])
  })

  it('may store every activation unsigned or signed, symmetric or not, with the same real results', async () => {
    for (const options of [
      {},
      { activations: 's8' },
      { symmetric: true },
      { activations: 's8', symmetric: true },
    ] as const) {
      const { plan, integers } = await lowered(small().graph, small().set, options)
      expect(worstStep(small().graph, plan, integers)).toBeLessThan(500)
      for (const { name } of integers.outputs) expect(plan.tensors[name === 'v3' ? 'v2' : name]?.format).toBe('s16')
    }
  })
})

describe('overflow', () => {
  it('a dense layer of too many inputs is refused, naming the layer and the bound', () => {
    const dense = (count: number): IntegerGraph => {
      const { compiled } = prepare(
        net({ x: [1, count] }, [
          { operator: 'MatMul', inputs: ['x', { shape: [count, 1], values: new Array<number>(count).fill(1) }] },
        ]),
      )
      return lower(compiled, {
        ...{ schema: 1, kind: 'dyadic-plan', model: 'huge', origin: {} },
        inputs: { x: { format: 'u8', scale: [1], zeroPoint: [0], layout: 'nchw' } },
        tensors: { v0: { format: 's16', scale: 2000, zeroPoint: 0 } },
        weights: { v0: { format: 's8', scale: [1 / 127], zeroPoint: [0] } },
      })
    }
    // 2^31 / (255 × 127) = 66311.8
    expect(() => dense(66_311)).not.toThrow()
    const error = refusal(() => dense(66_312))
    expect(error.code).toBe('limit')
    expect(error.message).toMatch(
      /layer "v0": the accumulator of output channel 0 can reach \[0, 2147514120\], beyond int32; use fewer bits/,
    )
  })

  it('a dead channel gets a weight scale that leaves its bias room; without it the plan is refused', async () => {
    const live = noise(9, 1)
    const graph = net({ x: [1, 1, 5, 5] }, [
      {
        operator: 'Conv',
        inputs: [
          'x',
          { shape: [2, 1, 3, 3], values: [...live, ...live.map((value) => value * 1e-12)] },
          { shape: [2], values: [0.1, 3] },
        ],
      },
      { operator: 'Relu', inputs: ['v0'] },
      conv('v1', 2, 2, 1, 1),
    ])
    const { compiled, plan, integers } = await lowered(graph, byteSet([1, 5, 5]))
    const layer = integers.instructions.find((one) => one.kind === 'convolution') as ConvolutionInstruction
    expect(Math.abs(layer.bias[1] as number)).toBeLessThanOrEqual(2 ** 30)
    expect(Math.abs(layer.bias[1] as number)).toBeGreaterThan(2 ** 29)
    // Dead weights round to nothing; the channel is its bias.
    expect([...layer.weights.subarray(9)]).toEqual(new Array(9).fill(0))
    const edited = structuredClone(plan)
    edited.weights.v1!.scale[1] = 1e-14
    const error = refusal(() => lower(compiled, edited))
    expect(error.code).toBe('limit')
    expect(error.message).toMatch(
      /layer "v1": the bias of output channel 1 is \d+(\.\d+e\+\d+)? accumulator units, beyond int32; raise/,
    )
    expect(worstStep(graph, plan, integers)).toBeLessThan(600)
  })

  it('a bias that fits alone, but not with the sum, is refused', async () => {
    const { compiled, plan } = await lowered(
      net({ x: [1, 1, 2, 2] }, [{ operator: 'Conv', inputs: ['x', weights(1, 1, 2, 2), { shape: [1], values: [1] }] }]),
      byteSet([1, 2, 2]),
    )
    const edited = structuredClone(plan)
    const inputScale = edited.inputs.x!.scale[0] as number
    edited.weights.v0!.scale = [1 / (inputScale * (2 ** 31 - 100))]
    expect(refusal(() => lower(compiled, edited)).message).toMatch(
      /accumulator plus bias of output channel 0 can reach/,
    )
  })
})

describe('16-bit weights in a plan', () => {
  const wide = async () => {
    const { graph, set } = small()
    const { compiled, plan } = await lowered(graph, set, { keep: [{ pattern: 'v1', format: 'w16' }] })
    return { compiled, plan }
  }
  const coded = (plan: Plan, codes: string): Plan => {
    const entry = plan.weights.v1 as Plan['weights'][string]
    return parsePlan(
      JSON.parse(printPlan({ ...plan, weights: { ...plan.weights, v1: { ...entry, codes } } })),
      'edited',
    )
  }

  it('are written, read and lowered as words, of one layer only', async () => {
    const { compiled, plan } = await wide()
    const codes = Array.from({ length: 4 * 18 }, (_, i) => (i - 36) * 900)
    const graph = lower(compiled, coded(plan, encodeWeightCodes('s16', codes)))
    const layers = graph.instructions.filter((one): one is ConvolutionInstruction => one.kind === 'convolution')
    expect(layers.map(({ weightFormat, weights: w }) => [weightFormat, w.constructor.name])).toEqual([
      ['s16', 'Int16Array'],
      ['s8', 'Int8Array'],
    ])
    expect([...(layers[0] as ConvolutionInstruction).weights].sort()).toEqual([...codes].sort())
    expect(printIntegerGraph(graph)).toMatch(/weights=Int16Array\[72\]:[0-9a-f]{16} .*weightFormat="s16"/)
  })

  it('come as near to the float network as the values around them', async () => {
    const { compiled, plan } = await wide()
    expect(worstStep(compiled, plan, lower(compiled, plan))).toBeGreaterThan(0)
    const errorOf = (entry: Plan['weights'][string]): number => {
      const layer = layersOf(compiled, plan)[0] as Layer
      const stored = storedWeights(layer, entry)
      return Math.max(...foldedWeights(layer).map((weight, i) => Math.abs(weight - (stored[i] as number))))
    }
    const narrow = await lowered(small().graph, small().set)
    expect(errorOf(plan.weights.v1 as Plan['weights'][string]) * 100).toBeLessThan(
      errorOf(narrow.plan.weights.v1 as Plan['weights'][string]),
    )
  })

  it.each([
    ['half a code too many', encodeWeightCodes('s8', Array(4 * 18 * 2 + 1).fill(1)), /has 73 codes, the layer has 72/],
    ['bytes in place of words', encodeWeightCodes('s8', Array(4 * 18).fill(1)), /has 36 codes, the layer has 72/],
  ])('are refused: %s', async (_, codes, message) => {
    const { compiled, plan } = await wide()
    const error = refusal(() => lower(compiled, coded(plan, codes)))
    expect([error.code, error.message]).toEqual(['refused', expect.stringMatching(message)])
  })
})
