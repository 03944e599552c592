/**
 * `node bench/study/attention-page.mjs [--check]`: writes bench/results/attention.json into docs/study.md, between the markers
 * `<!-- attention:begin -->` and `<!-- attention:end -->`. With --check nothing is written, and the exit code is 1 when the page
 * says something else.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'

const page = new URL('../../docs/study.md', import.meta.url)
const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } })
const { studies } = JSON.parse(readFileSync(new URL('../results/attention.json', import.meta.url), 'utf8'))

const of = (network, scope) => studies.find((study) => study.network === network && study.scope === scope)
const count = (value) => value.toLocaleString('en-GB')
const code = (name) => name.replace(/^[\w-]+/, (product) => `\`${product}\``)
const signed = (value, digits) => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(digits)}`
/** A difference and two of its standard errors. */
const difference = ({ nllChange, nllChangeError }) => `${signed(nllChange, 3)} ± ${(2 * nllChangeError).toFixed(3)}`
const chance = (value) => (value >= 0.001 ? value.toPrecision(1) : '< 0.001')
const cells = (row, functions) => functions.map((cell) => (row === undefined ? '' : cell(row)))

/** A Markdown table; titles of numbers stand right. */
function table(titles, rows) {
  const line = (texts) => `| ${texts.join(' | ')} |`
  return [line(titles), line(titles.map((_, index) => (index === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n')
}

function rowTable(scope) {
  const [vit, stories] = ['vit', 'stories'].map((network) => of(network, scope))
  const rowOf = (study, name) => study.rows.find((row) => row.name === name)
  const change = ({ lost, gained }) => `−${lost} +${gained}`
  const agreement = (row) => `${(100 * row.agreement).toFixed(1)} %`
  const decibels = ({ sqnrDb }) => (sqnrDb === null ? '∞' : `${sqnrDb.toFixed(1)} dB`)
  const both = [({ correct }) => count(correct), change, agreement, decibels]
  const titles = ['lost, gained', 'agreement', 'SQNR']
  return table(
    [
      ...['products', `ViT: right of ${count(vit.samples)}`, ...titles],
      ...['stories: NLL', `right of ${count(stories.samples)}`, ...titles],
    ],
    stories.rows.map(({ name }) => [
      code(name),
      ...cells(rowOf(vit, name), both),
      ...cells(rowOf(stories, name), [(row) => (row.sqnrDb === null ? row.nll.toFixed(4) : difference(row)), ...both]),
    ]),
  )
}

function claimTable(scope) {
  const pairs = ['vit', 'stories'].map((network) => of(network, scope).pairs)
  const counts = [({ gained, lost }) => `${gained} : ${lost}`, (pair) => chance(pair.chance)]
  return table(
    ['products, against', 'ViT: only one right', 'chance', 'NLL', 'stories: only one right', 'chance', 'NLL'],
    pairs[1].map(({ name, rival }) => [
      `${code(name)}, ${code(rival)}`,
      ...pairs.flatMap((some) =>
        cells(
          some.find((pair) => pair.name === name && pair.rival === rival),
          [...counts, difference],
        ),
      ),
    ]),
  )
}

const share = (network) => `${(100 * of(network, 'attention').shareOfMacs).toFixed(0)} %`
const text = [
  `### Attention alone: ${share('vit')} of the products of the ViT, ${share('stories')} of the language model`,
  rowTable('attention'),
  claimTable('attention'),
  '### Every product',
  rowTable('all'),
  claimTable('all'),
].join('\n\n')

const before = readFileSync(page, 'utf8')
const pattern = /(<!-- attention:begin -->\n)[\s\S]*?(<!-- attention:end -->)/
if (!pattern.test(before)) throw new Error('docs/study.md has no markers for attention')
const after = before.replace(pattern, (_, begin, end) => `${begin}\n${text}\n\n${end}`)
if (!values.check) writeFileSync(page, after)
else if (after !== before) {
  process.stderr.write(
    'docs/study.md does not say what bench/results/attention.json holds; run bench/study/attention-page.mjs\n',
  )
  process.exitCode = 1
}
