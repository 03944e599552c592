/**
 * `node bench/study/attention.mjs [--save] [--keep FOLDER] [--pictures N] [--all-pictures N] [vit|stories]`: what L-Mul claims,
 * on two transformers. Both matrix products of attention, then every product, are replaced by small floats and by L-Mul; every
 * row is compared with float32 and with its rival, answer by answer. Prints tables; --save writes bench/results/attention.json,
 * both networks together. Outputs of finished rows are kept in FOLDER (default node_modules/.cache/dyadic-attention) and not
 * computed again: name another one when an arithmetic means something new. Needs a build.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { fuse } from '../../dist/graph/fuse.js'
import { simplify } from '../../dist/graph/simplify.js'
import { parseOnnx } from '../../dist/onnx/index.js'
import { createFastExecutor } from '../../dist/reference/fast.js'
import { FLOAT_ARITHMETIC } from '../../dist/study/arithmetic.js'
import { chooseByLayer, layersOf } from '../../dist/study/layers.js'
import { productWay } from '../../dist/study/products.js'
import { resolveArithmetic } from '../../dist/study/resolve.js'
import { describeMachine } from '../peers/interleave.mjs'
import { located } from '../real/place.mjs'
import { formatTable } from '../table.mjs'
import { claims, rows } from './attention-rows.mjs'
import { compareAnswers, compareLosses, sqnr } from './paired.mjs'

const root = fileURLToPath(new URL('../../', import.meta.url))
const say = (text) => process.stderr.write(`${text}\n`)
const MODELS = '../shared/models'

/** How a row computes, as `dyadic study` would have it. */
function arithmeticOf({ scope, products, accumulators }) {
  const set = { products, accumulators }
  return scope === 'all'
    ? { ...FLOAT_ARITHMETIC, ...set }
    : { ...FLOAT_ARITHMETIC, layers: [{ pattern: '@attention', set }] }
}

/** An executor under a row. Products of computed matrices take the executor's kernels too, not an instance for each matrix. */
function executorOf(graph, row) {
  const arithmetic = arithmeticOf(row)
  const { graph: changed, transforms, evaluations, products } = resolveArithmetic(graph, arithmetic)
  const choice = chooseByLayer(graph, arithmetic)
  const [ours, shared] = [new Map(products), new Map()]
  const slow = new Map(evaluations)
  for (const layer of layersOf(graph)) {
    const { rule } = productWay(choice, layer, shared)
    if (rule === undefined || layer.node.operator !== 'MatMul') continue
    ours.set(layer.name, rule)
    slow.delete(layer.name)
  }
  return createFastExecutor(changed, { transforms, evaluations: slow, products: ours })
}

const readGraph = (name, bind) =>
  fuse(simplify(parseOnnx(new Uint8Array(readFileSync(located(`${MODELS}/${name}.onnx`))), { bind })))

/** Pictures as the network takes them, in the order of the file, which goes round the classes. */
function readPictures(count) {
  const bytes = readFileSync(located('../shared/data/cifar10/test_a.bin'))
  const [mean, deviation] = [
    [0.4914, 0.4822, 0.4465],
    [0.247, 0.2435, 0.2616],
  ]
  return Array.from({ length: count }, (_, index) => {
    const pixels = bytes.subarray(index * 3073 + 1, (index + 1) * 3073)
    const image = Float32Array.from(pixels, (pixel, i) => (pixel / 255 - mean[i >> 10]) / deviation[i >> 10])
    return { label: bytes[index * 3073], image }
  })
}

/**
 * @typedef {{ labels: number[], compute: (row: object) => Float32Array }} Piece Questions whose outputs are kept together: all
 *   outputs of a row, answer by answer.
 * @typedef {{ name: string, outputs: number, prepare: (count: number) => { layers: object[], pieces: Piece[] } }} Network
 */

/** Pictures of a piece. */
const PIECE = 1000

/** @type {Network} */
const vit = {
  name: 'vit',
  outputs: 10,
  prepare(count) {
    const graph = readGraph('vit-cifar10/vit-cifar10', {})
    const pictures = readPictures(count)
    const pieces = Array.from({ length: Math.ceil(count / PIECE) }, (_, index) => {
      const part = pictures.slice(index * PIECE, (index + 1) * PIECE)
      const compute = (row) => {
        const executor = executorOf(graph, row)
        const outputs = new Float32Array(10 * part.length)
        part.forEach(({ image }, at) => {
          outputs.set(executor.run(new Map([['image', image]])).get('logits'), 10 * at)
        })
        return outputs
      }
      return { labels: part.map(({ label }) => label), compute }
    })
    return { layers: layersOf(graph), pieces }
  },
}

/** Pieces are stories, labels the next tokens. @type {Network} */
const stories = {
  name: 'stories',
  outputs: 512,
  prepare() {
    const { sequences } = JSON.parse(readFileSync(located(`${MODELS}/stories260k/tinystories_sample.ids.json`), 'utf8'))
    const given = sequences.map((ids) => ids.slice(0, -1))
    const graphs = given.map(({ length }) => readGraph('stories260k/stories260K', { T: length }))
    const pieces = given.map((ids, index) => ({
      labels: sequences[index].slice(1),
      compute: (row) =>
        executorOf(graphs[index], row)
          .run(new Map([['input_ids', ids]]))
          .get('logits'),
    }))
    return { layers: layersOf(graphs[0]), pieces }
  },
}

/** −log softmax(outputs)[label] of each answer. */
function surprises(outputs, width, labels) {
  return labels.map((label, index) => {
    const row = outputs.subarray(index * width, (index + 1) * width)
    const largest = row.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY)
    return Math.log(row.reduce((sum, value) => sum + Math.exp(value - largest), 0)) + largest - row[label]
  })
}

/** The greatest output of each answer; the first of equal ones. */
function answers(outputs, width) {
  return Array.from({ length: outputs.length / width }, (_, index) => {
    const row = outputs.subarray(index * width, (index + 1) * width)
    return row.indexOf(row.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY))
  })
}

/** Computes a row piece by piece, or takes what an earlier run has kept. */
function outputsOf({ name, outputs: width }, pieces, row, keep) {
  const start = performance.now()
  let computed = 0
  const parts = pieces.map(({ labels, compute }, index) => {
    const { scope, products, accumulators } = row
    const key = [name, index, labels.length, scope, products, accumulators].join('_')
    const file = join(keep, `${key}.bin`)
    if (existsSync(file)) return new Float32Array(new Uint8Array(readFileSync(file)).buffer)
    computed += labels.length
    const outputs = compute(row)
    writeFileSync(file, new Uint8Array(outputs.buffer, outputs.byteOffset, outputs.byteLength))
    return outputs
  })
  if (computed > 0)
    say(`${name}, ${row.scope}, ${row.name}: ${computed} answers, ${((performance.now() - start) / 1000).toFixed(1)} s`)
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0))
  parts.reduce((at, part) => {
    all.set(part, at)
    return at + part.length
  }, 0)
  if (all.length !== width * pieces.reduce((sum, { labels }) => sum + labels.length, 0))
    throw new Error(`${keep} holds something else for ${name}; name an empty folder`)
  return all
}

const rounded = (value, digits) => (Number.isFinite(value) ? Number(value.toFixed(digits)) : null)
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length

/** All rows of one scope over the same answers, and the claims that compare two of them. */
function study(network, scope, prepared, keep) {
  const { pieces } = prepared
  const labels = pieces.flatMap((piece) => piece.labels)
  const width = network.outputs
  const results = new Map()
  for (const row of rows.filter((one) => one.scope === scope && one.networks.includes(network.name))) {
    const outputs = outputsOf(network, pieces, row, keep)
    results.set(row.name, { row, outputs, answers: answers(outputs, width), losses: surprises(outputs, width, labels) })
  }
  const reference = results.get('float32')
  const table = [...results.values()].map(({ row, ...one }) => ({
    name: row.name,
    ...compareAnswers(one.answers, reference.answers, labels),
    nll: rounded(mean(one.losses), 4),
    ...compareLosses(one.losses, reference.losses),
    sqnrDb: rounded(sqnr(reference.outputs, one.outputs), 2),
  }))
  const pairs = claims.flatMap(([name, rival]) => {
    const [a, b] = [results.get(name), results.get(rival)]
    if (a === undefined || b === undefined) return []
    const { lost, gained, chance, agreement } = compareAnswers(a.answers, b.answers, labels)
    return [{ name, rival, gained, lost, chance, agreement, ...compareLosses(a.losses, b.losses) }]
  })
  return { network: network.name, scope, samples: labels.length, rows: table, pairs }
}

function main() {
  const { values, positionals } = parseArgs({
    options: {
      save: { type: 'boolean', default: false },
      keep: { type: 'string' },
      pictures: { type: 'string', default: '4000' },
      'all-pictures': { type: 'string', default: '1000' },
    },
    allowPositionals: true,
  })
  const chosen = [vit, stories].filter(({ name }) => positionals.length === 0 || positionals.includes(name))
  const counts = { attention: Number(values.pictures), all: Number(values['all-pictures']) }
  const isCount = (count) => Number.isInteger(count) && count >= 1 && count <= 4000
  if (chosen.length === 0 || !Object.values(counts).every(isCount)) {
    say('attention: networks are vit and stories, and there are 1 to 4000 pictures')
    return 2
  }
  if (values.save && chosen.length < 2) {
    say('attention: --save keeps both networks together; leave the name out')
    return 2
  }
  const needed = [`${MODELS}/vit-cifar10`, `${MODELS}/stories260k`, '../shared/data/cifar10']
  const missing = needed.filter((path) => !existsSync(located(path)))
  if (missing.length > 0) {
    say(
      `attention: ${missing.join(', ')} is missing, seen from the repository's root; it is not part of the repository.`,
    )
    return 1
  }
  const keep = values.keep ?? join(root, 'node_modules/.cache/dyadic-attention')
  mkdirSync(keep, { recursive: true })
  const studies = []
  for (const network of chosen)
    for (const scope of ['attention', 'all']) {
      const prepared = network.prepare(counts[scope])
      const replaced = prepared.layers.filter(({ weight }) => scope === 'all' || weight === undefined)
      const macs = (layers) => layers.reduce((sum, layer) => sum + layer.macs, 0)
      const share = rounded(macs(replaced) / macs(prepared.layers), 4)
      const found = { ...study(network, scope, prepared, keep), products: replaced.length, shareOfMacs: share }
      studies.push(found)
      process.stdout.write(`\n${network.name}, ${scope}: ${found.samples} answers, ${100 * share} % of all products\n`)
      process.stdout.write(`${formatTable(found.rows, Object.keys(found.rows[0]))}\n`)
      if (found.pairs.length > 0) process.stdout.write(`${formatTable(found.pairs, Object.keys(found.pairs[0]))}\n`)
    }
  if (values.save) {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    const record = { machine: describeMachine(), version, studies }
    writeFileSync(new URL('../results/attention.json', import.meta.url), `${JSON.stringify(record, null, 2)}\n`)
  }
  return 0
}

process.exitCode = main()
