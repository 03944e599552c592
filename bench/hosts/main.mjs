/**
 * The table of hosts, tested: the same compiled networks on the same integers in every place where WebAssembly runs, compared
 * by hash with the scalar meaning. `npm run hosts -- [--json] [--save] [--all] [names…]`: names select hosts by a part of
 * their name; with --all, or in CI, a missing host is a failure. Exit code 1 when any host disagrees or fails.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readCommandLine } from '../command-line.mjs'
import { describeMachine } from '../peers/interleave.mjs'
import { formatTable } from '../table.mjs'
import { browserHosts } from './browsers.mjs'
import { makeJob } from './job.mjs'
import { processHosts } from './processes.mjs'

const { values: options, positionals: names } = readCommandLine(import.meta.url, {
  allowPositionals: true,
  options: { json: { type: 'boolean' }, save: { type: 'boolean' }, all: { type: 'boolean' } },
})
const strict = options.all || process.env.CI === 'true'
const note = (text) => process.stderr.write(`${text}\n`)

note('compiling the networks and running their scalar meaning')
const { cases, text, missing } = await makeJob()
for (const model of missing) note(`${model} is not here: the table is without it`)
const expected = cases.map(({ hashes }) => hashes)
const folder = await mkdtemp(join(tmpdir(), 'dyadic-hosts-'))
const rows = []
try {
  const jobFile = join(folder, 'job.json')
  await writeFile(jobFile, text)
  const chosen = [...processHosts, ...browserHosts].filter(
    (host) => names.length === 0 || host.rows.some((row) => names.some((name) => row.includes(name))),
  )
  if (chosen.length === 0) throw new Error(`no host has ${names.join(' or ')} in its name`)
  for (const host of chosen) {
    if (!host.available()) {
      for (const name of host.rows) rows.push({ host: name, result: 'missing', remedy: host.remedy })
      continue
    }
    note(host.rows.join('; '))
    try {
      for (const { host: name, engine, hashes, error } of await host.run(jobFile, text))
        rows.push({
          host: name,
          engine,
          result: error !== undefined ? 'failed' : String(hashes) === String(expected) ? 'equal' : 'different',
          ...(error !== undefined && { error }),
        })
    } catch (error) {
      for (const name of host.rows) rows.push({ host: name, result: 'failed', error: error.message })
    }
  }
} finally {
  await rm(folder, { recursive: true, force: true })
}

const result = { machine: describeMachine(), networks: cases, rows }
if (options.json) process.stdout.write(`${JSON.stringify(result, null, 1)}\n`)
else {
  for (const { name, bytes, samples, hashes } of cases)
    process.stdout.write(`${name}: ${bytes} bytes, ${samples} samples, first output ${hashes[0].slice(0, 16)}…\n`)
  process.stdout.write(`\n${formatTable(rows, ['host', 'engine', 'result'])}`)
}
for (const { host, error, remedy } of rows) if (error ?? remedy) note(`${host}: ${error ?? `not installed; ${remedy}`}`)
if (options.save)
  await writeFile(
    fileURLToPath(new URL('../results/hosts.json', import.meta.url)),
    `${JSON.stringify(result, null, 1)}\n`,
  )
const bad = rows.filter(({ result: outcome }) => outcome !== 'equal' && (strict || outcome !== 'missing'))
process.exitCode = bad.length === 0 ? 0 : 1
