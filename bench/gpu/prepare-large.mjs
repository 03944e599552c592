/**
 * Chooses the numbers of the large networks and notes what they must answer, into a folder: <name>.plan.json and <name>.json.
 * Their weights are random, so the plans are by two normal draws, 8-bit activations and no method that improves weights, as
 * in bench/speed/transformers.mjs.
 *
 * node bench/gpu/prepare-large.mjs <folder> [names…]
 */
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { compile, parseOnnx, printPlan, quantize } from '../../dist/index.js'
import { normalSet } from '../speed/drawn.mjs'
import { factsOf } from './expected.mjs'
import { largeModels } from './large-models.mjs'

const DRAWS = 2
const SAMPLES = 32
const [folder, ...only] = process.argv.slice(2)
if (folder === undefined) throw new Error('usage: node bench/gpu/prepare-large.mjs <folder> [names…]')
mkdirSync(folder, { recursive: true })

const started = performance.now()
const say = (text) => console.error(`${Math.round((performance.now() - started) / 1000)} s: ${text}`)
for (const [name, make] of Object.entries(largeModels).filter(([one]) => only.length === 0 || only.includes(one))) {
  const bytes = make(1)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  say(`${name}: ${bytes.length} bytes`)
  const graph = parseOnnx(bytes)
  const shape = graph.values.get(graph.inputs[0]).shape
  const plan = await quantize(graph, normalSet(shape, DRAWS), { activations: 'u8', methods: [] })
  writeFileSync(`${folder}/${name}.plan.json`, printPlan(plan))
  say(`${name}: plan`)
  const { wasm, certificate } = compile(graph, plan)
  say(`${name}: module of ${wasm.length} bytes`)
  const facts = await factsOf(name, wasm, certificate, SAMPLES)
  writeFileSync(`${folder}/${name}.json`, `${JSON.stringify({ ...facts, model: sha256 })}\n`)
  say(`${name}: ${facts.hashes.length} answers`)
}
