/**
 * One program, one meaning: each network by its scalar meaning, by this process, and by other engines, compared by hash of
 * the outputs' bytes; and what is claimed about the finished file, checked on the file.
 */
import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import wabt from 'wabt'
import { hashOutputs } from '../../bench/hosts/execute.mjs'
import { type CompiledProgram, interpret, printPlan, verifyModule } from '../../src/index.ts'
import { randomBelow } from '../../src/num/random.ts'
import { inspectModule } from '../../src/program/verify.ts'
import { loadSync } from '../../src/runtime/index.ts'
import { chromiumBinary, runInChromium } from '../hosts/chromium-host.ts'
import type { HostCase } from '../hosts/host-case.ts'
import { newestNode, runInNode } from '../hosts/node-host.ts'
import { compileNetwork, integerSamples, isPresent, networks, SAMPLES } from './networks.ts'

/** Scalar MobileNetV2 takes a second per sample. */
const PATIENCE = 300_000
const CODE_LIMIT = 50_000

interface Built {
  readonly program: CompiledProgram
  readonly plan: string
  readonly host: HostCase
  /** By the scalar meaning, one per sample. */
  readonly hashes: readonly string[]
}

const required = process.env.CI !== undefined && process.env.CI !== 'false'
const available = networks.filter(isPresent)
const missing = networks.filter((network) => !isPresent(network)).map(({ name }) => name)
if (missing.length > 0 && !required)
  console.warn(`skipped: ${missing.join(', ')} (models and data are expected in ../shared beside the repository)`)

it('the networks are here wherever continuous integration runs', () => {
  if (required) expect(missing).toEqual([])
  expect(available.map(({ name }) => name)).toContain('glyphs')
})

const built = new Map<string, Built>()
const of = (name: string): Built => {
  const found = built.get(name)
  if (found === undefined) throw new Error(`${name} was not compiled`)
  return found
}

let runtime = ''
beforeAll(async () => {
  runtime = await mkdtemp(join(tmpdir(), 'dyadic-conformance-'))
  await writeFile(join(runtime, 'package.json'), '{"type":"module"}')
  await build({
    entryPoints: [fileURLToPath(new URL('../../src/runtime/index.ts', import.meta.url))],
    outfile: join(runtime, 'index.js'),
    bundle: true,
    format: 'esm',
  })
})
afterAll(() => rm(runtime, { recursive: true, force: true }))

describe.each(available)('$name', (network) => {
  beforeAll(async () => {
    const { program, plan } = await compileNetwork(network)
    const samples = await integerSamples(network, program)
    const hashes: string[] = []
    for (const sample of samples)
      hashes.push(
        await hashOutputs(Object.fromEntries(interpret(program.integerGraph, new Map(Object.entries(sample))))),
      )
    built.set(network.name, { program, plan: printPlan(plan), host: { wasm: program.wasm, samples }, hashes })
  }, PATIENCE)

  it(`gives the bytes of its scalar meaning on ${SAMPLES} samples, all different`, async () => {
    const { host, hashes } = of(network.name)
    const loaded = loadSync(host.wasm)
    const found = []
    for (const sample of host.samples) found.push(await hashOutputs(loaded.runInteger(sample)))
    expect(found).toEqual(hashes)
    expect(new Set(hashes).size).toBe(SAMPLES)
  })

  it(
    'gives the same file when it is compiled again',
    async () => {
      const { program, plan } = of(network.name)
      const again = await compileNetwork(network)
      expect(printPlan(again.plan)).toBe(plan)
      expect(createHash('sha256').update(again.program.wasm).digest('hex')).toBe(
        createHash('sha256').update(program.wasm).digest('hex'),
      )
    },
    PATIENCE,
  )

  it(
    'verifies, and with a changed byte anywhere it does not',
    () => {
      const { wasm } = of(network.name).program
      expect(verifyModule(wasm).checks.filter(({ ok }) => !ok)).toEqual([])
      // Every byte of the headers of the module and its sections (identifier and length), and 200 others.
      const positions = new Set(Array.from({ length: 8 }, (_, index) => index))
      let start = 8
      for (const { bytes } of inspectModule(wasm).sections) {
        let at = start
        do positions.add(at++)
        while (at < start + 6 && (at === start + 1 || (wasm[at - 1] as number) >= 128))
        start += bytes
      }
      expect(start).toBe(wasm.length)
      for (let index = 0; index < 200; index++) positions.add(randomBelow(2, 0, index, wasm.length))
      const changed = wasm.slice()
      const accepted: number[] = []
      for (const position of positions) {
        const original = wasm[position] as number
        changed[position] = original ^ (1 << (position % 8))
        if (verifyModule(changed).ok) accepted.push(position)
        changed[position] = original
      }
      expect(accepted).toEqual([])
      expect(verifyModule(changed).ok).toBe(true)
    },
    PATIENCE,
  )

  it(
    'has no float instruction and no import by an independent disassembler, and little code',
    async () => {
      const { wasm } = of(network.name).program
      const module = (await wabt()).readWasm(wasm, { simd: true, bulk_memory: true, readDebugNames: false })
      // Weights may spell anything: strings are taken out.
      const listing = module.toText({}).replaceAll(/"(?:[^"\\]|\\.)*"/g, '""')
      module.destroy()
      expect(listing).toContain('i32x4.dot_i16x8_s')
      expect(listing.match(/\b(?:f32|f64)\w*/g) ?? []).toEqual([])
      expect(listing).not.toContain('(import')
      const facts = inspectModule(wasm)
      expect([facts.floatOpcodes, facts.floatTypes, facts.imports]).toEqual([0, 0, 0])
      expect(wasm.length - facts.dataBytes).toBeLessThanOrEqual(CODE_LIMIT)
    },
    PATIENCE,
  )
})

describe('hosts', () => {
  const cases = (): HostCase[] => available.map(({ name }) => of(name).host)
  const expected = (): (readonly string[])[] => available.map(({ name }) => of(name).hashes)
  /** The host's hashes, or a reason to skip where nothing is promised about installed hosts. */
  const unlessMissing = (find: () => string): string | undefined => {
    try {
      return find()
    } catch (error) {
      if (required) throw error
      console.warn((error as Error).message)
      return undefined
    }
  }

  it(
    'a process of this Node gives the same bytes',
    async () => {
      const report = await runInNode(process.execPath, cases(), { runtime })
      console.log(`compared on ${report.engine}`)
      expect(report.engine).toContain(`Node ${process.versions.node}`)
      expect(report.hashes).toEqual(expected())
    },
    PATIENCE,
  )

  it(
    'the newest Node gives the same bytes',
    async ({ skip }) => {
      const binary = unlessMissing(newestNode)
      if (binary === undefined) return skip()
      const report = await runInNode(binary, cases(), { runtime })
      console.log(`compared on ${report.engine}`)
      expect(report.hashes).toEqual(expected())
    },
    PATIENCE,
  )

  it(
    'Chromium gives the same bytes',
    async ({ skip }) => {
      const binary = unlessMissing(chromiumBinary)
      if (binary === undefined) return skip()
      const report = await runInChromium(cases(), { runtime })
      console.log(`compared on ${report.engine}`)
      expect(report.engine).toMatch(/^Chromium \d+/)
      expect(report.hashes).toEqual(expected())
    },
    PATIENCE,
  )
})
