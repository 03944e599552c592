/** One list of programs in every place with WebGPU, compared by hash with their scalar meaning; places without it say so. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { browse, CHROMIUM, chromiumWords } from '../../bench/hosts/browse.mjs'
import { GPU_KERNELS } from '../../src/kernels/gpu/kernels.ts'
import { dawn } from './dawn.ts'
import { encodeBoth, encodeJob, type HostCase, type HostRun, hostCases, NETWORKS } from './host-cases.ts'

interface HostAnswer {
  readonly adapter: string
  readonly results: readonly { name: string; level: string; hash: string; refused: readonly object[] }[]
}
interface Failed {
  readonly failure?: string
  readonly error: string
}

/** Shaders of products compile for a second or two each, and a machine may have other work. */
const PATIENCE = 300_000

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
/** WebGPU in software, in a browser that may use no graphics card. */
const SOFTWARE = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader']
const required = process.env.CI !== undefined && process.env.CI !== 'false'
const missing = !existsSync(CHROMIUM) && !required
if (missing) console.warn(`skipped: no Chromium at ${CHROMIUM}; install one or name it in CHROMIUM`)

let folder = ''
let bundle = ''
let cases: HostCase[] = []
let runs: HostRun[] = []
let job = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dyadic-gpu-'))
  bundle = join(folder, 'run-job.mjs')
  const { exports } = JSON.parse(await readFile(here('../../package.json'), 'utf8'))
  await build({
    entryPoints: [here('run-job.mjs')],
    outfile: bundle,
    bundle: true,
    format: 'esm',
    platform: 'browser',
    alias: Object.fromEntries(
      ['./runtime', './runtime/gpu'].map((key) => [join('dyadic', key), here(join('../..', exports[key].default))]),
    ),
    logLevel: 'error',
  })
  cases = await hostCases()
  // Shaders of products take seconds to compile on a processor; test/gpu/graphs.test.ts has more of the level `plain`.
  runs = [
    { name: 'sums, pools and tables', alone: true },
    ...cases.map(({ name }): HostRun => ({ name, level: 'dot4' })),
    { name: 'dense u8 16 to 32', level: 'plain' },
  ]
  job = encodeJob(cases, runs)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** The page in a fresh browser with these words, under a host name. `onRan` is called with the profile when the page says so. */
async function inChromium<Answer>(
  words: readonly string[],
  given: string,
  { host = '127.0.0.1', onRan }: { readonly host?: string; readonly onRan?: (profile: string) => void } = {},
): Promise<Answer | Failed> {
  let folderOfProfile = ''
  const { engine, answers } = await browse<Answer | Failed>(
    CHROMIUM,
    async (profile, url) => {
      folderOfProfile = profile
      return [...chromiumWords(profile), ...words, url.replace('127.0.0.1', host)]
    },
    async (path) => {
      if (path === '/job.json') return { content: given }
      if (path === '/run-job.js') return { content: await readFile(bundle) }
      if (path === '/') return { content: await readFile(here('page.html')) }
      if (path !== '/ran') throw new Error(`nothing at ${path}`)
      onRan?.(folderOfProfile)
      return { content: '' }
    },
    ['page'],
  )
  expect(engine).toMatch(/^Chromium \d+/)
  return answers.page as Answer | Failed
}

/** Ends the process in which a browser of this profile talks to its graphics driver. */
function endGraphics(profile: string): void {
  const wordsOf = (process: string): string => {
    try {
      return readFileSync(`/proc/${process}/cmdline`, 'utf8')
    } catch {
      return '' // It has ended meanwhile.
    }
  }
  const found = readdirSync('/proc').filter((name) => {
    const words = /^\d+$/.test(name) ? wordsOf(name) : ''
    return words.includes(profile) && words.includes('--type=gpu-process')
  })
  expect(found.length).toBe(1)
  process.kill(Number(found[0]), 'SIGKILL')
}

function expectHashes({ results }: HostAnswer): void {
  const found = results.map(({ name, hash, refused }) => ({ name, hash, refused }))
  const hashOf = new Map(cases.map(({ name, hash }) => [name, hash]))
  expect(found).toEqual(runs.map(({ name }) => ({ name, hash: hashOf.get(name), refused: [] })))
}

describe('the list', () => {
  it('has the networks wherever continuous integration runs', () => {
    const present = cases.map(({ name }) => name).filter((name) => name in NETWORKS)
    if (required) expect(present).toEqual(Object.keys(NETWORKS))
    expect(present).toContain('glyphs')
  })

  it('needs every family of kernels, of tiled products those of attention', () => {
    const needed = new Set(cases.flatMap(({ header }) => header.dispatches.map(({ family }) => family)))
    // Products of two computed matrices have a family for each layout and width; test/gpu/products.test.ts has them all.
    const lacking = GPU_KERNELS.flatMap(({ families }) => families).filter((family) => !needed.has(family))
    expect(lacking.filter((family) => !family.startsWith('product-'))).toEqual([])
    expect(needed).toContain('product-8x8-rows')
  })

  it('gives as many outputs as it has cases', () => {
    expect(new Set(cases.map(({ hash }) => hash)).size).toBe(cases.length)
  })
})

describe('Node with Dawn', () => {
  it(
    'gives the bytes of the scalar meaning',
    async () => {
      const { runJob } = await import(pathToFileURL(bundle).href)
      expectHashes(await runJob(JSON.parse(job), dawn()))
    },
    PATIENCE,
  )
})

describe.skipIf(missing)('a page in Chromium', () => {
  it(
    'gives the bytes of the scalar meaning',
    async () => {
      const answer = await inChromium<HostAnswer>(SOFTWARE, job)
      expect(answer).not.toHaveProperty('error')
      expectHashes(answer as HostAnswer)
      expect((answer as HostAnswer).adapter).toMatch(/swiftshader/i)
    },
    PATIENCE,
  )

  it('names a graphics process that ends in a run, and gives the same bytes in WebAssembly', async () => {
    const one = cases.find(({ batch, inputs }) => batch === 1 && Object.keys(inputs).length > 1) as HostCase
    const answer = await inChromium(SOFTWARE, encodeBoth(one), { onRan: endGraphics })
    expect(answer).toEqual({ before: one.hash, failure: 'device-lost', after: one.hash })
  })

  it.each([
    ['no adapter', [], '127.0.0.1', /offers no adapter/],
    [
      'an origin that is not secure',
      ['--host-resolver-rules=MAP plain.test 127.0.0.1'],
      'plain.test',
      /no WebGPU here/,
    ],
  ] as const)('names a place with %s', async (_, words, host, message) => {
    const answer = await inChromium(words, job, { host })
    expect(answer).toMatchObject({ failure: 'no-adapter', error: expect.stringMatching(message) })
  })
})
