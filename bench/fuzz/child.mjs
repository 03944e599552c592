/**
 * Executes cases until its parent ends it: read, prepare, and small networks all the way to a program whose self-test must
 * give what the scalar meaning gave. Anything but a DyadicError is a finding.
 */
import { DyadicError } from '../../dist/error.js'
import { compile, parseOnnx, prepare, quantize, runSelfTest, verifyModule } from '../../dist/index.js'
import { findUnsupported } from '../../dist/lower/lower.js'
import { randomUint32 } from '../../dist/num/random.js'
import { loadSync } from '../../dist/runtime/index.js'
import { drawFrom, mutate } from './mutate.mjs'
import { readSeeds } from './seeds.mjs'

/** Work that is "small": what the slow scalar meaning does in a fraction of the time limit. */
const MOST_ELEMENTS = 4096
const MOST_WORK = 200_000
const LONGEST_MESSAGE = 4096

const elements = (shape) => shape.reduce((product, size) => product * size, 1)

const samplesFor = (shape) => ({
  name: 'noise',
  length: 4,
  elementType: 'float32',
  shape: shape.slice(1),
  channelAxis: 0,
  scale: [1],
  offset: [0],
  label: () => undefined,
  read: async (index) =>
    Float32Array.from({ length: elements(shape) / shape[0] }, (_, i) => (randomUint32(7, index, i) / 2 ** 31 - 1) * 3),
  describe: String,
})

function isSmall(graph) {
  let work = 0
  for (const { shape } of graph.values.values()) work += elements(shape)
  return work <= MOST_ELEMENTS && graph.nodes.length <= 40
}

/** The stage that the file reached. Throws what the library throws. */
async function execute(bytes) {
  const graph = parseOnnx(bytes)
  const { compiled } = prepare(graph)
  if (!isSmall(compiled) || findUnsupported(compiled).length > 0) return 'prepared'
  if (compiled.inputs.length !== 1) return 'prepared'
  const { shape } = compiled.values.get(compiled.inputs[0])
  if (elements(shape) > MOST_WORK || shape.length < 2) return 'prepared'
  const plan = await quantize(graph, samplesFor(shape), { activations: 'u8', methods: [] })
  const { wasm, manifest } = compile(graph, plan)
  const failed = verifyModule(wasm).checks.filter(({ ok }) => !ok)
  if (failed.length > 0) throw new Error(`verify: ${failed.map(({ name }) => name).join(', ')}`)
  const network = loadSync(wasm)
  const hash = runSelfTest(
    network.inputs,
    network.outputs,
    manifest.selfTest,
    (inputs) => new Map(Object.entries(network.runInteger(Object.fromEntries(inputs)))),
  )
  if (hash !== manifest.selfTest.sha256) throw new Error('the program differs from its scalar meaning')
  return 'ran'
}

/** What is wrong with a refusal, or `undefined`. */
function faultOf(error) {
  if (!(error instanceof DyadicError)) return `${error?.stack ?? error}`
  if (Buffer.byteLength(error.message) > LONGEST_MESSAGE)
    return `a message of ${Buffer.byteLength(error.message)} bytes`
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a message must not have any
  if (/[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e]/.test(error.message)) return 'a control character in the message'
  return undefined
}

const before = JSON.stringify(Object.getOwnPropertyNames(Object.prototype))
const seeds = readSeeds()

process.on('message', async ({ seed, first, count }) => {
  for (let index = first; index < first + count; index++) {
    process.send({ start: index })
    const { name, bytes } = mutate(drawFrom(randomUint32, seed, index), seeds)
    let [outcome, fault] = ['', undefined]
    try {
      outcome = await execute(bytes)
    } catch (error) {
      fault = faultOf(error)
      outcome = error instanceof DyadicError ? error.code : 'internal'
    }
    if (JSON.stringify(Object.getOwnPropertyNames(Object.prototype)) !== before) fault = 'Object.prototype was changed'
    process.send({ end: index, name, outcome, fault })
  }
  process.send({ idle: true })
})
