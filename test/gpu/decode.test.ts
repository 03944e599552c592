/**
 * Products of few rows on WebGPU: the kernels of src/kernels/gpu/gemv.ts give the scalar meaning's bytes, weights of four bits
 * take half the file, and tables of tiles choose kernels without changing a byte.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { emitGpuProgram } from '../../src/gpu/emit.ts'
import { GEMV_KERNELS } from '../../src/kernels/gpu/gemv.ts'
import type { GpuKernel } from '../../src/kernels/gpu/kernel.ts'
import type { ConvolutionInstruction, IntegerGraph, Window } from '../../src/lower/integer-graph.ts'
import { type IntegerArray, interpret } from '../../src/program/interpret.ts'
import { createRandom, type Random, randomInputs } from '../../src/program/program.fixture.ts'
import { createBuilder } from '../../src/program/random-graph.fixture.ts'
import { type GpuOptions, load, openDevice } from '../../src/runtime/gpu/index.ts'
import { type GpuProgram, writeGpuProgram } from '../../src/runtime/gpu/program.ts'
import { dawn } from './dawn.ts'

let device: GPUDevice
beforeAll(async () => {
  device = (await openDevice({ gpu: dawn() })).device
})
afterAll(() => device.destroy())

const POINT: Window = { kernel: [1, 1], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] }
const BATCH = 3

interface Case {
  readonly graph: IntegerGraph
  readonly program: GpuProgram
  readonly inputs: Record<string, IntegerArray>
  readonly expected: ReadonlyMap<string, IntegerArray>
}

/** Images one behind the other, per port. */
function joined(images: readonly ReadonlyMap<string, IntegerArray>[]): Map<string, IntegerArray> {
  return new Map(
    [...(images[0] as ReadonlyMap<string, IntegerArray>)].map(([name, first]) => {
      const all = new (first.constructor as Int32ArrayConstructor)(first.length * images.length)
      for (const [i, image] of images.entries()) all.set(image.get(name) as Int32Array, i * first.length)
      return [name, all as IntegerArray]
    }),
  )
}

function caseOf(graph: IntegerGraph, random: Random): Case {
  const samples = Array.from({ length: BATCH }, () => randomInputs(graph, random))
  return {
    graph,
    program: emitGpuProgram(graph),
    inputs: Object.fromEntries(joined(samples)),
    expected: joined(samples.map((sample) => interpret(graph, sample))),
  }
}

/**
 * Dense layers on 1 and 5 pixels of as many channels as a step of all threads and more take, outputs of every width, with and
 * without a residual.
 */
function layers(seed: number, weightFormat: 's8' | 'u8' | 's4'): Case {
  const random = createRandom(seed)
  const builder = createBuilder('few-rows', random)
  const layer = { window: POINT, weightFormat, inputZeroPoints: 'channel' } as const
  const deep = builder.input(1, 1, 4200)
  builder.output(builder.convolution(deep, { ...layer, outputs: 10 }))
  const input = builder.input(1, 5, 75)
  const first = builder.convolution(input, { ...layer, outputs: 40, multipliers: 'extreme' })
  const wide = builder.convolution(first, { ...layer, outputs: 33, format: 's16' })
  builder.output(first)
  builder.output(builder.convolution(first, { ...layer, outputs: 40, residual: first }))
  builder.output(builder.convolution(first, { ...layer, outputs: 33, format: 's16', residual: wide }))
  builder.output(builder.convolution(first, { ...layer, outputs: 7, format: 's32' }))
  return caseOf(builder.graph(), random)
}

/** Runs a case and returns the names of the shaders that its products took. */
async function expectBytes({ program, inputs, expected }: Case, options: GpuOptions): Promise<Set<string>> {
  const network = await load(writeGpuProgram(program), { gpu: dawn(), device, batch: BATCH, ...options })
  const found = await network.runInteger(inputs)
  const { shaders } = network.session
  network.destroy()
  expect(network.refused).toEqual([])
  expect(Object.keys(found)).toEqual([...expected.keys()])
  for (const [name, values] of expected)
    expect(
      found[name]?.every((value, i) => value === values[i]),
      name,
    ).toBe(true)
  return new Set(shaders.filter((_, i) => program.header.dispatches[i]?.depth !== undefined).map(({ name }) => name))
}

/** Each way to store weights, each tile and each level; compiling all of them takes minutes on a processor. */
const KERNELS = [
  ['s8', 'gemv_dense__dot4_1x8'],
  ['u8', 'gemv_dense_offset__dot4_8x8'],
  ['u8', 'gemv_dense_offset__plain_1x8'],
  ['s4', 'gemv_dense4__dot4_4x8'],
  ['s4', 'gemv_dense4__plain_1x8'],
] as const

it.each(KERNELS)('weights %s in the kernel %s', async (format, name) => {
  const { level, tile } = GEMV_KERNELS.find((kernel) => kernel.name === name) as GpuKernel
  const tiles = { schema: 1, rules: [{ level, tile: [tile[0], tile[1]] }] } as const
  expect(await expectBytes(layers(21, format), { level, tiles })).toEqual(new Set([name]))
})

describe('weights of four bits', () => {
  const edited = (edit: (layer: ConvolutionInstruction) => ConvolutionInstruction, pixels = 8): GpuProgram => {
    const random = createRandom(31)
    const builder = createBuilder('nibbles', random)
    const input = builder.input(1, pixels, 320)
    builder.output(builder.convolution(input, { outputs: 64, window: POINT, weightFormat: 's4' }))
    const graph = builder.graph()
    const instructions = graph.instructions.map((one) => (one.kind === 'convolution' ? edit(one) : one))
    return emitGpuProgram({ ...graph, instructions })
  }
  const families = (program: GpuProgram) =>
    program.header.dispatches.filter(({ depth }) => depth !== undefined).map(({ family }) => family)
  const withWeight = (weight: number) => (layer: ConvolutionInstruction) => {
    const weights = layer.weights.slice()
    weights[77] = weight
    return { ...layer, weights }
  }

  it('are found by value and take half the bytes', () => {
    const [four, eight] = [edited(withWeight(-8)), edited(withWeight(8))]
    expect([families(four), families(eight)]).toEqual([['dense4'], ['dense-16']])
    const probes = (program: GpuProgram) =>
      program.header.probes.reduce((sum, { constants }) => sum + constants.bytes, 0)
    const own = (program: GpuProgram) => program.constants.length - probes(program)
    expect(own(eight) - own(four)).toBe((320 * 64) / 2)
  })

  it('are for few rows: with more, products cost more than reading', () => {
    expect(families(edited((layer) => layer, 9))).toEqual(['dense-16'])
  })
})
