/**
 * Changed models into reader and compiler. A child executes cases in batches; one that exceeds two seconds, dies, or reports
 * anything but a refusal is written to the folder as an .onnx file with its story beside it.
 */
import { fork } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { randomUint32 } from '../../dist/num/random.js'
import { drawFrom, mutate } from './mutate.mjs'
import { readSeeds } from './seeds.mjs'

const LIMIT_MS = 2000
const MEMORY_MIB = 512
const BATCH = 2000
/** On a busy machine a child may wait for seconds; where the system tells the time that it computed, that counts. */
const LONGEST_WAIT_MS = 60_000
/** A case is too slow when so many looks in turn find it so. */
const MOST_LOOKS = 5

/** Milliseconds that a process has computed, or the time of day where the system does not say. */
function computed(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
    // User and system time, in hundredths of a second.
    return 10 * (Number(fields[11]) + Number(fields[12]))
  } catch {
    return performance.now()
  }
}

/** Runs until time is up. Gives the number of kinds of findings. */
export async function fuzzReader({ seed, minutes, from, out }) {
  const until = performance.now() + minutes * 60_000
  const seeds = readSeeds()
  const outcomes = new Map()
  const findings = new Map()
  const began = performance.now()
  let next = from
  let done = 0
  let slowest = { ms: 0, index: -1 }

  const rate = () => Math.round((done * 1000) / (performance.now() - began))

  function report(index, fault) {
    // Where the fault was thrown tells findings apart.
    const key = fault.split('\n').slice(0, 2).join(' ').replace(/\d+/g, '#')
    const times = (findings.get(key) ?? 0) + 1
    findings.set(key, times)
    if (times > 1) return
    const { name, bytes } = mutate(drawFrom(randomUint32, seed, index), seeds)
    mkdirSync(out, { recursive: true })
    const file = join(out, `seed${seed}-${index}`)
    writeFileSync(`${file}.onnx`, bytes)
    writeFileSync(`${file}.txt`, `seed ${seed}, case ${index}, from ${name}\n${fault}\n`)
    process.stdout.write(`finding: ${file}.onnx: ${fault.split('\n')[0]}\n`)
  }

  /** One child's life: ends when time is up or the child had to be replaced. */
  function runChild() {
    return new Promise((resolve) => {
      const child = fork(fileURLToPath(new URL('child.mjs', import.meta.url)), {
        execArgv: [`--max-old-space-size=${MEMORY_MIB}`],
        stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
      })
      let running
      let watched
      let looks = 0
      let started = 0
      let computedBefore = 0
      let killed = false
      let last = ''
      child.stderr.on('data', (text) => {
        last = `${last}${text}`.slice(-400)
      })
      const watch = setInterval(() => {
        if (running === undefined) return
        const waited = performance.now() - started
        // The watch looks ten times a second: what it first sees of a case is its beginning, near enough.
        if (watched !== running) {
          watched = running
          looks = 0
          computedBefore = computed(child.pid)
        }
        if (waited < LONGEST_WAIT_MS && computed(child.pid) - computedBefore < LIMIT_MS) return
        // Where this process had to wait, the case may be over and its message not read yet.
        if (++looks < MOST_LOOKS) return
        killed = true
        child.kill('SIGKILL')
      }, 100)
      const feed = () => {
        if (performance.now() >= until) return void child.disconnect()
        child.send({ seed, first: next, count: BATCH })
        next += BATCH
      }
      child.on('message', ({ start, end, outcome, fault, idle }) => {
        if (start !== undefined) {
          running = start
          started = performance.now()
        } else if (end !== undefined) {
          const ms = performance.now() - started
          if (ms > slowest.ms) slowest = { ms, index: end }
          running = undefined
          done++
          outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
          if (fault !== undefined) report(end, fault)
        } else if (idle) feed()
      })
      child.on('exit', (code, signal) => {
        clearInterval(watch)
        // What the batch still held is skipped, so that one bad case cannot stop the run.
        if (running !== undefined)
          report(
            running,
            killed ? `it took longer than ${LIMIT_MS} ms` : `the process ended (${code ?? signal}): ${last}`,
          )
        resolve()
      })
      feed()
    })
  }

  const table = () =>
    [...outcomes]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, count]) => `${name} ${count}`)
      .join(', ')
  const progress = setInterval(() => process.stderr.write(`${done} cases, ${rate()}/s: ${table()}\n`), 30_000)
  while (performance.now() < until) await runChild()
  clearInterval(progress)
  process.stdout.write(
    `${done} cases from ${from} to ${next - 1}, ${rate()} per second: ${table()}\n` +
      `slowest ${Math.round(slowest.ms)} ms (case ${slowest.index}); ${findings.size} kinds of findings\n`,
  )
  for (const [key, times] of findings) process.stdout.write(`  ${times} × ${key}\n`)
  return findings.size
}
