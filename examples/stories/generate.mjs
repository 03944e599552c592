/**
 * `npm run stories -- [--weights FOLDER] [--prompt TEXT] [--length TOKENS] [--out FILE.wasm]`: makes a small language model
 * into one WebAssembly module without a float instruction and lets it tell a story.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { verifyModule } from '../../dist/index.js'
import { loadSync } from '../../dist/runtime/index.js'
import { buildStories, compileStep } from './build.mjs'
import { tellStory } from './story.mjs'
import { createTokenizer } from './tokenizer.mjs'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const fail = (text) => {
  process.stderr.write(`stories: ${text}\n`)
  process.exit(2)
}

let values
try {
  ;({ values } = parseArgs({
    options: {
      weights: { type: 'string', default: here('../../../shared/models/stories260k') },
      prompt: { type: 'string', default: '' },
      length: { type: 'string', default: '256' },
      out: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  }))
} catch (error) {
  fail(error.message)
}
if (values.help) {
  process.stdout.write(
    'npm run stories -- [--weights FOLDER] [--prompt TEXT] [--length TOKENS, default 256] [--out FILE.wasm]\n',
  )
  process.exit(0)
}
const length = Number(values.length)
if (!Number.isInteger(length) || length < 2 || length > 512)
  fail(`--length is ${values.length}; give a whole number from 2 to 512, the context of the model`)
const [weights, pieces] = ['stories260K.bin', 'tok512.json'].map((name) => join(values.weights, name))
for (const file of [weights, pieces])
  if (!existsSync(file))
    fail(
      `${file} is missing. The model is not part of this repository: it is the 260 K model of llama2.c (tinyllamas, MIT). ` +
        'examples/stories/README.md says where it and its tokenizer come from; then name their folder with --weights',
    )

const begin = performance.now()
const seconds = () => ((performance.now() - begin) / 1000).toFixed(1)
const program = compileStep(await buildStories(readFileSync(weights), { length }))
const report = verifyModule(program.wasm)
const { facts } = report
if (!report.ok || facts.floatOpcodes > 0) throw new Error('the module does not verify')
process.stderr.write(
  `${program.wasm.length} bytes, ${program.manifest.memory.bytes} of memory, ${facts.floatOpcodes} float instructions, ${facts.imports} imports; ${seconds()} s\n\n`,
)
if (values.out !== undefined) writeFileSync(values.out, program.wasm)

const tokenizer = createTokenizer(JSON.parse(readFileSync(pieces, 'utf8')))
const ids = []
let shown = ''
const start = performance.now()
for (const id of tellStory(loadSync(program.wasm), tokenizer.encode(values.prompt), length)) {
  ids.push(id)
  // Bytes of one letter may come as several tokens: only whole letters are shown.
  const text = tokenizer.decode(ids)
  if (!text.endsWith('\ufffd') && text.startsWith(shown)) {
    process.stdout.write(text.slice(shown.length))
    shown = text
  }
}
const perToken = (performance.now() - start) / ids.length
process.stdout.write('\n')
process.stderr.write(`\n${ids.length} tokens, ${perToken.toFixed(2)} ms each\n`)
