/**
 * `node bench/real/main.mjs [--json] [--save] [names…]`: real networks on real data, float against integer: counts of
 * correct answers where there are labels, SQNR and boxes (kind "sqnr") where there are none, networks of several
 * inputs or with a state that is carried (kind "sequence"), nats per token of the language model (kind "language").
 *
 * Prints a table for each kind, or with --json one JSON array with a row per network and evaluation set. Exit code 0 when every gate
 * holds, 1 when one is missed (after all rows) or when models and data are missing, 2 for wrong arguments. --save keeps
 * the rows and the machine in bench/results/real.json (all networks only).
 */
import { existsSync, writeFileSync } from 'node:fs'
import { readCommandLine } from '../command-line.mjs'
import { describeMachine } from '../peers/interleave.mjs'
import { formatTable } from '../table.mjs'
import { located } from './build.mjs'
import { judgeNatural, missedGates } from './gates.mjs'
import { LANGUAGE, measureLanguage, missedLanguageGates } from './language.mjs'
import { measureNetwork } from './measure.mjs'
import { measureNatural } from './measure-natural.mjs'
import { naturalNetworks } from './natural.mjs'
import { networkName, networks } from './networks.mjs'
import { measureSequences, sequenceNetworks } from './sequences.mjs'

const say = (text) => process.stderr.write(`${text}\n`)

/** @returns {{ json: boolean, save: boolean, names: string[] }} */
function readArguments() {
  const { values, positionals } = readCommandLine(import.meta.url, {
    options: { json: { type: 'boolean', default: false }, save: { type: 'boolean', default: false } },
    allowPositionals: true,
  })
  const known = [
    ...[...networks, ...naturalNetworks].map(networkName),
    ...sequenceNetworks.map(({ name }) => name),
    LANGUAGE.name,
  ]
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
  const isChosen = (network) => names.length === 0 || names.includes(networkName(network))
  const chosen = networks.filter(isChosen)
  const chosenNatural = naturalNetworks.filter(isChosen)
  const withLanguage = names.length === 0 || names.includes(LANGUAGE.name)
  const chosenSequences = sequenceNetworks.filter(({ name }) => names.length === 0 || names.includes(name))
  const files = [...chosen, ...chosenNatural, ...chosenSequences].flatMap(({ model, data }) => [
    model,
    ...[data].flat(),
  ])
  const missing = [...new Set([...files, ...(withLanguage ? Object.values(LANGUAGE.files) : [])])].filter(
    (path) => !existsSync(located(path)),
  )
  if (missing.length > 0) {
    say(`real: ${missing.join(', ')} ${missing.length > 1 ? 'are' : 'is'} missing, seen from the repository's root.`)
    say(
      'The real networks and their data are not part of the repository; "glyphs" and "glyphs-transformer" run without them.',
    )
    return 1
  }
  const rows = []
  const missed = []
  const known = []
  const progress = json ? undefined : say
  for (const network of chosen)
    for (const { row, gates } of await measureNetwork(network, progress)) {
      rows.push(row)
      missed.push(...missedGates(row, gates))
    }
  for (const network of chosenNatural) {
    try {
      const { row, gates } = await measureNatural(network, progress)
      rows.push(row)
      const judged = judgeNatural(row, gates)
      missed.push(...judged.missed)
      known.push(...judged.known)
    } catch (error) {
      missed.push(`${networkName(network)}: no row: ${error.message}`)
    }
  }
  for (const network of chosenSequences) {
    const { row, missed: gates } = await measureSequences(network, progress)
    rows.push(row)
    missed.push(...gates)
  }
  if (withLanguage)
    for (const row of await measureLanguage(progress)) {
      rows.push(row)
      missed.push(...missedLanguageGates(row))
    }
  if (json) process.stdout.write(`${JSON.stringify(rows, null, 1)}\n`)
  else process.stdout.write(tables(rows))
  for (const message of known) say(`real: known miss: ${message}`)
  for (const message of missed) say(`real: gate missed: ${message}`)
  if (save) {
    const text = JSON.stringify({ machine: describeMachine(), rows }, null, 2)
    writeFileSync(new URL('../results/real.json', import.meta.url), `${text}\n`)
  }
  return missed.length > 0 ? 1 : 0
}

/** Rows with labels and rows without, each with their own columns. */
function tables(rows) {
  const hidden = ['kind', 'metric', 'calibration', 'integerGraph', 'outputs', 'boxes']
  const natural = rows.filter(({ kind }) => kind === 'sqnr')
  const flat = natural.map(({ boxes, ...row }) => ({ ...row, ...boxes }))
  const language = rows.filter(({ kind }) => kind === 'language')
  const labelled = rows.filter(({ kind }) => kind === undefined)
  const columnsOf = (some) => [...new Set(some.flatMap(Object.keys))].filter((column) => !hidden.includes(column))
  const sequences = rows.filter(({ kind }) => kind === 'sequence')
  return [labelled, flat, sequences, language]
    .filter((some) => some.length > 0)
    .map((some) => formatTable(some, columnsOf(some)))
    .join('\n')
}

process.exitCode = await main()
