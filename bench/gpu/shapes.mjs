/**
 * Thousands of random products and convolutions on every level, byte for byte what the scalar meaning gives. Threads draw
 * them and compute the expected values; here they run, dozens in one program. Small shapes would all take the smallest tile:
 * of each level's tiles one is left in turn, so that each meets a share of the shapes.
 */
import { Worker } from 'node:worker_threads'
import { createSession } from '../../dist/runtime/gpu/session.js'
import { benchDevice } from './dawn.mjs'

const MAP_READ = 1
const COPY_TARGET = 8

/** The program with one tile per family and level: the `turn`-th in a circle. */
function withOneTile({ header, constants }, turn) {
  const used = new Set(header.dispatches.map(({ family }) => family))
  const shaders = []
  for (const family of used) {
    const all = header.shaders.filter(({ families }) => families.includes(family))
    for (const level of new Set(all.map((shader) => shader.level))) {
      const tiles = all.filter((shader) => shader.level === level)
      shaders.push({ ...tiles[turn % tiles.length], families: [family] })
    }
  }
  return { header: { ...header, shaders }, constants }
}

async function outputsOf(device, program, batch, inputs, levels) {
  const { header } = program
  const session = await createSession(device, program, batch, levels)
  const total = header.outputs.reduce((sum, { imageBytes }) => sum + imageBytes * batch, 0)
  const readback = device.createBuffer({ size: total, usage: MAP_READ | COPY_TARGET })
  try {
    for (const [i, port] of header.inputs.entries())
      device.queue.writeBuffer(session.arena, session.offsetOf(port), inputs[i])
    const encoder = device.createCommandEncoder()
    const pass = encoder.beginComputePass()
    session.encode(pass)
    pass.end()
    let at = 0
    for (const port of header.outputs) {
      encoder.copyBufferToBuffer(session.arena, session.offsetOf(port), readback, at, port.imageBytes * batch)
      at += port.imageBytes * batch
    }
    device.queue.submit([encoder.finish()])
    await readback.mapAsync(MAP_READ)
    return { bytes: Buffer.from(new Uint8Array(readback.getMappedRange())), shaders: session.shaders }
  } finally {
    readback.destroy()
    session.destroy()
  }
}

/** Numbers of the shapes whose outputs differ; bytes between images are no outputs. */
function wrongShapes({ program, batch, expected, elementBytes, first }, bytes) {
  const wrong = new Set()
  let at = 0
  for (const [i, { name, count, imageBytes }] of program.header.outputs.entries()) {
    const used = count * elementBytes[i]
    for (let image = 0; image < batch; image++) {
      const from = image * imageBytes
      if (bytes.compare(expected[i], from, from + used, at + from, at + from + used) !== 0)
        wrong.add(first + Number(name.slice(0, name.indexOf('/'))))
    }
    at += imageBytes * batch
  }
  return [...wrong]
}

/**
 * @param {GPU} gpu
 * @param {{ count: number, perProgram?: number, threads: number, until: number, wanted?: string[], first?: number }} options
 *   `until` is a time of performance.now() after which no further shapes are begun.
 */
export async function runShapes(gpu, { count, perProgram = 40, threads, until, wanted, first = 1 }) {
  const { device, levels } = await benchDevice(gpu)
  const tested = levels.filter((level) => wanted === undefined || wanted.includes(level))
  const rows = tested.map((level) => ({ level, shapes: 0, equal: 0, wrong: [], errors: [], kinds: {}, shaders: {} }))
  const ready = []
  let wake = () => {}
  let next = first
  const end = first + count
  const workers = Array.from({ length: threads }, () => {
    const worker = new Worker(new URL('shapes-worker.mjs', import.meta.url), { workerData: { perProgram } })
    const give = () => {
      if (next >= end) return
      worker.postMessage(next)
      next += perProgram
    }
    worker.on('message', (made) => {
      ready.push({ made, give })
      wake()
    })
    worker.on('error', (error) => {
      ready.push({ error })
      wake()
    })
    give()
    return worker
  })
  try {
    for (let turn = 0; turn * perProgram < count && performance.now() < until; turn++) {
      while (ready.length === 0)
        await new Promise((resolve) => {
          wake = resolve
        })
      const { made, give, error } = ready.shift()
      if (error !== undefined) throw error
      give()
      const program = withOneTile(made.program, Math.floor(made.first / perProgram))
      for (const row of rows) {
        row.shapes += perProgram
        for (const kind of made.kinds) row.kinds[kind] = (row.kinds[kind] ?? 0) + 1
        try {
          const allowed = levels.slice(levels.indexOf(row.level))
          const { bytes, shaders } = await outputsOf(device, program, made.batch, made.inputs, allowed)
          for (const { name } of shaders)
            if (!/^(import|export)/.test(name)) row.shaders[name] = (row.shaders[name] ?? 0) + 1
          const wrong = wrongShapes(made, bytes)
          row.equal += perProgram - wrong.length
          row.wrong.push(...wrong)
        } catch (cause) {
          row.errors.push(`${made.first}: ${String(cause).slice(0, 300)}`)
        }
      }
      if (turn % 25 === 24) console.error(`shapes: ${(turn + 1) * perProgram} of ${count}`)
    }
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()))
    device.destroy()
  }
  for (const row of rows) {
    row.wrongShapes = row.wrong.length
    row.wrong.splice(50)
    row.errors.splice(20)
    console.error(JSON.stringify({ ...row, shaders: Object.keys(row.shaders).length }))
  }
  return rows
}
