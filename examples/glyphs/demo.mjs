/**
 * The demo: from glyphs.onnx to one integer-only WebAssembly module, and what became of its answers.
 *
 * Compiles the network with its calibration card, writes the module to examples/glyphs/out, loads that file again, checks
 * it, evaluates float against integer on 1,000 pictures that neither training nor calibration saw, and shows a few of
 * them. Exit code 1 when a claim does not hold.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { glyphNames, openDataSet, parseDataCard } from '../../dist/data/index.js'
import { nodeFiles } from '../../dist/data/node-files.js'
import {
  compile,
  createFastExecutor,
  evaluatePair,
  parseOnnx,
  prepare,
  printPlan,
  quantize,
  runSelfTest,
  verifyModule,
} from '../../dist/index.js'
import { load } from '../../dist/runtime/index.js'
import { showPictures } from './show-pictures.mjs'

/** Least share of samples on which float network and program must give the same answer. */
const LEAST_AGREEMENT = 0.99
const here = (name) => fileURLToPath(new URL(name, import.meta.url))
const lines = []
const print = (text = '') => lines.push(`${text}\n`)
const fact = (name, text) => print(`  ${name.padEnd(12)} ${text}`)
const number = (value) => value.toLocaleString('en-US')
const milliseconds = (value) => `${value.toFixed(3)} ms`
const openCard = (name) =>
  openDataSet(parseDataCard(JSON.parse(readFileSync(here(name), 'utf8')), name), {
    files: nodeFiles,
    folder: here('.'),
  })

const beginning = performance.now()
const calibration = await openCard('glyphs.calibrate.card.json')
const unseen = await openCard('glyphs.card.json')

// From ONNX to the module.
const onnx = readFileSync(here('glyphs.onnx'))
const start = performance.now()
const graph = parseOnnx(onnx)
const plan = await quantize(graph, calibration)
const program = compile(graph, plan)
const compileTime = performance.now() - start
mkdirSync(here('out'), { recursive: true })
writeFileSync(here('out/glyphs.wasm'), program.wasm)
writeFileSync(here('out/glyphs.plan.json'), printPlan(plan))

// From here on only the file counts.
const wasm = readFileSync(here('out/glyphs.wasm'))
const report = verifyModule(wasm)
const network = await load(wasm)
const { manifest } = network
const selfTest = runSelfTest(
  network.inputs,
  network.outputs,
  manifest.selfTest,
  (inputs) => new Map(Object.entries(network.runInteger(Object.fromEntries(inputs)))),
)

// Float network and program on the same stored pixels.
const { float } = prepare(graph)
const executor = createFastExecutor(float)
const [input] = float.inputs
const [output] = float.outputs
const [scale] = unseen.scale
const floatAnswer = (pixels) => {
  const real = Float32Array.from(pixels, (value) => scale * value)
  return executor.run(new Map([[input, real]])).get(output)
}
const integerAnswer = (pixels) => network.run({ [input]: pixels })[output]
const shown = { alike: [], different: [] }
const pair = await evaluatePair(unseen, floatAnswer, integerAnswer, {
  onSample: (index, label, [first, second]) => {
    shown[first === second ? 'alike' : 'different'].push({ index, label, answers: [first, second] })
  },
})

const pictures = [...shown.alike.slice(0, 5), ...shown.different.slice(0, 3)]
print(
  `Pictures with the answers of float network and integer program${shown.different.length > 0 ? '; last: where they differ' : ''}`,
)
print()
const captioned = pictures.map(async ({ index, label, answers: [first, second] }) => ({
  pixels: await unseen.read(index),
  caption: `${unseen.describe(index)}: ${glyphNames[label]}`,
  answers: `float ${glyphNames[first]}  int ${glyphNames[second]}`,
}))
print(
  showPictures(await Promise.all(captioned), {
    columns: process.stdout.columns,
    blocks: process.stdout.isTTY === true && process.env.NO_COLOR === undefined,
  }),
)

const percent = (count) => `${number(count)} of ${number(pair.total)} (${((100 * count) / pair.total).toFixed(1)} %)`
print('Accuracy on pictures that neither training nor calibration saw')
fact('float', percent(pair.reference))
fact('integer', `${percent(pair.candidate)}, lost ${pair.lost} (right in float only), gained ${pair.gained}`)
fact('agreement', `${(100 * pair.agreement).toFixed(1)} %, scores ${pair.sqnrDb.toFixed(1)} dB above their difference`)
print('Sizes in bytes')
fact('glyphs.onnx', number(onnx.length))
fact(
  'glyphs.wasm',
  `${number(wasm.length)}: ${number(wasm.length - (report.facts?.dataBytes ?? 0))} of code and manifest, the rest weights`,
)
fact('memory', `${number(manifest.memory.bytes)}, fixed`)
print('Times')
fact('compile', `${(compileTime / 1000).toFixed(2)} s, calibration on ${number(calibration.length)} pictures included`)
fact(
  'one picture',
  `${milliseconds(pair.candidateMsPerSample)}; float network ${milliseconds(pair.referenceMsPerSample)}`,
)
const { certificate } = manifest
print('Certificate')
fact('contains', `${report.facts?.floatOpcodes} float instructions, ${report.facts?.imports} imports`)
fact(
  'intervals',
  `proven for all ${certificate.rows.length} instructions with arithmetic: no accumulator leaves ±${number(certificate.largestAccumulator)},`,
)
fact('', `${certificate.headroomBits} bits below the limit of int32`)
fact('graph', certificate.integerGraph)
fact(
  'self-test',
  selfTest === manifest.selfTest.sha256 ? 'passed: the bytes are those of the scalar meaning' : 'FAILED',
)
print(
  `Written to ${here('out')}: glyphs.wasm, glyphs.plan.json; ${((performance.now() - beginning) / 1000).toFixed(1)} s in all`,
)

process.stdout.write(lines.join(''))

const broken = [
  ...report.checks.filter((check) => !check.ok).map(({ name, detail }) => `${name}: ${detail}`),
  ...(selfTest === manifest.selfTest.sha256
    ? []
    : ['self-test: this host computes other bytes than the scalar meaning']),
  ...(pair.agreement >= LEAST_AGREEMENT ? [] : [`agreement: ${pair.agreement} is below ${LEAST_AGREEMENT}`]),
]
for (const claim of broken) process.stderr.write(`demo: a claim does not hold: ${claim}\n`)
process.exitCode = broken.length > 0 ? 1 : 0
