/**
 * Instructions over rows of channels on WebGPU: softmax and normalisation by every rule, and ShiftGELU, on rows of any length
 * and with extreme codes.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ChannelInstruction } from '../../src/gpu/channel-dispatch.ts'
import { emitGraph } from '../../src/gpu/emit-graph.ts'
import { graphOf, randomSoftmax, tensorOf } from '../../src/gpu/single-instruction.fixture.ts'
import { LONG_ROW } from '../../src/kernels/gpu/rows.ts'
import { exponentialBelow } from '../../src/kernels/scalar/family-exponential.ts'
import type { IntegerTensor } from '../../src/lower/integer-graph.ts'
import { softmaxExponential } from '../../src/program/family-integers.ts'
import { createRandom, type Random } from '../../src/program/program.fixture.ts'
import { STORED_RANGES } from '../../src/program/random-convolution.fixture.ts'
import { randomFamilySoftmax, randomNormalize, randomShiftGelu } from '../../src/program/random-rows.fixture.ts'
import { openDevice } from '../../src/runtime/gpu/index.ts'
import { dawn } from './dawn.ts'
import { expectEqualRuns } from './equal-runs.ts'

type Format = 's8' | 's16'
type Drawn = ChannelInstruction extends infer Kind
  ? Kind extends ChannelInstruction
    ? Omit<Kind, 'name' | 'output'>
    : never
  : never

let device: GPUDevice
beforeAll(async () => {
  device = (await openDevice({ gpu: dawn() })).device
})
afterAll(() => device.destroy())

const DRAWS: Readonly<Record<string, (input: IntegerTensor, format: Format, random: Random) => Drawn>> = {
  softmax: randomSoftmax,
  'normalisation by the exact rule': (input, format, random) => randomNormalize(input, format, 'exact', random),
  'normalisation by shifts': (input, format, random) => randomNormalize(input, format, 'shift', random),
  'normalisation by shifts, as deployed': (input, format, random) =>
    randomNormalize(input, format, 'shift-deployment', random),
  'normalisation by the polynomial family': (input, format, random) => randomNormalize(input, format, 'poly', random),
  'softmax by shifts': (input, format, random) => randomFamilySoftmax(input, format, 'shift', random),
  'softmax by shifts, as deployed': (input, format, random) =>
    randomFamilySoftmax(input, format, 'shift-deployment', random),
  'softmax by the polynomial family': (input, format, random) => randomFamilySoftmax(input, format, 'poly', random),
  ShiftGELU: (input, format, random) => randomShiftGelu(input, 'gelu', format, random),
}

/** Codes of one row by its number: extremes first, then random ones of the whole range, of a few codes, and of one side. */
const ROWS: readonly ((
  c: number,
  channels: number,
  limits: { low: number; high: number },
  random: Random,
) => number)[] = [
  () => 0,
  (_c, _channels, { low }) => low,
  (_c, _channels, { high }) => high,
  (c, _channels, { low, high }) => (c % 2 === 0 ? low : high),
  (c, channels, { low, high }) => (c === channels - 1 ? high : low),
  (c, channels, { low, high }) => (c === channels >> 1 ? low : high),
  (c, _channels, { high }) => (c === 0 ? high - 1 : high),
  (_c, _channels, { low, high }, random) => random.between(low, high),
  (_c, _channels, _limits, random) => random.between(-3, 3),
  (_c, _channels, { low }, random) => random.between(low, -1),
  (c, channels, { low, high }) => low + Math.floor((c * (high - low)) / channels),
]

function codesOf({ format, height, width, channels }: IntegerTensor, random: Random): Int8Array | Int16Array {
  const made = format === 's8' ? new Int8Array(height * width * channels) : new Int16Array(height * width * channels)
  const limits = STORED_RANGES[format]
  for (let pixel = 0; pixel < height * width; pixel++) {
    const code = ROWS[pixel % ROWS.length]
    for (let c = 0; c < channels; c++) made[pixel * channels + c] = code(c, channels, limits, random)
  }
  return made
}

const FORMATS = [
  ['s8', 's8'],
  ['s8', 's16'],
  ['s16', 's8'],
  ['s16', 's16'],
] as const
const CHANNELS = [1, 2, 3, 4, 5, 6, 7, 8, 13, 33, 64, 65, 100, 197, 257, 768, LONG_ROW, LONG_ROW + 1, 4099]

describe('rows of every length', () => {
  it.each(Object.keys(DRAWS))('%s', async (kind) => {
    const seen = new Set<number>()
    for (const [turn, channels] of [...CHANNELS, ...CHANNELS.slice(0, 8)].entries()) {
      const random = createRandom(turn)
      const [from, to] = FORMATS[(turn + (turn >> 2)) % FORMATS.length]
      const size = [1, ROWS.length, channels] as const
      const input = tensorOf(0, from, size)
      const instruction = { ...DRAWS[kind](input, to, random), name: `${kind} ${channels} ${turn}` }
      const batch = turn % 3 === 0 ? 3 : 1
      const made = await expectEqualRuns(
        device,
        graphOf({ ...instruction, output: tensorOf(1, to, size) } as ChannelInstruction, [input]),
        Array.from({ length: batch }, () => [codesOf(input, random)]),
      )
      for (const code of made) seen.add(code)
    }
    expect(seen.size).toBeGreaterThan(300)
  })
})

describe('limits', () => {
  it('softmax of 65,536 equal codes, whose exponentials sum up to 2^31', async () => {
    const random = createRandom(1)
    const size = [1, 2, 65536] as const
    const input = tensorOf(0, 's8', size)
    const drawn = { ...randomSoftmax(input, 's16', random), one: 32768, outputZeroPoint: 0, clamp: STORED_RANGES.s16 }
    const codes = new Int8Array(2 * 65536)
    codes[65536 + 7] = 1
    const instruction = { ...drawn, name: 'softmax', output: tensorOf(1, 's16', size) } as ChannelInstruction
    await expectEqualRuns(device, graphOf(instruction, [input]), [[codes]])
  })

  it.each(['exact', 'shift', 'shift-deployment', 'poly'] as const)(
    'normalisation of 32,767 channels by the rule %s',
    async (rule) => {
      const size = [1, ROWS.length, 32767] as const
      const input = tensorOf(0, 's16', size)
      const random = createRandom(3)
      const drawn = { ...randomNormalize(input, 's16', rule, random), centred: true, squareShift: 0 }
      const instruction = { ...drawn, name: rule, output: tensorOf(1, 's16', size) }
      await expectEqualRuns(device, graphOf(instruction, [input]), [[codesOf(input, random)]])
    },
  )

  it.each(['exact', 'shift', 'shift-deployment', 'poly'] as const)(
    'the last bits of what the rule %s gives, before weights round them',
    async (rule) => {
      const size = [1, 3, 4099] as const
      const random = createRandom(4)
      const input = tensorOf(0, 's16', size)
      const instruction = {
        ...randomNormalize(input, 's16', rule, random),
        name: rule,
        output: tensorOf(1, 's16', size),
        centred: true,
        squareShift: 0,
        multipliers: new Int32Array(4099).fill(2 ** 31 - 1),
        biases: new Int32Array(4099),
        shift: 33,
        outputZeroPoint: 0,
        clamp: STORED_RANGES.s16,
      }
      // A large deviation and small differences: results of a few units.
      const codes = Int16Array.from({ length: 3 * 4099 }, (_, i) =>
        i % 4 === 0 ? random.pick([-32767, 32767]) : random.between(-99, 99),
      )
      await expectEqualRuns(device, graphOf(instruction, [input]), [[codes]])
    },
  )

  it('exponentials of the polynomial family that sum up to a power of two', async () => {
    const size = [1, 1, 2] as const
    const input = tensorOf(0, 's16', size)
    const instruction = {
      kind: 'family-softmax',
      name: 'power',
      input,
      output: tensorOf(1, 's16', size),
      rule: 'poly',
      scale: 0.001,
      bits: 16,
      outputZeroPoint: -32768,
      clamp: STORED_RANGES.s16,
    } as const
    const exponential = softmaxExponential(instruction)
    const wanted = 2 ** 15 - exponentialBelow(0, exponential)
    const distance = Array.from({ length: 65536 }, (_, d) => exponentialBelow(d, exponential)).indexOf(wanted)
    expect(distance).toBeGreaterThan(0)
    const codes = await expectEqualRuns(device, graphOf(instruction, [input]), [[Int16Array.of(0, -distance)]])
    expect(codes[0] + codes[1]).toBe(0)
  })

  it('more workgroups than one dimension of a dispatch holds', async () => {
    const limits: Record<string, number> = {}
    for (const name in device.limits) limits[name] = device.limits[name as keyof GPUSupportedLimits] as number
    limits.maxComputeWorkgroupsPerDimension = 3
    const narrow = new Proxy(device, {
      get(target, key) {
        if (key === 'limits') return limits
        const value = Reflect.get(target, key, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    const random = createRandom(5)
    const size = [1, 100, 13] as const
    const input = tensorOf(0, 's8', size)
    const drawn = randomNormalize(input, 's8', 'exact', random)
    const graph = graphOf({ ...drawn, name: 'folded', output: tensorOf(1, 's8', size) }, [input])
    const [dispatch] = emitGraph(graph).header.dispatches.filter(({ family }) => family === 'normalize')
    expect(Math.ceil(dispatch.extent[0] / 64)).toBeGreaterThan(3)
    await expectEqualRuns(narrow, graph, [[codesOf(input, random)], [codesOf(input, random)]])
  })
})
