/**
 * The suite `networks`: whole networks on the first picture of their evaluation set, ours through the rim with the peer's
 * input (real float32 values), and on stored integers as a figure of its own.
 */
import { readFileSync } from 'node:fs'
import { argmax } from '../../dist/quantize/evaluate.js'
import { realInput } from '../../dist/quantize/input.js'
import { loadSync } from '../../dist/runtime/index.js'
import { measure } from '../peers/interleave.mjs'
import { createOrtWeb } from '../peers/ort-web.mjs'
import { buildNetwork, located, openSet } from '../real/build.mjs'
import { networkName, networks } from '../real/networks.mjs'
import { makeRow } from './row.mjs'

const mobilenet = '../shared/models/mobilenet-v2/mobilenet_v2_1.0_224'

/** Case, the network that we compile (by name), and the peer's files by form; the compiled file itself where none is given. */
const cases = [
  { name: 'opt-mnist', compiled: 'opt-mnist' },
  { name: 'resnet20-cifar10', compiled: 'resnet20-cifar10' },
  {
    name: 'mobilenet_v2_1.0_224',
    compiled: 'mobilenet_v2_1.0_224-qdq',
    peers: { fp32: `${mobilenet}-dequantized.onnx`, qdq: `${mobilenet}-qdq.onnx` },
  },
]

/** What numbers the program has, and the accuracy that `npm run real` measured for exactly these. */
function describePlan({ calibration, model }, { certificate, manifest }) {
  const [input] = manifest.inputs
  const origin = calibration === undefined ? 'the file’s own scales' : 'calibrated by least and largest value'
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

/** @returns {Promise<import('./row.mjs').SpeedRow>} */
async function measureCase({ name, compiled, peers }, options) {
  const network = networks.find((candidate) => networkName(candidate) === compiled)
  const { prepared, program } = await buildNetwork(network)
  const samples = await openSet(network, network.evaluations[0].card)
  const stored = await samples.read(0)
  const [input] = prepared.float.inputs
  const [output] = prepared.float.outputs
  const dims = [...prepared.float.values.get(input).shape]
  const real = realInput(prepared.float, input, samples, stored)
  const ours = loadSync(program.wasm)
  const answer = argmax(ours.run({ [input]: real })[output])
  const contestants = {
    ours: () => void ours.run({ [input]: real }),
    'ours integer': () => void ours.runInteger({ [input]: stored }),
  }
  const sessions = []
  for (const [form, file] of Object.entries(peers ?? { fp32: network.model })) {
    const session = await createOrtWeb(readFileSync(located(file)))
    sessions.push(session)
    const feeds = { [input]: { data: real, dims } }
    contestants[`ort-web ${form}`] = () => session.run(feeds)
    const theirs = argmax((await session.run(feeds))[output].data)
    if (theirs !== answer) throw new Error(`${name}: ours says class ${answer}, onnxruntime-web ${form} ${theirs}`)
  }
  const { timings } = await measure(contestants, options)
  for (const session of sessions) await session.release()
  const plan = describePlan(network, program)
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
  return rows
}
