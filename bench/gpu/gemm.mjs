/**
 * int8 products of matrices with requantisation to int8 on every level and tile: exactness on sampled entries, equal bytes
 * among all, and the median time of a dispatch.
 */
import { createHash } from 'node:crypto'
import { createSession } from '../../dist/runtime/gpu/session.js'
import { benchDevice } from './dawn.mjs'
import { randomGemm } from './random-gemm.mjs'

const MAP_READ = 1
const COPY_TARGET = 8

/** Bytes of a buffer's part. */
export async function readBack(device, buffer, offset, bytes) {
  const target = device.createBuffer({ size: bytes, usage: MAP_READ | COPY_TARGET })
  const encoder = device.createCommandEncoder()
  encoder.copyBufferToBuffer(buffer, offset, target, 0, bytes)
  device.queue.submit([encoder.finish()])
  await target.mapAsync(MAP_READ)
  const copy = new Uint8Array(target.getMappedRange()).slice()
  target.destroy()
  return copy
}

/** Longest group of runs that are timed together. */
const GROUP_MS = 100

/** Microseconds of each dispatch of a run by the device's clock, medians of `groups` runs; nothing where it has no clock. */
export async function timeDispatches(session, groups = 5) {
  const { device, shaders } = session
  if (!device.features.has('timestamp-query')) return []
  const count = 2 * shaders.length
  const querySet = device.createQuerySet({ type: 'timestamp', count })
  const resolved = device.createBuffer({ size: count * 8, usage: 0x200 | 4 })
  const spans = shaders.map(() => [])
  for (let group = 0; group < groups; group++) {
    const encoder = device.createCommandEncoder()
    for (const i of shaders.keys()) {
      const timestampWrites = { querySet, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 }
      const pass = encoder.beginComputePass({ timestampWrites })
      session.encode(pass, i, i + 1)
      pass.end()
    }
    encoder.resolveQuerySet(querySet, 0, count, resolved, 0)
    device.queue.submit([encoder.finish()])
    const times = new BigUint64Array((await readBack(device, resolved, 0, count * 8)).buffer)
    for (const [i, list] of spans.entries()) list.push(Number(times[2 * i + 1] - times[2 * i]) / 1000)
  }
  querySet.destroy()
  resolved.destroy()
  return spans.map((list) => list.sort((a, b) => a - b)[groups >> 1])
}

/** Milliseconds of one run, the median of several groups; a group is one submission of at most `most` runs. */
export async function timeRuns(session, most, groups = 7) {
  const { device } = session
  const group = async (count) => {
    const encoder = device.createCommandEncoder()
    const pass = encoder.beginComputePass()
    for (let i = 0; i < count; i++) session.encode(pass)
    pass.end()
    device.queue.submit([encoder.finish()])
    await device.queue.onSubmittedWorkDone()
  }
  await group(1)
  const begin = performance.now()
  await group(1)
  const times = Math.max(1, Math.min(most, Math.round(GROUP_MS / (performance.now() - begin))))
  await group(Math.min(times, 5))
  const spans = []
  for (let i = 0; i < groups; i++) {
    const start = performance.now()
    await group(times)
    spans.push((performance.now() - start) / times)
  }
  return spans.sort((a, b) => a - b)[groups >> 1]
}

export async function measureGemm(gpu, { sizes, times, samples = 500, only = /./ }) {
  const { device, levels } = await benchDevice(gpu)
  const rows = []
  for (const size of sizes) {
    const { program, expected } = randomGemm(size, size, size, 11)
    const product = program.header.dispatches.filter(({ family }) => family.startsWith('dense'))
    const [port] = program.header.outputs
    const shaders = program.header.shaders.filter(
      ({ level, families, name }) => levels.includes(level) && families.includes(product[0].family) && only.test(name),
    )
    const exporter = program.header.shaders.filter(({ families }) => families.includes('export'))
    for (const shader of shaders) {
      try {
        const of = (dispatches) => ({
          header: { ...program.header, shaders: [shader, ...exporter], dispatches },
          constants: program.constants,
        })
        const start = performance.now()
        const whole = await createSession(device, of(program.header.dispatches), 1, [shader.level, 'plain'])
        const compileMs = performance.now() - start
        await timeRuns(whole, 1, 1)
        const bytes = await readBack(device, whole.arena, whole.offsetOf(port), size * size)
        const codes = new Int8Array(bytes.buffer)
        let wrong = 0
        for (let i = 0; i < samples; i++) {
          const [m, n] = [(i * 7919 + (i >> 3)) % size, (i * 104729 + 13 * i) % size]
          if (codes[m * size + n] !== expected(m, n)) wrong++
        }
        whole.destroy()
        const session = await createSession(device, of(product), 1, [shader.level])
        const ms = await timeRuns(session, times)
        session.destroy()
        rows.push({
          size,
          kernel: shader.name,
          level: shader.level,
          ms: Number(ms.toFixed(4)),
          tops: Number(((2 * size ** 3) / ms / 1e9).toFixed(2)),
          wrong,
          samples,
          sha256: createHash('sha256').update(bytes).digest('hex').slice(0, 16),
          compileMs: Math.round(compileMs),
        })
      } catch (error) {
        rows.push({ size, kernel: shader.name, level: shader.level, error: String(error).slice(0, 1500) })
      }
      console.error(JSON.stringify(rows.at(-1)))
    }
  }
  device.destroy()
  return rows
}
