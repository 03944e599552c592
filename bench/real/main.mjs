/**
 * `node bench/real/main.mjs [--json] [--save] [names…]`: real networks on real labelled data, float against integer.
 *
 * Prints a table, or with --json one JSON array with a row per network and evaluation set. Exit code 0 when every gate
 * holds, 1 when one is missed (after all rows) or when models and data are missing, 2 for wrong arguments. --save keeps
 * the rows and the machine in bench/results/real.json (all networks only).
 */
import { existsSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { describeMachine } from '../peers/interleave.mjs'
import { formatTable } from '../table.mjs'
import { located } from './build.mjs'
import { missedGates } from './gates.mjs'
import { measureNetwork } from './measure.mjs'
import { networkName, networks } from './networks.mjs'

const say = (text) => process.stderr.write(`${text}\n`)

/** @returns {{ json: boolean, save: boolean, names: string[] }} */
function readArguments() {
  const { values, positionals } = parseArgs({
    options: { json: { type: 'boolean', default: false }, save: { type: 'boolean', default: false } },
    allowPositionals: true,
  })
  const known = networks.map(networkName)
  const unknown = positionals.filter((name) => !known.includes(name))
  if (unknown.length > 0) throw new Error(`no network ${unknown.join(', ')}; there are ${known.join(', ')}`)
  if (values.save && positionals.length > 0) throw new Error('--save keeps the rows of all networks; name none')
  return { json: values.json, save: values.save, names: positionals }
}

async function main() {
  let given
  try {
    given = readArguments()
  } catch (error) {
    say(`real: ${error.message}`)
    return 2
  }
  const { json, save, names } = given
  const chosen = networks.filter((network) => names.length === 0 || names.includes(networkName(network)))
  const missing = [...new Set(chosen.flatMap(({ model, data }) => [model, data]))].filter(
    (path) => !existsSync(located(path)),
  )
  if (missing.length > 0) {
    say(`real: ${missing.join(', ')} ${missing.length > 1 ? 'are' : 'is'} missing, seen from the repository's root.`)
    say('The real networks and their data are not part of the repository; "glyphs" alone runs without them.')
    return 1
  }
  const rows = []
  const missed = []
  for (const network of chosen)
    for (const { row, gates } of await measureNetwork(network, json ? undefined : say)) {
      rows.push(row)
      missed.push(...missedGates(row, gates))
    }
  const columns = Object.keys(rows[0]).filter((column) => !['metric', 'calibration', 'integerGraph'].includes(column))
  process.stdout.write(json ? `${JSON.stringify(rows, null, 1)}\n` : formatTable(rows, columns))
  for (const message of missed) say(`real: gate missed: ${message}`)
  if (save) {
    const text = JSON.stringify({ machine: describeMachine(), rows }, null, 2)
    writeFileSync(new URL('../results/real.json', import.meta.url), `${text}\n`)
  }
  return missed.length > 0 ? 1 : 0
}

process.exitCode = await main()
