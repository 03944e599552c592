/**
 * The demo: from ONNX to integer-only WebAssembly modules, and what became of their answers.
 *
 * Compiles the convolutional network and the vision transformer of this folder with one calibration card, writes the
 * modules to examples/glyphs/out, loads those files again, checks them, evaluates float against integer on 1,000 pictures
 * that neither training nor calibration saw, shows a few of them, in the terminal and in a report. Exit code 1 when a claim does not hold.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { compileReport } from '../../dist/cli/compile-report.js'
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
/** Digits of an integer graph's hash that are shown; the module's manifest has all. */
const HASH_DIGITS = 16
const here = (name) => fileURLToPath(new URL(name, import.meta.url))
const lines = []
const print = (text = '') => lines.push(`${text}\n`)
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
mkdirSync(here('out'), { recursive: true })

/** Takes `<name>.onnx` the whole way, and the float network and the written module to the unseen pictures. */
async function compileAndCompare(name) {
  // From ONNX to the module.
  const onnx = readFileSync(here(`${name}.onnx`))
  const start = performance.now()
  const graph = parseOnnx(onnx)
  const plan = await quantize(graph, calibration)
  const program = compile(graph, plan)
  const compileTime = performance.now() - start
  writeFileSync(here(`out/${name}.wasm`), program.wasm)
  writeFileSync(here(`out/${name}.plan.json`), printPlan(plan))

  // From here on only the file counts.
  const wasm = readFileSync(here(`out/${name}.wasm`))
  const report = verifyModule(wasm)
  const network = await load(wasm)
  const { manifest } = network
  const selfTest = runSelfTest(
    network.inputs,
    network.outputs,
    manifest.selfTest,
    (inputs) => new Map(Object.entries(network.runInteger(Object.fromEntries(inputs)))),
  )
  const selfTestPassed = selfTest === manifest.selfTest.sha256

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
  const answers = []
  const pair = await evaluatePair(unseen, floatAnswer, integerAnswer, {
    onSample: (_index, _label, floatAndInteger) => answers.push(floatAndInteger),
  })
  return { name, onnx, graph, plan, program, compileTime, wasm, report, manifest, selfTestPassed, pair, answers }
}

const convolutional = await compileAndCompare('glyphs')
const transformer = await compileAndCompare('glyphs-transformer')
const networks = [convolutional, transformer]

const samples = Array.from({ length: unseen.length }, (_, index) => index)
const isAlike = (index) => networks.every(({ answers }) => answers[index][0] === answers[index][1])
const different = samples.filter((index) => !isAlike(index)).slice(0, 3)
const pictures = [...samples.filter(isAlike).slice(0, 5), ...different]
print(
  `Pictures with the answers float→integer of both networks${different.length > 0 ? '; last: where they differ' : ''}`,
)
print()
const change = ({ answers }, index) => answers[index].map((answer) => glyphNames[answer]).join('→')
const captioned = pictures.map(async (index) => ({
  pixels: await unseen.read(index),
  caption: `${unseen.describe(index)}: ${glyphNames[unseen.label(index)]}`,
  answers: `CNN ${change(convolutional, index)}  transformer ${change(transformer, index)}`,
}))
print(
  showPictures(await Promise.all(captioned), {
    columns: process.stdout.columns,
    blocks: process.stdout.isTTY === true && process.env.NO_COLOR === undefined,
  }),
)

/** A line with the name of a fact and its text for each network. */
const row = (name, textOf) => {
  const cells = networks.map((network) => textOf(network).padEnd(38))
  print(`  ${name.padEnd(14)}${cells.join('').trimEnd()}`)
}
const percent = (count, { total }) => `${number(count)} of ${number(total)} (${((100 * count) / total).toFixed(1)} %)`
row('', ({ name }) => name)
print('Accuracy on pictures that neither training nor calibration saw')
row('float', ({ pair }) => percent(pair.reference, pair))
row('integer', ({ pair }) => percent(pair.candidate, pair))
row('lost', ({ pair }) => `${number(pair.lost)} (right in float only)`)
row('gained', ({ pair }) => `${number(pair.gained)} (right in integers only)`)
row('agreement', ({ pair }) => `${(100 * pair.agreement).toFixed(1)} %`)
row('scores', ({ pair }) => `${pair.sqnrDb.toFixed(1)} dB above their difference`)
print('Sizes in bytes')
row('ONNX file', ({ onnx }) => number(onnx.length))
row('module', ({ wasm }) => number(wasm.length))
row('weights in it', ({ report }) => number(report.facts?.dataBytes ?? 0))
row('memory', ({ manifest }) => `${number(manifest.memory.bytes)}, fixed`)
print(`Times; compilation includes calibration on ${number(calibration.length)} pictures`)
row('compilation', ({ compileTime }) => `${(compileTime / 1000).toFixed(2)} s`)
row('one picture', ({ pair }) => milliseconds(pair.candidateMsPerSample))
row('float network', ({ pair }) => milliseconds(pair.referenceMsPerSample))
print('Certificate')
const { onnx, graph, plan, program } = convolutional
const html = await compileReport({
  ...{ model: 'glyphs.onnx', onnx, graph, compiled: prepare(graph).compiled, plan, program, options: [] },
  ...{ samples: unseen, limit: 64, classNames: glyphNames },
})
writeFileSync(here('out/report.html'), html)
row('contains', ({ report }) => `${report.facts?.floatOpcodes} float instructions, ${report.facts?.imports} imports`)
row('intervals', ({ manifest }) => `proven for ${manifest.certificate.rows.length} instructions`)
row('largest sum', ({ manifest: { certificate } }) => {
  const { largestAccumulator, headroomBits } = certificate
  return `±${number(largestAccumulator)}, ${headroomBits} bits to spare in int32`
})
row('integer graph', ({ manifest }) => manifest.certificate.integerGraph.slice(0, HASH_DIGITS))
row('self-test', ({ selfTestPassed }) => (selfTestPassed ? 'passed' : 'FAILED'))
print(
  `Written to ${here('out')}: modules and plans of both, report.html; ${((performance.now() - beginning) / 1000).toFixed(1)} s in all`,
)

process.stdout.write(lines.join(''))

const broken = networks.flatMap(({ name, report, selfTestPassed, pair }) =>
  [
    ...report.checks.filter((check) => !check.ok).map((check) => `${check.name}: ${check.detail}`),
    ...(selfTestPassed ? [] : ['self-test: this host computes other bytes than the scalar meaning']),
    ...(pair.agreement >= LEAST_AGREEMENT ? [] : [`agreement: ${pair.agreement} is below ${LEAST_AGREEMENT}`]),
  ].map((claim) => `${name}: ${claim}`),
)
for (const claim of broken) process.stderr.write(`demo: a claim does not hold: ${claim}\n`)
process.exitCode = broken.length > 0 ? 1 : 0
