/**
 * Networks without labelled data in the suite `networks`: on the first picture of their test set, against the peer's fp32.
 * Before times count, both must compute the same network: the peer against our float executor, our program by its SQNR.
 */
import { readFileSync } from 'node:fs'
import { createFastExecutor, parseOnnx, realInput } from '../../dist/index.js'
import { loadSync } from '../../dist/runtime/index.js'
import { measure } from '../peers/interleave.mjs'
import { createOrtWeb } from '../peers/ort-web.mjs'
import { buildNetwork, located, openSet } from '../real/build.mjs'
import { naturalNetworks } from '../real/natural.mjs'
import { networkName } from '../real/networks.mjs'
import { makeRow } from './row.mjs'

/** Networks that are timed, by name. */
const cases = ['yolox_nano', 'version-RFB-320', 'super_resolution']
/** The peer's fp32 may differ from our float executor by so much of the largest output. */
const MOST_DIFFERENCE = 1e-3

/** 10·log10(Σ wanted² / Σ (wanted − found)²) over all outputs. */
function decibels(wanted, found) {
  let signal = 0
  let noise = 0
  for (const [name, values] of wanted)
    for (let i = 0; i < values.length; i++) {
      signal += values[i] ** 2
      noise += (values[i] - found[name][i]) ** 2
    }
  return 10 * Math.log10(signal / noise)
}

/** Numbers of the program, and how near `npm run real` found exactly these to the float network. */
function describePlan(name, { certificate }, sqnrDb) {
  let rows = []
  try {
    rows = JSON.parse(readFileSync(new URL('../results/real.json', import.meta.url), 'utf8')).rows
  } catch {
    // Not measured yet; said below.
  }
  const row = rows.find(({ network, integerGraph }) => network === name && integerGraph === certificate.integerGraph)
  const here = `on this picture ${sqnrDb.toFixed(1)} dB`
  if (row === undefined) return `default numbers, ${here}; not measured further: npm run real -- --save`
  const boxes = row.boxes ? `, least overlap of the best boxes ${row.boxes.worstOverlap}` : ''
  return `default numbers, ${here}; ${row.tested} others of ${row.set}: worst output ${row.worstSqnrDb} dB${boxes}`
}

/** @returns {Promise<import('./row.mjs').SpeedRow>} */
async function measureCase(name, options) {
  const network = naturalNetworks.find((candidate) => networkName(candidate) === name)
  const bytes = readFileSync(located(network.model))
  const { prepared, program } = await buildNetwork(network)
  const samples = await openSet(network, network.test)
  const graph = parseOnnx(bytes)
  const [input] = graph.inputs
  const dims = [...graph.values.get(input).shape]
  const stored = await samples.read(0)
  const data = realInput(samples, stored)
  const ours = loadSync(program.wasm)
  const peer = await createOrtWeb(bytes)
  const wanted = createFastExecutor(prepared.float).run(new Map([[input, data]]))
  const answers = await peer.run({ [input]: { data, dims } })
  for (const [output, values] of wanted) {
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
    const difference = values.reduce((most, value, i) => Math.max(most, Math.abs(value - answers[output].data[i])), 0)
    if (difference > MOST_DIFFERENCE * largest)
      throw new Error(`${name}: the peer's ${output} differs from our float executor by ${difference} of ${largest}`)
  }
  const sqnrDb = decibels(wanted, ours.run({ [input]: data }))
  const { timings } = await measure(
    {
      ours: () => void ours.run({ [input]: data }),
      'ours integer': () => void ours.runInteger({ [input]: stored }),
      'ort-web fp32': () => peer.run({ [input]: { data, dims } }),
    },
    options,
  )
  await peer.release()
  const plan = describePlan(name, program, sqnrDb)
  return makeRow({ name, ours: 'ours', integer: 'ours integer', peers: /./, timings, plan })
}

/**
 * @param {object} options Of `measure`.
 * @param {(text: string) => void} report
 */
export async function naturalRows(options, report) {
  const rows = []
  for (const name of cases) {
    report(`networks: ${name}`)
    rows.push(await measureCase(name, options))
  }
  return rows
}
