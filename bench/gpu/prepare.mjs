/**
 * Compiles the networks to GPU programs and notes what they must answer, into a folder: <name>.gpu, <name>.json with the
 * SHA-256 of each sample's outputs by the WebAssembly module, <name>.onnx for onnxruntime-web. Inputs are generated.
 *
 * node bench/gpu/prepare.mjs <folder> [names…]
 */
import { createHash } from 'node:crypto'
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { openDataSet, parseDataCard } from '../../dist/data/index.js'
import { nodeFiles } from '../../dist/data/node-files.js'
import { emitGpuProgram } from '../../dist/gpu/emit.js'
import { compile, parseOnnx, quantize } from '../../dist/index.js'
import { selfTestInput } from '../../dist/program/self-test.js'
import { writeGpuProgram } from '../../dist/runtime/gpu/program.js'
import { load } from '../../dist/runtime/index.js'
import { networks } from './networks.mjs'

export const SAMPLES = 32
export const SEED = 8
const root = fileURLToPath(new URL('../../', import.meta.url))
const [folder, ...only] = process.argv.slice(2)
if (folder === undefined) throw new Error('usage: node bench/gpu/prepare.mjs <folder> [names…]')
mkdirSync(folder, { recursive: true })

const bytesOf = (values) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength)

for (const { name, model, data, calibration, float } of networks.filter(
  (one) => only.length === 0 || only.includes(one.name),
)) {
  const graph = parseOnnx(readFileSync(`${root}${model}`))
  const set =
    calibration && (await openDataSet(parseDataCard(calibration, name), { files: nodeFiles, folder: `${root}${data}` }))
  const { wasm, integerGraph, certificate } = compile(graph, await quantize(graph, set))
  const program = emitGpuProgram(integerGraph)
  writeFileSync(`${folder}/${name}.gpu`, writeGpuProgram(program))
  copyFileSync(`${root}${float}`, `${folder}/${name}.onnx`)
  const network = await load(wasm)
  const hashes = Array.from({ length: SAMPLES }, (_, sample) => {
    const inputs = Object.fromEntries(
      network.inputs.map((port, i) => [port.name, selfTestInput(port, SEED, sample * network.inputs.length + i)]),
    )
    const results = network.runInteger(inputs)
    const hash = createHash('sha256')
    for (const { name: output } of network.outputs) hash.update(bytesOf(results[output]))
    return hash.digest('hex')
  })
  const inputs = network.inputs.map(({ name: input, shape, format }) => ({ name: input, shape, format }))
  const facts = {
    name,
    integerGraph: certificate.integerGraph,
    seed: SEED,
    inputs,
    outputs: network.outputs.map((port) => port.name),
    hashes,
  }
  writeFileSync(`${folder}/${name}.json`, `${JSON.stringify(facts)}\n`)
  console.error(
    `${name}: ${program.header.dispatches.length} dispatches, ${new Set(program.header.dispatches.map(({ family }) => family)).size} families`,
  )
}
