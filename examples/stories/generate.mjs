/**
 * `npm run stories`: makes a small language model into one WebAssembly module without a float instruction and lets it tell a
 * story, in the terminal or, with `--page`, in a browser.
 */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { verifyModule } from '../../dist/index.js'
import { loadSync } from '../../dist/runtime/index.js'
import { serveFolder } from '../static-page.mjs'
import { buildStories, compileStep } from './build.mjs'
import { buildPage } from './build-page.mjs'
import { readModel, readOptions, USAGE } from './options.mjs'
import { tellStory } from './story.mjs'
import { createTextStream } from './text-stream.mjs'
import { createTokenizer } from './tokenizer.mjs'

const OUT = fileURLToPath(new URL('out', import.meta.url))

const print = (text) => process.stdout.write(text)
const remark = (text) => process.stderr.write(text)

async function compileModel(weights, length) {
  const start = performance.now()
  const { wasm, manifest } = compileStep(await buildStories(weights, { length }))
  const { ok, facts } = verifyModule(wasm)
  if (!ok || facts.floatOpcodes > 0) throw new Error('the module does not verify')
  remark(
    `${wasm.length} bytes, ${manifest.memory.bytes} of memory, ${facts.floatOpcodes} float instructions, ` +
      `${facts.imports} imports; ${((performance.now() - start) / 1000).toFixed(1)} s\n\n`,
  )
  return wasm
}

function tell(wasm, tokenizer, prompt, length) {
  const added = createTextStream(tokenizer)
  let told = 0
  const start = performance.now()
  for (const id of tellStory(loadSync(wasm), prompt, length)) {
    told++
    print(added(id))
  }
  const milliseconds = performance.now() - start
  print('\n')
  remark(`\n${told} tokens, ${(milliseconds / told).toFixed(2)} ms each\n`)
}

async function generate({ weights: folder, prompt: text, length, out, page, port }) {
  const { weights, pieces } = readModel(folder)
  const tokenizer = createTokenizer(pieces)
  const prompt = tokenizer.encode(text)
  if (prompt.length > length) throw new RangeError(`--prompt has ${prompt.length} tokens; --length allows ${length}`)
  const wasm = await compileModel(weights, length)
  if (out !== undefined) writeFileSync(out, wasm)
  if (!page) tell(wasm, tokenizer, prompt, length)
  else {
    await buildPage(OUT, { wasm, pieces })
    print(`${(await serveFolder(OUT, port)).address}\n`)
  }
}

try {
  const options = readOptions(process.argv.slice(2))
  if (options.help) print(`${USAGE}\n`)
  else await generate(options)
} catch (error) {
  remark(`stories: ${error.message}\n`)
  process.exitCode = 2
}
