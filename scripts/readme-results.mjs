/**
 * `node scripts/readme-results.mjs [--check]`: writes the measured results into README.md, between the markers
 * `<!-- results:begin -->` and `<!-- results:end -->`, from real.json, speed-node20.json, hosts.json and bundlers.json in
 * bench/results (`npm run real`, `bench`, `hosts` and `bundlers`, each with `-- --save`). A missing file becomes a sentence
 * that says so. With --check nothing is written, and the exit code is 1 when README.md says something else.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'

const root = new URL('../', import.meta.url)
const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } })

/** Parsed results with `machine` and `rows`, or undefined where the file does not exist. */
function readResults(name) {
  let text
  try {
    text = readFileSync(new URL(`bench/results/${name}`, root), 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
  const results = JSON.parse(text)
  if (!Array.isArray(results.rows)) throw new Error(`bench/results/${name} has no "rows"`)
  return results
}

const count = (value) => value.toLocaleString('en-GB')
const percent = (share) => `${(100 * share).toFixed(2)} %`
const milliseconds = (value) => (value === undefined || value === null ? '–' : `${Number(value.toPrecision(3))} ms`)
const times = (value) => (value === undefined || value === null ? '–' : `${value.toFixed(2)}×`)
const machineText = ({ cpu, cores, node }) => `${cpu}, ${cores} ${cores === 1 ? 'core' : 'cores'}, Node ${node}`

/** A Markdown table; columns are [title, alignment, cell of a row]. */
function table(rows, columns) {
  const line = (cells) => `| ${cells.join(' | ')} |`
  return [
    line(columns.map(([title]) => title)),
    line(columns.map(([, alignment]) => (alignment === 'right' ? '---:' : '---'))),
    ...rows.map((row) => line(columns.map(([, , cell]) => cell(row)))),
  ].join('\n')
}

function accuracy(results) {
  if (results === undefined) return 'Accuracy has not been measured here yet: `npm run real -- --save`.'
  const columns = [
    ['network', 'left', ({ network, set }) => (set === undefined ? network : `${network}, ${set}`)],
    ['float', 'right', ({ float }) => count(float)],
    ['integer', 'right', ({ integer }) => count(integer)],
    ['of', 'right', ({ total }) => count(total)],
    ['lost / gained', 'right', ({ lost, gained }) => `${lost} / ${gained}`],
    ['same answer', 'right', ({ agreement }) => percent(agreement)],
    ['module', 'right', ({ wasmBytes }) => `${count(wasmBytes)} B`],
    ['without weights', 'right', ({ codeBytes }) => `${count(codeBytes)} B`],
    ['memory', 'right', ({ memoryBytes }) => `${count(memoryBytes)} B`],
  ]
  const rows = results.rows.filter(({ kind }) => kind === undefined)
  const sum = (key) => results.rows.reduce((total, row) => total + row[key], 0)
  const notes =
    'Correct samples of the float network and of the module, both on the same stored numbers; calibration samples are others. ' +
    `Float instructions in all modules together: ${sum('floatOpcodes')}; imports: ${sum('imports')}. ` +
    `${machineText(results.machine)}; \`npm run real\`.`
  return `${table(rows, columns)}\n\n${notes}`
}

/** The networks without labels; nothing where none was measured. */
function natural(results) {
  const rows = results?.rows.filter(({ kind }) => kind === 'sqnr') ?? []
  if (rows.length === 0) return []
  const share = (value) => (value === undefined || value === null ? '–' : value.toFixed(3))
  const columns = [
    ['network', 'left', ({ network }) => network],
    ['calibrated / tested', 'right', ({ calibrated, tested }) => `${calibrated} / ${tested}`],
    ['outputs', 'right', ({ outputs }) => count(outputs.length)],
    ['worst output', 'right', ({ worstSqnrDb }) => `${worstSqnrDb.toFixed(1)} dB`],
    ['boxes, mean IoU', 'right', ({ boxes }) => share(boxes?.meanOverlap)],
    ['worst IoU', 'right', ({ boxes }) => share(boxes?.worstOverlap)],
    ['worst of detections', 'right', ({ boxes }) => share(boxes?.worstScoredOverlap)],
    ['module', 'right', ({ wasmBytes }) => `${count(wasmBytes)} B`],
    ['without weights', 'right', ({ codeBytes }) => `${count(codeBytes)} B`],
    ['memory', 'right', ({ memoryBytes }) => `${count(memoryBytes)} B`],
  ]
  const notes =
    'Networks without labelled data here: signal to quantisation noise of the output that has the least, on natural inputs that ' +
    'are not those of the calibration. Detectors: the box at each of the 20 best float anchors of every picture against the ' +
    'float box (intersection over union); detections are those that reach the score at which the network is used.'
  return [`${table(rows, columns)}\n\n${notes}`]
}

/** Networks of several inputs or with state; nothing where none was measured. */
function sequences(results) {
  const rows = results?.rows.filter(({ kind }) => kind === 'sequence') ?? []
  if (rows.length === 0) return []
  const columns = [
    ['network', 'left', ({ network }) => network],
    ['calibrated / tested', 'right', ({ calibrated, tested }) => `${count(calibrated)} / ${count(tested)}`],
    ['outputs', 'right', ({ outputs }) => outputs.map(({ sqnrDb }) => sqnrDb.toFixed(1)).join(', ') + ' dB'],
    ['same side of ½', 'right', ({ sameSide }) => (sameSide === undefined ? '–' : percent(sameSide))],
    ['module', 'right', ({ wasmBytes }) => `${count(wasmBytes)} B`],
    ['without weights', 'right', ({ codeBytes }) => `${count(codeBytes)} B`],
    ['memory', 'right', ({ memoryBytes }) => `${count(memoryBytes)} B`],
  ]
  const notes =
    'Networks of two inputs, and recurrent ones whose program carries its own state in integers from step to step, against the ' +
    'float network that carries its own. Counts are steps.'
  return [`${table(rows, columns)}\n\n${notes}`]
}

/** The language model by family of non-linear arithmetic; nothing where it was not measured. */
function language(results) {
  const rows = results?.rows.filter(({ kind }) => kind === 'language') ?? []
  if (rows.length === 0) return []
  const columns = [
    ['network', 'left', ({ network }) => network],
    ['family', 'left', ({ family }) => family],
    ['nats per token, float', 'right', ({ floatNll }) => floatNll.toFixed(4)],
    ['integer', 'right', ({ nll }) => nll.toFixed(4)],
    ['same token', 'right', ({ agreement }) => percent(agreement)],
    ['published greedy tokens', 'right', ({ greedyEqual, compared }) => `${greedyEqual} of ${compared}`],
    ['step module', 'right', ({ stepBytes }) => `${count(stepBytes)} B`],
    ['memory', 'right', ({ memoryBytes }) => `${count(memoryBytes)} B`],
  ]
  const notes =
    'A language model, calibrated on text of its own: the whole sequence in one program, and one token with a cache in another; ' +
    'both give the same logits, bit for bit (family `shift` but for masked positions).'
  return [`${table(rows, columns)}\n\n${notes}`]
}

function speed(results) {
  if (results === undefined) return 'Speed has not been measured here yet: `npm run bench -- --save`.'
  const columns = [
    ['case', 'left', (row) => row.case],
    ['dyadic', 'right', (row) => milliseconds(row.ours_ms)],
    ['onnxruntime-web fp32', 'right', (row) => milliseconds(row.peers['ort-web fp32'])],
    ['speed-up over fp32', 'right', (row) => times(row.ratio_ort_web_fp32)],
    ['over its best int8', 'right', (row) => times(row.ratio_best_int8)],
  ]
  const notes =
    'One inference on one thread, plain 128-bit SIMD, all contestants interleaved in one process, medians. ' +
    `${machineText(results.machine)}; \`npm run bench\`, method in [bench/peers](bench/peers/README.md).`
  const starts = (results.startup ?? []).map((row) => {
    const peers = Object.entries(row.peers).map(
      ([name, value]) => `${name.replace('ort-web', 'onnxruntime-web')} ${milliseconds(value)}`,
    )
    return `${row.case}: ${milliseconds(row.ours_ms)}; ${peers.join(', ')}.`
  })
  return [table(results.rows, columns), notes, ...starts].join('\n\n')
}

/** Where the same modules gave the same bytes. */
function hosts(results) {
  if (results === undefined) return 'Hosts have not been tested here yet: `npm run hosts -- --save`.'
  const columns = [
    ['host', 'left', ({ host }) => host],
    ['engine', 'left', ({ engine }) => engine ?? '–'],
    ['bytes', 'left', ({ result }) => (result === 'equal' ? 'equal' : `**${result}**`)],
  ]
  const networks = results.networks.map(({ name, samples }) => `${name} (${samples} samples)`).join(', ')
  const notes =
    `Outputs of ${networks} against the scalar meaning of the programs, by SHA-256; \`npm run hosts\` makes this table, ` +
    'and CI fails where a row is not equal. What each host needs is in [docs/hosts.md](docs/hosts.md).'
  return `${table(results.rows, columns)}\n\n${notes}`
}

/** What the loader costs in pages that bundlers have built. */
function loaders(results) {
  if (results === undefined) return 'Bundlers have not been tested here yet: `npm run bundlers -- --save`.'
  const built = results.rows.map(
    ({ bundler, bytes, gzipBytes, result }) =>
      `${bundler} ${result === 'right' ? `${count(bytes)} B (${count(gzipBytes)} B with gzip)` : result}`,
  )
  return (
    `The loader in a page built from the packed tarball, opened in Chromium: ${built.join(', ')}. The network of the demo ` +
    `adds ${count(results.networkBytes)} B (${count(results.networkGzipBytes)} B with gzip); \`npm run bundlers\`.`
  )
}

const begin = '<!-- results:begin -->'
const end = '<!-- results:end -->'
const readme = readFileSync(new URL('README.md', root), 'utf8')
const [from, to] = [readme.indexOf(begin), readme.indexOf(end)]
if (from < 0 || to < from) throw new Error(`README.md has no ${begin} … ${end}`)
const real = readResults('real.json')
const body = [
  accuracy(real),
  ...natural(real),
  ...sequences(real),
  ...language(real),
  speed(readResults('speed-node20.json')),
  hosts(readResults('hosts.json')),
  loaders(readResults('bundlers.json')),
].join('\n\n')
const updated = `${readme.slice(0, from + begin.length)}\n\n${body}\n\n${readme.slice(to)}`
if (updated === readme) process.stderr.write('README.md is up to date\n')
else if (values.check) {
  process.stderr.write('README.md does not show bench/results: node scripts/readme-results.mjs\n')
  process.exitCode = 1
} else {
  writeFileSync(new URL('README.md', root), updated)
  process.stderr.write('README.md updated\n')
}
