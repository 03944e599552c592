/**
 * `node bench/peers/ptq/main.mjs [--python PYTHON] [--folder FOLDER] [--json] [--save] [names…]`: other quantisers on the
 * networks and samples of bench/real, counted on ONNX Runtime beside the float network.
 *
 * PYTHON (default python3) has the packages of requirements.txt in exactly these versions. Dumped samples and models go to
 * FOLDER and stay there; without it, to a temporary folder that is removed. --save keeps rows, runtime comparison, versions
 * and machine in bench/results/peers-ptq.json (all networks only). Exit code 1 when a tool fails on a network, after all rows.
 */
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { networkName } from '../../real/networks.mjs'
import { formatTable } from '../../table.mjs'
import { describeMachine } from '../interleave.mjs'
import { dumpNetwork, peerNetworks } from './dump.mjs'
import { compareRuntimes } from './equality.mjs'

/**
 * @typedef {{
 *   network: string, set: string, tool: string, version: string, settings: string,
 *   float: number, integer: number, lost: number, gained: number, total: number, agreement: number, sqnrDb: number | null,
 * }} PeerRow Counts as in bench/real; `sqnrDb` is null where all scores are equal.
 */

/** Networks whose ONNX Runtime files are compiled here too, and the samples they are compared on. */
const comparedNetworks = ['resnet20-cifar10', 'kws_dscnn']
const comparedSamples = 200

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
async function measurePeers(python, network, into) {
  const name = networkName(network)
  const folder = join(into, name)
  say(`${name}: writing samples`)
  await dumpNetwork(network, into)
  say(`${name}: quantising`)
  const models = await runPython(python, 'quantize.py', [folder])
  const failures = models
    .filter(({ error }) => error)
    .map((model) => `${name}: ${model.tool} ${model.settings}: ${model.error}`)
  const made = models.filter(({ file }) => file)
  say(`${name}: evaluating`)
  const counts = await runPython(python, 'evaluate.py', [folder, ...made.map(({ file }) => file)])
  const rows = counts.map(({ set, file, ...numbers }) => {
    const { tool, version, settings } = made.find((model) => model.file === file)
    return { network: name, set, tool, version, settings, ...numbers }
  })
  const compared = []
  if (comparedNetworks.includes(name))
    for (const { tool, version, settings, file } of made.filter((model) => model.tool === 'onnxruntime')) {
      say(`${name}: comparing runtimes on the file of ${tool} ${settings}`)
      await runPython(python, 'scores.py', [folder, file, String(comparedSamples)])
      const differences = await compareRuntimes(network, folder, file, comparedSamples)
      compared.push({ network: name, tool, version, settings, ...differences })
    }
  return { rows, compared, failures }
}

async function main() {
  const { values, positionals: names } = parseArgs({
    options: {
      python: { type: 'string', default: 'python3' },
      folder: { type: 'string' },
      json: { type: 'boolean', default: false },
      save: { type: 'boolean', default: false },
    },
    allowPositionals: true,
  })
  const known = peerNetworks.map(networkName)
  const unknown = names.filter((name) => !known.includes(name))
  if (unknown.length > 0) throw new Error(`no network ${unknown.join(', ')}; there are ${known.join(', ')}`)
  if (values.save && names.length > 0) throw new Error('--save keeps the rows of all networks; name none')
  const versions = await checkVersions(values.python)
  const folder = values.folder ?? mkdtempSync(join(tmpdir(), 'dyadic-peers-'))
  const rows = []
  const compared = []
  const failures = []
  try {
    for (const network of peerNetworks.filter((one) => names.length === 0 || names.includes(networkName(one)))) {
      const measured = await measurePeers(values.python, network, folder)
      rows.push(...measured.rows)
      compared.push(...measured.compared)
      failures.push(...measured.failures)
    }
  } finally {
    if (values.folder === undefined && existsSync(folder)) rmSync(folder, { recursive: true })
  }
  process.stdout.write(values.json ? `${JSON.stringify(rows, null, 1)}\n` : formatTable(rows, Object.keys(rows[0])))
  for (const failure of failures) say(`peers: ${failure}`)
  if (values.save) {
    const text = JSON.stringify({ machine: describeMachine(), versions, rows, compared, failures }, null, 2)
    writeFileSync(new URL('../../results/peers-ptq.json', import.meta.url), `${text}\n`)
  }
  return failures.length > 0 ? 1 : 0
}

process.exitCode = await main()
