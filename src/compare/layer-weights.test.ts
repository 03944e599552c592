import { describe, expect, it } from 'vitest'
import type { Graph } from '../graph/graph.ts'
import { lower } from '../lower/lower.ts'
import { encodeCodes } from '../quantize/base64-codes.ts'
import type { Plan, WeightPlan } from '../quantize/plan.ts'
import { net } from '../reference/fast/net.fixture.ts'
import { type Layer, layerOf, quantisedWeights } from './layer-weights.ts'

/** Two channels of 1 × 2 pixels, flattened, into a dense layer with two outputs. */
const graph: Graph = net({ x: [1, 2, 1, 2] }, [
  { operator: 'Flatten', inputs: ['x'], attributes: { axis: 1 } },
  {
    operator: 'dyadic.Dense',
    inputs: ['v0', { shape: [2, 4], values: [1, -2, 3, 0.4, 0.6, 10, -20, 30] }, { shape: [2], values: [0.3, -1] }],
  },
])

const planOf = (weights: WeightPlan, scale: number[] = [0.5]): Plan => ({
  ...{ schema: 1, kind: 'dyadic-plan', model: 'test', origin: {} },
  inputs: { x: { format: 'u8', scale, zeroPoint: [0], layout: 'nchw' } },
  tensors: { v1: { format: 's16', scale: 0.001, zeroPoint: 0 } },
  weights: { v1: weights },
})
const layer = (plan: Plan): Layer => layerOf(graph, plan, graph.nodes[1]) as Layer
const nearest: WeightPlan = { format: 's4', scale: [1, 4], zeroPoint: [0] }

describe('quantisedWeights', () => {
  it('rounds half to even, limits to the format and rounds biases to units of the accumulator', () => {
    const { weights, bias } = quantisedWeights(layer(planOf(nearest)), nearest)
    // 10 / 4 = 2.5 is even at 2; 30 / 4 = 7.5 would be 8 and stays 7.
    expect([...weights]).toEqual([1, -2, 3, 0, 0, 8, -20, 28])
    // Units of 0.5 × 1 and 0.5 × 4.
    expect([...bias]).toEqual([0.5, 0])
  })

  it('folds scales of channels into the weights, as the lowering does', () => {
    const plan = planOf(nearest, [0.5, 2])
    const { weights } = quantisedWeights(layer(plan), nearest)
    // Channel 0 is halved, channel 1 doubled before rounding: 0.5 −1 6 0.8 and 0.3 5 −40 60 in steps of 1 and 4.
    expect([...weights]).toEqual([0, -2, 3, 0.5, 0, 8, -16, 14])
    const [, , convolution] = [undefined, ...lower(graph, plan).instructions]
    if (convolution?.kind !== 'convolution') throw new Error('no convolution')
    // Stored by pixel, then channel.
    expect([...convolution.weights]).toEqual([0, 6, -1, 1, 0, -8, 1, 7])
  })

  it('takes codes as they are, and zero points', () => {
    const codes = encodeCodes(Uint8Array.from([0, 1, 2, 3, 255, 254, 253, 252]))
    const { weights } = quantisedWeights(layer(planOf(nearest)), {
      ...{ format: 'u8', scale: [0.5], zeroPoint: [1] },
      codes,
    })
    expect([...weights]).toEqual([-0.5, 0, 0.5, 1, 127, 126.5, 126, 125.5])
    const signed = encodeCodes(Int8Array.from([-1, -2, 1, 2, 0, 0, 0, 7]))
    expect([...quantisedWeights(layer(planOf(nearest)), { ...nearest, codes: signed }).weights]).toEqual([
      -1, -2, 1, 2, 0, 0, 0, 28,
    ])
  })

  it('multiplies groups, in stored order, with their factors', () => {
    const groups = { size: 2, factors: encodeCodes(Uint8Array.from([1, 2, 3, 1])) }
    const codes = encodeCodes(Int8Array.from([1, 1, 1, 1, 1, 1, 1, 1]))
    const { weights } = quantisedWeights(layer(planOf(nearest)), {
      ...{ format: 's4', scale: [1], zeroPoint: [0] },
      ...{ codes, groups },
    })
    // Stored order is pixel 0 of both channels, then pixel 1: the first group is what ONNX has at 0 and 2.
    expect([...weights]).toEqual([1, 2, 1, 2, 3, 1, 3, 1])
  })

  it('prefers the biases of the plan', () => {
    const plan = { ...planOf(nearest), biases: { v1: [7, 8] } }
    expect([...layer(plan).bias]).toEqual([7, 8])
    expect([...layer(planOf(nearest)).bias].map((value) => Math.fround(value))).toEqual([0.3, -1].map(Math.fround))
  })
})
