/** Products of two computed matrices by tiles, and 16-bit operands of convolutions: byte for byte the scalar meaning. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { emitGpuProgram } from '../../src/gpu/emit.ts'
import { productOperands } from '../../src/gpu/product-probe.ts'
import { channelStride } from '../../src/kernels/scalar/geometry.ts'
import type {
  IntegerGraph,
  IntegerTensor,
  ProductInstruction,
  StorageFormat,
  Window,
} from '../../src/lower/integer-graph.ts'
import { dyadicRatios } from '../../src/num/dyadic.ts'
import { interval } from '../../src/num/interval.ts'
import { type IntegerArray, interpret } from '../../src/program/interpret.ts'
import { createRandom, type Random, randomInputs } from '../../src/program/program.fixture.ts'
import { createBuilder } from '../../src/program/random-graph.fixture.ts'
import { type GpuLevel, load, openDevice } from '../../src/runtime/gpu/index.ts'
import { writeGpuProgram } from '../../src/runtime/gpu/program.ts'
import { dawn } from './dawn.ts'

let device: GPUDevice
beforeAll(async () => {
  device = (await openDevice({ gpu: dawn() })).device
})
afterAll(() => device.destroy())

/** Runs `batch` random samples and compares every output with the scalar meaning. */
async function expectEqual(graph: IntegerGraph, random: Random, batch: number, level: GpuLevel): Promise<void> {
  const samples = Array.from({ length: batch }, () => randomInputs(graph, random))
  const joined = (of: readonly ReadonlyMap<string, IntegerArray>[], name: string): IntegerArray => {
    const parts = of.map((map) => map.get(name) as Int16Array)
    const all = new (parts[0].constructor as Int16ArrayConstructor)(parts[0].length * parts.length)
    for (const [i, part] of parts.entries()) all.set(part, i * part.length)
    return all
  }
  const network = await load(writeGpuProgram(emitGpuProgram(graph)), { gpu: dawn(), device, batch, level })
  const inputs = Object.fromEntries(graph.inputs.map(({ name }) => [name, joined(samples, name)]))
  const found = await network.runInteger(inputs)
  const answers = samples.map((sample) => interpret(graph, sample))
  network.destroy()
  expect(network.refused).toEqual([])
  for (const { name } of graph.outputs) {
    expect(found[name], `${graph.name} ${name}`).toEqual(joined(answers, name))
    // Sums that all ended at a rim would say little.
    expect(new Set(found[name]).size).toBeGreaterThan(Math.min(8, found[name].length / 20))
  }
}

type Narrow = 's8' | 's16'

interface Attention {
  readonly tokens: number
  readonly keys: number
  readonly heads: number
  readonly size: number
  readonly scores: Narrow
  readonly format: Narrow
}

const STORED = { s8: interval(-128, 127), s16: interval(-32768, 32767), s32: interval(-(2 ** 31), 2 ** 31 - 1) }

/**
 * Queries meet keys, and what they give meets values, with heads side by side in the channels, as attention without its softmax
 * has it. Zero points and multipliers are random, those of extreme codes among them.
 */
function attention({ tokens, keys, heads, size, scores, format }: Attention, random: Random): IntegerGraph {
  const builder = createBuilder('attention', random)
  const [query, key, value] = [tokens, keys, keys].map((width) =>
    builder.input(1, width, heads * size, format, 'nhwc', format === 's16' ? interval(-900, 900) : undefined),
  )
  const id = builder.tensors.length
  const tensor = (
    at: number,
    stored: StorageFormat,
    height: number,
    width: number,
    channels: number,
  ): IntegerTensor => ({
    id: id + at,
    name: `made${at}`,
    format: stored,
    height,
    width,
    channels,
    scale: 1,
    zeroPoint: 0,
    range: STORED[stored],
  })
  const met = tensor(0, scores, 1, heads * tokens, keys)
  const made = tensor(1, 's8', 1, tokens, heads * size)
  const channels = channelStride(heads * size)
  const row = channelStride(keys)
  // Both zero points at the rim would drive every sum to one side.
  const zeros = (left: Narrow, right: Narrow): Pick<ProductInstruction, 'leftZeroPoint' | 'rightZeroPoint'> => {
    const far = (of: Narrow): number => (of === 's8' ? random.pick([-128, 127]) : random.pick([-900, 900]))
    const near = (of: Narrow): number => (of === 's8' ? random.between(-3, 3) : random.between(-20, 20))
    return random.chance(0.5)
      ? { leftZeroPoint: far(left), rightZeroPoint: near(right) }
      : { leftZeroPoint: near(left), rightZeroPoint: far(right) }
  }
  const product = (rest: Partial<ProductInstruction>, spread: number): ProductInstruction => {
    const { multipliers, shift } = dyadicRatios([Math.min(0.45, 1 / spread)], 'test')
    return {
      kind: 'product',
      name: 'product',
      leftStart: 0,
      rightStart: 0,
      outputStart: 0,
      leftShift: random.between(0, 1),
      multiplier: multipliers[0],
      shift,
      clamp: interval(-128, 127),
      bounds: { accumulator: STORED.s32, biased: STORED.s32, requantised: STORED.s32 },
      ...rest,
    } as ProductInstruction
  }
  const wide = format === 's16' ? 520 : 74
  const first = product(
    {
      left: query,
      right: key,
      output: met,
      batches: [{ count: heads, leftStep: size, rightStep: size, outputStep: tokens * row }],
      rows: tokens,
      inner: size,
      columns: keys,
      leftSteps: { row: channels, inner: 1 },
      rightSteps: { inner: 1, column: channels },
      outputSteps: { row, column: 1 },
      ...zeros(format, format),
      outputZeroPoint: random.between(-20, 20),
      clamp: scores === 's16' ? interval(-4000, 4100) : interval(-120, 127),
    },
    (wide * wide * Math.sqrt(size)) / (scores === 's16' ? 2000 : 60),
  )
  const second = product(
    {
      left: met,
      right: value,
      output: made,
      batches: [{ count: heads, leftStep: tokens * row, rightStep: size, outputStep: size }],
      rows: tokens,
      inner: keys,
      columns: size,
      leftSteps: { row, inner: 1 },
      rightSteps: { inner: channels, column: 1 },
      outputSteps: { row: channels, column: 1 },
      ...zeros(scores, format),
      outputZeroPoint: random.between(-20, 20),
    },
    ((scores === 's16' ? 2000 : 60) * wide * Math.sqrt(keys)) / 60,
  )
  const rim = (name: string, from: IntegerTensor) => {
    const pixels = from.height * from.width
    const port = { name, shape: [1, pixels, from.channels], layout: 'nhwc', scale: [1], zeroPoint: [0] } as const
    return {
      port: { ...port, format: from.format as Narrow },
      instruction: {
        kind: 'export',
        name,
        input: from,
        outputName: name,
        format: from.format as Narrow,
        start: 0,
        loops: [
          { count: pixels, step: channelStride(from.channels) },
          { count: from.channels, step: 1 },
        ],
      } as const,
    }
  }
  const [a, b] = [rim('met', met), rim('made', made)]
  const graph = builder.graph()
  return {
    ...graph,
    outputs: [a.port, b.port],
    tensors: [...graph.tensors, met, made],
    instructions: [...graph.instructions, first, second, a.instruction, b.instruction],
  }
}

const CASES: readonly (readonly [string, Attention, batch: number])[] = [
  ['tokens that end within a word', { tokens: 69, keys: 69, heads: 22, size: 16, scores: 's16', format: 's8' }, 3],
  ['bytes throughout', { tokens: 17, keys: 130, heads: 3, size: 8, scores: 's8', format: 's8' }, 1],
  ['16 bits throughout', { tokens: 40, keys: 21, heads: 2, size: 16, scores: 's16', format: 's16' }, 3],
  ['16-bit values of byte scores', { tokens: 3, keys: 34, heads: 1, size: 40, scores: 's8', format: 's16' }, 1],
]

describe.each(['dot4', 'plain'] as const)('products by tiles on level %s', (level) => {
  // Compiling a shader takes seconds on a processor: the level plain has the same text but for one function.
  it.each(level === 'plain' ? [] : CASES)('%s', async (_, sizes, batch) => {
    const random = createRandom(batch + 10)
    const graph = attention(sizes, random)
    const { dispatches } = emitGpuProgram(graph).header
    expect(dispatches.filter(({ family }) => productOperands(family) !== undefined)).toHaveLength(2)
    await expectEqual(graph, random, batch, level)
  })

  it('random sizes', async () => {
    for (let seed = 1; seed <= 8; seed++) {
      const random = createRandom(seed)
      const sizes = { tokens: random.between(1, 130), keys: random.between(1, 130), heads: random.between(1, 4) }
      const graph = attention({ ...sizes, size: 8 * random.between(1, 9), scores: 's16', format: 's8' }, random)
      await expectEqual(graph, random, random.pick([1, 3]), level)
    }
  })
})

const window = (kernel: number, stride = 1, pad = 0): Window => ({
  kernel: [kernel, kernel],
  strides: [stride, stride],
  dilations: [1, 1],
  pads: [pad, pad, pad, pad],
})

describe.each(['dot4', 'plain'] as const)('convolutions of 16-bit inputs on level %s', (level) => {
  const shapes = [
    ['a pointwise layer', 13, 11, 20, 72, window(1)],
    ['a window with padding', 7, 9, 11, 40, window(3, 2, 1)],
    ['a dense layer', 3, 3, 12, 10, window(3)],
  ] as const
  it.each(level === 'plain' ? shapes.slice(2) : shapes)('%s', async (_, height, width, channels, outputs, shape) => {
    for (const [seed, format] of (['s8', 's16', 's32'] as const).entries()) {
      const random = createRandom(seed + 200)
      const builder = createBuilder('convolution', random)
      const input = builder.input(height, width, channels, 's16', 'nchw', interval(-20000, 20000))
      builder.output(builder.convolution(input, { outputs, window: shape, format, inputZeroPoints: 'channel' }))
      const graph = builder.graph()
      expect(emitGpuProgram(graph).header.dispatches.map(({ family }) => family)).toContainEqual(
        expect.stringMatching(/^wide-/),
      )
      await expectEqual(graph, random, 1 + (seed % 2), level)
    }
  })
})
