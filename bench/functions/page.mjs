/**
 * `node bench/functions/page.mjs [--check]`: writes bench/results/softmax.json and bessel.json into docs/two-pass-softmax.md and
 * docs/log-bessel.md, between the markers `<!-- NAME:begin -->` and `<!-- NAME:end -->`, and draws docs/two-pass-softmax.svg.
 * With --check nothing is written, and the exit code is 1 when a page says something else.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } })
const at = (path) => new URL(`../../${path}`, import.meta.url)
const results = (name) => JSON.parse(readFileSync(at(`bench/results/${name}.json`), 'utf8'))
const softmax = results('softmax')
const bessel = results('bessel')

/** A Markdown table; columns are [title, cell of a row]. */
function table(rows, columns) {
  const line = (cells) => `| ${cells.join(' | ')} |`
  return [
    line(columns.map(([title]) => title)),
    line(columns.map(() => '---')),
    ...rows.map((row) => line(columns.map(([, cell]) => cell(row)))),
  ].join('\n')
}

const sizeText = (size) => (size >= 1e6 ? `${size / 1e6} M` : `${size / 1e3} K`)
const two = (value) => value.toFixed(2)

const TITLES = {
  'two-pass': 'two-pass',
  'three-pass-recompute': 'recompute',
  'three-pass-reload': 'reload',
  blocked: 'blocked',
}
const curve = table(softmax.curve, [
  ['numbers', ({ size }) => sizeText(size)],
  ...Object.entries(TITLES).map(([name, title]) => [
    title,
    ({ algorithms }) => two(algorithms[name].nanosecondsPerElement),
  ]),
  ['recompute / two-pass', ({ recomputeOverTwoPass }) => two(recomputeOverTwoPass)],
  ['reload / two-pass', ({ reloadOverTwoPass }) => two(reloadOverTwoPass)],
])

const peers = table(softmax.peers, [
  ['numbers', ({ size }) => sizeText(size)],
  ['from arrays', ({ nanosecondsPerElement: ns }) => two(ns.oursFromArrays)],
  ['onnxruntime-web', ({ nanosecondsPerElement: ns }) => two(ns.onnxruntimeWeb)],
  ['ratio', ({ onnxruntimeWebOverOurs }) => two(onnxruntimeWebOverOurs)],
  ['in the workspace', ({ nanosecondsPerElement: ns }) => two(ns.oursInWorkspace)],
  ['ratio to onnxruntime-web', ({ nanosecondsPerElement: ns }) => two(ns.onnxruntimeWeb / ns.oursInWorkspace)],
  ['tfjs-wasm', ({ nanosecondsPerElement: ns }) => two(ns.tfjsWasm)],
  ['ratio', ({ tfjsWasmOverOurs }) => two(tfjsWasmOverOurs)],
])

/** SciPy's time over ours, all finite points of all sets together. */
function overall(kind) {
  const total = (side) => bessel.sets.reduce((sum, set) => sum + set[kind].finiteInSciPy * set[kind][side], 0)
  return (total('scipyNanoseconds') / total('dyadicNanoseconds')).toFixed(1)
}
const cells = (kind) => [
  [kind === 'logI' ? 'log I' : 'log K', (set) => set[kind]?.dyadicNanoseconds.toFixed(0) ?? ''],
  ['SciPy', (set) => set[kind]?.scipyNanoseconds.toFixed(0) ?? ''],
  ['ratio', (set) => set[kind]?.ratio.toFixed(1) ?? set.ratios[kind]],
]
const ratios = { logI: overall('logI'), logK: overall('logK') }
const besselTable = table(
  [...bessel.sets, { name: 'all of these, finite points', ratios }],
  [
    ['points', ({ name }) => name],
    ['finite in SciPy', (set) => (set.logI ? `${((100 * set.logI.finiteInSciPy) / set.points).toFixed(0)} %` : '')],
    ...cells('logI'),
    ...cells('logK'),
  ],
)

/** Nanoseconds per number over the logarithm of the length. */
function picture() {
  const [left, right, top, bottom, most] = [50, 510, 20, 280, 2.5]
  const sizes = softmax.curve.map(({ size }) => Math.log(size))
  const [low, high] = [sizes[0], sizes[sizes.length - 1]]
  const x = (index) => (left + ((right - left) * (sizes[index] - low)) / (high - low)).toFixed(1)
  const y = (value) => bottom - ((bottom - top) * value) / most
  const colours = {
    blocked: '#777777',
    'three-pass-reload': '#3b5998',
    'two-pass': '#0b6e4f',
    'three-pass-recompute': '#c1440e',
  }
  const lines = [0, 0.5, 1, 1.5, 2, 2.5].map((value) => {
    const height = y(value).toFixed(1)
    return `<line x1="${left}" x2="${right}" y1="${height}" y2="${height}" stroke="#ddd"/><text x="44" y="${(y(value) + 4).toFixed(1)}" text-anchor="end">${value}</text>`
  })
  const labels = softmax.curve.map(
    ({ size }, index) => `<text x="${x(index)}" y="296" text-anchor="middle">${sizeText(size)}</text>`,
  )
  const ends = Object.keys(colours)
    .map((name) => ({ name, y: y(softmax.curve.at(-1).algorithms[name].nanosecondsPerElement) }))
    .sort((a, b) => a.y - b.y)
  // Names keep a line's height apart.
  for (const [index, end] of ends.entries()) if (index > 0) end.y = Math.max(end.y, ends[index - 1].y + 13)
  const curves = ends.flatMap(({ name, y: end }) => {
    const points = softmax.curve.map(
      ({ algorithms }, index) => `${x(index)},${y(algorithms[name].nanosecondsPerElement).toFixed(1)}`,
    )
    return [
      `<polyline fill="none" stroke="${colours[name]}" stroke-width="2" points="${points.join(' ')}"/>`,
      `<text x="518" y="${(end + 4).toFixed(1)}" fill="${colours[name]}">${name}</text>`,
    ]
  })
  return [
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 320" font-family="sans-serif" font-size="11">',
    '<title>Softmax: nanoseconds per number against the length</title>',
    '<rect width="640" height="320" fill="white"/>',
    ...[...lines, ...labels],
    '<text x="280.0" y="314" text-anchor="middle">numbers</text><text x="14" y="150.0" transform="rotate(-90 14 150.0)" text-anchor="middle">ns per number</text>',
    ...[...curves, '</svg>', ''],
  ].join('\n')
}

function filled(text, name, content) {
  const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`]
  const [before, rest] = text.split(begin)
  const after = rest?.split(end)[1]
  if (after === undefined) throw new Error(`the page has no ${begin} … ${end}`)
  return `${before}${begin}\n\n${content}\n\n${end}${after}`
}

const pages = [
  ['docs/two-pass-softmax.md', (text) => filled(filled(text, 'curve', curve), 'peers', peers)],
  ['docs/log-bessel.md', (text) => filled(text, 'scipy', besselTable)],
  ['docs/two-pass-softmax.svg', picture],
]
for (const [path, write] of pages) {
  const now = readFileSync(at(path), 'utf8')
  const wanted = write(now)
  if (wanted === now) continue
  if (values.check) {
    process.stderr.write(`${path} does not say what bench/results says\n`)
    process.exitCode = 1
  } else writeFileSync(at(path), wanted)
}
