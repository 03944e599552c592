/**
 * `node bench/peers/export/main.mjs [--python PYTHON] [--folder FOLDER] [--json] [--save] [names…]`: the networks of
 * bench/real as exported files, run by ONNX Runtime (and by QONNX's executor) on the same samples as the integer program.
 *
 * PYTHON (default python3) has the packages of requirements.txt. Files and samples go to FOLDER and stay there; without it,
 * to a temporary folder that is removed. --save keeps the rows in bench/results/export.json; where networks are named, its
 * other rows stay. Exit code 1 when a file's count differs by more than 2 samples from the program's, after all rows.
 */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { compile, exportOnnx, parseOnnx, programPredictor, quantize } from '../../../dist/index.js'
import { loadSync } from '../../../dist/runtime/index.js'
import { located, openSet } from '../../real/build.mjs'
import { networkName, networks } from '../../real/networks.mjs'
import { formatTable } from '../../table.mjs'
import { dumpSet } from '../ptq/dump.mjs'
import { roundTrip } from './round-trip.mjs'
import { saveRows } from './save-rows.mjs'

/**
 * @typedef {{
 *   network: string, set: string, format: 'qdq' | 'qoperator' | 'qonnx', runtime: string, fileBytes: number,
 *   program: number, runtimeCorrect: number, lost: number, gained: number, total: number, agreement: number,
 *   equalScores: number, largestDifference: number, operators: Record<string, number>,
 * }} ExportRow `program` and `runtimeCorrect` are correct samples; `equalScores` is the share of scores with the same code,
 *   `largestDifference` the largest difference in codes of the output.
 */

/** How far the count of a file may lie from the program's. */
const ALLOWED = 2
const FORMATS = /** @type {const} */ (['qdq', 'qoperator', 'qonnx'])

const say = (text) => process.stderr.write(`${text}\n`)
const here = (name) => fileURLToPath(new URL(name, import.meta.url))

/** The network's files, samples and the program's scores, for evaluate.py. Returns what our own reader makes of the files. */
async function writeNetwork(network, folder) {
  const graph = parseOnnx(readFileSync(located(network.model)))
  const plan = await quantize(graph, network.calibration && (await openSet(network, network.calibration)))
  const program = compile(graph, plan)
  const [output] = program.manifest.outputs
  const files = FORMATS.map((format) => {
    const bytes = exportOnnx(graph, plan, { format })
    writeFileSync(join(folder, `${format}.onnx`), bytes)
    return { format, file: `${format}.onnx`, fileBytes: bytes.length }
  })
  const evaluations = []
  for (const [index, { set, card }] of network.evaluations.entries()) {
    const samples = await openSet(network, card)
    const predict = programPredictor(loadSync(program.wasm), samples)
    const scores = []
    for (let i = 0; i < samples.length; i++) scores.push(Float32Array.from(predict(await samples.read(i))))
    writeFileSync(join(folder, `program-${index}.f32`), Buffer.concat(scores.map(({ buffer }) => Buffer.from(buffer))))
    evaluations.push({
      ...(await dumpSet(network, card, set, folder, `evaluation-${index}.npy`)),
      scores: `program-${index}.f32`,
    })
  }
  const dump = { files, outputScale: output.scale[0], evaluations }
  writeFileSync(join(folder, 'network.json'), `${JSON.stringify(dump)}\n`)
  return roundTrip(graph, plan, readFileSync(join(folder, 'qdq.onnx')))
}

/** @returns {Promise<ExportRow[]>} */
async function measure(python, network, into) {
  const name = networkName(network)
  const folder = join(into, name)
  mkdirSync(folder, { recursive: true })
  say(`${name}: exporting`)
  const back = await writeNetwork(network, folder)
  say(`${name}: read back: ${back.summary}`)
  say(`${name}: evaluating`)
  const env = { ...process.env, PYTHONDONTWRITEBYTECODE: '1', PYTHONPATH: here('../ptq') }
  const { stdout } = await promisify(execFile)(python, [here('evaluate_exports.py'), folder], {
    env,
    maxBuffer: 2 ** 26,
  })
  const rows = stdout.split('\n').filter((line) => line !== '')
  return rows.map((line) => {
    const row = { network: name, ...JSON.parse(line) }
    return row.format === 'qdq' ? { ...row, readBack: back } : row
  })
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
const chosen = networks.filter((network) => positionals.length === 0 || positionals.includes(networkName(network)))
const into = values.folder ?? mkdtempSync(join(tmpdir(), 'dyadic-export-'))
const rows = []
try {
  for (const network of chosen) {
    const measured = await measure(values.python, network, into)
    if (values.save) saveRows('export.json', measured, networks.map(networkName))
    rows.push(...measured)
  }
} finally {
  if (values.folder === undefined) rmSync(into, { recursive: true })
}
if (values.json) process.stdout.write(`${JSON.stringify({ rows })}\n`)
else
  process.stdout.write(
    formatTable(rows, [
      ...['network', 'set', 'format', 'program', 'runtimeCorrect', 'total', 'agreement', 'equalScores'],
      'largestDifference',
    ]),
  )
const apart = rows.filter((row) => Math.abs(row.program - row.runtimeCorrect) > ALLOWED)
for (const row of apart)
  say(`${row.network}, ${row.set}, ${row.format}: ${row.runtimeCorrect} correct, the program ${row.program}`)
process.exitCode = apart.length > 0 ? 1 : 0
