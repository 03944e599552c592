/**
 * Products of few rows, as language models decode and classifiers end: microseconds and bytes of weights per second with
 * weights of eight and of four bits, in the kernels for few rows and in the smallest tiles of the others. Every dispatch of a
 * timed pass reads weights of its own, more in all than caches hold. Sampled entries are compared with what they must be.
 *
 * node bench/gpu/decode.mjs <result.json> [--quick | --variants]
 * --variants: kernels with other numbers of threads too.
 */
import { writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { shaderOf } from '../../dist/gpu/shader.js'
import { CONVOLUTION_WORDS } from '../../dist/kernels/gpu/convolution-words.js'
import { gemv } from '../../dist/kernels/gpu/gemv.js'
import { createSession } from '../../dist/runtime/gpu/session.js'
import { readBack, timeRuns } from './clock.mjs'
import { benchDevice, createGpu, describeAdapter } from './dawn.mjs'
import { randomGemm } from './random-gemm.mjs'

const SAMPLES = 500
/** Bytes of weights that a pass reads at least, and dispatches that it has at most. */
const COLD_BYTES = 160e6
const MOST_COPIES = 64
/** Columns × depth. */
const SHAPES = [
  [4096, 4096],
  [4096, 11008],
  [768, 3072],
  [1000, 2048],
]
/** Rows of an image, and the batches in which it runs. */
const ROWS = [
  [1, [1, 4]],
  [8, [1, 2, 4]],
]
const GROUPS = 3
/** Rows of a tile and threads that the package's kernels do not have. */
const VARIANTS = [
  { rows: 1, threads: 64 },
  { rows: 1, threads: 256 },
  { rows: 2, threads: 128 },
  { rows: 4, threads: 64 },
  { rows: 8, threads: 32 },
]
/** Which word says where the weights lie, in elements of 16 bytes. */
const WEIGHTS = CONVOLUTION_WORDS.scaled.length + CONVOLUTION_WORDS.fixed.indexOf('weights')

/** The same product several times over, each with a copy of the constants. */
function copied({ header, constants }, product, weightBytes) {
  const count = Math.min(MOST_COPIES, Math.ceil(COLD_BYTES / weightBytes))
  const all = new Uint8Array(count * constants.length)
  const dispatches = Array.from({ length: count }, (_, copy) => {
    all.set(constants, copy * constants.length)
    const words = product.words.map((word, i) => (i === WEIGHTS ? word + (copy * constants.length) / 16 : word))
    return { ...product, words }
  })
  return { header: { ...header, dispatches, initial: [], constantBytes: all.length }, constants: all }
}

async function measure(device, levels, [columns, depth], [imageRows, batches], bits, { times, variants }) {
  const { program, expected } = randomGemm(imageRows, columns, depth, 11, bits)
  const { header, constants } = program
  const product = header.dispatches.find((dispatch) => dispatch.depth !== undefined)
  const weightBytes = (columns * depth * bits) / 8
  const cold = copied(program, product, weightBytes)
  const [port] = header.outputs
  const others = header.shaders.filter(({ families }) => !families.includes(product.family))
  const shaders = header.shaders.filter(
    ({ level, families, tile: [x, y] }) =>
      levels.includes(level) && level !== 'plain' && families.includes(product.family) && x * y <= 2048,
  )
  if (variants && levels.includes('dot4'))
    for (const tile of VARIANTS) {
      const kernel = gemv('dot4', bits === 4 ? 'nibbles' : 'bytes', tile)
      shaders.push({ ...shaderOf(kernel), name: `${kernel.name} of ${tile.threads} threads` })
    }
  const found = []
  for (const batch of batches) {
    const rows = imageRows * batch
    const preferred = await createSession(device, program, batch, levels)
    const taken = preferred.shaders[header.dispatches.indexOf(product)].name
    preferred.destroy()
    for (const shader of shaders) {
      const row = { rows, columns, depth, bits, kernel: shader.name, taken: shader.name === taken }
      found.push(row)
      try {
        const checked = { header: { ...header, shaders: [shader, ...others] }, constants }
        const whole = await createSession(device, checked, batch, [shader.level, 'plain'])
        await timeRuns(whole, 1, 1)
        const codes = new Int8Array((await readBack(device, whole.arena, whole.offsetOf(port), rows * columns)).buffer)
        row.wrong = 0
        for (let i = 0; i < SAMPLES; i++) {
          const [m, n] = [i % rows, (i * 104729 + 13 * i) % columns]
          if (codes[m * columns + n] !== expected(m % imageRows, n)) row.wrong++
        }
        whole.destroy()
        const timed = { header: { ...cold.header, shaders: [shader] }, constants: cold.constants }
        const session = await createSession(device, timed, batch, [shader.level])
        const us = (1000 * (await timeRuns(session, times, GROUPS))) / cold.header.dispatches.length
        session.destroy()
        row.us = Number(us.toFixed(2))
        row.gigabytesPerSecond = Number((weightBytes / us / 1000).toFixed(1))
      } catch (error) {
        row.error = String(error).slice(0, 500)
      }
      console.error(JSON.stringify(row))
    }
  }
  return found
}

/** A row per shape, rows, bits and kernel; `taken` is the kernel that runs without a table of tiles. */
export async function measureDecode(gpu, { shapes = SHAPES, rows = ROWS, times = 50, variants = false } = {}) {
  const { device, levels } = await benchDevice(gpu)
  const found = []
  for (const shape of shapes)
    for (const some of rows)
      for (const bits of [8, 4]) found.push(...(await measure(device, levels, shape, some, bits, { times, variants })))
  device.destroy()
  return found
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [target, flag] = process.argv.slice(2)
  const gpu = await createGpu()
  const quick = flag === '--quick' && { shapes: [[64, 256]], rows: [[1, [2]]], times: 1 }
  const decode = await measureDecode(gpu, { variants: flag === '--variants', ...quick })
  const adapter = await describeAdapter(gpu)
  writeFileSync(target, `${JSON.stringify({ schema: 1, command: 'bench/gpu/decode', adapter, decode }, null, 1)}\n`)
  process.exit(decode.every(({ wrong }) => wrong === 0) ? 0 : 1)
}
