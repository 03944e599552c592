/**
 * `node scripts/accuracy-results.mjs [--check]`: writes the measured accuracy into docs/accuracy.md, between the markers
 * `<!-- NAME:begin -->` and `<!-- NAME:end -->` for NAME right, near, variants, runtimes, four-bit, draws and natural, from
 * bench/results: real.json (`npm run real -- --save`), draws.json (bench/real/draws.mjs --save), and the files of
 * bench/peers/ptq/main.mjs --save. With --check nothing is written, and the exit code is 1 when the page says something else.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'

const root = new URL('../', import.meta.url)
const page = new URL('docs/accuracy.md', root)
const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } })

const readResults = (name) => JSON.parse(readFileSync(new URL(`bench/results/${name}`, root), 'utf8'))
const real = readResults('real.json')
const peers = readResults('peers-ptq.json')
const fourBit = readResults('peers-w4a8.json')
const draws = readResults('draws.json')
const peerDraws = readResults('peers-draws.json')
const peerNatural = readResults('peers-natural.json')

const count = (value) => value.toLocaleString('en-GB')
const percent = (share) => `${(100 * share).toFixed(2)} %`
const decibels = (value) => (value === null ? '∞' : `${value.toFixed(1)} dB`)
const toolNames = { onnxruntime: 'ONNX Runtime', nncf: 'NNCF', 'aimet-onnx': 'AIMET' }
const variantName = ({ tool, settings }) => `${toolNames[tool] ?? tool} ${settings}`

/** A Markdown table; columns are [title, alignment, cell of a row]. */
function table(rows, columns) {
  const line = (cells) => `| ${cells.join(' | ')} |`
  return [
    line(columns.map(([title]) => title)),
    line(columns.map(([, alignment]) => (alignment === 'right' ? '---:' : '---'))),
    ...rows.map((row) => line(columns.map(([, , cell]) => cell(row)))),
  ].join('\n')
}

/**
 * Rows of ours beside the variants of peers on the same samples, with those that have most right answers and most equal
 * ones. Throws where samples or float counts are not the same.
 */
const pairedRows = (ourRows, peerRows) =>
  ourRows.flatMap((ours) => {
    const variants = peerRows.filter(
      ({ network, set, draw }) => network === ours.network && set === ours.set && draw === ours.draw,
    )
    if (variants.length === 0) return []
    if (variants.some(({ total }) => total !== ours.total))
      throw new Error(`${ours.network}: other samples than the peers'`)
    if (variants.some(({ float }) => Math.abs(float - ours.float) > 1))
      throw new Error(`${ours.network}: the float networks differ, ${variants[0].float} and ${ours.float}`)
    const [best] = [...variants].sort((a, b) => b.integer - a.integer || b.agreement - a.agreement)
    const [nearest] = [...variants].sort((a, b) => b.agreement - a.agreement || b.sqnrDb - a.sqnrDb)
    return [{ ours, variants, best, nearest }]
  })

const pairs = pairedRows(real.rows, peers.rows)

/** Right answers of ours beside the best peer's, in words. */
const verdict = ({ ours, best }) =>
  ours.integer === best.integer
    ? 'same'
    : `${Math.abs(ours.integer - best.integer)} ${ours.integer > best.integer ? 'more' : 'fewer'}`

const setOf = ({ network, set }) => `${network}, ${set}`
const changed = ({ lost, gained }) => `${lost} / ${gained}`

const rightTable = table(pairs, [
  ['network, samples', 'left', ({ ours }) => setOf(ours)],
  ['of', 'right', ({ ours }) => count(ours.total)],
  ['float', 'right', ({ ours }) => count(ours.float)],
  ['ours', 'right', ({ ours }) => count(ours.integer)],
  ['lost / gained', 'right', ({ ours }) => changed(ours)],
  ['best peer', 'left', ({ best }) => variantName(best)],
  ['right', 'right', ({ best }) => count(best.integer)],
  ['lost / gained', 'right', ({ best }) => changed(best)],
  ['ours has', 'left', verdict],
])

const nearTable = table(pairs, [
  ['network, samples', 'left', ({ ours }) => setOf(ours)],
  ['ours: same answer', 'right', ({ ours }) => percent(ours.agreement)],
  ['SQNR', 'right', ({ ours }) => decibels(ours.sqnrDb)],
  ['nearest peer', 'left', ({ nearest }) => variantName(nearest)],
  ['same answer', 'right', ({ nearest }) => percent(nearest.agreement)],
  ['SQNR', 'right', ({ nearest }) => decibels(nearest.sqnrDb)],
])

const variantsTable = table(
  pairs.flatMap(({ ours, variants }) => [
    { label: setOf(ours), name: '**dyadic**', row: ours },
    ...variants.map((row) => ({ label: '', name: variantName(row), row })),
  ]),
  [
    ['network, samples', 'left', ({ label }) => label],
    ['quantiser', 'left', ({ name }) => name],
    ['right', 'right', ({ row }) => count(row.integer)],
    ['lost / gained', 'right', ({ row }) => changed(row)],
    ['same answer', 'right', ({ row }) => percent(row.agreement)],
    ['SQNR', 'right', ({ row }) => decibels(row.sqnrDb)],
  ],
)

const differing = ({ differingSamples, differingScores, scores, largestDifference }) =>
  differingSamples === 0
    ? 'none'
    : `${differingSamples} (${differingScores} of ${count(scores)} scores, ≤ ${largestDifference})`
const runtimesTable = table(peers.compared, [
  ['file', 'left', (row) => `${row.network}, ${row.settings}`],
  ['samples', 'right', ({ plain }) => plain.samples],
  ['ours ≠ optimised', 'right', ({ optimised }) => differing(optimised)],
  ['ours ≠ plain', 'right', ({ plain }) => differing(plain)],
  ['optimised ≠ plain', 'right', ({ peerAlone }) => differing(peerAlone)],
  ['other answers, ours', 'right', ({ optimised, plain }) => optimised.answers + plain.answers],
])

const fourBitTable = table(fourBit.rows, [
  ['network, samples', 'left', setOf],
  ['quantiser', 'left', variantName],
  ['right', 'right', ({ integer }) => count(integer)],
  ['lost / gained', 'right', changed],
  ['same answer', 'right', ({ agreement }) => percent(agreement)],
  ['SQNR', 'right', ({ sqnrDb }) => decibels(sqnrDb)],
])

const drawsTable = table(pairedRows(draws.rows, peerDraws.rows), [
  ['network, samples', 'left', ({ ours }) => setOf(ours)],
  ['calibrated on', 'left', ({ ours }) => ours.calibration],
  ['float', 'right', ({ ours }) => `${count(ours.float)} of ${count(ours.total)}`],
  ['ours', 'right', ({ ours }) => count(ours.integer)],
  ['lost / gained', 'right', ({ ours }) => changed(ours)],
  ['same answer', 'right', ({ ours }) => percent(ours.agreement)],
  ['best peer', 'left', ({ best }) => variantName(best)],
  ['right', 'right', ({ best }) => count(best.integer)],
  ['lost / gained', 'right', ({ best }) => changed(best)],
  ['nearest peer', 'left', ({ nearest }) => variantName(nearest)],
  ['same answer', 'right', ({ nearest }) => percent(nearest.agreement)],
])

/** The output of a network without labels that is furthest from float. */
const worstOf = ({ outputs }) => outputs.reduce((worst, output) => (output.sqnrDb < worst.sqnrDb ? output : worst))
const worstCell = (row) => {
  if (row === undefined) return '–'
  const { name, sqnrDb } = worstOf(row)
  return row.outputs.length === 1 ? decibels(sqnrDb) : `${decibels(sqnrDb)} (${name})`
}
const naturalTable = table(
  [...new Set(peerNatural.rows.map(({ network }) => network))].map((network) => ({
    ours: real.rows.find((row) => row.kind === 'sqnr' && row.network === network),
    variants: peerNatural.rows.filter((row) => row.network === network),
  })),
  [
    ['network', 'left', ({ variants: [{ network }] }) => network],
    ['ours', 'right', ({ ours }) => worstCell(ours)],
    ...Object.entries(toolNames).map(([tool, title]) => [
      title,
      'right',
      ({ variants }) => {
        const [best] = variants.filter((row) => row.tool === tool).sort((a, b) => worstOf(b).sqnrDb - worstOf(a).sqnrDb)
        return best === undefined ? '–' : `${worstCell(best)}, ${best.settings}`
      },
    ]),
  ],
)

const packages = Object.entries(peers.versions).map(([name, version]) => `${name} ${version}`)
const machine = `${peers.machine.cpu} (${peers.machine.instructionSets.join(', ')}), ${packages.join(', ')}`

/** A table with what failed under it. */
const withFailures = (text, failures) =>
  failures.length === 0 ? text : `${text}\n\nFailed:\n\n${failures.map((failure) => `- ${failure}`).join('\n')}`

/** Puts `body` between the markers of `name`. */
function fill(text, name, body) {
  const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`]
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`docs/accuracy.md has no ${begin} … ${end}`)
  return `${text.slice(0, from + begin.length)}\n\n${body}\n\n${text.slice(to)}`
}

const before = readFileSync(page, 'utf8')
let updated = fill(before, 'right', `${rightTable}\n\nPeers: ${machine}.`)
updated = fill(updated, 'near', nearTable)
updated = fill(updated, 'variants', withFailures(variantsTable, peers.failures))
updated = fill(updated, 'runtimes', runtimesTable)
updated = fill(updated, 'four-bit', withFailures(fourBitTable, fourBit.failures))
updated = fill(updated, 'draws', withFailures(drawsTable, peerDraws.failures))
updated = fill(updated, 'natural', withFailures(naturalTable, peerNatural.failures))
if (updated === before) process.stderr.write('docs/accuracy.md is up to date\n')
else if (values.check) {
  process.stderr.write('docs/accuracy.md does not show bench/results: node scripts/accuracy-results.mjs\n')
  process.exitCode = 1
} else {
  writeFileSync(page, updated)
  process.stderr.write('docs/accuracy.md updated\n')
}
