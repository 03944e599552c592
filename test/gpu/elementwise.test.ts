/**
 * Element-by-element instructions and resizing on WebGPU, integer for integer the scalar meaning: the kinds that random graphs
 * do not have, and sums and products with one pixel on the right. Case numbers are seeds.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { graphOf, tensorOf } from '../../src/gpu/single-instruction.fixture.ts'
import type { IntegerTensor } from '../../src/lower/integer-graph.ts'
import type { ElementwiseInstruction } from '../../src/program/elementwise-calls.ts'
import { createRandom, type Random, randomCodes } from '../../src/program/program.fixture.ts'
import { randomClamp, STORED_RANGES } from '../../src/program/random-convolution.fixture.ts'
import { openDevice } from '../../src/runtime/gpu/index.ts'
import { dawn } from './dawn.ts'
import { expectEqualRuns } from './equal-runs.ts'

type Format = 's8' | 's16'
type Kind = 'add' | 'multiply' | 'magnitude' | 'rescale' | 'curve' | 'resize'

let device: GPUDevice
beforeAll(async () => {
  device = (await openDevice({ gpu: dawn() })).device
})
afterAll(() => device.destroy())

const SEEDS = 16
const MOST = 2 ** 31 - 1
const FORMATS: readonly Format[] = ['s8', 's16']
const bounds = { accumulator: STORED_RANGES.s32, biased: STORED_RANGES.s32, requantised: STORED_RANGES.s32 }

/** What the last part of every instruction but a resizing adds. */
function ending(format: Format, random: Random) {
  const { low, high } = STORED_RANGES[format]
  return { outputZeroPoint: random.between(low >> 2, high >> 2), clamp: randomClamp(format, random), bounds }
}

/** A multiplier and a shift of R3 that spread values up to `most` over the output, or extremes of both. */
function spread(format: Format, most: number, random: Random) {
  if (random.chance(0.25))
    return { multiplier: random.pick([0, 1, MOST]), shift: random.pick([32, 33, 47, 62]) } as const
  const ratio = Math.min(0.49, STORED_RANGES[format].high / most)
  const shift = Math.max(32, Math.min(62, 30 - Math.ceil(Math.log2(ratio))))
  return { multiplier: Math.floor(ratio * 2 ** shift), shift } as const
}

/** A multiplier of int32 sums of values up to `reach`, half a unit of the shift left free. */
const factor = (reach: number, shift: number, random: Random): number => {
  const most = Math.floor((MOST - 2 ** (shift - 1)) / reach)
  return random.pick([most, -most, 0, random.between(-most, most), random.between(-most, most)])
}

function draw(kind: Kind, random: Random): { instruction: ElementwiseInstruction; inputs: IntegerTensor[] } {
  const [from, other, to] = [random.pick(FORMATS), random.pick(FORMATS), random.pick(FORMATS)]
  const size = [random.between(1, 6), random.between(1, 7), random.between(1, 40)] as const
  const zeroPoint = (format: Format): number => random.between(STORED_RANGES[format].low, STORED_RANGES[format].high)
  const reach = (format: Format): number => (format === 's8' ? 255 : 65535)
  const input = tensorOf(0, kind === 'curve' ? 's16' : from, size)
  const right = tensorOf(1, other, kind !== 'magnitude' && random.chance(0.4) ? [1, 1, size[2]] : size)
  const output = tensorOf(2, to, size)
  const pair = { name: kind, left: input, right, output }
  switch (kind) {
    case 'add': {
      const shift = random.between(1, 30)
      return {
        instruction: {
          kind,
          ...pair,
          ...ending(to, random),
          leftZeroPoint: zeroPoint(from),
          rightZeroPoint: zeroPoint(other),
          shift,
          leftMultiplier: factor(2 * reach(from), shift, random),
          rightMultiplier: factor(2 * reach(other), shift, random),
        },
        inputs: [input, right],
      }
    }
    case 'multiply': {
      // Products of two 16-bit differences fit where the zero points lie in the middle.
      const [leftZeroPoint, rightZeroPoint] = [random.between(-100, 100), random.between(-100, 100)]
      const most = (reach(from) / 2 + 101) * (reach(other) / 2 + 101)
      return {
        instruction: {
          kind,
          ...pair,
          ...ending(to, random),
          leftZeroPoint,
          rightZeroPoint,
          ...spread(to, most, random),
        },
        inputs: [input, right],
      }
    }
    case 'magnitude':
      // Differences fit 16 bits: the whole range of 16-bit codes with no zero point.
      return {
        instruction: {
          kind,
          ...pair,
          ...ending(to, random),
          leftZeroPoint: from === 's8' ? random.between(-30000, 30000) : 0,
          rightZeroPoint: other === 's8' ? random.between(-30000, 30000) : 0,
          leftShift: random.between(0, 14),
          ...spread(to, 2 ** 25, random),
        },
        inputs: [input, right],
      }
    case 'rescale': {
      const shift = random.between(1, 30)
      const factors = () => Int32Array.from({ length: size[2] }, () => factor(reach(from), shift, random))
      return {
        instruction: {
          kind,
          name: kind,
          input,
          output,
          ...ending(to, random),
          inputZeroPoint: zeroPoint(from),
          positive: factors(),
          negative: factors(),
          shift,
        },
        inputs: [input],
      }
    }
    case 'curve': {
      const bits = random.between(1, 7)
      const knots = randomCodes('s16', 2 ** (16 - bits) + 1, random) as Int16Array
      const unitBits = bits > 1 && random.chance(0.4) ? 1 : 0
      const { clamp } = ending(to, random)
      return { instruction: { kind, name: kind, input, output, knots, bits, unitBits, clamp }, inputs: [input] }
    }
    case 'resize': {
      const bits = random.between(0, 7)
      const axis = (length: number, most: number) => ({
        first: Int32Array.from({ length }, () => random.between(0, most - 1)),
        second: Int32Array.from({ length }, () => random.between(0, most - 1)),
        share: Int32Array.from({ length }, () => random.between(0, 2 ** bits)),
      })
      const [rows, columns] = [axis(random.between(1, 9), size[0]), axis(random.between(1, 9), size[1])]
      const resized = tensorOf(2, from, [rows.first.length, columns.first.length, size[2]])
      return { instruction: { kind, name: kind, input, output: resized, rows, columns, bits }, inputs: [input] }
    }
  }
}

describe('element by element', () => {
  it.each(['add', 'multiply', 'magnitude', 'rescale', 'curve', 'resize'] as const)('%s', async (kind) => {
    const seen = new Set<number>()
    for (let seed = 0; seed < SEEDS; seed++) {
      const random = createRandom(seed)
      const { instruction, inputs } = draw(kind, random)
      const samples = Array.from({ length: seed % 2 === 0 ? 3 : 1 }, () =>
        inputs.map(({ format, height, width, channels }) => randomCodes(format, height * width * channels, random)),
      )
      for (const code of await expectEqualRuns(device, graphOf(instruction, inputs), samples)) seen.add(code)
    }
    expect(seen.size).toBeGreaterThan(300)
  })
})
