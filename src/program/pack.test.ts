/** Where each weight lies: read back by the drawings of the kernels, element by element. */
import { describe, expect, it } from 'vitest'
import type { ConvolutionInstruction, Window } from '../lower/integer-graph.ts'
import { packConvolution, packDepthwise, packNibbles, padChannels, segmentsOf, ungroup } from './pack.ts'
import { createRandom } from './program.fixture.ts'
import type { ConvolutionChoice } from './random-convolution.fixture.ts'
import { createBuilder } from './random-graph.fixture.ts'

function layer(seed: number, channels: number, choice: ConvolutionChoice): ConvolutionInstruction {
  const builder = createBuilder('pack', createRandom(seed))
  builder.convolution(builder.input(6, 6, channels), choice)
  return builder.instructions[0] as ConvolutionInstruction
}

const window = (height: number, width: number, dilation = 1): Window => ({
  ...{ kernel: [height, width], strides: [1, 1], dilations: [dilation, dilation], pads: [0, 0, 0, 0] },
})

describe('packConvolution', () => {
  it.each<[string, number, ConvolutionChoice]>([
    ['whole rows', 3, { outputs: 10, window: window(2, 3) }],
    ['taps apart', 5, { outputs: 9, window: window(3, 2, 2) }],
    ['unsigned weights', 3, { outputs: 5, window: window(1, 1), weightFormat: 'u8' }],
    ['groups of panels', 6, { outputs: 16, window: window(2, 2), groups: 2, weightFormat: 'u8' }],
  ])('puts every weight into its panel, pair and lane: %s', (_, channels, choice) => {
    const instruction = layer(1, channels, choice)
    const perGroup = instruction.output.channels / instruction.groups
    const { count, length, pairs } = segmentsOf(instruction)
    const runs = instruction.window.kernel[0] * count
    const values: number[] = []
    for (let group = 0; group < instruction.groups; group++) {
      const packed = packConvolution(instruction, group * perGroup, perGroup)
      expect([packed.panels, packed.pairs]).toEqual([Math.ceil(perGroup / 8), runs * pairs])
      expect(packed.codes.length).toBe(packed.panels * packed.pairs * 16)
      for (let o = 0; o < perGroup; o++) {
        const [panel, lane] = [o >> 3, o & 7]
        const zeroAt = panel * (packed.zeroPointStep >> 1) + (packed.zeroPointStep === 0 ? 0 : 2 * lane)
        const zero = packed.zeroPoints[zeroAt] as number
        expect(zero).toBe(instruction.weightZeroPoints[group * perGroup + o])
        for (let run = 0; run < runs; run++)
          for (let k = 0; k < 2 * pairs; k++) {
            const pair = run * pairs + (k >> 1)
            const code = packed.codes[((panel * packed.pairs + pair) * 8 + lane) * 2 + (k & 1)] as number
            if (k < length) values.push(code)
            // What pads a pair multiplies a neighbour's value: it must be a zero weight.
            else expect(code - zero).toBe(0)
          }
      }
    }
    expect(values).toEqual([...instruction.weights])
  })
})

describe('packDepthwise', () => {
  it.each([window(3, 3), window(1, 1), window(2, 2)])('pairs taps of eight channels ($kernel)', (taps) => {
    const instruction = layer(2, 16, { outputs: 16, groups: 16, depthwise: true, window: taps, weightFormat: 'u8' })
    const packed = packDepthwise(instruction)
    const count = taps.kernel[0] * taps.kernel[1]
    for (let c = 0; c < 16; c++)
      for (let tap = 0; tap < 2 * packed.pairs; tap++) {
        const code = packed.codes[(((c >> 3) * packed.pairs + (tap >> 1)) * 8 + (c & 7)) * 2 + (tap & 1)] as number
        expect(code).toBe(tap < count ? instruction.weights[c * count + tap] : instruction.weightZeroPoints[c])
      }
  })
})

describe('ungroup', () => {
  it('is the same layer with one group: weights of other groups are zero', () => {
    const instruction = layer(3, 6, { outputs: 9, window: window(2, 2), groups: 3, weightFormat: 'u8' })
    const whole = ungroup(instruction)
    expect([whole.groups, whole.weights.length]).toEqual([1, 9 * 4 * 6])
    for (let o = 0; o < 9; o++)
      for (let tap = 0; tap < 4; tap++)
        for (let c = 0; c < 6; c++) {
          const own = Math.floor(c / 2) === Math.floor(o / 3)
          expect(whole.weights[(o * 4 + tap) * 6 + c]).toBe(
            own ? instruction.weights[(o * 4 + tap) * 2 + (c % 2)] : instruction.weightZeroPoints[o],
          )
        }
    expect(ungroup(whole)).toBe(whole)
  })

  it('keeps the factor of every weight', () => {
    const instruction = layer(4, 6, { outputs: 9, window: window(2, 2), groups: 3, groupSize: 3 })
    const { weightGroups } = instruction
    const whole = ungroup(instruction)
    expect(whole.weightGroups?.size).toBe(1)
    // Eight weights per channel in groups of three: three factors.
    for (let o = 0; o < 9; o++)
      for (let t = 0; t < 8; t++)
        expect(whole.weightGroups?.factors[(o * 4 + (t >> 1)) * 6 + Math.floor(o / 3) * 2 + (t & 1)]).toBe(
          weightGroups?.factors[o * 3 + Math.floor(t / 3)],
        )
  })
})

describe('codes of 4 bits and factors', () => {
  it('only formats of at most 4 bits share bytes', () => {
    const narrow = (weightFormat: ConvolutionChoice['weightFormat']): boolean =>
      packConvolution(layer(5, 5, { outputs: 3, window: window(1, 1), weightFormat }), 0, 3).narrow
    expect([narrow('s2'), narrow('s4'), narrow('s8'), narrow('u8')]).toEqual([true, true, false, false])
  })

  it('the first eight of sixteen codes are low halves', () => {
    const codes = Int8Array.from({ length: 32 }, (_, i) => (i % 16) - 8)
    const packed = packNibbles(codes)
    expect(packed.length).toBe(16)
    const low = [...packed].map((byte) => (byte << 28) >> 28)
    const high = [...packed].map((byte) => (byte << 24) >> 28)
    expect([...low.slice(0, 8), ...high.slice(0, 8)]).toEqual([...codes.subarray(0, 16)])
    expect([...low.slice(8), ...high.slice(8)]).toEqual([...codes.subarray(16)])
  })

  it('factors stand by panel, group and channel', () => {
    const instruction = layer(6, 5, { outputs: 10, window: window(3, 1), groupSize: 4 })
    const { scaling } = packConvolution(instruction, 0, 10)
    expect(scaling).toMatchObject({ runs: 3, length: 5, size: 4, groups: 4 })
    expect(scaling?.factors.length).toBe(2 * 4 * 8)
    for (let o = 0; o < 10; o++)
      for (let group = 0; group < 4; group++)
        expect(scaling?.factors[((o >> 3) * 4 + group) * 8 + (o & 7)]).toBe(
          instruction.weightGroups?.factors[o * 4 + group],
        )
  })
})

it('padChannels fills whole panels with zeros', () => {
  expect(padChannels(Int32Array.of(1, 2, 3, 4), 1, 3)).toEqual(Int32Array.of(2, 3, 4, 0, 0, 0, 0, 0))
})
