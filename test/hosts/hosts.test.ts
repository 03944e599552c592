import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import wabt from 'wabt'
import { hashOutputs } from '../../bench/hosts/execute.mjs'
import { chromiumBinary, runInChromium } from './chromium-host.ts'
import type { HostCase } from './host-case.ts'
import { newestNode, runInNode } from './node-host.ts'

/** A program without a compiler, to test the hosts alone: four bytes at 0 become four 32-bit words at 16: byte · 3 − 1. */
const source = `(module
  (memory (export "memory") 1 1)
  (func (export "run") (local $index i32)
    (loop $next
      (i32.store offset=16
        (i32.shl (local.get $index) (i32.const 2))
        (i32.sub (i32.mul (i32.load8_u (local.get $index)) (i32.const 3)) (i32.const 1)))
      (br_if $next (i32.lt_u (local.tee $index (i32.add (local.get $index) (i32.const 1))) (i32.const 4))))))`

/** The manifest that the runtime wants: 4 bytes in, 4 words out. */
const port = { shape: [4], scale: [1], zeroPoint: [0], channelAxis: 0, count: 4 }
const manifest = {
  schema: 1,
  name: 'stand-in',
  inputs: [{ ...port, name: 'x', format: 'u8', offset: 0 }],
  outputs: [{ ...port, name: 'y', format: 's32', offset: 16 }],
}

/** A custom section (WebAssembly core specification 5.5.3), shorter than 2^14 bytes. */
function customSection(name: string, content: string): Uint8Array {
  const payload = Buffer.from(String.fromCharCode(name.length) + name + content, 'latin1')
  return Buffer.concat([Uint8Array.of(0, (payload.length & 127) | 128, payload.length >> 7), payload])
}

const samples = [Uint8Array.of(0, 1, 2, 255), Uint8Array.of(9, 8, 7, 6)]
let runtime = ''
let cases: HostCase[] = []
let expected: string[][] = []

beforeAll(async () => {
  runtime = await mkdtemp(join(tmpdir(), 'dyadic-runtime-'))
  await writeFile(join(runtime, 'package.json'), '{"type":"module"}')
  await build({
    entryPoints: [fileURLToPath(new URL('../../src/runtime/index.ts', import.meta.url))],
    outfile: join(runtime, 'index.js'),
    bundle: true,
    format: 'esm',
  })
  const module = (await wabt()).parseWat('stand-in.wat', source).toBinary({}).buffer
  const wasm = Buffer.concat([module, customSection('dyadic.manifest', JSON.stringify(manifest))])
  cases = [
    { wasm, samples: samples.map((x) => ({ x })) },
    { wasm, samples: [{ x: samples[1] }] },
  ]
  const hashes = await Promise.all(samples.map((x) => hashOutputs({ y: Int32Array.from(x, (byte) => byte * 3 - 1) })))
  expected = [hashes, [hashes[1]]]
})

afterAll(() => rm(runtime, { recursive: true, force: true }))

describe('hashOutputs', () => {
  it('joins the bytes of all outputs, views included', async () => {
    // SHA-256 of "abc", FIPS 180-4.
    const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
    const text = new TextEncoder().encode('-abc-')
    expect(await hashOutputs({ first: text.subarray(1, 2), second: text.subarray(2, 4) })).toBe(abc)
  })
})

describe('a Node host', () => {
  it('returns the hashes of this Node', async () => {
    expect(await runInNode(process.execPath, cases, { runtime })).toEqual({
      engine: `Node ${process.versions.node} (V8 ${process.versions.v8})`,
      hashes: expected,
    })
  })

  it('passes on an error of the network', async () => {
    const wrong = [{ wasm: cases[0].wasm, samples: [{ x: Int8Array.of(1) }] }]
    await expect(runInNode(process.execPath, wrong, { runtime })).rejects.toThrow('input "x" is Int8Array')
  })

  it('names a binary that does not exist', async () => {
    await expect(runInNode('/nowhere/node', cases, { runtime })).rejects.toThrow('/nowhere/node failed')
  })
})

describe('the newest Node', () => {
  it('returns the same hashes', async ({ skip }) => {
    let binary: string
    try {
      binary = newestNode()
    } catch (error) {
      if (process.env.CI === 'true') throw error
      console.warn((error as Error).message)
      return skip()
    }
    const report = await runInNode(binary, cases, { runtime })
    expect(report.hashes).toEqual(expected)
    expect(Number(/^Node (\d+)/.exec(report.engine)?.[1])).toBeGreaterThanOrEqual(26)
  })
})

/** Elsewhere than in CI a machine may have no browser. */
function chromiumIsMissing(): boolean {
  try {
    chromiumBinary()
    return false
  } catch (error) {
    if (process.env.CI === 'true') return false
    console.warn(`skipped: ${(error as Error).message}`)
    return true
  }
}

describe.skipIf(chromiumIsMissing())('a Chromium host', () => {
  it('returns the hashes of this Node', async () => {
    const report = await runInChromium(cases, { runtime })
    expect(report.engine).toMatch(/^Chromium \d+/)
    expect(report.hashes).toEqual(expected)
  })

  it('passes on an error of the page', async () => {
    const wrong = [{ wasm: Uint8Array.of(1, 2, 3), samples: [] }]
    await expect(runInChromium(wrong, { runtime })).rejects.toThrow('cannot compile the module')
  })

  it('gives up in time', async () => {
    await expect(runInChromium(cases, { runtime, timeoutMilliseconds: 1 })).rejects.toThrow(
      'did not answer within 1 ms',
    )
  })
})
