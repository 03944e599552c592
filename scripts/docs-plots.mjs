// `node scripts/docs-plots.mjs [--check]`: draws the plots of the documentation, docs/plots, with what is in dist: grids and
// rounding by their rules, a layer of the glyphs' network under two ranges, and accuracy against size from bench/results.
// With --check nothing is written, and the exit code is 1 when a file says something else.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compare } from '../dist/compare/compare.js'
import { openGlyphs } from '../dist/data/index.js'
import { parseOnnx, prepare, quantize } from '../dist/index.js'
import { axis, axisTitles, drawing, pixel, ticksBelow, ticksLeft } from '../dist/report/axis.js'
import { plotHistogram } from '../dist/report/plot-histogram.js'
import { markBest, plotPoints } from '../dist/report/plot-points.js'
import { decibelText, realText, shareText } from '../dist/report/quantities.js'
import { standalonePlot } from '../dist/report/standalone-plot.js'

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url))

/** Horizontal pieces of a function that is constant between the integers of `steps` places per unit, as a path. */
function stairs(x, y, from, to, value) {
  const parts = []
  let start = from
  let level = value(from)
  const step = (to - from) / 4096
  for (let place = from; place <= to; place += step) {
    const next = value(place)
    if (next !== level) {
      parts.push(`M${pixel(x.at(start))} ${pixel(y.at(level))}H${pixel(x.at(place))}`)
      start = place
      level = next
    }
  }
  parts.push(`M${pixel(x.at(start))} ${pixel(y.at(level))}H${pixel(x.at(to))}`)
  return `<path class="line" d="${parts.join('')}"/>`
}

const text = (place, height, words, anchor = 'start') =>
  `<text class="label" x="${pixel(place)}" y="${pixel(height)}" text-anchor="${anchor}">${words}</text>`

/** A grid of sixteen points: which real number each real number becomes (R1), and where it is clamped. */
function grid() {
  const area = { left: 56, right: 944, top: 16, bottom: 272 }
  const [scale, zero, codes] = [3 / 15, 5, 15]
  const x = axis(-2, 3, area.left, area.right, 10)
  const y = axis(-1.5, 2.5, area.bottom, area.top, 8)
  const stored = (real) => Math.min(codes, Math.max(0, Math.floor(real / scale + zero + 0.5)))
  const [low, high] = [x.at(-zero * scale), x.at((codes - zero) * scale)]
  return drawing('wide', 960, 320, 'a grid of 16 points: steps between -1 and 2, flat outside', [
    `<rect class="reach" x="${pixel(low)}" y="${area.top}" width="${pixel(high - low)}" height="${area.bottom - area.top}"/>`,
    ...ticksBelow(x, area, (value) => realText(value)),
    ...ticksLeft(y, area, (value) => realText(value)),
    `<path class="base" d="M${pixel(x.at(-1.5))} ${pixel(y.at(-1.5))}L${pixel(x.at(2.5))} ${pixel(y.at(2.5))}" fill="none"/>`,
    stairs(x, y, -2, 3, (real) => (stored(real) - zero) * scale),
    text(low + 8, area.top + 16, 'the grid reaches: at most half a step is lost'),
    text(area.left + 8, y.at(-1) - 10, 'clamped: code 0'),
    text(area.right - 8, y.at(2) - 10, 'clamped: code 15', 'end'),
    ...axisTitles(area, 320, 'real number', 'what it becomes'),
  ])
}

/** R3 with a ratio of 1/4, and how half to even would differ. */
function rounding() {
  const area = { left: 56, right: 944, top: 16, bottom: 252 }
  const x = axis(-12.5, 12.5, area.left, area.right, 13)
  const y = axis(-3.4, 3.4, area.bottom, area.top, 8)
  const marks = []
  for (let value = -12; value <= 12; value++) {
    const [exact, up] = [value / 4, (value + 2) >> 2]
    const tie = Math.abs(exact % 1) === 0.5
    marks.push(
      `<line class="base" x1="${pixel(x.at(value))}" y1="${pixel(y.at(exact))}" x2="${pixel(x.at(value))}" y2="${pixel(y.at(up))}"/>`,
      `<circle class="dot" cx="${pixel(x.at(value))}" cy="${pixel(y.at(up))}" r="${tie ? 5.5 : 4}"><title>${value} / 4 = ${exact} becomes ${up}</title></circle>`,
    )
    const even = tie ? 2 * Math.round(exact / 2) : up
    if (even !== up)
      marks.push(
        `<circle class="local" cx="${pixel(x.at(value))}" cy="${pixel(y.at(even))}" r="4"><title>half to even: ${even}</title></circle>`,
      )
  }
  return drawing(
    'wide',
    960,
    300,
    'quarters of the integers from -12 to 12, rounded half up: every tie goes to the upper integer',
    [
      ...ticksBelow(x, area, (value) => realText(value)),
      ...ticksLeft(y, area, (value) => realText(value)),
      `<path class="base" d="M${pixel(x.at(-12.5))} ${pixel(y.at(-3.125))}L${pixel(x.at(12.5))} ${pixel(y.at(3.125))}" fill="none"/>`,
      ...marks,
      text(
        area.left + 10,
        area.top + 14,
        'dots: (v + 2) &gt;&gt; 2; large ones are ties, which go up; rings: half to even, where it differs',
      ),
      ...axisTitles(area, 300, 'v', 'v / 4, rounded'),
    ],
  )
}

/** One value of the glyphs' network with 4-bit codes, its range chosen in two ways. */
async function ranges() {
  const graph = parseOnnx(readFileSync(at('examples/glyphs/glyphs.onnx')))
  const { compiled } = prepare(graph)
  const calibration = openGlyphs({ seed: 1, first: 100_000, count: 64 })
  const others = openGlyphs({ seed: 1, first: 200_000, count: 64 })
  const plots = []
  for (const range of ['minmax', 'mse']) {
    const plan = await quantize(graph, calibration, { activations: 'u4', range, methods: [] })
    const { values } = await compare(compiled, plan, others)
    const { histogram, reach, clipped, entry, local } = values.find(({ name }) => name === 'block1_relu_out')
    const words = `range by ${range}: steps of ${realText(entry.scale)}, ${shareText(clipped)} clipped, ${decibelText(local.sqnrDb)}`
    const svg = plotHistogram(histogram, { label: words, reach })
    plots.push([`range-${range}.svg`, svg.replace('\n</svg>', `\n${text(452, 22, words, 'end')}\n</svg>`)])
  }
  return plots
}

/** Right answers against bytes: ResNet-20 with weights of 4 and 8 bits, assigned in several ways. */
function bits() {
  const { rows, eightBit, evaluation } = JSON.parse(readFileSync(at('bench/results/pareto-resnet20.json'), 'utf8'))
  const words = {
    measured: 'measured',
    divergence: 'by divergence',
    weights: 'by the weights alone',
    random: 'at random',
  }
  const points = rows
    .filter(({ choices }) => choices === '4,8')
    .map(({ budget, assignment, bytes, correct }) => ({
      ...{ name: `${budget} ${words[assignment]}`, x: bytes, y: correct / evaluation.total },
      // The chances of many are seen without their names.
      ...(assignment === 'random' && { label: '' }),
    }))
  points.push({ name: 'all layers with 8 bits', x: eightBit.bytes, y: eightBit.correct / evaluation.total })
  return plotPoints(markBest(points), {
    ...{ what: 'assignments of 4 and 8 bits to layers', xLabel: 'bytes of weights', yLabel: 'right answers' },
    formatX: (value) => `${value / 1000} kB`,
    formatY: (value) => `${Number((100 * value).toPrecision(4))} %`,
  })
}

/**
 * The files of docs/plots by name.
 * @returns {Promise<Map<string, string>>}
 */
export async function docsPlots() {
  const plots = [['grid.svg', grid()], ['rounding.svg', rounding()], ...(await ranges()), ['bits.svg', bits()]]
  return new Map(plots.map(([name, svg]) => [name, standalonePlot(svg)]))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const plots = await docsPlots()
  const folder = at('docs/plots')
  mkdirSync(folder, { recursive: true })
  const present = readdirSync(folder)
  if (!process.argv.includes('--check')) {
    for (const name of present) if (!plots.has(name)) rmSync(join(folder, name))
    for (const [name, svg] of plots) writeFileSync(join(folder, name), svg)
  } else {
    const same = ([name, svg]) => present.includes(name) && readFileSync(join(folder, name), 'utf8') === svg
    const wrong = [...plots].filter((plot) => !same(plot)).map(([name]) => name)
    for (const name of [...wrong, ...present.filter((one) => !plots.has(one))])
      process.stderr.write(`docs/plots/${name} is not up to date: run node scripts/docs-plots.mjs\n`)
    process.exitCode = wrong.length > 0 || present.length > plots.size ? 1 : 0
  }
}
