/** Weights of 16 bits: every kind of convolution byte for byte as its scalar meaning, with nothing to unpack. */
import { describe, expect, it } from 'vitest'
import type { IntegerTensor, Window } from '../lower/integer-graph.ts'
import { emitProgram } from './emit.ts'
import { interpret } from './interpret.ts'
import { createRandom, loadGraph, type Random, randomInputs, runNetwork } from './program.fixture.ts'
import { createBuilder } from './random-graph.fixture.ts'

const forms = ['plain', 'dilated', 'grouped', 'panels', 'depthwise', 'spare lanes', 'dense'] as const

function windowOf(form: (typeof forms)[number], random: Random): Window {
  if (form === 'dense') return { kernel: [5, 6], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] }
  const kernel = random.pick([
    [1, 1],
    [3, 3],
    [2, 5],
  ] as const)
  const dilation = form === 'dilated' ? 2 : 1
  const stride = random.pick([1, 2])
  return { kernel, strides: [stride, stride], dilations: [dilation, dilation], pads: [1, 0, 0, 1] }
}

describe('16-bit weights', () => {
  const seen = new Set<string>()
  it.each(forms.flatMap((form) => Array.from({ length: 8 }, (_, i) => [form, i] as const)))(
    '%s, case %i',
    (form, i) => {
      const random = createRandom(1000 + i)
      const builder = createBuilder('wide', random)
      const channels = { plain: 5, dilated: 7, grouped: 6, panels: 16, depthwise: 16, 'spare lanes': 11, dense: 3 }[
        form
      ]
      const depthwise = form === 'depthwise' || form === 'spare lanes'
      const groups = depthwise ? channels : form === 'grouped' || form === 'panels' ? 2 : 1
      const outputs = depthwise ? channels : form === 'panels' ? 16 : groups * random.between(1, 9)
      const [height, width] = form === 'dense' ? [5, 6] : [8, 10]
      const input = builder.input(height, width, channels, random.pick(['u8', 's8', 's16']))
      const format = random.pick(['s8', 's16', 's32'] as const)
      const choice = {
        ...{ outputs, groups, depthwise, format, window: windowOf(form, random), weightFormat: 's16' as const },
        inputZeroPoints: random.pick(['none', 'uniform', 'channel'] as const),
      }
      let residual: IntegerTensor | undefined
      if (format !== 's32' && random.chance(0.4)) {
        const { height, width } = builder.convolution(input, choice)
        residual = builder.input(height, width, outputs, format)
      }
      builder.output(builder.convolution(input, { ...choice, residual }))
      const graph = builder.graph()
      const layers = graph.instructions.flatMap((one) =>
        one.kind === 'convolution' || one.kind === 'depthwise' ? [one] : [],
      )
      // The widest codes that the accumulator allows here must be beyond a byte, or nothing is tested.
      for (const { weights } of layers) expect(weights.some((code) => Math.abs(code) > 127)).toBe(true)
      const { start, memory } = emitProgram(graph)
      expect(start).toEqual([])
      expect(memory.weightBytes % 32).toBe(0)
      const network = loadGraph(graph)
      for (const inputs of [randomInputs(graph, random), randomInputs(graph, random)])
        expect(runNetwork(network, inputs)).toEqual(interpret(graph, inputs))
      seen.add(`${input.format} to ${format}`)
      if (residual) seen.add('residual')
    },
  )

  it('met all widths', () => {
    expect([...seen].sort()).toEqual(
      ['residual', ...['s8', 's16'].flatMap((from) => ['s8', 's16', 's32'].map((to) => `${from} to ${to}`))].sort(),
    )
  })

  it('have their zero points and the factors of their groups taken out', () => {
    const random = createRandom(5)
    const builder = createBuilder('wide', random)
    const input = builder.input(4, 4, 8)
    builder.output(builder.convolution(input, { outputs: 9, window: windowOf('plain', random), weightFormat: 's16' }))
    const graph = builder.graph()
    const instructions = graph.instructions.map((one) =>
      one.kind === 'convolution'
        ? {
            ...one,
            // Small enough that the largest factor leaves them in 16 bits.
            weights: one.weights.map((code) => code >> 3),
            weightZeroPoints: Int16Array.from({ length: 9 }, (_, o) => o - 4),
            weightGroups: {
              size: 8,
              factors: Uint8Array.from({ length: one.weights.length / 8 }, (_, group) => 1 + (group % 3)),
            },
          }
        : one,
    )
    const shifted = { ...graph, instructions }
    const inputs = randomInputs(shifted, random)
    expect(runNetwork(loadGraph(shifted), inputs)).toEqual(interpret(shifted, inputs))
    expect(emitProgram(shifted).start.map(({ kernel }) => kernel)).toEqual(['scaleWeights'])
  })
})
