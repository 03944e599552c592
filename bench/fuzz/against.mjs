/**
 * `--against onnxruntime-web`: random networks of a few nodes in our float executors and in the peer. A child executes them
 * in batches, each drawn from the seed and its number; what differs is shrunk and written to FOLDER as an .onnx file with its
 * inputs and its story beside it.
 */
import { execFileSync, fork } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildNetwork } from './random-network.mjs'

const BATCH = 200
/** A network of eight small nodes takes milliseconds; the first one of a child also starts the peer. */
const LONGEST_MS = 60_000

const path = (name) => fileURLToPath(new URL(name, import.meta.url))

/** The network of a recipe; nothing of it where the fault is that it cannot be read. */
function built(recipe) {
  try {
    return buildNetwork(recipe)
  } catch {
    return {}
  }
}

/** Runs until time is up. Gives the number of kinds of findings. */
export async function fuzzAgainst({ seed, minutes, from, out }) {
  if (!existsSync(path('../peers/node_modules')))
    execFileSync(process.execPath, [path('../../scripts/prepare-hosts.mjs'), '--peers'], { stdio: ['ignore', 2, 2] })
  const until = performance.now() + minutes * 60_000
  const outcomes = new Map()
  const operators = new Map()
  const findings = new Map()
  let batch = from

  const report = (recipe, fault) => {
    const key = fault
      .split('\n')[0]
      .replace(/-?\d+(?:\.\d+)?(?:e-?\d+)?/g, '#')
      .slice(0, 200)
    findings.set(key, (findings.get(key) ?? 0) + 1)
    if (findings.get(key) > 1) return
    mkdirSync(out, { recursive: true })
    const file = join(out, `against-seed${seed}-${batch}`)
    const { bytes = new Uint8Array(0), inputs = [] } = built(recipe)
    writeFileSync(`${file}.onnx`, bytes)
    const given = Object.fromEntries(
      [...inputs].map(([name, { type, dims, data }]) => [name, { type, dims, data: [...data].map(String) }]),
    )
    writeFileSync(`${file}.json`, `${JSON.stringify({ fault, inputs: given, recipe }, undefined, 1)}\n`)
    process.stdout.write(`finding: ${file}.onnx: ${fault.split('\n')[0]}\n`)
  }

  const runChild = () =>
    new Promise((resolve, reject) => {
      const child = fork(path('against-child.mjs'), { stdio: ['ignore', 'inherit', 'pipe', 'ipc'] })
      let running
      let started = performance.now()
      let last = ''
      child.stderr.on('data', (text) => {
        last = `${last}${text}`.slice(-400)
      })
      const watch = setInterval(() => {
        if (running !== undefined && performance.now() - started > LONGEST_MS) child.kill('SIGKILL')
      }, 1000)
      const feed = () => {
        if (performance.now() >= until) return void child.disconnect()
        child.send({ seed, batch, count: BATCH })
      }
      child.on('message', ({ start, end, finding, idle }) => {
        if (start !== undefined) {
          running = start
          started = performance.now()
        } else running = undefined
        if (end !== undefined) {
          outcomes.set(end.outcome, (outcomes.get(end.outcome) ?? 0) + 1)
          if (end.outcome === 'equal')
            for (const name of end.operators) operators.set(name, (operators.get(name) ?? 0) + 1)
        } else if (finding !== undefined) report(finding.recipe, finding.fault)
        else if (idle) {
          batch++
          feed()
        }
      })
      child.on('exit', (code, signal) => {
        clearInterval(watch)
        if (running !== undefined) {
          report(running, `the process ended (${code ?? signal}): ${last}`)
          batch++
        } else if (code !== 0)
          return void reject(new Error(`the process ended between networks (${code ?? signal}): ${last}`))
        resolve()
      })
      feed()
    })

  while (performance.now() < until) await runChild()
  const listed = (counts) =>
    [...counts]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, count]) => `${name} ${count}`)
      .join(', ')
  process.stdout.write(`batches ${from} to ${batch - 1} of ${BATCH} networks: ${listed(outcomes)}\n`)
  process.stdout.write(`nodes in equal networks: ${listed(operators)}\n${findings.size} kinds of findings\n`)
  for (const [key, times] of findings) process.stdout.write(`  ${times} × ${key}\n`)
  return findings.size
}
