/**
 * int8 products of matrices with requantisation to int8 on every level and tile: exactness on sampled entries, equal bytes
 * among all, and the median time of a dispatch.
 */
import { createHash } from 'node:crypto'
import { createSession } from '../../dist/runtime/gpu/session.js'
import { readBack, timeRuns } from './clock.mjs'
import { benchDevice } from './dawn.mjs'
import { randomGemm } from './random-gemm.mjs'

export async function measureGemm(gpu, { sizes, times, until, samples = 500, only = /./ }) {
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
      if (performance.now() > until) break
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
