/**
 * Layers of ResNet-50 and MobileNetV2 on every level and tile: bytes compared among all and with the definition at sampled
 * places, TOP/s by the device's clock.
 */
import { createHash } from 'node:crypto'
import { createSession } from '../../dist/runtime/gpu/session.js'
import { readBack, timeBackToBack } from './clock.mjs'
import { benchDevice } from './dawn.mjs'
import { layerProgram, layers, multiplications } from './layers.mjs'

const SAMPLES = 200
const rounded = (value) => Number(value.toPrecision(4))

/**
 * @param {GPU} gpu
 * @param {{ batches: number[], until: number, only?: RegExp, wanted?: string[] }} options `until` is a time of
 *   performance.now() after which no further layer is begun.
 */
export async function measureConvolutions(gpu, { batches, until, only = /./, wanted = ['matrix', 'dot4', 'plain'] }) {
  const { device, levels } = await benchDevice(gpu)
  const rows = []
  for (const layer of layers.filter(({ name }) => only.test(name))) {
    const { program, expected } = layerProgram(layer)
    const { header } = program
    const [{ family }] = header.dispatches.filter((dispatch) => dispatch.name === layer.name)
    const exporter = header.shaders.filter(({ families }) => families.includes('export'))
    const tiles = header.shaders.filter(({ families, level }) => families.includes(family) && levels.includes(level))
    // One kernel for all levels: the plain one, as each level takes it.
    const shaders = tiles.filter(({ level }) => wanted.includes(level) || tiles.every((one) => one.level === level))
    for (const batch of batches) {
      if (performance.now() > until) break
      const { shaders: chosen, destroy } = await createSession(device, program, batch, levels)
      destroy()
      for (const shader of shaders) {
        const row = { layer: layer.name, batch, kernel: shader.name, level: shader.level }
        rows.push(row)
        try {
          const of = (dispatches) => ({
            header: { ...header, shaders: [shader, ...exporter], dispatches },
            constants: program.constants,
          })
          const session = await createSession(device, of(header.dispatches), batch, [shader.level, 'plain'])
          const encoder = device.createCommandEncoder()
          const pass = encoder.beginComputePass()
          session.encode(pass)
          pass.end()
          device.queue.submit([encoder.finish()])
          const [port] = header.outputs
          const bytes = await readBack(device, session.arena, session.offsetOf(port), port.imageBytes * batch)
          session.destroy()
          const codes = new Int8Array(bytes.buffer)
          row.wrong = 0
          row.samples = SAMPLES
          for (let i = 0; i < SAMPLES; i++) {
            const [y, x] = [(i * 7919) % layer.outputSide, (i * 104729 + 13) % layer.outputSide]
            const [o, image] = [(i * 31) % layer.outputs, i % batch]
            const at = image * port.imageBytes + (y * layer.outputSide + x) * layer.outputs + o
            if (codes[at] !== expected(y, x, o)) row.wrong++
          }
          row.sha256 = createHash('sha256').update(bytes).digest('hex').slice(0, 16)
          row.chosen = chosen.some((one) => one.name === shader.name)
          const only = of(header.dispatches.filter((dispatch) => dispatch.name === layer.name))
          const timed = await createSession(device, only, batch, [shader.level, 'plain'])
          const us = await timeBackToBack(timed)
          timed.destroy()
          if (us !== undefined) {
            row.us = rounded(us)
            row.tops = rounded((2 * multiplications(layer) * batch) / us / 1e6)
          }
        } catch (error) {
          // A tile may make more workgroups of a large batch than a dimension has: no session would take it there.
          if (error.failure === 'limit') {
            rows.pop()
            continue
          }
          row.error = String(error).slice(0, 600)
        }
        console.error(JSON.stringify(row))
      }
    }
  }
  device.destroy()
  for (const row of rows) {
    const same = rows.filter(({ layer, batch, sha256 }) => layer === row.layer && batch === row.batch && sha256)
    row.equal = same.every(({ sha256 }) => sha256 === row.sha256)
  }
  return rows
}
