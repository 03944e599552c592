/**
 * The suite `networks`: whole networks on the first picture of their evaluation set, ours through the rim with the peer's
 * input (real float32 values), and on stored integers as a figure of its own. Networks without an 8-bit file for the peer
 * get one by qdq-form.mjs.
 */
import { readFileSync } from 'node:fs'
import { argmax } from '../../dist/evaluate/evaluate.js'
import { parseOnnx, realInput } from '../../dist/index.js'
import { loadSync } from '../../dist/runtime/index.js'
import { measure } from '../peers/interleave.mjs'
import { createOrtWeb } from '../peers/ort-web.mjs'
import { buildNetwork, located, openSet } from '../real/build.mjs'
import { networkName, networks } from '../real/networks.mjs'
import { naturalRows } from './natural.mjs'
import { qdqForm } from './qdq-form.mjs'
import { makeRow } from './row.mjs'

/** Samples on which all contestants answer before they are timed, and how far their counts may lie from fp32's. */
const CHECKED_SAMPLES = 50
const MOST_DIFFERENCE = 3

const mobilenet = '../shared/models/mobilenet-v2/mobilenet_v2_1.0_224'

/** Case, the network that we compile (by name), and the peer's files by form where the file that we compile is not float. */
const cases = [
  { name: 'opt-mnist', compiled: 'opt-mnist' },
  { name: 'resnet20-cifar10', compiled: 'resnet20-cifar10' },
  {
    name: 'squeezenet1.1',
    compiled: 'squeezenet1.1',
    // qdq-form.mjs knows no Concat.
    peers: { fp32: '../shared/models/squeezenet1.1/squeezenet1.1.onnx' },
  },
  {
    name: 'mobilenet_v2_1.0_224',
    compiled: 'mobilenet_v2_1.0_224-qdq',
    peers: { fp32: `${mobilenet}-dequantized.onnx`, qdq: `${mobilenet}-qdq.onnx` },
  },
]

/** What numbers the program has, and the accuracy that `npm run real` measured for exactly these. */
function describePlan({ calibration, model }, { certificate, manifest }) {
  const [input] = manifest.inputs
  const origin = calibration === undefined ? 'the file’s own scales' : 'by the default command'
  const numbers = `${input.format} input, 8-bit activations with zero point, 8-bit weights, ${origin}`
  const name = networkName({ model })
  let rows = []
  try {
    rows = JSON.parse(readFileSync(new URL('../results/real.json', import.meta.url), 'utf8')).rows
  } catch {
    // Not measured yet; said below.
  }
  const row = rows.find(({ network, integerGraph }) => network === name && integerGraph === certificate.integerGraph)
  if (row === undefined) return `${numbers}; accuracy of these numbers is not measured: npm run real -- --save`
  const { set, float, integer, total, lost, gained, agreement } = row
  return `${numbers}; ${set}: ${integer}/${total}, float ${float}, lost ${lost}, gained ${gained}, agreement ${agreement}`
}

/** The peer's files by form: those of the case, or the float file and a QDQ form made of it. */
async function peerFiles(network, files) {
  if (files !== undefined) return Object.entries(files).map(([form, file]) => [form, readFileSync(located(file))])
  const float = readFileSync(located(network.model))
  return [
    ['fp32', float],
    ['qdq', await qdqForm(parseOnnx(float), await openSet(network, network.calibration))],
  ]
}

/** @returns {Promise<import('./row.mjs').SpeedRow>} */
async function measureCase({ name, compiled, peers }, options) {
  const network = networks.find((candidate) => networkName(candidate) === compiled)
  const { prepared, program } = await buildNetwork(network)
  const samples = await openSet(network, network.evaluations[0].card)
  const graph = prepared.float
  const [input] = graph.inputs
  const [output] = graph.outputs
  const dims = [...graph.values.get(input).shape]
  const ours = loadSync(program.wasm)
  const sessions = {}
  for (const [form, bytes] of await peerFiles(network, peers)) sessions[form] = await createOrtWeb(bytes)

  // Whether all compute the same network, before their times count.
  const right = { ours: 0, ...Object.fromEntries(Object.keys(sessions).map((form) => [form, 0])) }
  for (let index = 0; index < CHECKED_SAMPLES; index += 1) {
    const data = realInput(samples, await samples.read(index))
    const label = samples.label(index)
    if (argmax(ours.run({ [input]: data })[output]) === label) right.ours += 1
    for (const [form, session] of Object.entries(sessions))
      if (argmax((await session.run({ [input]: { data, dims } }))[output].data) === label) right[form] += 1
  }
  for (const [contestant, count] of Object.entries(right))
    if (Math.abs(count - right.fp32) > MOST_DIFFERENCE)
      throw new Error(`${name}: ${contestant} has ${count} of ${CHECKED_SAMPLES} right, the peer's fp32 ${right.fp32}`)

  const stored = await samples.read(0)
  const data = realInput(samples, stored)
  const contestants = {
    ours: () => void ours.run({ [input]: data }),
    'ours integer': () => void ours.runInteger({ [input]: stored }),
  }
  for (const [form, session] of Object.entries(sessions)) {
    const feeds = { [input]: { data, dims } }
    contestants[`ort-web ${form}`] = () => session.run(feeds)
  }
  const { timings } = await measure(contestants, options)
  for (const session of Object.values(sessions)) await session.release()
  const counts = Object.entries(right).map(([contestant, count]) => `${contestant} ${count}`)
  const plan = `${describePlan(network, program)}; of the first ${CHECKED_SAMPLES} right: ${counts.join(', ')}`
  return makeRow({ name, ours: 'ours', integer: 'ours integer', peers: /./, timings, plan })
}

/**
 * @param {object} options Of `measure`.
 * @param {(text: string) => void} report
 */
export async function networkRows(options, report) {
  const rows = []
  for (const entry of cases) {
    report(`networks: ${entry.name}`)
    rows.push(await measureCase(entry, options))
  }
  return [...rows, ...(await naturalRows(options, report))]
}
