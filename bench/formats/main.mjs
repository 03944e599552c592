// Conversions to number formats and products under simulated arithmetic: node bench/formats/main.mjs [--json] [--save]
//
// A conversion row holds nanoseconds per number of 2^18 float32, by the definition one by one, by arrays (encodeArray, quantizeArray,
// decodeArray) and in memory (`prepareRounding`), with scale 1, with a scale that is no power of two, and with one such scale per
// lane. `gigabytesPerSecond` counts the 4 bytes read and the 4 written in memory at scale 1. A product row holds nanoseconds per
// product of a 256 × 512 by 512 × 256 matrix product, beside `productOfMatrices` on a smaller one. What is timed is first compared
// with the definition. Times are processor time of this process, medians of nine bursts. --save writes bench/results/formats.json.

import { writeFileSync } from 'node:fs'
import {
  decodeArray,
  decodeBlocks,
  elementFormatNamed,
  encode,
  encodeArray,
  encodeBlocks,
  formatNamed,
  quantizeArray,
  round,
} from '../../dist/formats/index.js'
import { prepareBlockRounding, prepareRounding } from '../../dist/formats/memory-rounding.js'
import { lMulExponent } from '../../dist/functions/l-mul.js'
import { productOfMatrices } from '../../dist/functions/product-arithmetic.js'
import { createSimulation } from '../../dist/kernels/simulation.js'
import { createMatrixProduct, multiplyMatrices } from '../../dist/kernels/simulation-products.js'
import { randomUint32 } from '../../dist/num/random.js'
import { describeMachine, quantile } from '../peers/interleave.mjs'

const FORMATS = [
  'e4m3fn',
  'e5m2',
  'e3m4-finite',
  'e2m1',
  'int8-symmetric',
  'int4-symmetric',
  'bfloat16',
  'float16',
].concat(['int16', 'flint4', 'pot4'])
const BLOCKS = ['mxfp8-e4m3', 'mxfp6-e2m3', 'mxfp4', 'mxint8', 'nvfp4', 'int4-group32']
const COUNT = 2 ** 18
const LANES = 64
const SCALE = 0.0137
const BURSTS = 9
const BURST_MILLISECONDS = 30

const values = Float32Array.from({ length: COUNT }, (_, i) => {
  const uniform = (word) => (randomUint32(1, word, i) + 0.5) / 2 ** 32
  return Math.sqrt(-2 * Math.log(uniform(0))) * Math.cos(2 * Math.PI * uniform(1))
})

/** Nanoseconds of processor time per item of a call. */
function time(call, items) {
  const clock = () => {
    const { user, system } = process.cpuUsage()
    return (user + system) * 1000
  }
  const warm = performance.now()
  let calls = 0
  for (; calls < 2 || performance.now() - warm < 2 * BURST_MILLISECONDS; calls++) call()
  const repeat = Math.max(1, Math.ceil(calls / 2))
  const bursts = Array.from({ length: BURSTS }, () => {
    const start = clock()
    for (let index = 0; index < repeat; index++) call()
    return (clock() - start) / repeat / items
  })
  return Number(
    quantile(
      bursts.sort((a, b) => a - b),
      0.5,
    ).toPrecision(4),
  )
}

const simulation = createSimulation()
const [input, output] = [simulation.allocate(4 * COUNT), simulation.allocate(4 * COUNT)]
const scales = new Float64Array(LANES).fill(SCALE)
const elements = FORMATS.map((name) => ({ name, rounding: prepareRounding(simulation, elementFormatNamed(name)) }))
const blocks = BLOCKS.map((name) => ({ name, rounding: prepareBlockRounding(simulation, formatNamed(name)) }))
elements[0].rounding.roundLanes(input, output, 1, scales)
const [rows, inner, columns] = [256, 512, 256]
const matrices = [rows * inner, inner * columns, rows * columns].map((count) => simulation.allocate(4 * count))

const correction = (bits) => 2 ** -lMulExponent(bits)
const lMul = (mantissaBits, operands = 'truncate') => ({
  name: `L-Mul ${mantissaBits} bits, ${operands === 'truncate' ? 'truncated' : 'rounded'}`,
  product: { kind: 'logarithms', mantissaBits, operands, correction: correction(mantissaBits) },
  arithmetic: { kind: 'l-mul', mantissaBits, operands },
})
const RULES = [
  { name: 'float32', product: { kind: 'float32' } },
  lMul(3),
  lMul(4),
  lMul(23),
  lMul(3, 'nearest'),
  {
    name: 'e4m3 products',
    product: { kind: 'rounded', mantissaBits: 3, leastExponent: -6 },
  },
]
const PREPARED = RULES.flatMap((rule) =>
  [23, 7].map((accumulatorBits) => ({
    ...rule,
    accumulatorBits,
    multiply: createMatrixProduct(simulation, { product: rule.product, accumulatorBits }, { rows, inner, columns }),
  })),
)

// Nothing is allocated from here on: views stay attached.
const floats = (address, count) => new Float32Array(simulation.memory.buffer, address, count)
floats(input, COUNT).set(values)

/** Throws where two arrays of numbers differ in a bit, NaN apart. */
function requireEqual(name, actual, expected) {
  for (let i = 0; i < expected.length; i++)
    if (!Object.is(actual[i], Math.fround(expected[i])))
      throw new Error(`${name}: number ${i} is ${actual[i]}, not ${expected[i]}`)
}

const result = []
const report = (row) => {
  result.push(row)
  if (!process.argv.includes('--json')) console.log(JSON.stringify(row))
}

for (const { name, rounding } of elements) {
  const format = elementFormatNamed(name)
  const few = values.subarray(0, 4096)
  for (const scale of [1, SCALE]) {
    rounding.round(input, output, COUNT, scale)
    requireEqual(
      name,
      floats(output, COUNT),
      values.map((value) => round(format, value / scale) * scale),
    )
  }
  const codes = encodeArray(format, values)
  const inMemory = time(() => rounding.round(input, output, COUNT, 1), COUNT)
  report({
    kind: 'conversion',
    name,
    encodeByDefinition: time(() => few.map((value) => encode(format, value)), few.length),
    encodeArray: time(() => encodeArray(format, values, {}, codes), COUNT),
    encodeArrayScaled: time(() => encodeArray(format, values, { scale: SCALE }, codes), COUNT),
    quantizeArrayScaled: time(() => quantizeArray(format, values, { scale: SCALE }), COUNT),
    decodeArray: time(() => decodeArray(format, codes), COUNT),
    inMemory,
    inMemoryScaled: time(() => rounding.round(input, output, COUNT, SCALE), COUNT),
    inMemoryLanes: time(() => rounding.roundLanes(input, output, COUNT / LANES, scales), COUNT),
    gigabytesPerSecond: Number((8 / inMemory).toPrecision(3)),
  })
}

for (const { name, rounding } of blocks) {
  const format = formatNamed(name)
  rounding.roundRows(input, output, 1, COUNT, 0)
  requireEqual(name, floats(output, COUNT), decodeBlocks(encodeBlocks(format, values)))
  report({
    kind: 'blocks',
    name,
    byArrays: time(() => decodeBlocks(encodeBlocks(format, values)), COUNT),
    inMemory: time(() => rounding.roundRows(input, output, 1, COUNT, 0), COUNT),
  })
}

const [a, b, c] = matrices
floats(a, rows * inner).set(values.subarray(0, rows * inner))
floats(b, inner * columns).set(values.subarray(rows * inner, rows * inner + inner * columns))
const operands = {
  ...{ a, aRowStride: 4 * inner, b, bRowStride: 4 * columns, bColumnStride: 4, c, cRowStride: 4 * columns },
  ...{ rows, inner, columns },
}
const small = { rows: 32, inner: 64, columns: 64 }
const [left, right] = [values.slice(0, 32 * 64), values.slice(5000, 5000 + 64 * 64)]
for (const { name, product, arithmetic, accumulatorBits, multiply } of PREPARED) {
  const slowly = arithmetic && (() => productOfMatrices(left, right, small, arithmetic, accumulatorBits))
  if (slowly) requireEqual(name, multiplyMatrices({ product, accumulatorBits }, left, right, small), slowly())
  report({
    kind: 'product',
    name,
    accumulatorBits,
    ...(slowly && { byDefinition: time(slowly, 32 * 64 * 64) }),
    inMemory: time(() => multiply(operands), rows * inner * columns),
  })
}

const summary = { unit: 'nanoseconds per number or product', machine: describeMachine(), rows: result }
if (process.argv.includes('--json')) console.log(JSON.stringify(summary.rows))
if (process.argv.includes('--save'))
  writeFileSync(new URL('../results/formats.json', import.meta.url), `${JSON.stringify(summary, undefined, 2)}\n`)
