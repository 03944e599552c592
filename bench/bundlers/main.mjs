/**
 * The packed tarball in a page: `npm run bundlers -- [--json] [--save]`. Packs the repository, checks the package as such
 * (`package-check.mjs`), builds one page with each bundler, opens it in a headless Chromium and compares its answers with
 * those of this process. Prints what the loader costs in each bundle: the page's script less that of the same page without
 * it. Exit code 1 when a page does not answer rightly or the package is not in order.
 */
import { execFileSync } from 'node:child_process'
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { openDataSet, parseDataCard } from '../../dist/data/index.js'
import { nodeFiles } from '../../dist/data/node-files.js'
import { compile, parseOnnx, quantize } from '../../dist/index.js'
import { loadSync } from '../../dist/runtime/index.js'
import { readCommandLine } from '../command-line.mjs'
import { browse, CHROMIUM, chromiumWords } from '../hosts/browse.mjs'
import { describeMachine } from '../peers/interleave.mjs'
import { formatTable } from '../table.mjs'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const { values: options } = readCommandLine(import.meta.url, {
  options: { json: { type: 'boolean' }, save: { type: 'boolean' } },
})
// What these need is installed by `npm run bundlers`; help must do without.
const { bundlers } = await import('./build.mjs')
const { checkTarball } = await import('./package-check.mjs')
const SAMPLES = 5

const glyphs = (name) =>
  readFile(here(`../../examples/glyphs/${name}`)).then((bytes) =>
    openDataSet(parseDataCard(JSON.parse(bytes.toString()), name), {
      files: nodeFiles,
      folder: here('../../examples/glyphs'),
    }),
  )
const graph = parseOnnx(await readFile(here('../../examples/glyphs/glyphs.onnx')))
const { wasm } = compile(graph, await quantize(graph, await glyphs('glyphs.calibrate.card.json')))
const network = loadSync(wasm)
const unseen = await glyphs('glyphs.card.json')
const inputs = []
for (let index = 0; index < SAMPLES; index++) inputs.push(Array.from(await unseen.read(index)))
const expected = JSON.stringify(
  inputs.map((pixels) => Array.from(network.run({ image: Uint8Array.from(pixels) }).logits)),
)

/** A folder as a user has it: the page, the network, and the package as the tarball holds it. */
async function makeFolder(name, source) {
  const folder = here(`.pages/${name}`)
  await rm(folder, { recursive: true, force: true })
  await mkdir(join(folder, 'node_modules'), { recursive: true })
  await cp(here('.pages/package'), join(folder, 'node_modules/dyadic'), { recursive: true })
  await writeFile(join(folder, 'page.mjs'), source.replaceAll('__BUNDLER__', name.split('-')[0]))
  await writeFile(join(folder, 'index.html'), '<!doctype html>\n<script type="module" src="/page.mjs"></script>\n')
  await writeFile(join(folder, 'network.wasm'), wasm)
  return folder
}

/** All scripts of a folder, joined. */
async function scriptsOf(folder) {
  const files = (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && ['.js', '.mjs'].includes(extname(entry.name)))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
  return Buffer.concat(await Promise.all(files.sort().map((file) => readFile(file))))
}

await rm(here('.pages'), { recursive: true, force: true })
await mkdir(here('.pages'))
const [{ filename }] = JSON.parse(
  execFileSync(
    'npm',
    ['pack', '--json', '--ignore-scripts', '--loglevel=error', '--pack-destination', here('.pages')],
    {
      cwd: here('../..'),
    },
  ),
)
execFileSync('tar', ['xzf', here(`.pages/${filename}`), '-C', here('.pages')])
const wrong = await checkTarball(here(`.pages/${filename}`), here('.pages/package'))
for (const text of wrong) process.stderr.write(`${text}\n`)

const source = await readFile(here('page.mjs'), 'utf8')
/** The same page with everything but the loader. */
const without = source.replace(/^import .*$/m, '').replace('await load(', 'await fetch(')
const rows = []
for (const [name, bundle] of Object.entries(bundlers)) {
  process.stderr.write(`${name}\n`)
  const row = { bundler: name }
  rows.push(row)
  try {
    const out = here(`.pages/${name}-out`)
    await bundle(await makeFolder(name, source), out)
    const bare = here(`.pages/${name}-bare-out`)
    await bundle(await makeFolder(`${name}-bare`, without), bare)
    const [script, rest] = [await scriptsOf(out), await scriptsOf(bare)]
    row.bytes = script.length - rest.length
    row.gzipBytes = gzipSync(script).length - gzipSync(rest).length
    const contentOf = async (path) => {
      if (path === '/inputs.json') return { content: JSON.stringify({ inputs }) }
      if (path === '/' && name !== 'vite')
        return { content: '<!doctype html>\n<script type="module" src="/page.js"></script>\n' }
      return { content: await readFile(join(out, path === '/' ? 'index.html' : path)) }
    }
    const wordsFor = async (profile, url) => [...chromiumWords(profile), url]
    const { engine, answers } = await browse(CHROMIUM, wordsFor, contentOf, [name])
    const { answer, error } = answers[name]
    row.engine = engine
    row.result = error === undefined ? (JSON.stringify(answer) === expected ? 'right' : 'wrong') : 'failed'
    if (error !== undefined) row.error = error
  } catch (error) {
    row.result = 'failed'
    row.error = error.message
  }
}
await rm(here('.pages'), { recursive: true, force: true })

const result = { machine: describeMachine(), networkBytes: wasm.length, networkGzipBytes: gzipSync(wasm).length, rows }
process.stdout.write(
  options.json
    ? `${JSON.stringify(result, null, 1)}\n`
    : formatTable(rows, ['bundler', 'bytes', 'gzipBytes', 'engine', 'result']),
)
for (const { bundler, error } of rows) if (error) process.stderr.write(`${bundler}: ${error}\n`)
if (options.save) await writeFile(here('../results/bundlers.json'), `${JSON.stringify(result, null, 1)}\n`)
process.exitCode = wrong.length === 0 && rows.every(({ result: outcome }) => outcome === 'right') ? 0 : 1
