/**
 * `node bench/real/draws.mjs [--json] [--save] [names…]`: the default command's programs when they are calibrated on other
 * samples, float against integer.
 *
 * Prints a table, or with --json an array, with a row per labelled network, draw of draw-sets.mjs and evaluation set. --save
 * keeps rows and machine in bench/results/draws.json (all networks only). Gates are judged on the pinned draw alone
 * (main.mjs); here they are not.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { createFastExecutor, evaluatePair, floatPredictor, programPredictor } from '../../dist/index.js'
import { loadSync } from '../../dist/runtime/index.js'
import { describeMachine } from '../peers/interleave.mjs'
import { formatTable } from '../table.mjs'
import { buildNetwork, openSet } from './build.mjs'
import { DRAWS, describeDraw, drawn } from './draw-sets.mjs'
import { rounded } from './measure.mjs'
import { networkName, networks } from './networks.mjs'

/**
 * @typedef {{
 *   network: string, draw: number, calibration: string, set: string,
 *   float: number, integer: number, lost: number, gained: number, total: number, agreement: number, sqnrDb: number,
 *   integerGraph: string,
 * }} DrawRow Counts are correct samples, as in measure.mjs.
 */

/** @returns {Promise<DrawRow[]>} */
async function measureDraw(network, draw) {
  const other = drawn(network, draw)
  const { prepared, program } = await buildNetwork(other)
  const rows = []
  for (const { set, card } of other.evaluations) {
    const samples = await openSet(other, card)
    const { reference, candidate, lost, gained, total, agreement, sqnrDb } = await evaluatePair(
      samples,
      floatPredictor(prepared.compiled, createFastExecutor(prepared.compiled), samples),
      programPredictor(loadSync(program.wasm), samples),
    )
    rows.push({
      ...{ network: networkName(network), draw, calibration: describeDraw(other), set },
      ...{ float: reference, integer: candidate, lost, gained, total },
      agreement: rounded(agreement, 5),
      sqnrDb: rounded(sqnrDb, 2),
      integerGraph: program.certificate.integerGraph,
    })
  }
  return rows
}

const { values, positionals: names } = parseArgs({
  options: { json: { type: 'boolean', default: false }, save: { type: 'boolean', default: false } },
  allowPositionals: true,
})
const calibrated = networks.filter(({ calibration }) => calibration)
const known = calibrated.map(networkName)
const unknown = names.filter((name) => !known.includes(name))
if (unknown.length > 0) throw new Error(`no network ${unknown.join(', ')}; there are ${known.join(', ')}`)
if (values.save && names.length > 0) throw new Error('--save keeps the rows of all networks; name none')

const rows = []
for (const network of calibrated)
  if (names.length === 0 || names.includes(networkName(network)))
    for (const draw of DRAWS) {
      if (!values.json) process.stderr.write(`${networkName(network)}: draw ${draw}\n`)
      rows.push(...(await measureDraw(network, draw)))
    }
if (values.json) process.stdout.write(`${JSON.stringify(rows, null, 1)}\n`)
else
  process.stdout.write(
    formatTable(
      rows,
      Object.keys(rows[0]).filter((column) => column !== 'integerGraph'),
    ),
  )
if (values.save) {
  const text = JSON.stringify({ machine: describeMachine(), rows }, null, 2)
  writeFileSync(new URL('../results/draws.json', import.meta.url), `${text}\n`)
}
