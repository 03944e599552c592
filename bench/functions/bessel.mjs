// log I and log K beside SciPy's log(ive) + x and log(kve) − x: node bench/functions/bessel.mjs [PYTHON] (default python3, with
// SciPy). Both sides get the same points, those at which SciPy's result is finite, and take turns, pass by pass. The figure
// is the median over the passes of nanoseconds of processor time per point. Writes bench/results/bessel.json.

import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { fillLogBesselI, fillLogBesselK } from '../../dist/functions/bessel-logarithm.js'
import { randomUint32 } from '../../dist/num/random.js'
import { describeMachine, quantile } from '../peers/interleave.mjs'

const python = process.argv[2] ?? 'python3'
const COUNT = 20_000
const PASSES = 25
const uniform = (stream, counter) => (randomUint32(1, stream, counter) + 0.5) / 2 ** 32
const linear = (low, high, u) => low + (high - low) * u
const logarithmic = (low, high, u) => low * (high / low) ** u
const DIMENSIONS = [2048, 8192, 32768]

/** Name, order and argument from two uniform numbers in (0, 1). */
const SETS = [
  ['near the origin', (u) => linear(0, 18, u), (u) => linear(0, 18, u)],
  ['orders and arguments to 100', (u) => linear(0, 100, u), (u) => linear(0, 100, u)],
  ['orders and arguments to 1000', (u) => linear(0, 1000, u), (u) => linear(0, 1000, u)],
  [
    'von Mises–Fisher, dimensions 2048 to 32768',
    (u) => DIMENSIONS[Math.floor(3 * u)] / 2 - 1,
    (u) => logarithmic(100, 1e5, u),
  ],
  ['logarithmic, 0.1 to 10,000', (u) => logarithmic(0.1, 1e4, u), (u) => logarithmic(0.1, 1e4, u)],
  ['whole range, logarithmic', (u) => logarithmic(1e-6, 1e6, u), (u) => logarithmic(1e-300, 1e6, u)],
]

/** Milliseconds: what other processes take does not count. */
function processorTime() {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

const sets = []
let versions
for (const [index, [name, order, argument]] of SETS.entries()) {
  const points = new Float64Array(2 * COUNT)
  for (let i = 0; i < COUNT; i++) {
    points[2 * i] = order(uniform(2 * index, i))
    points[2 * i + 1] = argument(uniform(2 * index + 1, i))
  }
  const folder = mkdtempSync(join(tmpdir(), 'dyadic-bessel-'))
  const file = join(folder, 'points.f64')
  writeFileSync(file, points)
  const child = spawn(python, [fileURLToPath(new URL('bessel-scipy.py', import.meta.url)), file], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const first = await lines.next()
  if (first.done) throw new Error(`${python} with SciPy does not run; give its path as the argument`)
  const { works, ...found } = JSON.parse(first.value)
  versions = found
  const row = { name, points: COUNT }
  for (const [kind, fill] of [
    ['i', fillLogBesselI],
    ['k', fillLogBesselK],
  ]) {
    const chosen = [...works[kind]].flatMap((flag, i) => (flag === '1' ? [i] : []))
    const orders = Float64Array.from(chosen, (i) => points[2 * i])
    const values = Float64Array.from(chosen, (i) => points[2 * i + 1])
    const out = new Float64Array(chosen.length)
    for (let i = 0; i < 20; i++) fill(orders, values, out)
    const ours = []
    const theirs = []
    for (let pass = 0; pass < PASSES; pass++) {
      const start = processorTime()
      fill(orders, values, out)
      ours.push(processorTime() - start)
      child.stdin.write(`${kind}\n`)
      theirs.push(Number((await lines.next()).value))
    }
    const median = (times) =>
      (quantile(
        times.sort((a, b) => a - b),
        0.5,
      ) *
        1e6) /
      chosen.length
    const [dyadic, scipy] = [median(ours), median(theirs)]
    row[kind === 'i' ? 'logI' : 'logK'] = {
      finiteInSciPy: chosen.length,
      dyadicNanoseconds: Number(dyadic.toFixed(1)),
      scipyNanoseconds: Number(scipy.toFixed(1)),
      ratio: Number((scipy / dyadic).toFixed(2)),
    }
  }
  child.stdin.end()
  rmSync(folder, { recursive: true })
  sets.push(row)
  const cell = ({ finiteInSciPy, dyadicNanoseconds, scipyNanoseconds, ratio }) =>
    `${String(finiteInSciPy).padStart(5)} of ${COUNT}: ${dyadicNanoseconds} ns against ${scipyNanoseconds} ns, ×${ratio}`
  console.log(`${name}\n  log I ${cell(row.logI)}\n  log K ${cell(row.logK)}`)
}
writeFileSync(
  new URL('../results/bessel.json', import.meta.url),
  `${JSON.stringify({ schema: 1, machine: describeMachine(), ...versions, sets }, null, 2)}\n`,
)
