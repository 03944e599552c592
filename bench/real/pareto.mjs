/**
 * `node bench/real/pareto.mjs [--save]`: what mixed precision costs ResNet-20, by bytes of weights. At each budget the bits
 * are chosen by the integer program under three sensitivities (error of the outputs and divergence of the scores, both
 * measured; error of the weights alone) and five times at random; every choice is compiled, run on the held-back
 * calibration samples and counted on labelled ones. --save keeps everything in bench/results/pareto-resnet20.json.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { subset } from '../../dist/data/subset.js'
import { createFastExecutor, evaluate, floatPredictor, parseOnnx, prepare, quantize } from '../../dist/index.js'
import { randomUint32 } from '../../dist/num/random.js'
import { allocateBits, evaluateAllocation } from '../../dist/search/bit-allocation.js'
import { chooseBits } from '../../dist/search/bit-choice.js'
import { measuredOmega, measureSensitivities } from '../../dist/search/measure-sensitivity.js'
import { decibels, referenceOutputs } from '../../dist/search/output-loss.js'
import { planLayers } from '../../dist/search/plan-layers.js'
import { composePlan, predictedError, verifyPlan } from '../../dist/search/search-front.js'
import { weightSensitivities } from '../../dist/search/sensitivity.js'
import { describeMachine } from '../peers/interleave.mjs'
import { formatTable } from '../table.mjs'
import { located, openSet } from './build.mjs'
import { networkName, networks } from './networks.mjs'

const NETWORK = 'resnet20-cifar10'
const EVALUATION = 'test_a'
/** The rest of the calibration samples chooses the ranges. */
const HELD_BACK = 64
const RANDOM_DRAWS = 5
/** Bits to choose from, and budgets as shares of the bytes of the 8-bit plan. */
const SEARCHES = [
  { bits: [4, 8], shares: [0.55, 0.6, 0.7, 0.8, 0.9] },
  { bits: [2, 4, 8], shares: [0.35, 0.4, 0.5, 0.6, 0.7] },
]

const say = (text) => process.stderr.write(`${text}\n`)
const rounded = (value, digits) => Number(value.toFixed(digits))

/**
 * Bits at random within a budget: from the fewest everywhere, layers in random order take the most that still fit.
 * @param {import('../../dist/search/bit-allocation.js').AllocationProblem} problem
 * @param {number} most @param {number} draw
 */
function randomBits({ layers }, most, draw) {
  const widths = (layer) => layer.options.map(({ bits }) => bits).sort((a, b) => a - b)
  const bits = layers.map((layer) => widths(layer)[0])
  const order = layers.map((_, index) => ({ index, key: randomUint32(1, draw, index) })).sort((a, b) => a.key - b.key)
  for (const { index } of order)
    for (const width of widths(layers[index])) {
      const raised = bits.with(index, width)
      if (evaluateAllocation({ layers }, raised).cost.bytes <= most) bits[index] = width
    }
  return bits
}

async function main() {
  const { values } = parseArgs({ options: { save: { type: 'boolean', default: false } } })
  const network = networks.find((candidate) => networkName(candidate) === NETWORK)
  const missing = [network.model, network.data].filter((path) => !existsSync(located(path)))
  if (missing.length > 0) {
    say(`pareto: ${missing.join(', ')} is missing, seen from the repository's root; it is not part of the repository.`)
    return 1
  }
  const graph = parseOnnx(readFileSync(located(network.model)))
  const { compiled } = prepare(graph)
  const samples = await openSet(network, network.calibration)
  const indices = Array.from({ length: samples.length }, (_, i) => i)
  const plan = await quantize(graph, subset(samples, indices.slice(0, -HELD_BACK)))
  const reference = await referenceOutputs(compiled, subset(samples, indices.slice(-HELD_BACK)))
  const set = await openSet(network, network.evaluations.find((one) => one.set === EVALUATION).card)
  const float = await evaluate(set, floatPredictor(compiled, createFastExecutor(compiled), set))
  const layers = planLayers(compiled, plan, { choices: chooseBits([8]) }).layers.map(({ name }) => name)
  const eightBit = await verifyPlan(compiled, plan, reference, { set })
  const bytes = evaluateAllocation(
    planLayers(compiled, plan, { choices: chooseBits([8]) }),
    layers.map(() => 8),
  ).cost.bytes

  const rows = []
  let seconds = 0
  for (const { bits, shares } of SEARCHES) {
    const choices = chooseBits(bits)
    const start = performance.now()
    const measured = await measureSensitivities(compiled, plan, reference, { choices })
    seconds += (performance.now() - start) / 1000
    const omegas = {
      measured: measuredOmega(measured, layers, choices, 'squaredError'),
      divergence: measuredOmega(measured, layers, choices, 'divergence'),
      weights: new Map(weightSensitivities(compiled, bits).map(({ name, sensitivity }) => [name, sensitivity])),
    }
    for (const share of shares) {
      const budget = Math.floor(share * bytes)
      const found = []
      for (const [assignment, sensitivities] of Object.entries(omegas)) {
        const problem = planLayers(compiled, plan, { choices, sensitivities })
        const allocation = await allocateBits({ ...problem, budgets: { bytes: budget } })
        found.push({ assignment, allocation })
      }
      const problem = planLayers(compiled, plan, { choices })
      for (let draw = 0; draw < RANDOM_DRAWS; draw++)
        found.push({ assignment: 'random', allocation: evaluateAllocation(problem, randomBits(problem, budget, draw)) })
      for (const { assignment, allocation } of found) {
        const composed = composePlan(compiled, plan, choices, allocation.bits)
        const { loss, correct } = await verifyPlan(compiled, composed, reference, { set })
        rows.push({
          choices: bits.join(),
          budget: `${Math.round(100 * share)} %`,
          assignment,
          bytes: allocation.cost.bytes,
          predictedDb: rounded(decibels(predictedError(measured, layers, choices, allocation.bits)), 2),
          sqnrDb: rounded(decibels(loss.squaredError), 2),
          correct,
          bits: allocation.bits.join(''),
        })
      }
      say(`${bits}: ${Math.round(100 * share)} % done`)
    }
  }
  const result = {
    machine: describeMachine(),
    network: NETWORK,
    evaluation: { set: EVALUATION, total: float.total },
    heldBack: HELD_BACK,
    float: float.correct,
    eightBit: { bytes, sqnrDb: rounded(decibels(eightBit.loss.squaredError), 2), correct: eightBit.correct },
    measureSeconds: rounded(seconds, 1),
    rows,
  }
  process.stdout.write(
    `float ${float.correct} of ${float.total}, 8-bit plan ${eightBit.correct}, ${bytes} bytes, ${result.eightBit.sqnrDb} dB; sensitivities took ${result.measureSeconds} s\n\n` +
      formatTable(summarised(rows), Object.keys(rows[0])),
  )
  if (values.save)
    writeFileSync(new URL('../results/pareto-resnet20.json', import.meta.url), `${JSON.stringify(result, null, 2)}\n`)
  return 0
}

/** Random draws as one row with their means. */
function summarised(rows) {
  const groups = new Map()
  for (const row of rows) {
    const key = `${row.choices} ${row.budget} ${row.assignment}`
    groups.set(key, [...(groups.get(key) ?? []), row])
  }
  return [...groups.values()].map((group) => {
    if (group.length === 1) return group[0]
    const mean = (field, digits) => rounded(group.reduce((sum, row) => sum + row[field], 0) / group.length, digits)
    return {
      ...group[0],
      ...{ assignment: `random, mean of ${group.length}`, bytes: mean('bytes', 0), correct: mean('correct', 1) },
      ...{ predictedDb: mean('predictedDb', 2), sqnrDb: mean('sqnrDb', 2), bits: '' },
    }
  })
}

process.exitCode = await main()
