/** examples/vision-transformer: the module answers as the float network does, and its page in a headless Chromium as Node. */
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { browse, CHROMIUM, chromiumWords } from '../../bench/hosts/browse.mjs'
import { buildVision, predictors, type Vision } from '../../examples/vision-transformer/build.mjs'
import { buildPage, SHOWN } from '../../examples/vision-transformer/build-page.mjs'
import { CLASSES } from '../../examples/vision-transformer/classes.mjs'
import { openPictures } from '../../examples/vision-transformer/pictures.mjs'
import type { DataSet } from '../../src/data/index.ts'
import { evaluatePair, verifyModule } from '../../src/index.ts'
import { loadSync } from '../../src/runtime/index.ts'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const SHARED = '../../../shared/'
const MODEL = here(`${SHARED}models/vit-cifar10/vit-cifar10.onnx`)
const DATA = here(`${SHARED}data/cifar10`)
/** Few, for speed: the answers of these pictures do not hang on it. */
const CALIBRATION = 4
const PICTURES = 40

interface Seen {
  readonly error: string
  readonly status: string
  readonly figures: readonly { readonly scores: string; readonly caption: string; readonly pixels: number[] }[]
}

const withoutModel = !(existsSync(MODEL) && existsSync(DATA)) && process.env.CI !== 'true'
if (withoutModel)
  console.warn('skipped: the vision transformer and CIFAR-10 are not in ../shared beside the repository')
const withoutBrowser = !existsSync(CHROMIUM) && process.env.CI !== 'true'
if (withoutBrowser) console.warn(`skipped: no Chromium at ${CHROMIUM}; install one or name it in CHROMIUM`)

describe.skipIf(withoutModel)('the vision transformer', () => {
  let vision: Vision
  let pictures: DataSet

  beforeAll(async () => {
    pictures = await openPictures(DATA, 'test', PICTURES)
    vision = await buildVision(readFileSync(MODEL), await openPictures(DATA, 'calibration', CALIBRATION))
  })

  it('is one module without a float instruction', () => {
    const { ok, facts } = verifyModule(vision.wasm)
    expect([ok, facts?.floatOpcodes, facts?.imports]).toEqual([true, 0, 0])
  })

  it('answers as the float network does', async () => {
    const { float, integer } = predictors(vision, pictures)
    const result = await evaluatePair(pictures, float, integer)
    expect(result.total).toBe(PICTURES)
    expect(result.reference).toBeGreaterThanOrEqual(0.85 * PICTURES)
    expect(result.agreement).toBeGreaterThanOrEqual(0.97)
  })

  it('says which pictures are missing', async () => {
    await expect(openPictures(here('.'), 'test', 1)).rejects.toThrow(/has none of test_a\.bin, test_batch\.bin/)
  })

  describe.skipIf(withoutBrowser)('on its page', () => {
    let folder = ''
    let seen: Seen

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'dyadic-vision-'))
      await buildPage(folder, vision.wasm, pictures)
      const found = await browse<Seen>(
        CHROMIUM,
        async (profile, url) => [...chromiumWords(profile), url],
        async (path) => {
          if (path === '/expected.json') return { content: JSON.stringify({ pictures: SHOWN }) }
          if (path === '/') return { content: await readFile(here('../in-the-tab/drive.html')) }
          if (path === '/drive.mjs') return { content: await readFile(here('drive.mjs')) }
          return { content: await readFile(join(folder, path)) }
        },
        ['seen'],
      )
      seen = found.answers.seen
    })

    afterAll(() => rm(folder, { recursive: true, force: true }))

    it('has the pictures and, score by score, the answers of Node', async () => {
      const network = loadSync(vision.wasm)
      expect(seen.error).toBe('')
      expect(seen.figures.length).toBe(SHOWN)
      let right = 0
      for (const [index, { scores, caption, pixels }] of seen.figures.entries()) {
        const stored = (await pictures.read(index)) as Uint8Array
        const expected = network.runInteger({ image: stored }).logits
        const answer = expected.indexOf(Math.max(...expected))
        const label = pictures.label(index) as number
        right += answer === label ? 1 : 0
        expect(pixels).toEqual([...stored])
        expect(scores).toBe(expected.join(' '))
        expect(caption).toBe(answer === label ? CLASSES[label] : `${CLASSES[answer]}, not ${CLASSES[label]}`)
      }
      expect(seen.status.startsWith(`${right} of ${SHOWN} right; `)).toBe(true)
    })
  })
})
