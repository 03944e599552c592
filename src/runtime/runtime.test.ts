import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { createContext, runInContext } from 'node:vm'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import wabt from 'wabt'
import { load, loadSync, type Manifest, type Port } from './index.ts'

const { parseWat } = await wabt()

const port = (fields: Partial<Port> & Pick<Port, 'name' | 'offset'>): Port => ({
  shape: [1, 2, 2],
  format: 'u8',
  scale: [0.5],
  zeroPoint: [10],
  channelAxis: 1,
  count: 4,
  ...fields,
})
const MANIFEST: Manifest = {
  schema: 1,
  name: 'copy',
  inputs: [
    port({ name: 'image', offset: 0, scale: [0.5, 0.25], zeroPoint: [10, 0] }),
    port({ name: 'state', offset: 4, format: 's8', zeroPoint: [-3], scale: [0.1] }),
    port({ name: 'wide', offset: 8, format: 's32', zeroPoint: [0], scale: [1e-3], shape: [2], count: 2 }),
  ],
  outputs: [
    port({ name: 'image out', offset: 16, scale: [0.5, 0.25], zeroPoint: [10, 0] }),
    port({ name: '__proto__', offset: 20, format: 's8', zeroPoint: [-3], scale: [0.1] }),
    port({ name: 'wide', offset: 24, format: 's32', zeroPoint: [0], scale: [1e-3], shape: [2], count: 2 }),
  ],
}

function withManifest(wasm: Uint8Array, text: string): Uint8Array<ArrayBuffer> {
  const name = 'dyadic.manifest'
  const leb = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...leb(value >> 7)])
  const content = [name.length, ...new TextEncoder().encode(name + text)]
  return Uint8Array.from([...wasm, 0, ...leb(content.length), ...content])
}
const assemble = (text: string) => parseWat('test.wat', text, { bulk_memory: true }).toBinary({}).buffer
/** `run` copies the 16 bytes of the inputs to the outputs. */
const BARE = assemble(`(module (memory (export "memory") 1 1)
  (func (export "run") i32.const 16 i32.const 0 i32.const 16 memory.copy))`)
const program = (manifest: unknown = MANIFEST) => withManifest(BARE, JSON.stringify(manifest))
const BYTES = program()
const INTEGERS = {
  image: Uint8Array.of(0, 12, 128, 255),
  state: Int8Array.of(-128, -3, 0, 127),
  wide: Int32Array.of(-(2 ** 31), 2 ** 31 - 1),
}

describe('load', () => {
  it('takes bytes, buffers, modules, responses, URLs and paths', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'runtime-'))
    const path = join(folder, 'model file.wasm')
    await writeFile(path, BYTES)
    const server = createServer((request, response) => {
      const type = request.url === '/typed.wasm' ? 'application/wasm' : 'application/octet-stream'
      response.writeHead(request.url === '/missing.wasm' ? 404 : 200, { 'content-type': type })
      response.end(request.url === '/page.wasm' ? '<!doctype html>' : BYTES)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    try {
      const sources = [
        BYTES,
        BYTES.buffer,
        new WebAssembly.Module(BYTES),
        new Response(BYTES),
        new Response(BYTES, { headers: { 'content-type': 'application/wasm' } }),
        path,
        pathToFileURL(path),
        pathToFileURL(path).href,
        `${base}/typed.wasm`,
        new URL(`${base}/untyped.wasm`),
        `data:application/wasm;base64,${Buffer.from(BYTES).toString('base64')}`,
      ]
      for (const source of sources)
        expect((await load(source)).runInteger(INTEGERS)['image out']).toEqual(INTEGERS.image)
      await expect(load(`${base}/missing.wasm`)).rejects.toThrow(`cannot load ${base}/missing.wasm: HTTP 404 Not Found`)
      await expect(load(`${base}/page.wasm`)).rejects.toThrow('cannot compile the module: ')
      await expect(load(join(folder, 'none.wasm'))).rejects.toThrow(/cannot load .*none\.wasm: ENOENT/)
    } finally {
      server.close()
      await rm(folder, { recursive: true })
    }
  })

  it('loads synchronously, and each load has its own memory', () => {
    const first = loadSync(BYTES)
    const second = loadSync(new WebAssembly.Module(BYTES))
    const before = first.runInteger(INTEGERS)
    second.runInteger({ ...INTEGERS, image: new Uint8Array(4) })
    expect(first.runInteger(INTEGERS)).toEqual(before)
    expect(before['image out']).toEqual(INTEGERS.image)
  })

  it('gives a frozen description', () => {
    const network = loadSync(BYTES)
    expect(network.manifest).toEqual(MANIFEST)
    expect(network.inputs).toBe(network.manifest.inputs)
    expect(Object.isFrozen(network.outputs[0].scale)).toBe(true)
  })

  it.each([
    ['no manifest', BARE, 'the module has 0 sections "dyadic.manifest", expected 1'],
    ['a manifest that is not JSON', withManifest(BARE, '{'), 'the section "dyadic.manifest" is not JSON'],
    ['null', program(null), 'the manifest has schema undefined'],
    ['a later schema', program({ ...MANIFEST, schema: 2 }), 'the manifest has schema 2, this runtime reads 1'],
    ['no outputs', program({ schema: 1, inputs: [] }), 'lists no inputs or no outputs'],
    ['an unknown format', program({ ...MANIFEST, inputs: [{ ...MANIFEST.inputs[0], format: 'f32' }] }), 'port "image"'],
    ['a port outside', program({ ...MANIFEST, inputs: [port({ name: 'x', offset: 65535 })] }), 'port "x" does not fit'],
    [
      'an odd address',
      program({ ...MANIFEST, inputs: [port({ name: 'x', offset: 2, format: 's32' })] }),
      'multiple of 4',
    ],
    ['a wrong count', program({ ...MANIFEST, inputs: [port({ name: 'x', offset: 0, count: 3 })] }), 'contradictory'],
    [
      'missing scales',
      program({ ...MANIFEST, inputs: [port({ name: 'x', offset: 0, scale: [1, 2] })] }),
      'contradictory',
    ],
    [
      'negative sizes',
      program({
        ...MANIFEST,
        inputs: [port({ name: 'x', offset: 0, shape: [-1, 2, -2], scale: [1, 1], zeroPoint: [0, 0] })],
      }),
      'contradictory',
    ],
    ['an import', withManifest(assemble('(module (import "a" "b" (func)))'), '{}'), 'the module has 1 imports'],
    ['other exports', withManifest(assemble('(module (func (export "f")))'), JSON.stringify(MANIFEST)), 'exports f'],
    ['text', new TextEncoder().encode('hello'), 'cannot compile the module'],
  ])('refuses %s', async (_case, bytes, message) => {
    await expect(load(bytes)).rejects.toThrow(message)
    expect(() => loadSync(bytes)).toThrow(message)
  })
})

describe('run', () => {
  const network = loadSync(BYTES)

  it('takes and gives 16-bit integers', () => {
    const half = { format: 's16', shape: [8], count: 8, scale: [0.25], zeroPoint: [100] } as const
    const words = loadSync(
      program({
        ...MANIFEST,
        inputs: [port({ ...half, name: 'x', offset: 0 })],
        outputs: [port({ ...half, name: 'y', offset: 16 })],
      }),
    )
    const x = Int16Array.of(-32768, -1, 0, 1, 99, 100, 1000, 32767)
    expect(words.runInteger({ x }).y).toEqual(x)
    expect([...words.run({ x }).y]).toEqual([...x].map((code) => (code - 100) / 4))
    const reals = [-1e9, -25.125, -25.126, 0, 0.124, 0.125, 1, 1e9]
    expect([...words.run({ x: reals }).y]).toEqual([-8217, -25, -25.25, 0, 0, 0.25, 1, 8166.75])
    expect(() => words.runInteger({ x: new Int32Array(8) })).toThrow('expected Int16Array of stored integers')
  })

  it('takes indices as plain, 32-bit or 64-bit integers, and refuses those outside the range by index and value', () => {
    const ids = { format: 's32', shape: [4], count: 4, scale: [1], zeroPoint: [0] } as const
    const tokens = loadSync(
      program({
        ...MANIFEST,
        inputs: [port({ ...ids, name: 'ids', offset: 0, range: { low: 0, high: 511 } })],
        outputs: [port({ ...ids, name: 'y', offset: 16 })],
      }),
    )
    const stored = Int32Array.of(0, 1, 510, 511)
    for (const given of [stored, [0, 1, 510, 511], BigInt64Array.of(0n, 1n, 510n, 511n)]) {
      expect([...tokens.run({ ids: given }).y]).toEqual([...stored])
      expect(() => tokens.run({ ids: given.slice(1) })).toThrow('input "ids" has 3 elements; expected 4, shape [4]')
    }
    expect(tokens.runInteger({ ids: stored }).y).toEqual(stored)
    const outside = (value: number) => `input "ids": element 2 is ${value}, outside 0 to 511`
    expect(() => tokens.runInteger({ ids: Int32Array.of(0, 1, 512, 3) })).toThrow(outside(512))
    expect(() => tokens.run({ ids: [0, 1, -1, 3] })).toThrow(outside(-1))
    expect(() => tokens.run({ ids: BigInt64Array.of(0n, 1n, 2n ** 40n, 3n) })).toThrow(outside(2 ** 40))
  })

  it('quantises real values by rule R1, per channel, and clamps', () => {
    const real = { image: [-0.25, -0.26, 0.125, 0.124], state: [0.05, -1e9, Infinity, 12.7], wide: [-1.0005, 3e9] }
    network.run(real)
    const stored = network.runInteger({ ...INTEGERS })
    expect(stored['image out']).toEqual(INTEGERS.image)
    const outputs = network.run(real)
    // −0.25 / 0.5 + 10 + 0.5 = 10; −0.26 rounds down to 9; 0.125 / 0.25 + 0.5 = 1; 0.124 to 0.
    expect([...outputs['image out']]).toEqual([0, -0.5, 0.25, 0])
    // The quotient is a double: 0.05 / 0.1 − 3 + 0.5 = −2.
    expect(Array.from(Object.entries(outputs)[1][1])).toEqual(
      [1, -125, 130, 127].map((steps) => Math.fround(steps * 0.1)),
    )
    expect([...outputs.wide]).toEqual([-1, 2147483.647].map(Math.fround))
  })

  it('equals the rule on random values', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ noNaN: true }), { minLength: 4, maxLength: 4 }), (image) => {
        const { 'image out': out } = network.run({ ...INTEGERS, image })
        const expected = image.map((real, index) => {
          const [scale, zero] = index < 2 ? [0.5, 10] : [0.25, 0]
          const integer = Math.floor(real / scale + zero + 0.5)
          return (Math.min(Math.max(integer, 0), 255) - zero) * scale
        })
        expect([...out]).toEqual(expected)
      }),
    )
  })

  it('takes stored integers as they are, also those of a canvas and of another realm', () => {
    const { 'image out': out } = network.run(INTEGERS)
    expect([...out]).toEqual([-5, 1, 32, 63.75])
    const canvas = network.run({ ...INTEGERS, image: Uint8ClampedArray.from(INTEGERS.image) })
    expect(canvas['image out']).toEqual(out)
    const foreign = runInContext('Uint8Array.of(0, 12, 128, 255)', createContext()) as Uint8Array
    expect(network.runInteger({ ...INTEGERS, image: foreign })['image out']).toEqual(INTEGERS.image)
    const buffer = network.run({ ...INTEGERS, image: Buffer.from(INTEGERS.image) })
    expect(buffer['image out']).toEqual(out)
  })

  it('returns copies', () => {
    const first = network.runInteger(INTEGERS)
    first['image out'].fill(1)
    expect(network.runInteger(INTEGERS)['image out']).toEqual(INTEGERS.image)
    expect(Object.keys(first)).toEqual(['image out', '__proto__', 'wide'])
  })

  it.each<[string, Record<string, ArrayLike<number>>, string]>([
    ['a missing input', { image: INTEGERS.image }, 'input "state" is missing; expected "image", "state", "wide"'],
    ['an unknown input', { ...INTEGERS, x: [1] }, 'no input "x"; expected "image", "state", "wide"'],
    ['a wrong length', { ...INTEGERS, image: [1, 2] }, 'input "image" has 2 elements; expected 4, shape [1,2,2]'],
    ['NaN', { ...INTEGERS, image: [0, 0, Number.NaN, 0] }, 'input "image": element 2 is NaN, not a number'],
    ['a hole', { ...INTEGERS, image: [0, 0, undefined as unknown as number, 0] }, 'element 2 is undefined'],
    ['text', { ...INTEGERS, image: ['1', '2', '3', '4'] as unknown as number[] }, 'element 0 is 1, not a number'],
    [
      'a wrong class',
      { ...INTEGERS, image: Int16Array.of(1, 2, 3, 4) },
      'input "image" is Int16Array; expected Uint8Array',
    ],
    [
      'wrong sign',
      { ...INTEGERS, state: Uint8Array.of(1, 2, 3, 4) },
      'input "state" is Uint8Array; expected Int8Array',
    ],
    ['nothing', { ...INTEGERS, image: undefined as unknown as number[] }, 'input "image" is Undefined'],
  ])('refuses %s', (_case, inputs, message) => {
    expect(() => network.run(inputs)).toThrow(message)
  })

  it('refuses real values where integers are asked for', () => {
    const inputs = { ...INTEGERS, image: [1, 2, 3, 4] as unknown as Uint8Array }
    expect(() => network.runInteger(inputs)).toThrow(/is Array; expected Uint8Array of stored integers$/)
  })
})

describe('the size', () => {
  it('is at most 5,000 bytes minified and 2,500 compressed, without any import', async () => {
    const result = await build({
      entryPoints: [fileURLToPath(new URL('./index.ts', import.meta.url))],
      bundle: true,
      minify: true,
      format: 'esm',
      target: 'es2022',
      platform: 'browser',
      write: false,
      metafile: true,
    })
    const [output] = Object.values(result.metafile.outputs)
    expect(output.imports).toEqual([])
    expect(output.bytes).toBeLessThanOrEqual(5000)
    expect(gzipSync(result.outputFiles[0].contents, { level: 9 }).length).toBeLessThanOrEqual(2500)
    expect(result.outputFiles[0].text).not.toMatch(/\bimport\b/)
  })
})
