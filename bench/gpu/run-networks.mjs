/**
 * Whole networks on every level: outputs by hash against the WebAssembly module's, and milliseconds of a run with and without
 * copying inputs and outputs. What prepare.mjs wrote lies in the folder.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { load } from '../../dist/runtime/gpu/index.js'
import { readGpuProgram } from '../../dist/runtime/gpu/read-program.js'
import { timeDispatches, timeRuns, warmUp } from './clock.mjs'
import { benchDevice } from './dawn.mjs'
import { hashOf, sampleOf } from './expected.mjs'

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]
const round = (value) => Number(value.toFixed(4))
/** Samples that a batch of one is compared on. */
const LEAST_SAMPLES = 4

/** Outputs of each image by hash. */
function hashes(network, results) {
  return Array.from({ length: network.batch }, (_, image) =>
    hashOf(network.outputs.map(({ name, count }) => results[name].subarray(image * count, (image + 1) * count))),
  )
}

/** Samples one behind the other. */
function inputsOf(network, samples) {
  return Object.fromEntries(
    network.inputs.map((port, i) => {
      const all = new samples[0][i].constructor(port.count * network.batch)
      for (const [image, values] of samples.entries()) all.set(values[i], image * port.count)
      return [port.name, all]
    }),
  )
}

/** Names of the programs in a folder, without `.gpu`. */
export const programsIn = (folder) =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.gpu'))
    .map((file) => file.slice(0, -'.gpu'.length))
    .sort()

/**
 * @param {GPU} gpu @param {string} folder
 * @param {{
 *   batches: number[], until: number, times?: number, only?: RegExp, wanted?: string[], largest?: number,
 * }} options `times` runs are timed, none where it is 0; `until` is a time of performance.now() after which no further row is
 *   begun; programs with a larger arena than `largest` bytes are left out.
 */
export async function runNetworks(
  gpu,
  folder,
  { batches, until, times = 0, only = /./, wanted = ['matrix', 'dot4', 'plain'], largest = Number.POSITIVE_INFINITY },
) {
  const rows = []
  const { adapter, device, levels } = await benchDevice(gpu)
  for (const name of programsIn(folder).filter((one) => only.test(one))) {
    if (performance.now() > until) break
    const facts = JSON.parse(readFileSync(`${folder}/${name}.json`, 'utf8'))
    const file = new Uint8Array(readFileSync(`${folder}/${name}.gpu`))
    const { header } = readGpuProgram(file)
    if (header.arenaBytes > largest) continue
    const ports = header.inputs
    const samples = facts.hashes.map((_, sample) => sampleOf(ports, facts.seed, sample))
    for (const level of levels.filter((one) => wanted.includes(one)))
      for (const batch of batches) {
        if (performance.now() > until) break
        const row = { network: facts.name, level, batch }
        rows.push(row)
        try {
          const start = performance.now()
          const network = await load(file, { gpu, adapter, device, batch, level })
          Object.assign(row, { runsOn: network.level, dispatches: network.dispatches, refused: network.refused })
          row.equal = 0
          row.samples = 0
          // Where there are fewer samples than images, they come again.
          for (let first = 0; row.samples < Math.max(Math.min(LEAST_SAMPLES, samples.length), batch); first += batch) {
            const chosen = Array.from({ length: batch }, (_, image) => (first + image) % samples.length)
            const found = hashes(
              network,
              await network.runInteger(
                inputsOf(
                  network,
                  chosen.map((sample) => samples[sample]),
                ),
              ),
            )
            if (first === 0) row.firstAnswerMs = round(performance.now() - start)
            row.equal += found.filter((hash, i) => hash === facts.hashes[chosen[i]]).length
            row.samples += batch
          }
          if (times > 0) Object.assign(row, await timesOf(network, header, samples, times, until))
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

/** Milliseconds with and without copies of inputs and outputs, and what the device's clock says by shader. */
async function timesOf(network, header, samples, times, until) {
  const inputs = inputsOf(
    network,
    Array.from({ length: network.batch }, (_, image) => samples[image % samples.length]),
  )
  await warmUp(() => network.runInteger(inputs))
  const spans = []
  for (let i = 0; i < times && (i < 5 || performance.now() < until); i++) {
    const begin = performance.now()
    await network.runInteger(inputs)
    spans.push(performance.now() - begin)
  }
  const deviceMs = round(await timeRuns(network.session, times, 5))
  const spent = await timeDispatches(network.session)
  const { shaders } = network.session
  const table = header.dispatches.map(({ name }, i) => [name, shaders[i].name, Number((spent[i] ?? 0).toFixed(1))])
  const families = [...Map.groupBy(table, ([, shader]) => shader)]
    .map(([shader, list]) => [shader, list.length, Math.round(list.reduce((sum, [, , us]) => sum + us, 0))])
    .sort((a, b) => b[2] - a[2])
  return { runMs: round(median(spans)), runs: spans.length, deviceMs, table, families }
}
