/** What can go wrong on WebGPU, by name, and shaders that give wrong integers. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { emitGpuProgram } from '../../src/gpu/emit.ts'
import { type IntegerArray, interpret } from '../../src/program/interpret.ts'
import { createRandom, randomInputs } from '../../src/program/program.fixture.ts'
import { createBuilder } from '../../src/program/random-graph.fixture.ts'
import { type GpuFailure, load, openDevice } from '../../src/runtime/gpu/index.ts'
import { type GpuProgram, writeGpuProgram } from '../../src/runtime/gpu/program.ts'
import { dawn } from './dawn.ts'

/** Without products of matrices, whose shaders take seconds to compile on a processor. */
const quickGraph = (() => {
  const builder = createBuilder('quick', createRandom(8))
  builder.output(builder.table(builder.input(3, 3, 8)))
  return builder.graph()
})()
const quickProgram = emitGpuProgram(quickGraph)
const quickSample = randomInputs(quickGraph, createRandom(9))
const quick = {
  file: writeGpuProgram(quickProgram),
  inputs: Object.fromEntries(quickSample) as Record<string, IntegerArray>,
  expected: Object.fromEntries(interpret(quickGraph, quickSample)),
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

const execute = promisify(execFile)

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
    await fails(load(quick.file, { gpu: none }), 'no-adapter', /offers no adapter/)
  })

  it('names an adapter that gives no device', async () => {
    const adapter = (await dawn().requestAdapter()) as GPUAdapter
    const used = await adapter.requestDevice()
    await fails(load(quick.file, { gpu: dawn(), adapter }), 'no-adapter', /gives no device/)
    used.destroy()
  })

  it.each(['dot4', 'matrix'] as const)('names the level %s where it is not there', async (level) => {
    const without = { wgslLanguageFeatures: new Set<string>() } as unknown as GPU
    const network = load(quick.file, { gpu: without, device, level })
    await fails(network, 'missing-feature', new RegExp(`${level}.*plain`))
  })

  it.each([
    ['bytes of a buffer', 2 ** 22, /arena of a batch of 4194304 takes \d+ bytes, the device binds \d+/],
    ['workgroups', 2 ** 17, /workgroups, the device allows 65535; use a smaller batch/],
    ['32-bit addresses', 2 ** 40, /does not fit a batch/],
  ])('names the limit of %s', async (_, batch, message) => {
    await fails(load(quick.file, { gpu: dawn(), device, batch }), 'limit', message)
  })

  it('names workgroup memory that no shader fits', async () => {
    const shaders = quickProgram.header.shaders.map((shader) => ({ ...shader, workgroupBytes: 2 ** 20 }))
    const file = writeGpuProgram({ ...quickProgram, header: { ...quickProgram.header, shaders } })
    await fails(load(file, { gpu: dawn(), device }), 'limit', /no shader of the family import fits the device/)
  })

  it('names a shader that the device refuses', async () => {
    const shaders = quickProgram.header.shaders.map((shader) => ({ ...shader, code: `${shader.code}\nno WGSL` }))
    const file = writeGpuProgram({ ...quickProgram, header: { ...quickProgram.header, shaders } })
    await fails(load(file, { gpu: dawn(), device }), 'refused', /cannot prepare the GPU program/)
  })

  it('tells programs that are loaded side by side apart', async () => {
    const shaders = quickProgram.header.shaders.map((shader) => ({ ...shader, code: `${shader.code}\nnor this` }))
    const file = writeGpuProgram({ ...quickProgram, header: { ...quickProgram.header, shaders } })
    const options = { gpu: dawn(), device }
    const [good, bad, other] = await Promise.allSettled([
      load(quick.file, options),
      load(file, options),
      load(quick.file, options),
    ])
    expect([good.status, bad.status, other.status]).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    for (const one of [good, other])
      if (one.status === 'fulfilled') {
        expect(await one.value.runInteger(quick.inputs)).toEqual(quick.expected)
        one.value.destroy()
      }
  })

  it('refuses a run of a network that was destroyed', async () => {
    const network = await load(quick.file, { gpu: dawn(), device })
    network.destroy()
    await expect(network.runInteger(quick.inputs)).rejects.toThrow('"quick" was destroyed; load it again')
  })

  it('refuses bytes that are no program', async () => {
    const file = writeGpuProgram(program)
    await fails(load(new Uint8Array(40), { gpu: dawn(), device }), 'program', /not a dyadic GPU program/)
    await fails(load(file.subarray(0, 5000), { gpu: dawn(), device }), 'program', /header has \d+ bytes, the file 5000/)
    await fails(load(file.subarray(0, -1), { gpu: dawn(), device }), 'program', /constants have/)
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
})

/** Long before a test gives up: nothing may wait for a device that is gone. */
const SOON = 20_000

describe('a device that is lost', () => {
  it(
    'is named by runs that wait, and from then on',
    async () => {
      const network = await load(quick.file, { gpu: dawn() })
      expect(await network.runInteger(quick.inputs)).toEqual(quick.expected)
      const running = [1, 2, 3].map(() => network.runInteger(quick.inputs))
      network.session.device.destroy()
      for (const one of running) await fails(one, 'device-lost', /lost/)
      await fails(network.runInteger(quick.inputs), 'device-lost', /lost/)
      network.destroy()
    },
    SOON,
  )

  it(
    'before a program is loaded',
    async () => {
      const { device: gone } = await openDevice({ gpu: dawn() })
      gone.destroy()
      await fails(load(quick.file, { gpu: dawn(), device: gone }), 'device-lost', /lost/)
    },
    SOON,
  )

  it.each(['at once', 'while shaders compile'])(
    'while a program is loaded, %s',
    async (when) => {
      const { device: going } = await openDevice({ gpu: dawn() })
      const loading = load(writeGpuProgram(program), { gpu: dawn(), device: going, level: 'dot4' })
      const named = fails(loading, 'device-lost', /lost/)
      if (when !== 'at once') await new Promise((resolve) => setTimeout(resolve, 300))
      going.destroy()
      await named
    },
    SOON,
  )
})

describe('memory', () => {
  it('that is out is named, and smaller networks go on', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'dyadic-memory-'))
    try {
      const builder = createBuilder('large', createRandom(8))
      builder.output(builder.table(builder.input(64, 64, 8)))
      const files = [join(folder, 'quick.gpu'), join(folder, 'large.gpu')] as const
      await writeFile(files[0], quick.file)
      await writeFile(files[1], writeGpuProgram(emitGpuProgram(builder.graph())))
      const child = fileURLToPath(new URL('out-of-memory-child.mjs', import.meta.url))
      const { stdout } = await execute(process.execPath, [child, ...files], { timeout: SOON })
      expect(JSON.parse(stdout)).toEqual({
        failure: 'out-of-memory',
        message: expect.stringMatching(/cannot (prepare|make room)/),
        before: expect.stringMatching(/^[0-9a-f]{64}$/),
        same: true,
      })
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }, 30_000)
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
