/** Random integer graphs and a transformer on WebGPU: every level and a batch, byte for byte what the scalar meaning gives. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openGlyphs } from '../../src/data/index.ts'
import { emitGpuProgram } from '../../src/gpu/emit.ts'
import { compile, parseOnnx, quantize } from '../../src/index.ts'
import type { IntegerGraph, Window } from '../../src/lower/integer-graph.ts'
import { type IntegerArray, interpret } from '../../src/program/interpret.ts'
import { createRandom, type Random, randomInputs } from '../../src/program/program.fixture.ts'
import { createBuilder, type GraphBuilder } from '../../src/program/random-graph.fixture.ts'
import { nonlinearFamilies } from '../../src/quantize/plan.ts'
import { type GpuLevel, load, openDevice } from '../../src/runtime/gpu/index.ts'
import { writeGpuProgram } from '../../src/runtime/gpu/program.ts'
import { dawn } from './dawn.ts'

/** Graphs of each kind. */
const SEEDS = 8

let device: GPUDevice
beforeAll(async () => {
  device = (await openDevice({ gpu: dawn() })).device
})
afterAll(() => device.destroy())

/** Images one behind the other, per port. */
function joined(images: readonly ReadonlyMap<string, IntegerArray>[]): Record<string, IntegerArray> {
  return Object.fromEntries(
    [...(images[0] as ReadonlyMap<string, IntegerArray>)].map(([name, first]) => {
      const all = new (first.constructor as Int32ArrayConstructor)(first.length * images.length)
      for (const [i, image] of images.entries()) all.set(image.get(name) as Int32Array, i * first.length)
      return [name, all as IntegerArray]
    }),
  )
}

async function expectEqual(graph: IntegerGraph, random: Random, batch: number, level: GpuLevel): Promise<void> {
  const samples = Array.from({ length: batch }, () => randomInputs(graph, random))
  const network = await load(writeGpuProgram(emitGpuProgram(graph)), { gpu: dawn(), device, batch, level })
  const expected = joined(samples.map((sample) => interpret(graph, sample)))
  const found = await network.runInteger(joined(samples))
  network.destroy()
  expect(network.refused).toEqual([])
  expect(Object.keys(found)).toEqual(Object.keys(expected))
  for (const [name, values] of Object.entries(found))
    expect(
      values.every((value, i) => value === expected[name]?.[i]),
      `${graph.name} ${name} ${level}`,
    ).toBe(true)
}

const window = (kernel: number, stride = 1, pad = 0, dilation = 1): Window => ({
  kernel: [kernel, kernel],
  strides: [stride, stride],
  dilations: [dilation, dilation],
  pads: [pad, pad, pad, pad],
})

const SHAPES = [
  ['a pointwise layer', 8, 8, 5, 16, window(1)],
  ['aligned channels', 8, 8, 16, 32, window(1)],
  ['a window with padding', 7, 9, 3, 20, window(3, 1, 1)],
  ['strides and dilations', 11, 11, 17, 9, window(3, 2, 2, 2)],
  ['a dense layer', 4, 4, 12, 10, window(4)],
  ['aligned windows', 9, 9, 32, 48, window(3, 1, 1)],
] as const

const levels = ['plain', 'dot4'] as const

describe.each(levels)('on level %s', (level) => {
  // Compiling a shader takes seconds on a processor; test/gpu/failures.test.ts runs dense layers on the level plain.
  const shapes = level === 'plain' ? SHAPES.filter(([, , , , , { kernel }]) => kernel[0] === 3) : SHAPES
  it.each(shapes)('%s', async (_, height, width, channels, outputs, shape) => {
    for (const [seed, format] of (['s8', 's16', 's32'] as const).entries()) {
      const random = createRandom(seed + 100)
      const builder = createBuilder('convolution', random)
      const input = builder.input(height, width, channels)
      const made = builder.convolution(input, {
        outputs,
        window: shape,
        format,
        inputZeroPoints: 'channel',
        multipliers: seed === 1 ? 'extreme' : 'fill',
      })
      builder.output(made)
      await expectEqual(builder.graph(), random, 3, level)
    }
  })
})

describe('instructions of one level', () => {
  const grow = (build: (builder: GraphBuilder, random: Random) => void) => async () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const random = createRandom(seed)
      const builder = createBuilder('random', random)
      build(builder, random)
      await expectEqual(builder.graph(), random, 1 + (seed % 3), 'plain')
    }
  }
  const formats = ['s8', 's16'] as const

  it(
    'depthwise and grouped convolutions',
    grow((builder, random) => {
      const input = builder.input(7, 6, 12)
      const format = random.pick(formats)
      builder.output(builder.convolution(input, { outputs: 12, groups: 12, window: window(3, 1, 1), format }))
      builder.output(builder.convolution(input, { outputs: 8, groups: 4, window: window(2), format }))
    }),
  )
  it(
    'sums, pools and tables',
    grow((builder) => {
      const input = builder.input(8, 7, 11)
      const wide = builder.input(8, 7, 11, 's16')
      builder.output(builder.add(input, builder.table(input)))
      builder.output(builder.maxPool(wide, window(3, 2, 1)))
      builder.output(builder.averagePool(input, window(2, 2)))
      builder.output(builder.averagePool(wide, window(3)))
      builder.output(builder.table(input, 's16'))
    }),
  )
  it(
    'codes to other places',
    grow((builder, random) => {
      const input = builder.input(5, 6, random.between(1, 20), 'u8', random.pick(['nchw', 'nhwc']))
      const moved = builder.permute(builder.select(input))
      builder.outputInAnyOrder(moved, random.pick(['u8', 's8']))
      builder.output(builder.concat([input, builder.table(input)], random.pick(['height', 'width', 'channels'])))
    }),
  )
  it(
    'products, normalisation and look-ups',
    grow((builder, random) => {
      const size = { rows: random.between(1, 9), inner: random.between(1, 20), columns: random.between(1, 20) }
      const batches = random.pick([[], [2], [3, 2]])
      builder.output(builder.product({ ...size, batches }, [random.pick(formats), random.pick(formats), 's8']))
      builder.output(builder.product({ ...size, batches }, ['s16', random.pick(formats), 's16']))
      const input = builder.input(2, 3, random.between(1, 40), random.pick(formats))
      builder.output(builder.normalize(input, 's8'))
      builder.output(builder.normalize(input, 's16'))
      builder.output(builder.lookup(builder.indices(8, 6), random.between(1, 20), 2, random.pick(formats)))
    }),
  )
})

it.each(nonlinearFamilies)('the transformer of the examples with functions of the family %s', async (nonlinear) => {
  const bytes = readFileSync(new URL('../../examples/glyphs/glyphs-transformer.onnx', import.meta.url))
  const graph = parseOnnx(bytes)
  const samples = openGlyphs({ seed: 1, first: 100_000, count: 8 })
  const { integerGraph } = compile(graph, await quantize(graph, samples, { nonlinear }))
  await expectEqual(integerGraph, createRandom(1), 2, 'dot4')
})
