/** The page of examples/in-the-tab, used in a headless Chromium: what it makes is what Node makes, and what it refuses it says. */
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { browse, CHROMIUM, chromiumWords } from '../../bench/hosts/browse.mjs'
import { buildPage } from '../../examples/in-the-tab/build.mjs'
import { cardForPath, memoryFiles, openDataSet, openGlyphs } from '../../src/data/index.ts'
import { decodeImage } from '../../src/data/node-image-decoder.ts'
import { compile, parseOnnx, quantize } from '../../src/index.ts'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const PICTURES = 24

interface File {
  readonly name: string
  readonly bytes: Uint8Array
}

interface Made {
  readonly wasm: string
  readonly types: string
  readonly names: readonly string[]
  readonly facts: string
  readonly notes: readonly string[]
}

type Answer = Made | { readonly error: string; readonly result: boolean }

const travelling = ({ name, bytes }: File) => ({ name, base64: Buffer.from(bytes).toString('base64') })

/** Glyphs as PNG files: lossless, so that every decoder gives the same pixels. */
async function pictures(): Promise<File[]> {
  const set = openGlyphs({ seed: 7, first: 0, count: PICTURES })
  return Promise.all(
    Array.from({ length: PICTURES }, async (_, index) => {
      const pixels = (await set.read(index)) as Uint8Array
      const raw = { width: 28, height: 28, channels: 1 } as const
      return { name: `${String(index).padStart(2, '0')}.png`, bytes: await sharp(pixels, { raw }).png().toBuffer() }
    }),
  )
}

const missing = !existsSync(CHROMIUM) && process.env.CI !== 'true'
if (missing) console.warn(`skipped: no Chromium at ${CHROMIUM}; install one or name it in CHROMIUM`)

describe.skipIf(missing)('the page', () => {
  let folder = ''
  let answers: Record<string, Answer> = {}
  let model: File
  let samples: File[]

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dyadic-tab-'))
    await buildPage(folder)
    model = { name: 'glyphs.onnx', bytes: await readFile(here('../../examples/glyphs/glyphs.onnx')) }
    samples = await pictures()
    const damaged = { name: 'damaged.onnx', bytes: model.bytes.subarray(0, 1000) }
    const job = (network: File, files: readonly File[]) => ({
      model: travelling(network),
      samples: files.map(travelling),
    })
    const jobs = {
      made: job(model, samples),
      damaged: job(damaged, samples),
      'no samples': job(model, []),
      'no picture': job(model, [{ name: '0.png', bytes: Uint8Array.of(1, 2, 3) }]),
      again: job(model, samples),
    }
    const found = await browse<Answer>(
      CHROMIUM,
      async (profile, url) => [...chromiumWords(profile), url],
      async (path) => {
        if (path === '/jobs.json') return { content: JSON.stringify(jobs) }
        if (path === '/') return { content: await readFile(here('drive.html')) }
        if (path === '/drive.mjs') return { content: await readFile(here('drive.mjs')) }
        return { content: await readFile(join(folder, path)) }
      },
      Object.keys(jobs),
    )
    answers = found.answers
    expect(found.engine).toMatch(/Chromium/)
  }, 120_000)

  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('makes the module that Node makes, byte for byte', async () => {
    const graph = parseOnnx(model.bytes)
    const files = memoryFiles(new Map(samples.map(({ name, bytes }) => [`samples/${name}`, bytes])))
    const { card, folder: base, assumed } = await cardForPath('samples', [1, 28, 28], files)
    const set = await openDataSet(card, { files, decodeImage, folder: base })
    const { wasm, dts } = compile(graph, await quantize(graph, set))
    const made = answers.made as Made
    expect(made).not.toHaveProperty('error')
    expect(Buffer.from(made.wasm, 'base64').equals(wasm)).toBe(true)
    expect(made.types).toBe(dts)
    expect(made.names).toEqual(['glyphs.wasm', 'glyphs.d.ts'])
    expect(made.notes).toEqual([assumed])
    expect(made.facts).toMatch(/0 float instructions, 0 imports/)
    expect(made.facts).toMatch(/on 1[56] of the first 16 samples as the float network/)
  })

  it('says what it refuses, and shows no result', () => {
    expect(answers.damaged).toEqual({ error: expect.stringMatching(/ends|truncated|bytes/), result: false })
    expect(answers['no samples']).toEqual({
      error: 'a float network needs calibration samples; give a data set of a few hundred',
      result: false,
    })
    expect(answers['no picture']).toEqual({
      error: expect.stringMatching(/samples\/0.png" cannot be decoded by this browser/),
      result: false,
    })
  })

  it('goes on after a refusal', () => {
    expect((answers.again as Made).wasm).toBe((answers.made as Made).wasm)
  })
})
