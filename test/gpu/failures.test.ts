/** What can go wrong on WebGPU, by name, and shaders that give wrong integers. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { emitGpuProgram } from '../../src/gpu/emit.ts'
import { type IntegerArray, interpret } from '../../src/program/interpret.ts'
import { createRandom, randomInputs } from '../../src/program/program.fixture.ts'
import { createBuilder } from '../../src/program/random-graph.fixture.ts'
import { type GpuFailure, load, openDevice } from '../../src/runtime/gpu/index.ts'
import { type GpuProgram, writeGpuProgram } from '../../src/runtime/gpu/program.ts'
import { dawn } from './dawn.ts'

/** Without products of matrices, whose shaders take seconds to compile on a processor. */
function quickProgram() {
  const random = createRandom(8)
  const builder = createBuilder('quick', random)
  builder.output(builder.table(builder.input(3, 3, 8)))
  const graph = builder.graph()
  const sample = randomInputs(graph, random)
  return {
    file: writeGpuProgram(emitGpuProgram(graph)),
    inputs: Object.fromEntries(sample) as Record<string, IntegerArray>,
    expected: Object.fromEntries(interpret(graph, sample)),
  }
}

const random = createRandom(7)
const builder = createBuilder('failures', random)
const input = builder.input(6, 6, 16)
builder.output(
  builder.convolution(input, {
    outputs: 16,
    window: { kernel: [1, 1], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] },
  }),
)
const graph = builder.graph()
const program = emitGpuProgram(graph)
const sample = randomInputs(graph, random)
const inputs = Object.fromEntries(sample) as Record<string, IntegerArray>
const expected = Object.fromEntries(interpret(graph, sample))

let device: GPUDevice
beforeAll(async () => {
  device = (await openDevice({ gpu: dawn() })).device
})
afterAll(() => device.destroy())

const fails = (work: Promise<unknown>, failure: GpuFailure, text: RegExp) =>
  expect(work).rejects.toMatchObject({ name: 'GpuError', failure, message: expect.stringMatching(text) })

describe('failures of a device', () => {
  it('names a missing adapter', async () => {
    const none = { requestAdapter: async () => null } as unknown as GPU
    await fails(load(writeGpuProgram(program), { gpu: none }), 'no-adapter', /offers no adapter/)
  })

  it('names a level that is not there', async () => {
    const without = { wgslLanguageFeatures: new Set<string>() } as unknown as GPU
    await fails(
      load(writeGpuProgram(program), { gpu: without, device, level: 'dot4' }),
      'missing-feature',
      /dot4.*plain/,
    )
  })

  it('names a limit', async () => {
    await fails(load(writeGpuProgram(program), { gpu: dawn(), device, batch: 2 ** 24 }), 'limit', /arena of a batch/)
  })

  it('names a device that is lost in a run, and from then on', async () => {
    const quick = quickProgram()
    const network = await load(quick.file, { gpu: dawn() })
    expect(await network.runInteger(quick.inputs)).toEqual(quick.expected)
    const running = network.runInteger(quick.inputs)
    network.session.device.destroy()
    await fails(running, 'device-lost', /lost/)
    await fails(network.runInteger(quick.inputs), 'device-lost', /lost/)
  })

  it('refuses an index outside the table', async () => {
    const random = createRandom(9)
    const builder = createBuilder('indices', random)
    builder.output(builder.lookup(builder.indices(4, 6), 5, 1))
    const graph = builder.graph()
    const sample = Object.fromEntries(randomInputs(graph, random))
    const network = await load(writeGpuProgram(emitGpuProgram(graph)), { gpu: dawn(), device })
    const [{ name }] = network.inputs
    sample[name] = Int32Array.of(0, 1, 6, 2)
    await expect(network.runInteger(sample)).rejects.toThrow(/holds 6 at 2; its integers lie in 0 … 5/)
    network.destroy()
  })

  it('refuses bytes that are no program', async () => {
    await expect(load(new Uint8Array(40), { gpu: dawn(), device })).rejects.toThrow('not a dyadic GPU program')
    await expect(load(writeGpuProgram(program).subarray(0, 5000), { gpu: dawn(), device })).rejects.toThrow('header')
  })
})

describe('the self-test of levels', () => {
  const changed = (edit: (code: string) => string): GpuProgram => ({
    ...program,
    header: {
      ...program.header,
      shaders: program.header.shaders.map((shader) =>
        shader.level === 'dot4' ? { ...shader, code: edit(shader.code) } : shader,
      ),
    },
  })

  it.each([
    ['wrong integers', (code: string) => code.replaceAll('dot4I8Packed(', '1 + dot4I8Packed('), /integers.*wrong/],
    ['no shader', (code: string) => `${code}\nthis is not WGSL`, /self-test|prepare/],
  ] as const)('falls to the next level where one gives %s', async (_, edit, reason) => {
    const broken = changed(edit)
    expect(broken.header.shaders).not.toEqual(program.header.shaders)
    const network = await load(writeGpuProgram(broken), { gpu: dawn(), device, level: 'dot4' })
    expect(network.refused.length).toBeGreaterThan(0)
    for (const one of network.refused)
      expect(one).toMatchObject({ level: 'dot4', reason: expect.stringMatching(reason) })
    expect(network.level).toBe('plain')
    expect(await network.runInteger(inputs)).toEqual(expected)
    network.destroy()
  })
})
