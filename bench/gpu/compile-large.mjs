/**
 * A large network's GPU program from its plan: makes the model again, which must be the one that the plan was chosen for, and
 * writes <name>.gpu beside it.
 *
 * node bench/gpu/compile-large.mjs <folder of prepare-large.mjs> <target folder> <name>
 */
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { emitGpuProgram } from '../../dist/gpu/emit.js'
import { parseOnnx, parsePlan, prepare } from '../../dist/index.js'
import { lower } from '../../dist/lower/lower.js'
import { writeGpuProgram } from '../../dist/runtime/gpu/program.js'
import { largeModels } from './large-models.mjs'

const [folder, target, name] = process.argv.slice(2)
const started = performance.now()
const bytes = largeModels[name](1)
const facts = JSON.parse(readFileSync(`${folder}/${name}.json`, 'utf8'))
const sha256 = createHash('sha256').update(bytes).digest('hex')
if (sha256 !== facts.model) throw new Error(`${name}: the model has SHA-256 ${sha256}, prepared was ${facts.model}`)
const path = `${folder}/${name}.plan.json`
const plan = parsePlan(JSON.parse(readFileSync(path, 'utf8')), path)
const program = emitGpuProgram(lower(prepare(parseOnnx(bytes)).compiled, plan))
writeFileSync(`${target}/${name}.gpu`, writeGpuProgram(program))
writeFileSync(`${target}/${name}.json`, JSON.stringify(facts))
console.error(
  `${name}: ${program.header.dispatches.length} dispatches, arena of ${program.header.arenaBytes} bytes, ${Math.round(performance.now() - started)} ms`,
)
