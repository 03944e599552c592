// Softmax of one long float32 vector, 10 K to 16 M numbers: node bench/functions/softmax.mjs [--save] [--kernels]
//
// First the algorithms beside each other. All vectors lie in the instance's memory, so that the passes are all that is timed.
// `gigabytesPerSecond` is the traffic that the passes ask for (3 to 5 floats per element, 4 when blocked; counted in
// src/functions/softmax-traffic.test.ts) over the time. Then the peers, beside the default algorithm: ours from and to arrays
// beside onnxruntime-web's session on a tensor, and ours in the workspace beside tfjs' wasm backend on a tensor that lies in
// its memory, without reading back. Times are processor time of this process. --kernels leaves the peers out; --save writes bench/results/softmax.json.

import { readFileSync, writeFileSync } from 'node:fs'
import { createSoftmax } from '../../dist/functions/softmax-instance.js'
import { randomUint32 } from '../../dist/num/random.js'
import { describeMachine, quantile } from '../peers/interleave.mjs'

const SIZES = [10_000, 30_000, 100_000, 300_000, 1_000_000, 2_000_000, 4_000_000, 8_000_000, 16_000_000]
const PEER_SIZES = [10_000, 100_000, 1_000_000, 16_000_000]
const FLOATS = { 'two-pass': 3, 'three-pass-recompute': 4, 'three-pass-reload': 5, blocked: 4 }
const LARGEST = SIZES[SIZES.length - 1]
const ROUNDS = 15
const BURST_MILLISECONDS = 40

const instance = createSoftmax({ workspace: 2 * LARGEST })
const numbers = instance.workspace.subarray(0, LARGEST)
for (let i = 0; i < LARGEST; i++) numbers[i] = (randomUint32(1, 0, i) / 2 ** 32) * 20 - 10
const round = (value, digits) => Number(value.toFixed(digits))
const nanoseconds = (milliseconds, size) => round((milliseconds * 1e6) / size, 4)

/** Milliseconds of processor time: what other processes take from a long call does not count, unlike wall time. */
function processorTime() {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** Milliseconds per call of each contestant, round by round in turn: bursts of the same number of calls, after warming up. */
async function measure(contestants) {
  const entries = Object.entries(contestants).map(([name, call]) => ({ name, call, calls: 0, bursts: [] }))
  const burst = async (call, calls) => {
    const start = processorTime()
    for (let index = 0; index < calls; index++) {
      const pending = call()
      if (pending !== undefined) await pending
    }
    return (processorTime() - start) / calls
  }
  for (const entry of entries) {
    let spent = 0
    let calls = 0
    for (; spent < 300 || calls < 3; calls++) spent += await burst(entry.call, 1)
    entry.calls = Math.max(1, Math.ceil(BURST_MILLISECONDS / (spent / calls)))
  }
  for (let round = 0; round < ROUNDS; round++)
    for (let turn = 0; turn < entries.length; turn++) {
      const entry = entries[(round + turn) % entries.length]
      entry.bursts.push(await burst(entry.call, entry.calls))
    }
  const timings = {}
  for (const { name, bursts } of entries) {
    const sorted = [...bursts].sort((left, right) => left - right)
    timings[name] = { median: quantile(sorted, 0.5), p10: quantile(sorted, 0.1), min: sorted[0], bursts }
  }
  return timings
}

const curve = []
for (const size of SIZES) {
  const input = numbers.subarray(0, size)
  const output = instance.workspace.subarray(LARGEST, LARGEST + size)
  const timings = await measure(
    Object.fromEntries(
      Object.keys(FLOATS).map((name) => [
        name,
        () => {
          instance.softmax(input, output, name)
        },
      ]),
    ),
  )
  const row = { size, algorithms: {} }
  for (const [name, floats] of Object.entries(FLOATS)) {
    const { median, p10, min } = timings[name]
    row.algorithms[name] = {
      nanosecondsPerElement: nanoseconds(median, size),
      p10: nanoseconds(p10, size),
      least: nanoseconds(min, size),
      gigabytesPerSecond: round((4 * floats * size) / median / 1e6, 2),
    }
  }
  // A ratio of each round's neighbours: what else the machine does falls on both.
  const paired = (name) => {
    const ratios = timings[name].bursts.map((time, i) => time / timings['two-pass'].bursts[i])
    return round(ratios.sort((a, b) => a - b)[ratios.length >> 1], 3)
  }
  row.recomputeOverTwoPass = paired('three-pass-recompute')
  row.reloadOverTwoPass = paired('three-pass-reload')
  row.blockedOverTwoPass = paired('blocked')
  curve.push(row)
  console.log(
    `${size}: ${Object.entries(row.algorithms)
      .map(([name, figures]) => `${name} ${figures.nanosecondsPerElement} (${figures.least})`)
      .join(
        ', ',
      )} ns; recompute / two-pass ${row.recomputeOverTwoPass}, reload ${row.reloadOverTwoPass}, blocked ${row.blockedOverTwoPass}`,
  )
}

const peers = []
let versions = {}
if (!process.argv.includes('--kernels')) {
  const { writeOnnx } = await import('../peers/onnx-writer.mjs')
  const { createOrtWeb, ortWebVersion } = await import('../peers/ort-web.mjs')
  const { createTfjsSoftmax, tfjsVersion } = await import('./tfjs-wasm.mjs')
  versions = { onnxruntimeWeb: ortWebVersion, tfjsBackendWasm: tfjsVersion }
  for (const size of PEER_SIZES) {
    const values = numbers.slice(0, size)
    const results = new Float32Array(size)
    const input = numbers.subarray(0, size)
    const output = instance.workspace.subarray(LARGEST, LARGEST + size)
    const dims = [1, size]
    const network = await createOrtWeb(
      writeOnnx({
        nodes: [{ op: 'Softmax', inputs: ['x'], outputs: ['y'], attributes: { axis: 1 } }],
        initializers: {},
        inputs: { x: { type: Float32Array, dims } },
        outputs: { y: { type: Float32Array, dims } },
      }),
    )
    const feeds = { x: { data: values, dims } }
    const tfjs = await createTfjsSoftmax(values)
    instance.softmax(values, results)
    const distance = (other) =>
      other.reduce((most, value, i) => Math.max(most, Math.abs(value - results[i]) / results[i]), 0)
    // float32 sums of millions drift in the peers; a wrong axis or an unread result would be far off.
    const apart = [distance((await network.run(feeds)).y.data), distance(tfjs.result())]
    if (!apart.every((value) => value < 0.05)) throw new Error(`the contestants disagree at ${size}: ${apart}`)
    const timings = await measure({
      oursFromArrays: () => void instance.softmax(values, results),
      onnxruntimeWeb: () => network.run(feeds),
      oursInWorkspace: () => void instance.softmax(input, output),
      tfjsWasm: () => void tfjs.run(),
    })
    await network.release()
    tfjs.release()
    const ratio = (theirs, ours) => round(timings[theirs].median / timings[ours].median, 2)
    const row = {
      size,
      nanosecondsPerElement: Object.fromEntries(
        Object.entries(timings).map(([name, { median }]) => [name, nanoseconds(median, size)]),
      ),
      relativeDistance: { onnxruntimeWeb: apart[0], tfjsWasm: apart[1] },
      onnxruntimeWebOverOurs: ratio('onnxruntimeWeb', 'oursFromArrays'),
      tfjsWasmOverOurs: ratio('tfjsWasm', 'oursInWorkspace'),
    }
    peers.push(row)
    console.log(JSON.stringify(row))
  }
}

if (process.argv.includes('--save')) {
  const caches = readFileSync('/proc/cpuinfo', 'latin1').match(/^cache size\s*:\s*(.*)$/m)?.[1]
  const report = { schema: 1, machine: { ...describeMachine(), lastLevelCache: caches }, ...versions, curve, peers }
  writeFileSync(new URL('../results/softmax.json', import.meta.url), `${JSON.stringify(report, null, 2)}\n`)
}
