/** The page of examples/stories in a headless Chromium: it tells the story that Node tells, token by token. */
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { browse, CHROMIUM, chromiumWords } from '../../bench/hosts/browse.mjs'
import { buildStories, compileStep } from '../../examples/stories/build.mjs'
import { buildPage } from '../../examples/stories/build-page.mjs'
import { tellStory } from '../../examples/stories/story.mjs'
import { createTokenizer } from '../../examples/stories/tokenizer.mjs'
import { loadSync } from '../../src/runtime/index.ts'
import { readListedPieces, readWeights, withoutModel } from './model-files.ts'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const LENGTH = 48
const PROMPTS = { empty: '', long: 'a b c '.repeat(LENGTH), lily: 'One day, Lily' }

interface Told {
  readonly error: string
  readonly story: string
  readonly ids: string
  readonly facts: string
}

const withoutBrowser = !existsSync(CHROMIUM) && process.env.CI !== 'true'
if (withoutBrowser) console.warn(`skipped: no Chromium at ${CHROMIUM}; install one or name it in CHROMIUM`)

describe.skipIf(withoutModel || withoutBrowser)('the page of the stories', () => {
  const tokenizer = withoutModel ? undefined : createTokenizer(readListedPieces())
  let folder = ''
  let wasm: Uint8Array
  let answers: Record<string, Told>

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dyadic-stories-'))
    wasm = compileStep(await buildStories(readWeights(), { length: LENGTH, texts: 1 })).wasm
    await buildPage(folder, { wasm, pieces: readListedPieces() })
    const found = await browse<Told>(
      CHROMIUM,
      async (profile, url) => [...chromiumWords(profile), url],
      async (path) => {
        if (path === '/prompts.json') return { content: JSON.stringify(PROMPTS) }
        if (path === '/') return { content: await readFile(here('../in-the-tab/drive.html')) }
        if (path === '/drive.mjs') return { content: await readFile(here('drive.mjs')) }
        return { content: await readFile(join(folder, path)) }
      },
      Object.keys(PROMPTS),
    )
    answers = found.answers
    expect(found.engine).toMatch(/Chromium/)
  })

  afterAll(() => rm(folder, { recursive: true, force: true }))

  it.each(['empty', 'lily'] as const)('tells the story of Node: %s', (name) => {
    const { error, story, ids, facts } = answers[name]
    const expected = [...tellStory(loadSync(wasm), tokenizer?.encode(PROMPTS[name]) ?? [], LENGTH)]
    expect(error).toBe('')
    expect(ids).toBe(expected.join(' '))
    expect(story).toBe(tokenizer?.decode(expected))
    expect(story.startsWith(PROMPTS[name])).toBe(true)
    expect(facts).toContain(`${wasm.length.toLocaleString('en-US')} bytes`)
    expect(facts).toContain(`${expected.length} of at most ${LENGTH}`)
    expect(facts).toMatch(/\d\.\d\d ms per token/)
  })

  it('says that a prompt is too long', () => {
    const { error, story } = answers.long
    expect(error).toMatch(/^the prompt has \d+ tokens; 48 are all that the story may have$/)
    expect(story).toBe('')
  })
})
