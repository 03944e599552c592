/**
 * `node bench/study/page.mjs [--check]`: writes bench/results/study.json into docs/study.md, between the markers
 * `<!-- NAME:begin -->` and `<!-- NAME:end -->` for NAME resnet20, mobilenet and products. With --check nothing is written, and
 * the exit code is 1 when the page says something else.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'

const page = new URL('../../docs/study.md', import.meta.url)
const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } })
const { questions } = JSON.parse(readFileSync(new URL('../results/study.json', import.meta.url), 'utf8'))

const rowsOf = (name) => questions.find(({ question }) => question === name)?.rows ?? []
const count = (value) => value.toLocaleString('en-GB')
const change = ({ lost, gained }) => `−${lost} +${gained}`
const kilobytes = (bytes) => `${count(Math.round(bytes / 1000))} kB`
const energy = ({ microjoules, bound }) =>
  microjoules === null ? 'unknown' : `${bound ? '≤ ' : ''}${Number(microjoules.toPrecision(3))} µJ`

/** A Markdown table; columns are [title, cell of a row]. */
function table(rows, columns) {
  const line = (cells) => `| ${cells.join(' | ')} |`
  return [
    line(columns.map(([title]) => title)),
    line(columns.map((_, index) => (index === 0 ? '---' : '---:'))),
    ...rows.map((row) => line(columns.map(([, cell]) => cell(row)))),
  ].join('\n')
}

/** One line per format: weights alone, where they were run, beside weights and activations; best first. */
function formatTable(name) {
  const both = new Map(rowsOf(name).map((row) => [row.name.replace('weights and activations ', ''), row]))
  const alone = new Map(rowsOf(`${name}-weights`).map((row) => [row.name.replace('weights ', ''), row]))
  const rows = [...both]
    .map(([format, row]) => ({ format, both: row, alone: alone.get(format) }))
    .sort((a, b) => b.both.correct - a.both.correct || a.both.weightBytes - b.both.weightBytes)
  return table(rows, [
    ['format', ({ format }) => `\`${format}\``],
    ...(alone.size === 0
      ? []
      : [
          ['weights', ({ alone: row }) => `${row.correct}`],
          ['lost, gained', ({ alone: row }) => change(row)],
        ]),
    [alone.size === 0 ? 'weights and activations' : 'and activations', ({ both: row }) => `${row.correct}`],
    ['lost, gained', ({ both: row }) => change(row)],
    ['agreement', ({ both: row }) => `${(100 * row.agreement).toFixed(1)} %`],
    ['bytes of weights', ({ both: row }) => kilobytes(row.weightBytes)],
    ['of values', ({ both: row }) => kilobytes(row.valueBytes)],
    ['energy', ({ both: row }) => energy(row)],
  ])
}

const productTable = table(rowsOf('resnet20-products'), [
  ['products', ({ name }) => `\`${name.replace('products ', '')}\``],
  ['correct', ({ correct }) => String(correct)],
  ['lost, gained', change],
  ['agreement', ({ agreement }) => `${(100 * agreement).toFixed(1)} %`],
  ['SQNR of the scores', ({ sqnrDb }) => (sqnrDb === null ? '∞' : `${sqnrDb.toFixed(1)} dB`)],
  ['energy', energy],
])

/** A section with its heading; nothing where there are no rows yet. */
function section(name, title, intro, content) {
  const result = questions.find(({ question }) => question === name)
  if (result === undefined) return ''
  const float = result.rows.find((row) => row.name === 'float32')
  const scales = result.calibration ? `; scales of values from ${count(result.calibration.samples)} others` : ''
  const pictures = `${count(result.data.samples)} pictures, ${float.correct} of which the float network has right${scales}.`
  return `\n## ${title}\n\n${pictures} ${intro}\n\n${content}\n\n`
}

const sections = {
  resnet20: section(
    'resnet20',
    'ResNet-20 on CIFAR-10',
    'Weights alone, then weights and activations; agreement, bytes and energy are those of both.',
    formatTable('resnet20'),
  ),
  mobilenet: section(
    'mobilenet',
    'MobileNetV2 on ImageNet',
    'The network comes from a quantised file: its weights lie on grids of 8 bits already.',
    formatTable('mobilenet'),
  ),
  products: section(
    'resnet20-products',
    'L-Mul and small floats as products',
    'ResNet-20 again, every product of every layer replaced, sums in float32.',
    productTable,
  ),
}
const before = readFileSync(page, 'utf8')
const after = Object.entries(sections).reduce(
  (text, [name, content]) =>
    text.replace(
      new RegExp(`(<!-- ${name}:begin -->\n)[\\s\\S]*?(<!-- ${name}:end -->)`),
      (_, begin, end) => `${begin}${content}${end}`,
    ),
  before,
)
if (values.check) {
  if (after !== before) {
    process.stderr.write(
      'docs/study.md does not say what bench/results/study.json says: run node bench/study/page.mjs\n',
    )
    process.exitCode = 1
  }
} else writeFileSync(page, after)
