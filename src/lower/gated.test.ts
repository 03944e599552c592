/** Swish of values with a scale for each channel: near the float function in every channel, the same bytes in WebAssembly. */
import { describe, expect, it } from 'vitest'
import type { Plan } from '../quantize/plan.ts'
import { net, noise } from '../reference/fast/net.fixture.ts'
import { lower } from './lower.ts'
import { conv, floatSet, lowered, refusal, stepErrors } from './network.fixture.ts'

/** A layer whose second channel is 200 times smaller, a Swish, and a layer that undoes it. */
const gains = [1, 1 / 200, 30]
const graph = (alpha: number) =>
  net({ x: [1, 3, 6, 6] }, [
    {
      operator: 'Conv',
      inputs: [
        'x',
        { shape: [3, 3, 1, 1], values: noise(9, 3).map((w, i) => w * (gains[Math.floor(i / 3)] as number)) },
      ],
    },
    { operator: 'Swish', inputs: ['v0'], attributes: { alpha } },
    { operator: 'Conv', inputs: ['v1', { shape: [3, 3, 1, 1], values: [1, 0, 0, 0, 200, 0, 0, 0, 1 / 30] }] },
    conv('v2', 4, 3, 2, 2),
  ])

const factors = [1 / 8, 1 / 64, 1]
const scaled = (plan: Plan, names: readonly string[]): Plan => {
  const tensors = names.map((name) => [
    name,
    { ...(plan.tensors[name] as Plan['tensors'][string]), channelScales: factors },
  ])
  return { ...plan, tensors: { ...plan.tensors, ...Object.fromEntries(tensors) } }
}
/** Weights of the reading layer by the scales of its input. */
const refit = (plan: Plan): Plan => {
  const entry = plan.weights.v2 as Plan['weights'][string]
  const { scale } = plan.tensors.v1 as Plan['tensors'][string]
  const scales = [1 * 1, 200 / 64, 1 / 30].map((weight, o) => (weight * scale * (o === 0 ? 1 / 8 : 1)) / 127)
  return { ...plan, weights: { ...plan.weights, v2: { ...entry, scale: scales } } }
}

describe('a gated value', () => {
  it.each([1, 1.7])('keeps its channels (alpha %d)', async (alpha) => {
    const { compiled, plan } = await lowered(graph(alpha), floatSet([3, 6, 6]), { activations: 's16' })
    const errorOf = (one: Plan): number => stepErrors(compiled, one, lower(compiled, one)).v3 as number
    const separate = refit(scaled(plan, ['v0', 'v1']))
    const kinds = lower(compiled, separate).instructions.map(({ kind }) => kind)
    expect(kinds.filter((kind) => ['rescale', 'curve', 'multiply'].includes(kind))).toEqual([
      'rescale',
      'curve',
      'multiply',
    ])
    expect(errorOf(separate)).toBeLessThan(errorOf(plan) / 4)
  })

  it('is refused where its output has other scales', async () => {
    const { compiled, plan } = await lowered(graph(1), floatSet([3, 6, 6]), { activations: 's16' })
    const error = refusal(() => lower(compiled, scaled(plan, ['v0'])))
    expect([error.code, error.message]).toEqual([
      'unsupported',
      expect.stringMatching(
        /\(Swish\) reads "v0", which has a scale for each channel; its output must be s16 with the same/,
      ),
    ])
  })
})
