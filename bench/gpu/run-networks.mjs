/**
 * Whole networks on every level: outputs by hash against the WebAssembly module's, and milliseconds of a run with and without
 * copying inputs and outputs. What prepare.mjs wrote lies in the folder.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { selfTestInput } from '../../dist/program/self-test.js'
import { load } from '../../dist/runtime/gpu/index.js'
import { readGpuProgram } from '../../dist/runtime/gpu/program.js'
import { benchDevice } from './dawn.mjs'
import { timeDispatches, timeRuns } from './gemm.mjs'

const bytesOf = (values) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]
const round = (value) => Number(value.toFixed(4))

/** Outputs of each image by hash. */
function hashes(network, results) {
  return Array.from({ length: network.batch }, (_, image) => {
    const hash = createHash('sha256')
    for (const { name, count } of network.outputs)
      hash.update(bytesOf(results[name].subarray(image * count, (image + 1) * count)))
    return hash.digest('hex')
  })
}

/** Samples [first, first + batch) one behind the other. */
function inputsOf(network, { seed }, first) {
  return Object.fromEntries(
    network.inputs.map((port, i) => {
      const parts = Array.from({ length: network.batch }, (_, image) =>
        selfTestInput(port, seed, (first + image) * network.inputs.length + i),
      )
      const all = new parts[0].constructor(port.count * network.batch)
      for (const [image, part] of parts.entries()) all.set(part, image * port.count)
      return [port.name, all]
    }),
  )
}

export async function runNetworks(gpu, folder, { batches, times, only = /./, wanted = ['matrix', 'dot4', 'plain'] }) {
  const rows = []
  const { adapter, device, levels } = await benchDevice(gpu)
  for (const file of readdirSync(folder)
    .filter((name) => name.endsWith('.gpu') && only.test(name))
    .sort()) {
    const facts = JSON.parse(readFileSync(`${folder}/${file.replace(/gpu$/, 'json')}`, 'utf8'))
    const bytes = new Uint8Array(readFileSync(`${folder}/${file}`))
    const { header } = readGpuProgram(bytes)
    for (const level of levels.filter((one) => wanted.includes(one)))
      for (const batch of batches) {
        const row = { network: facts.name, level, batch }
        rows.push(row)
        try {
          const start = performance.now()
          const network = await load(bytes, { gpu, adapter, device, batch, level })
          Object.assign(row, { runsOn: network.level, dispatches: network.dispatches, refused: network.refused })
          let equal = 0
          let samples = 0
          for (let first = 0; first + batch <= facts.hashes.length && samples < Math.max(4, batch); first += batch) {
            const found = hashes(network, await network.runInteger(inputsOf(network, facts, first)))
            if (first === 0) row.firstAnswerMs = round(performance.now() - start)
            equal += found.filter((hash, i) => hash === facts.hashes[first + i]).length
            samples += batch
          }
          Object.assign(row, { equal, samples })
          const inputs = inputsOf(network, facts, 0)
          const spans = []
          for (let i = 0; i < Math.min(times, 30); i++) {
            const begin = performance.now()
            await network.runInteger(inputs)
            spans.push(performance.now() - begin)
          }
          row.runMs = round(median(spans))
          row.deviceMs = round(await timeRuns(network.session, times))
          const spent = await timeDispatches(network.session)
          const { shaders } = network.session
          row.table = header.dispatches.map(({ name }, i) => [
            name,
            shaders[i].name,
            Number((spent[i] ?? 0).toFixed(1)),
          ])
          row.families = [...Map.groupBy(row.table, ([, shader]) => shader)]
            .map(([shader, list]) => [shader, list.length, Math.round(list.reduce((sum, [, , us]) => sum + us, 0))])
            .sort((a, b) => b[2] - a[2])
          network.destroy()
        } catch (error) {
          row.error = String(error).slice(0, 1500)
        }
        console.error(JSON.stringify({ ...row, table: undefined }))
      }
  }
  device.destroy()
  return rows
}
