/**
 * Documentation that runs: every fenced code block of the pages is executed in document order, in one folder per page that
 * holds `model.onnx`, `calibrate.json` and `eval.json`. Rule numbers, links and file names are checked too.
 *
 * Languages: `ts` is bundled and run; `sh` may hold `dyadic …` (run by the built command line; a comment `# exit 3` states
 * another exit code than 0) and `npm …` lines (the script must exist); `json` must parse, and with `data-card` or `plan`
 * after it, be one; `file=NAME` writes a block into the folder first; `text` is only read, and so are the declarations in
 * docs/api, `typescript`, which are written from the sources.
 */
import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseDataCard } from '../src/data/card.ts'
import { parsePlan } from '../src/quantize/plan.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const at = (path: string): string => join(root, path)
const commandLine = at('dist/cli/main.js')

interface Block {
  readonly line: number
  readonly language: string
  /** Words after the language. */
  readonly options: readonly string[]
  readonly code: string
}

/** Fenced blocks of a Markdown text; throws on one that is never closed. */
function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = []
  let open: { line: number; language: string; options: string[]; lines: string[] } | undefined
  for (const [index, text] of markdown.split('\n').entries()) {
    const fence = /^```(.*)$/.exec(text)
    if (fence === null) open?.lines.push(text)
    else if (open === undefined) {
      const [language, ...options] = fence[1].trim().split(/\s+/)
      open = { line: index + 1, language, options, lines: [] }
    } else {
      blocks.push({ ...open, code: `${open.lines.join('\n')}\n` })
      open = undefined
    }
  }
  if (open !== undefined) throw new Error(`the code block at line ${open.line} is never closed`)
  return blocks
}

/** Fragments by which the headings of a Markdown text are linked to. */
function headingsOf(markdown: string): Set<string> {
  const titles = [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, title]) => title.toLowerCase())
  return new Set(titles.map((title) => title.replace(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-')))
}

/** Runs a program to its end and returns what it wrote; throws with both streams on another exit code. */
function execute(file: string, words: readonly string[], folder: string, exitCode: number): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(file, words, { cwd: folder, timeout: 60_000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : (error.code ?? error.signal)
      if (code === exitCode) resolve(stdout)
      else reject(new Error(`${words.join(' ')}\nexit code ${code}, expected ${exitCode}\n${stdout}\n${stderr}`))
    })
  })
}

async function runTypeScript(block: Block, folder: string): Promise<void> {
  const outfile = join(folder, `block-${block.line}.mjs`)
  await build({
    stdin: { contents: block.code, loader: 'ts', resolveDir: root },
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: ['sharp'],
    logLevel: 'silent',
    alias: {
      dyadic: at('src/index.ts'),
      'dyadic/runtime': at('src/runtime/index.ts'),
      'dyadic/runtime/gpu': at('src/runtime/gpu/index.ts'),
      'dyadic/data': at('src/data/index.ts'),
      'dyadic/formats': at('src/formats/index.ts'),
      'dyadic/functions': at('src/functions/index.ts'),
      'dyadic/data/node': at('src/data/node-index.ts'),
    },
  })
  await execute(process.execPath, [outfile], folder, 0)
}

const { scripts } = JSON.parse(readFileSync(at('package.json'), 'utf8')) as { scripts: Record<string, string> }

function checkNpm(words: readonly string[]): void {
  const [verb, name] = words
  if (verb === 'run') expect(Object.keys(scripts), `npm run ${name}`).toContain(name)
  else if (verb === 'test') expect(Object.keys(scripts)).toContain('test')
  else expect(['ci', 'install', 'pack']).toContain(verb)
}

async function runShell(block: Block, folder: string): Promise<void> {
  for (const line of block.code.replaceAll('\\\n', ' ').split('\n')) {
    const [code, comment = ''] = line.split(/(?:^|\s)#/)
    const exitCode = Number(/^ exit (\d+)/.exec(comment)?.[1] ?? 0)
    for (const command of code.split('&&')) {
      const [program, ...words] = (command.match(/'[^']*'|\S+/g) ?? []).map((word) => word.replace(/^'(.*)'$/, '$1'))
      if (program === undefined) continue
      if (program === 'npm') checkNpm(words)
      else if (program === 'npx' && words[0] === 'dyadic')
        await execute(process.execPath, [commandLine, ...words.slice(1)], folder, exitCode)
      else if (program === 'dyadic') await execute(process.execPath, [commandLine, ...words], folder, exitCode)
      else throw new Error(`${program}: only dyadic and npm are run; mark the block as text`)
    }
  }
}

function checkJson(block: Block, page: string): void {
  const json: unknown = JSON.parse(block.code)
  const where = `${page}:${block.line}`
  if (block.options.includes('data-card')) parseDataCard(json, where)
  if (block.options.includes('plan')) parsePlan(json, where)
}

/** Throws on a block that is in no known language or does not do what it should. */
async function runBlock(block: Block, page: string, folder: string): Promise<void> {
  const file = block.options.find((option) => option.startsWith('file='))?.slice('file='.length)
  if (file !== undefined) writeFileSync(join(folder, basename(file)), block.code)
  if (block.language === 'ts') await runTypeScript(block, folder)
  else if (block.language === 'sh') await runShell(block, folder)
  else if (block.language === 'json') checkJson(block, page)
  else if (page.startsWith('docs/api/')) expect(block.language).toBe('typescript')
  else expect(block.language, `the language of the block at line ${block.line}`).toBe('text')
}

const pages = [
  'README.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...readdirSync(at('docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name.replaceAll('\\', '/')}`)
    .sort(),
]
const textOf = (page: string): string => readFileSync(at(page), 'utf8')

describe.each(pages)('%s', (page) => {
  const markdown = textOf(page)
  let folder = ''
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'dyadic-docs-'))
    // Native packages stay outside the bundles and are found here.
    symlinkSync(at('node_modules'), join(folder, 'node_modules'), 'junction')
    cpSync(at('examples/glyphs/glyphs.onnx'), join(folder, 'model.onnx'))
    cpSync(at('examples/glyphs/glyphs.calibrate.card.json'), join(folder, 'calibrate.json'))
    cpSync(at('examples/glyphs/glyphs.card.json'), join(folder, 'eval.json'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  for (const block of blocksOf(markdown))
    it(`line ${block.line}: ${[block.language, ...block.options].join(' ')}`, () => runBlock(block, page, folder))

  it('links to files and headings that exist', () => {
    const prose = markdown.replace(/^```[\s\S]*?^```/gm, '')
    const targets = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target)
    const missing = targets.filter((target) => {
      if (/^[a-z]+:/.test(target)) return false
      const [path, heading] = target.split('#')
      const file = path === '' ? at(page) : join(dirname(at(page)), path)
      return !existsSync(file) || (heading !== undefined && !headingsOf(readFileSync(file, 'utf8')).has(heading))
    })
    expect(missing).toEqual([])
  })

  it('names files of the repository that exist', () => {
    const named = [...markdown.matchAll(/`((?:src|test|scripts|bench|examples|docs)\/[\w./-]+\.\w+)`/g)].map(
      (match) => match[1],
    )
    expect(named.filter((path) => !existsSync(at(path)))).toEqual([])
  })
})

describe('the ts blocks of all pages', () => {
  it('have no type errors', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'dyadic-docs-types-'))
    try {
      for (const page of pages)
        for (const { language, line, code } of blocksOf(textOf(page)))
          if (language === 'ts') writeFileSync(join(folder, `${page.replaceAll('/', '-')}-${line}.mts`), code)
      const paths = {
        dyadic: [at('src/index.ts')],
        'dyadic/runtime': [at('src/runtime/index.ts')],
        'dyadic/runtime/gpu': [at('src/runtime/gpu/index.ts')],
        'dyadic/data': [at('src/data/index.ts')],
        'dyadic/formats': [at('src/formats/index.ts')],
        'dyadic/functions': [at('src/functions/index.ts')],
        'dyadic/data/node': [at('src/data/node-index.ts')],
      }
      const compilerOptions = {
        ...{ module: 'esnext', moduleResolution: 'bundler', moduleDetection: 'force', paths, rootDirs: [folder, root] },
        typeRoots: [at('node_modules/@types')],
      }
      writeFileSync(
        join(folder, 'tsconfig.json'),
        JSON.stringify({ extends: at('tsconfig.json'), compilerOptions, include: ['*.mts'], exclude: [] }),
      )
      await execute(process.execPath, [at('node_modules/typescript/bin/tsc'), '-p', folder], folder, 0)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})

describe('docs/arithmetic.md', () => {
  it('has every rule that code and tests cite', () => {
    const rules = new Set([...textOf('docs/arithmetic.md').matchAll(/^### (R\d+)\b/gm)].map((match) => match[1]))
    const cited = new Map<string, string>()
    for (const folder of ['src', 'test'])
      for (const name of readdirSync(at(folder), { recursive: true, encoding: 'utf8' }))
        if (name.endsWith('.ts') && !name.includes('embedded'))
          for (const [rule] of readFileSync(join(root, folder, name), 'utf8').matchAll(/\bR\d+\b/g))
            cited.set(rule, relative(root, join(root, folder, name)))
    expect([...cited].filter(([rule]) => !rules.has(rule))).toEqual([])
    expect(rules.size).toBeGreaterThanOrEqual(8)
  })
})
