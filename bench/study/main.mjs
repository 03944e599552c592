/**
 * `node bench/study/main.mjs [--save] [--keep FOLDER] [names…]`: real networks under number formats and kinds of products, by
 * the built command `dyadic study`. Prints a table per question; --save puts them into bench/results/study.json, where other
 * questions stay. Rows are kept in FOLDER (default node_modules/.cache/dyadic-study) and not run again.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { describeMachine } from '../peers/interleave.mjs'
import { networkName, networks } from '../real/networks.mjs'
import { located } from '../real/place.mjs'
import { formatTable } from '../table.mjs'
import { questions } from './questions.mjs'

const root = fileURLToPath(new URL('../../', import.meta.url))
const say = (text) => process.stderr.write(`${text}\n`)
const rounded = (value, digits) => (value === null ? null : Number(value.toFixed(digits)))

/** A card whose files are absolute, so that it may lie anywhere. */
function absoluteCard(card, folder) {
  return JSON.stringify(card, (key, value) => {
    if ((key === 'file' || key === 'tar') && typeof value === 'string') return join(located(folder), value)
    return key === 'files' ? value.map((file) => join(located(folder), file)) : value
  })
}

/** Runs one question and gives the record that the command has kept. */
function ask({ name, network, set, limit, calibrated, words }, folder, keep) {
  const entry = networks.find((candidate) => networkName(candidate) === network)
  const evaluation = entry.evaluations.find((one) => one.set === set)
  const write = (file, card) => {
    writeFileSync(join(folder, file), absoluteCard(card, entry.data))
    return join(folder, file)
  }
  const out = join(keep, `${name}.json`)
  const parameters = [
    ...['study', located(entry.model), '--data', write(`${name}.data.json`, evaluation.card), '-o', out],
    ...(limit === undefined ? [] : ['--limit', String(limit)]),
    ...(calibrated ? ['--calibrate', write(`${name}.calibrate.json`, entry.calibration)] : []),
    ...words,
  ]
  const { status, stdout } = spawnSync(process.execPath, [join(root, 'dist/cli/main.js'), ...parameters, '--json'], {
    ...{ stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 2 ** 28, encoding: 'utf8' },
  })
  if (status !== 0) throw new Error(`${name}: dyadic study ended with ${status}`)
  return JSON.parse(stdout)
}

/** A row without what repeats in every row. */
function shortRow({ name, score, cost, seconds }) {
  const { picojoules, bound, unknownMacs } = cost.energy
  return {
    name,
    ...{ correct: score.correct, lost: score.lost, gained: score.gained, agreement: rounded(score.agreement, 5) },
    ...{ nll: rounded(score.nll, 4), sqnrDb: rounded(score.sqnrDb, 2) },
    ...{ weightBytes: cost.weightBits / 8, valueBytes: cost.valueBits / 8 },
    ...{ microjoules: unknownMacs > 0 ? null : rounded(picojoules / 1e6, 3), bound, chosen: cost.chosen, seconds },
  }
}

/** Puts questions into the file of results, in the order of questions.mjs. */
function save(results) {
  const path = new URL('../results/study.json', import.meta.url)
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const before = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).questions : []
  const all = new Map([...before, ...results].map((one) => [one.question, one]))
  const ordered = questions.flatMap(({ name }) => all.get(name) ?? [])
  writeFileSync(path, `${JSON.stringify({ machine: describeMachine(), version, questions: ordered }, null, 2)}\n`)
}

function main() {
  const { values, positionals } = parseArgs({
    options: { save: { type: 'boolean', default: false }, keep: { type: 'string' } },
    allowPositionals: true,
  })
  const unknown = positionals.filter((name) => !questions.some((one) => one.name === name))
  if (unknown.length > 0) {
    say(`study: no question ${unknown.join(', ')}; there are ${questions.map(({ name }) => name).join(', ')}`)
    return 2
  }
  const chosen = questions.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
  const needed = networks.filter((network) => chosen.some((one) => one.network === networkName(network)))
  const missing = needed.flatMap(({ model, data }) => [model, data]).filter((path) => !existsSync(located(path)))
  if (missing.length > 0) {
    say(`study: ${missing.join(', ')} is missing, seen from the repository's root; it is not part of the repository.`)
    return 1
  }
  const keep = values.keep ?? join(root, 'node_modules/.cache/dyadic-study')
  mkdirSync(keep, { recursive: true })
  const folder = mkdtempSync(join(tmpdir(), 'dyadic-study-'))
  const results = []
  try {
    for (const question of chosen) {
      say(`${question.name}: ${question.network} on ${question.set}`)
      const { rows, data, calibration } = ask(question, folder, keep)
      const short = rows.map(shortRow)
      results.push({
        question: question.name,
        network: question.network,
        set: question.set,
        data,
        calibration,
        rows: short,
      })
      const columns = [
        'name',
        'correct',
        'lost',
        'gained',
        'agreement',
        'sqnrDb',
        'weightBytes',
        'valueBytes',
        'microjoules',
      ]
      process.stdout.write(`${question.name}, ${data.samples} samples\n${formatTable(short, columns)}\n`)
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  if (values.save) save(results)
  return 0
}

process.exitCode = main()
