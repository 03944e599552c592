/**
 * `node bench/peers/export/imports.mjs [--python PYTHON] [--folder FOLDER] [--json] [--save] [names…]`: files that ONNX
 * Runtime's quantiser makes of the networks of bench/real in the styles QOperator and dynamic, compiled here and run there, on
 * the same samples.
 *
 * Static files bring all numbers; dynamic ones are calibrated on the samples that calibrated the static ones. --save keeps the
 * rows in bench/results/imports.json; where networks are named, its other rows stay. Exit code 1 when the program of a static
 * file has more than 2 correct samples fewer than ONNX Runtime with that file, after all rows.
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { compile, parseOnnx, prepare, programPredictor, quantize } from '../../../dist/index.js'
import { loadSync } from '../../../dist/runtime/index.js'
import { openSet } from '../../real/build.mjs'
import { networkName } from '../../real/networks.mjs'
import { formatTable } from '../../table.mjs'
import { dumpNetwork, peerNetworks } from '../ptq/dump.mjs'
import { saveRows } from './save-rows.mjs'

/**
 * @typedef {{
 *   network: string, set: string, file: string, runtime: number, program: number, total: number, equalAnswers: number | null,
 *   missing: number, operators: Record<string, number>,
 * }} ImportRow `runtime` and `program` are correct samples of ONNX Runtime and of our program; `missing` values had to be
 *   calibrated.
 */

const ALLOWED = 2
/** Calibration samples of the static files. */
const SAMPLES = 50
/** ONNX Runtime's quantiser ends with an error of its own on this network. */
const SKIPPED = ['opt-mnist']

const say = (text) => process.stderr.write(`${text}\n`)
const here = (name) => fileURLToPath(new URL(name, import.meta.url))

async function runPython(python, script, words) {
  const env = { ...process.env, PYTHONDONTWRITEBYTECODE: '1', PYTHONPATH: here('../ptq') }
  const { stdout } = await promisify(execFile)(python, [script, ...words], { env, maxBuffer: 2 ** 26 })
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
}

/** Correct samples of the program that is compiled from a file. */
async function countProgram(network, path) {
  const graph = parseOnnx(readFileSync(path))
  const { missing } = prepare(graph)
  const samples = missing.length > 0 ? await openSet(network, network.calibration) : undefined
  const program = compile(graph, await quantize(graph, samples, { samples: SAMPLES }))
  const counts = []
  for (const { set, card } of network.evaluations) {
    const data = await openSet(network, card)
    const predict = programPredictor(loadSync(program.wasm), data)
    let correct = 0
    for (let i = 0; i < data.length; i++) {
      const scores = Array.from(predict(await data.read(i)))
      if (scores.indexOf(Math.max(...scores)) === data.label(i)) correct++
    }
    counts.push({ set, correct, total: data.length })
  }
  return { counts, missing: missing.length }
}

/** @returns {Promise<ImportRow[]>} */
async function measure(python, network, into) {
  const name = networkName(network)
  const folder = join(into, name)
  say(`${name}: writing samples`)
  await dumpNetwork(network, into)
  say(`${name}: quantising`)
  const files = await runPython(python, here('import_forms.py'), [folder, String(SAMPLES)])
  say(`${name}: evaluating`)
  const theirs = await runPython(python, here('../ptq/evaluate.py'), [folder].concat(files.map(({ file }) => file)))
  const rows = []
  for (const { file, operators } of files) {
    const { counts, missing } = await countProgram(network, join(folder, file))
    for (const { set, correct, total } of counts) {
      const { integer } = theirs.find((row) => row.set === set && row.file === file)
      rows.push({ network: name, set, file, runtime: integer, program: correct, total, missing, operators })
    }
  }
  return rows
}

const { values, positionals } = parseArgs({
  options: {
    python: { type: 'string', default: 'python3' },
    folder: { type: 'string' },
    json: { type: 'boolean' },
    save: { type: 'boolean' },
  },
  allowPositionals: true,
})
const chosen = peerNetworks.filter((network) => {
  const name = networkName(network)
  return positionals.length === 0 ? !SKIPPED.includes(name) : positionals.includes(name)
})
const into = values.folder ?? mkdtempSync(join(tmpdir(), 'dyadic-import-'))
const rows = []
try {
  for (const network of chosen) {
    const measured = await measure(values.python, network, into)
    if (values.save) saveRows('imports.json', measured, peerNetworks.map(networkName))
    rows.push(...measured)
  }
} finally {
  if (values.folder === undefined) rmSync(into, { recursive: true })
}
if (values.json) process.stdout.write(`${JSON.stringify({ rows })}\n`)
else process.stdout.write(formatTable(rows, ['network', 'set', 'file', 'runtime', 'program', 'total', 'missing']))
const behind = rows.filter((row) => row.missing === 0 && row.program < row.runtime - ALLOWED)
for (const row of behind)
  say(`${row.network}, ${row.set}, ${row.file}: ${row.program} correct, ONNX Runtime ${row.runtime}`)
process.exitCode = behind.length > 0 ? 1 : 0
