/**
 * `node bench/real/nonlinear.mjs [--save] [--check]`: how far softmax, GELU and normalisation of each family are from the exact
 * functions of the same codes, over all inputs of 8 bits where there are so few, over random rows otherwise. The programs are
 * compiled ones. --save writes bench/results/nonlinear.json and the tables into docs/accuracy.md, between the markers
 * `<!-- nonlinear:begin -->` and `<!-- nonlinear:end -->`; --check only says whether the page has the kept figures.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { compile, makeGraph, nonlinearFamilies } from '../../dist/index.js'
import { fillRandomUint32 } from '../../dist/num/random.js'
import { loadSync } from '../../dist/runtime/index.js'

const SEED = 20
const ROWS = 64
const page = new URL('../../docs/accuracy.md', import.meta.url)
const kept = new URL('../results/nonlinear.json', import.meta.url)

/** Normal numbers from a counter: the sum of twelve uniform ones less six. */
function normal(count, stream) {
  const words = new Uint32Array(12 * count)
  fillRandomUint32(SEED, stream, 0, words)
  return Array.from({ length: count }, (_, i) => {
    let sum = -6
    for (let k = 0; k < 12; k++) sum += words[12 * i + k] / 2 ** 32
    return sum
  })
}

/** A program of one operator: codes in, reals out. */
function program(operator, { shape, input, output, family, constants = {}, attributes = {} }) {
  const graph = makeGraph({
    name: operator,
    inputs: [{ name: 'x', type: 'float32', shape }],
    outputs: ['y'],
    constants,
    nodes: [{ operator, inputs: ['x', ...Object.keys(constants)], outputs: ['y'], attributes }],
  })
  const plan = {
    ...{ schema: 1, kind: 'dyadic-plan', model: operator, origin: {}, weights: {}, nonlinear: family },
    inputs: { x: { format: input.format, scale: [input.scale], zeroPoint: [0], layout: 'nchw' } },
    tensors: { y: { ...output, zeroPoint: 0 } },
  }
  const network = loadSync(compile(graph, plan).wasm)
  return (codes) => Float64Array.from(network.runInteger({ x: codes }).y, (code) => code * output.scale)
}

/** Largest and root mean square difference. */
function difference(found, exact) {
  let [largest, squares] = [0, 0]
  found.forEach((value, i) => {
    const error = Math.abs(value - exact[i])
    largest = Math.max(largest, error)
    squares += error * error
  })
  return { largest, mean: Math.sqrt(squares / found.length) }
}

/** erf by its series and its continued fraction: to 1e-14. */
function erf(x) {
  const size = Math.abs(x)
  if (size > 6) return Math.sign(x)
  if (size < 2.5) {
    let [term, sum] = [x, x]
    for (let n = 1; n < 80; n++) {
      term *= -(x * x) / n
      sum += term / (2 * n + 1)
    }
    return (2 / Math.sqrt(Math.PI)) * sum
  }
  let fraction = 0
  for (let n = 60; n > 0; n--) fraction = n / 2 / (size + fraction)
  return Math.sign(x) * (1 - Math.exp(-size * size) / Math.sqrt(Math.PI) / (size + fraction))
}

/** All 256 codes in one row, whose largest value is 127 steps. */
function gelu(family, scale) {
  const codes = Int8Array.from({ length: 256 }, (_, i) => i - 128)
  const output = { format: 's16', scale: (128 * scale) / 32767 }
  const run = program('Gelu', { shape: [1, 256], input: { format: 's8', scale }, output, family })
  const exact = Array.from(codes, (code) => 0.5 * code * scale * (1 + erf((code * scale) / Math.SQRT2)))
  return difference(run(codes), exact)
}

/** Rows of 65 normal scores of 16 bits, on the grid that calibration gives the family or a finer one, against softmax of the same codes. */
function softmax(family, deviation) {
  const terms = 65
  const scale = family.startsWith('shift') ? Math.sqrt(terms) / 256 : 2 ** -10
  const codes = Int16Array.from(normal(ROWS * terms, 1), (value) => Math.round((value * deviation) / scale))
  const output = { format: 's16', scale: 2 ** -15 }
  const shape = [1, ROWS, terms]
  const run = program('Softmax', { shape, input: { format: 's16', scale }, output, family, attributes: { axis: -1 } })
  const exact = new Float64Array(codes.length)
  for (let row = 0; row < codes.length; row += terms) {
    const powers = Array.from(codes.subarray(row, row + terms), (code) => Math.exp(code * scale))
    const sum = powers.reduce((total, power) => total + power, 0)
    powers.forEach((power, i) => {
      exact[row + i] = power / sum
    })
  }
  return difference(run(codes), exact)
}

/** Rows of 192 normal codes of some deviation, against the normalisation of the same codes. */
function normalisation(family, deviation) {
  const channels = 192
  const codes = Int16Array.from(normal(ROWS * channels, 2), (value) => Math.round(value * deviation))
  const constants = {
    gamma: { shape: [channels], data: new Float32Array(channels).fill(1) },
    beta: { shape: [channels], data: new Float32Array(channels) },
  }
  const output = { format: 's16', scale: 2 ** -12 }
  const attributes = { axis: -1, epsilon: 1e-12 }
  const shape = [1, ROWS, channels]
  const input = { format: 's16', scale: 1 }
  const run = program('LayerNormalization', { shape, input, output, family, constants, attributes })
  const exact = new Float64Array(codes.length)
  for (let row = 0; row < codes.length; row += channels) {
    const values = Array.from(codes.subarray(row, row + channels))
    const mean = values.reduce((sum, value) => sum + value, 0) / channels
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / channels
    values.forEach((value, i) => {
      exact[row + i] = (value - mean) / Math.sqrt(variance)
    })
  }
  return difference(run(codes), exact)
}

/** What is measured: a function of the family, and the text that names it. */
const CASES = [
  ['GELU, all codes of 8 bits, steps of 1/16', (family) => gelu(family, 1 / 16)],
  ['GELU, all codes of 8 bits, steps of 1/32', (family) => gelu(family, 1 / 32)],
  ['softmax of 65 scores, deviation 1', (family) => softmax(family, 1)],
  ['softmax of 65 scores, deviation 3', (family) => softmax(family, 3)],
  ['normalisation of 192 codes, deviation 3000', (family) => normalisation(family, 3000)],
  ['normalisation of 192 codes, deviation 30', (family) => normalisation(family, 30)],
]

function tables({ rows }) {
  const digits = (value) => value.toExponential(1).replace('e-', '·10^−').replace('e+', '·10^')
  const cell = ({ largest, mean }) => `${digits(largest)} (${digits(mean)})`
  const line = (texts) => `| ${texts.join(' | ')} |`
  return [
    line(['largest error (root mean square)', ...nonlinearFamilies.map((family) => `\`${family}\``)]),
    line(['---', ...nonlinearFamilies.map(() => '---:')]),
    ...rows.map(({ name, errors }) => line([name, ...nonlinearFamilies.map((family) => cell(errors[family]))])),
  ].join('\n')
}

const { values } = parseArgs({
  options: { save: { type: 'boolean', default: false }, check: { type: 'boolean', default: false } },
})
const results = values.check
  ? JSON.parse(readFileSync(kept, 'utf8'))
  : {
      rows: CASES.map(([name, measure]) => ({
        name,
        errors: Object.fromEntries(nonlinearFamilies.map((family) => [family, measure(family)])),
      })),
    }
const text = tables(results)
if (!values.check) process.stdout.write(`${text}\n`)
if (values.save) writeFileSync(kept, `${JSON.stringify(results, null, 2)}\n`)
const before = readFileSync(page, 'utf8')
const pattern = /(<!-- nonlinear:begin -->\n)[\s\S]*?(<!-- nonlinear:end -->)/
if (!pattern.test(before)) throw new Error('docs/accuracy.md has no markers for nonlinear')
const after = before.replace(pattern, (_, begin, end) => `${begin}\n${text}\n\n${end}`)
if (values.save) writeFileSync(page, after)
else if (values.check && after !== before) {
  process.stderr.write('docs/accuracy.md does not say what bench/results/nonlinear.json holds\n')
  process.exitCode = 1
}
