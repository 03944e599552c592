/**
 * Compiles networks to GPU programs and notes what they must answer, into a folder: <name>.gpu, <name>.json with the SHA-256
 * of each sample's outputs by the WebAssembly module, and of timed networks <name>.onnx for onnxruntime-web. Inputs are
 * generated. Plans lie in the second folder; those that are there are used again, and what an equal integer graph must answer
 * is not computed twice. The work is shared by a number of threads.
 *
 * node bench/gpu/prepare.mjs <folder> <folder of plans> [--threads N] timed|checked|<names…>
 */
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { emitGpuProgram } from '../../dist/gpu/emit.js'
import { compile, parsePlan, prepare, printIntegerGraph, printPlan } from '../../dist/index.js'
import { lower } from '../../dist/lower/lower.js'
import { writeGpuProgram } from '../../dist/runtime/gpu/program.js'
import { located } from '../real/place.mjs'
import { factsOf } from './expected.mjs'
import { networks } from './networks.mjs'

const TIMED_SAMPLES = 32
const CHECKED_SAMPLES = 4

const readJson = (path) => (existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined)

async function prepareNetwork({ name, timed, float, open }, folder, plans) {
  const start = performance.now()
  const { graph, plan: choose } = await open()
  const path = `${plans}/${name}.plan.json`
  const kept = readJson(path)
  const plan = kept === undefined ? await choose() : parsePlan(kept, path)
  if (kept === undefined) writeFileSync(path, printPlan(plan))
  const integerGraph = lower(prepare(graph).compiled, plan)
  const samples = timed ? TIMED_SAMPLES : CHECKED_SAMPLES
  const facts = readJson(`${plans}/${name}.json`)
  const printed = createHash('sha256').update(printIntegerGraph(integerGraph)).digest('hex')
  if (facts?.printed !== printed || facts.hashes.length !== samples) {
    const { wasm, certificate } = compile(graph, plan)
    const made = { ...(await factsOf(name, wasm, certificate, samples)), printed }
    writeFileSync(`${plans}/${name}.json`, `${JSON.stringify(made)}\n`)
  }
  copyFileSync(`${plans}/${name}.json`, `${folder}/${name}.json`)
  const program = emitGpuProgram(integerGraph)
  writeFileSync(`${folder}/${name}.gpu`, writeGpuProgram(program))
  if (float !== undefined) copyFileSync(located(float), `${folder}/${name}.onnx`)
  const { dispatches, arenaBytes, constantBytes } = program.header
  const families = new Set(dispatches.map(({ family }) => family)).size
  return `${dispatches.length} dispatches, ${families} families, ${arenaBytes} bytes of arena, ${constantBytes} of constants, ${Math.round((performance.now() - start) / 1000)} s`
}

if (isMainThread) {
  const { values, positionals } = parseArgs({
    options: { threads: { type: 'string', default: '1' } },
    allowPositionals: true,
  })
  const [folder, plans, ...only] = positionals
  if (plans === undefined || only.length === 0)
    throw new Error('usage: node bench/gpu/prepare.mjs <folder> <folder of plans> [--threads N] timed|checked|<names…>')
  mkdirSync(folder, { recursive: true })
  mkdirSync(plans, { recursive: true })
  const names = networks
    .filter(({ name, timed }) => only.includes(timed ? 'timed' : 'checked') || only.includes(name))
    .map(({ name }) => name)
  for (let thread = 0; thread < Number(values.threads); thread++) {
    const worker = new Worker(new URL(import.meta.url), { workerData: { folder, plans } })
    const give = () => worker.postMessage(names.shift())
    worker.on('message', ({ text, failed }) => {
      console.error(text)
      if (failed) process.exitCode = 1
      give()
    })
    give()
  }
} else
  parentPort.on('message', async (name) => {
    if (name === undefined) return parentPort.close()
    try {
      const network = networks.find((one) => one.name === name)
      const text = await prepareNetwork(network, workerData.folder, workerData.plans)
      parentPort.postMessage({ text: `${name}: ${text}` })
    } catch (error) {
      parentPort.postMessage({ text: `${name}: ${error}`, failed: true })
    }
  })
