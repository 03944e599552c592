/**
 * `node bench/peers/ptq/main.mjs [--study STUDY] [--tools TOOLS] [--python PYTHON] [--folder FOLDER] [--json] [--save]
 * [names…]`: other quantisers on the networks and samples of bench/real, run by ONNX Runtime beside the float network.
 *
 * STUDY is w8a8 (default), draws (other calibration samples), natural (networks without labels) or w4a8 (4-bit weights);
 * TOOLS, with commas, are some of onnxruntime, nncf and aimet-onnx (default all). PYTHON (default python3) has the packages
 * of requirements.txt in exactly these versions. Dumped samples and models go to FOLDER and stay there; without it, to a
 * temporary folder that is removed. --save keeps the rows in the study's file of bench/results; where tools or networks are
 * named, the other rows of the file stay. Exit code 1 when a tool fails on a network, after all rows.
 */
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { DRAWS, describeDraw, drawn } from '../../real/draw-sets.mjs'
import { networkName } from '../../real/networks.mjs'
import { formatTable } from '../../table.mjs'
import { describeMachine } from '../interleave.mjs'
import { dumpNetwork, naturalPeerNetworks, peerNetworks } from './dump.mjs'
import { compareRuntimes } from './equality.mjs'

/**
 * @typedef {{
 *   network: string, set: string, tool: string, version: string, settings: string,
 *   float: number, integer: number, lost: number, gained: number, total: number, agreement: number, sqnrDb: number | null,
 * }} PeerRow Counts as in bench/real; `sqnrDb` is null where all scores are equal. Rows of the study draws begin with
 *   `draw` and `calibration`, those of the study natural have `outputs: { name, sqnrDb }[]` in place of counts.
 */

/** The networks of a study, each beside what its rows say about the calibration, and the file that keeps the rows. */
const studies = {
  w8a8: { file: 'peers-ptq.json', cases: peerNetworks.map((network) => ({ network, about: {} })) },
  draws: {
    file: 'peers-draws.json',
    cases: peerNetworks.flatMap((network) =>
      DRAWS.map((draw) => {
        const other = drawn(network, draw)
        return { network: other, about: { draw, calibration: describeDraw(other) } }
      }),
    ),
  },
  natural: { file: 'peers-natural.json', cases: naturalPeerNetworks.map((network) => ({ network, about: {} })) },
  w4a8: {
    file: 'peers-w4a8.json',
    cases: peerNetworks
      .filter((network) => networkName(network) === 'resnet20-cifar10')
      .map((network) => ({ network, about: {} })),
  },
}

/** Networks whose ONNX Runtime files are compiled here too, and the samples they are compared on. */
const comparedNetworks = ['resnet20-cifar10', 'kws_dscnn']
const comparedSamples = 200

/** As quantize.py and the package index call them, in the order of the tables. */
const toolNames = ['onnxruntime', 'nncf', 'aimet-onnx']

const say = (text) => process.stderr.write(`${text}\n`)
const here = (name) => fileURLToPath(new URL(name, import.meta.url))

/** Runs a script of this folder; returns the JSON lines that it prints. */
async function runPython(python, script, words) {
  const env = { ...process.env, PYTHONDONTWRITEBYTECODE: '1' }
  const { stdout } = await promisify(execFile)(python, [here(script), ...words], { env, maxBuffer: 2 ** 26 })
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
}

/** Versions that requirements.txt pins. Throws where PYTHON has others. */
async function checkVersions(python) {
  const pinned = readFileSync(here('requirements.txt'), 'utf8').trim().split('\n')
  const versions = Object.fromEntries(pinned.map((line) => line.split('==')))
  const code = 'import sys\nfrom importlib.metadata import version\nfor name in sys.argv[1:]: print(version(name))'
  const { stdout } = await promisify(execFile)(python, ['-c', code, ...Object.keys(versions)])
  const found = stdout.trim().split('\n')
  for (const [index, [name, version]] of Object.entries(versions).entries())
    if (found[index] !== version)
      throw new Error(`${python} has ${name} ${found[index]}, requirements.txt says ${version}`)
  return versions
}

/** @returns {Promise<{ rows: PeerRow[], compared: object[], failures: string[] }>} */
async function measurePeers(python, study, tools, { network, about }, into) {
  const name = networkName(network)
  const folder = join(into, name)
  const label = about.draw === undefined ? name : `${name}, draw ${about.draw}`
  say(`${label}: writing samples`)
  await dumpNetwork(network, into)
  say(`${label}: quantising`)
  const models = await runPython(python, 'quantize.py', [folder, study, ...tools])
  const failures = models
    .filter(({ error }) => error)
    .map((model) => `${label}: ${model.tool} ${model.settings}: ${model.error}`)
  const made = models.filter(({ file }) => file)
  say(`${label}: evaluating`)
  const script = study === 'natural' ? 'natural.py' : 'evaluate.py'
  const counts = await runPython(python, script, [folder, ...made.map(({ file }) => file)])
  const rows = counts.map(({ set = network.evaluations[0].set, file, ...numbers }) => {
    const { tool, version, settings } = made.find((model) => model.file === file)
    return { network: name, ...about, set, tool, version, settings, ...numbers }
  })
  const compared = []
  if (study === 'w8a8' && comparedNetworks.includes(name))
    for (const { tool, version, settings, file } of made.filter((model) => model.tool === 'onnxruntime')) {
      say(`${name}: comparing runtimes on the file of ${tool} ${settings}`)
      await runPython(python, 'scores.py', [folder, file, String(comparedSamples)])
      const differences = await compareRuntimes(network, folder, file, comparedSamples)
      compared.push({ network: name, tool, version, settings, ...differences })
    }
  return { rows, compared, failures }
}

/**
 * New results and those of a study's file that they do not replace, in the order of networks and tools. Throws where the
 * file has other versions of a package.
 */
function merged(file, order, isMeasured, fresh) {
  if (!existsSync(file)) return fresh
  const before = JSON.parse(readFileSync(file, 'utf8'))
  for (const [name, version] of Object.entries(before.versions))
    if (fresh.versions[name] !== version)
      throw new Error(
        `the saved rows are of ${name} ${version}, not ${fresh.versions[name]}; measure all of them again`,
      )
  const place = ({ network, draw = 0, tool }) => order.indexOf(network) * 1000 + draw * 100 + toolNames.indexOf(tool)
  const joined = (key) =>
    [...before[key].filter((row) => !isMeasured(row)), ...fresh[key]].sort((a, b) => place(a) - place(b))
  const kept = before.failures.filter((text) => {
    const [label, rest] = text.split(': ')
    return !isMeasured({ network: label.split(',')[0], tool: rest.split(' ')[0] })
  })
  return { ...fresh, rows: joined('rows'), compared: joined('compared'), failures: [...kept, ...fresh.failures] }
}

function readArguments() {
  const { values, positionals: names } = parseArgs({
    options: {
      study: { type: 'string', default: 'w8a8' },
      tools: { type: 'string', default: '' },
      python: { type: 'string', default: 'python3' },
      folder: { type: 'string' },
      json: { type: 'boolean', default: false },
      save: { type: 'boolean', default: false },
    },
    allowPositionals: true,
  })
  const study = Object.hasOwn(studies, values.study) ? studies[values.study] : undefined
  if (study === undefined) throw new Error(`no study ${values.study}; there are ${Object.keys(studies).join(', ')}`)
  const known = [...new Set(study.cases.map(({ network }) => networkName(network)))]
  const unknown = names.filter((name) => !known.includes(name))
  if (unknown.length > 0) throw new Error(`no network ${unknown.join(', ')}; there are ${known.join(', ')}`)
  const tools = values.tools === '' ? [] : values.tools.split(',')
  const strange = tools.filter((tool) => !toolNames.includes(tool))
  if (strange.length > 0) throw new Error(`no tool ${strange.join(', ')}; there are ${toolNames.join(', ')}`)
  return { ...values, names, tools, known, file: study.file, cases: study.cases }
}

async function main() {
  const given = readArguments()
  const { names, tools } = given
  const isMeasured = ({ network, tool }) =>
    (names.length === 0 || names.includes(network)) && (tools.length === 0 || tools.includes(tool))
  const versions = await checkVersions(given.python)
  const folder = given.folder ?? mkdtempSync(join(tmpdir(), 'dyadic-peers-'))
  const rows = []
  const compared = []
  const failures = []
  try {
    for (const one of given.cases.filter(({ network }) => names.length === 0 || names.includes(networkName(network)))) {
      const measured = await measurePeers(given.python, given.study, tools, one, folder)
      rows.push(...measured.rows)
      compared.push(...measured.compared)
      failures.push(...measured.failures)
    }
  } finally {
    if (given.folder === undefined && existsSync(folder)) rmSync(folder, { recursive: true })
  }
  process.stdout.write(
    given.json ? `${JSON.stringify(rows, null, 1)}\n` : formatTable(flat(rows), columnsOf(flat(rows))),
  )
  for (const failure of failures) say(`peers: ${failure}`)
  if (given.save) {
    const file = fileURLToPath(new URL(`../../results/${given.file}`, import.meta.url))
    const results = { machine: describeMachine(), versions, rows, compared, failures }
    writeFileSync(file, `${JSON.stringify(merged(file, given.known, isMeasured, results), null, 2)}\n`)
  }
  return failures.length > 0 ? 1 : 0
}

/** One line per output where rows have several. */
const flat = (rows) =>
  rows.flatMap(({ outputs, ...row }) =>
    outputs === undefined ? [row] : outputs.map(({ name, sqnrDb }) => ({ ...row, output: name, sqnrDb })),
  )

const columnsOf = (rows) => [...new Set(rows.flatMap(Object.keys))]

process.exitCode = await main()
