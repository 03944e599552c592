/**
 * `node bench/real/methods.mjs [--save] [--out <file>] [--held] [--precision <name>] [--chain <methods>] [names…]`: what each method, and chains of them, give back of the
 * accuracy that rounding takes. Without names ResNet-20 at W8A8, W4A8 and W4A4 on its evaluation set; with --held the
 * networks named, at W8A8, by nearness to the float network on the last quarter of their calibration samples only.
 *
 * First and last layers keep 8 bits. --save writes the rows to bench/results/methods.json, --out to another file. --precision and
 * --chain (such as gptq,bias-correction, or none) leave the other rows out; both may be given several times.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import {
  compile,
  createFastExecutor,
  evaluatePair,
  floatPredictor,
  parseOnnx,
  prepare,
  programPredictor,
  quantize,
} from '../../dist/index.js'
import { loadSync } from '../../dist/runtime/index.js'
import { formatTable } from '../table.mjs'
import { located, openSet } from './build.mjs'
import { networkName, networks } from './networks.mjs'

const say = (text) => process.stderr.write(`${text}\n`)

const { values, positionals } = parseArgs({
  options: {
    save: { type: 'boolean', default: false },
    out: { type: 'string' },
    held: { type: 'boolean', default: false },
    precision: { type: 'string', multiple: true },
    chain: { type: 'string', multiple: true },
  },
  allowPositionals: true,
})

const nameOf = (chain) => chain.join(',') || 'none'
const wanted = (chain) => values.chain?.includes(nameOf(chain)) ?? true

const ends = [
  { pattern: '@first', format: 'w8' },
  { pattern: '@last', format: 'w8' },
]

/** Options of `quantize`; `lastInput` is the value that the last layer reads. @param {string} lastInput */
const precisions = (lastInput) => ({
  W4A8: { weights: 's4', activations: 'u8', range: 'minmax', keep: ends },
  W4A4: {
    ...{ weights: 's4', activations: 'u4', range: 'mse' },
    keep: [...ends, { pattern: lastInput.replace(/[^\w]/g, '\\$&'), format: 'u8' }],
  },
  W8A8: { activations: 'u8', range: 'minmax' },
})

const chains = [
  [],
  ['bias-correction'],
  ['weights-mse'],
  ['equalize'],
  ['migrate'],
  ['gptq'],
  ['adaround'],
  ['weights-mse', 'bias-correction'],
  ['weights-mse', 'gptq'],
  ['weights-mse', 'adaround'],
  ['weights-mse', 'gptq', 'bias-correction'],
  ['weights-mse', 'adaround', 'bias-correction'],
  ['migrate', 'weights-mse', 'gptq'],
  ['migrate', 'weights-mse', 'gptq', 'bias-correction'],
  ['equalize', 'weights-mse', 'gptq', 'bias-correction'],
  ['auto'],
]

/** Cheap chains for whole networks of any size. */
const heldChains = [
  [],
  ['bias-correction'],
  ['weights-mse'],
  ['equalize'],
  ['migrate'],
  ['gptq'],
  ['migrate', 'bias-correction'],
  ['migrate', 'gptq'],
  ['migrate', 'gptq', 'bias-correction'],
]

const rounded = (value, digits) => Number(value.toFixed(digits))

/** The value that the last layer with weights has its numbers from. */
function lastInputOf(graph) {
  const layers = graph.nodes.filter(({ operator }) => ['dyadic.Conv', 'dyadic.Dense'].includes(operator))
  let [name] = layers.at(-1).inputs
  for (;;) {
    const producer = graph.nodes.find(({ outputs }) => outputs.includes(name))
    if (!['Reshape', 'Flatten', 'Squeeze'].includes(producer?.operator)) return name
    ;[name] = producer.inputs
  }
}

/** A predictor that remembers: evaluation asks for the samples in the same order every time. */
function remembered(predict) {
  const known = []
  let next = 0
  return {
    rewind: () => {
      next = 0
    },
    predict: (stored) => {
      known[next] ??= Float32Array.from(predict(stored))
      return known[next++]
    },
  }
}

/** @param {import('./networks.mjs').RealNetwork} network @param {(row: object) => void} keep */
async function measureChains(network, keep) {
  const graph = parseOnnx(readFileSync(located(network.model)))
  const { compiled } = prepare(graph)
  const calibration = await openSet(network, network.calibration)
  const [{ set, card }] = network.evaluations
  const samples = await openSet(network, card)
  const float = remembered(floatPredictor(compiled, createFastExecutor(compiled), samples))
  for (const [precision, options] of Object.entries(precisions(lastInputOf(compiled)))) {
    if (values.precision && !values.precision.includes(precision)) continue
    for (const methods of chains.filter(wanted)) {
      const start = performance.now()
      const plan = await quantize(graph, calibration, { ...options, methods, onNote: say })
      const seconds = rounded((performance.now() - start) / 1000, 1)
      const program = loadSync(compile(graph, plan).wasm)
      float.rewind()
      const pair = await evaluatePair(samples, float.predict, programPredictor(program, samples))
      keep({
        ...{ network: networkName(network), set, precision, methods: nameOf(methods) },
        ...(methods[0] === 'auto' && { chosen: plan.origin.methods.join(',') || 'none' }),
        ...{ float: pair.reference, integer: pair.candidate, lost: pair.lost, gained: pair.gained, total: pair.total },
        ...{ agreement: rounded(pair.agreement, 4), sqnrDb: rounded(pair.sqnrDb, 2), seconds },
      })
    }
  }
}

/** Calibration samples alone: three quarters make the plan, the last one compares it. */
async function compareHeldBack(network, keep) {
  const graph = parseOnnx(readFileSync(located(network.model)))
  const { compiled } = prepare(graph)
  const all = await openSet(network, network.calibration)
  const first = all.length - Math.floor(all.length / 4)
  const part = (from, length) => ({
    ...{ name: all.name, length, elementType: all.elementType, shape: all.shape, channelAxis: all.channelAxis },
    ...{ scale: all.scale, offset: all.offset, label: (i) => all.label(from + i), read: (i) => all.read(from + i) },
    describe: (i) => all.describe(from + i),
  })
  const held = part(first, all.length - first)
  const float = remembered(floatPredictor(compiled, createFastExecutor(compiled), held))
  for (const range of ['minmax', 'mse'])
    for (const methods of heldChains.filter(wanted)) {
      const start = performance.now()
      const plan = await quantize(graph, part(0, first), { range, methods, onNote: say })
      const seconds = rounded((performance.now() - start) / 1000, 1)
      const program = loadSync(compile(graph, plan).wasm)
      float.rewind()
      const pair = await evaluatePair(held, float.predict, programPredictor(program, held))
      keep({
        ...{ network: networkName(network), range, methods: nameOf(methods), samples: held.length },
        ...{ agreement: rounded(pair.agreement, 4), sqnrDb: rounded(pair.sqnrDb, 2), seconds },
      })
    }
}

const names = positionals.length > 0 ? positionals : ['resnet20-cifar10']
const rows = []
const write = () => {
  const path = values.out ?? fileURLToPath(new URL('../results/methods.json', import.meta.url))
  if (values.save || values.out) writeFileSync(path, `${JSON.stringify(rows, null, 2)}\n`)
}
for (const name of names) {
  const network = networks.find((candidate) => networkName(candidate) === name)
  if (network?.calibration === undefined)
    throw new Error(`${name} is no network that is calibrated; there are ${networks.map(networkName).join(', ')}`)
  await (values.held ? compareHeldBack : measureChains)(network, (row) => {
    rows.push(row)
    say(Object.values(row).join('  '))
    write()
  })
}
process.stdout.write(
  formatTable(
    rows,
    Object.keys(rows[0]).filter((column) => column !== 'chosen'),
  ),
)
