/**
 * The report of a comparison: one HTML file that needs nothing else. It loads nothing and runs nothing (its content security
 * policy says so too), reads on paper, and shows names from the model as text only.
 */
import type { Comparison, ValueLoss } from '../compare/comparison.ts'
import { escapeText, nameElement, plainName } from './escape.ts'
import { plotLosses } from './plot-losses.ts'
import { byteText, decibelText, gainText, integerText } from './quantities.ts'
import { STYLE } from './style.ts'
import { valueCard } from './value-card.ts'
import { trialText, valueTable } from './value-table.ts'

/** Values that are shown in detail. */
const CARDS = 12
/** Fewer samples than this say little about ranges. */
const FEW_SAMPLES = 8
/** Outputs that get a tile. */
const TILES = 3

export interface ReportOptions {
  /** The model file as the user named it. */
  readonly model?: string
  /** Version of dyadic. */
  readonly version: string
  /** A finished SVG of accuracy against size, such as `plotFront` makes: it is shown as a picture, so nothing in it runs. */
  readonly paretoPlot?: string
}

/** What to do about a value, as a sentence. */
function remedy({ name, action, local }: ValueLoss): string {
  if (action === undefined || local === undefined) return ''
  return ` To try: <b>${trialText(name, action.kind)}</b>; alone it then has ${decibelText(action.sqnrDb)} instead of ${decibelText(local.sqnrDb)} (<span class="gain">${gainText(action.gainDb)}</span>).`
}

function verdict({ values, samples }: Comparison): string {
  const [worst] = values
  if (worst === undefined || worst.addedNoise <= 0)
    return '<p class="verdict">Float network and program agree on every value.</p>'
  const { name, inheritedDb, accumulated, cause, local } = worst
  const amplified =
    cause === 'inputs' && local
      ? ` That is noise of its inputs, made larger: alone it has ${decibelText(local.sqnrDb)}.`
      : remedy(worst)
  const weakest = values
    .filter((value) => value.local !== undefined)
    .reduce((a, b) => ((b.local?.sqnrDb ?? Infinity) < (a.local?.sqnrDb ?? Infinity) ? b : a))
  const alone =
    weakest === worst || weakest.local === undefined
      ? ''
      : `<p class="verdict">By itself, ${nameElement(weakest.name)} is the coarsest value: ${decibelText(weakest.local.sqnrDb)} with everything else in floating point.${remedy(weakest)}</p>`
  const few =
    samples < FEW_SAMPLES
      ? `<p class="soft">Only ${samples} sample${samples === 1 ? '' : 's'}: ranges and gains may look different with more.</p>`
      : ''
  return `<p class="verdict warn">Most noise comes in at ${nameElement(name)}: its inputs have ${decibelText(inheritedDb)}, it has ${decibelText(accumulated.sqnrDb)}.${amplified}</p>${alone}${few}`
}

function tiles({ outputs, program, values }: Comparison): string {
  const cells = outputs
    .slice(0, TILES)
    .map(({ name, accumulated }): [string, string] => [decibelText(accumulated.sqnrDb), `output ${nameElement(name)}`])
  const lowest = Math.min(...values.map(({ accumulated }) => accumulated.sqnrDb))
  cells.push(
    [decibelText(lowest), 'lowest accumulated SQNR'],
    [byteText(program.weightBytes), 'weights in the module'],
    [byteText(program.memoryBytes), 'memory, fixed'],
    [`${program.headroomBits} bits`, 'to spare in every accumulator'],
  )
  return `<div class="tiles">${cells.map(([value, what]) => `<div class="tile"><b>${value}</b><span>${what}</span></div>`).join('')}</div>`
}

function outputTable({ outputs }: Comparison): string {
  if (outputs.length <= TILES) return ''
  const rows = outputs.map(
    ({ name, accumulated }) =>
      `<tr><td>${nameElement(name)}</td><td class="n">${decibelText(accumulated.sqnrDb)}</td><td class="n">${accumulated.cosine.toFixed(5)}</td></tr>`,
  )
  return `<h2>Outputs</h2>\n<div class="frame scroll"><table><thead><tr><th>output</th><th class="n">SQNR</th><th class="n">cosine</th></tr></thead><tbody>${rows.join('\n')}</tbody></table></div>`
}

function facts({ program, values, data, samples }: Comparison, { model, version }: ReportOptions): string {
  const formats = (list: readonly string[]): string => {
    const counts = new Map<string, number>()
    for (const format of list) counts.set(format, (counts.get(format) ?? 0) + 1)
    return [...counts].map(([format, count]) => `${format} × ${count}`).join(', ') || 'none'
  }
  const origin = Object.entries(program.origin)
    // The front of a search is drawn, not printed.
    .map(([key, value]) => [key, key === 'search' ? { ...(value as object), front: undefined } : value] as const)
    .map(([key, value]) => `${key}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
  const code = (text: string): string => `<code>${escapeText(text)}</code>`
  const rows: [string, string][] = [
    ...(model === undefined ? [] : [['model', code(model)] as [string, string]]),
    ['compared on', `${integerText(samples)} samples of ${nameElement(data)}`],
    ['numbers', plainName(origin.join(', ')) || 'a plan without origin'],
    ['values', formats(values.map(({ format }) => format))],
    ['weights', formats(values.flatMap(({ weights }) => (weights ? [weights.format] : [])))],
    ['memory', `${byteText(program.arenaBytes)} for values, ${byteText(program.constantBytes)} for constants`],
    [
      'proven',
      `no accumulator beyond ${integerText(program.largestAccumulator)}, ${program.headroomBits} bits to spare in int32`,
    ],
    ['plan', `SHA-256 ${code(program.plan)}`],
    ['certificate', `integer graph, SHA-256 ${code(program.integerGraph)}`],
    ['made by', `dyadic ${escapeText(version)}`],
  ]
  return `<dl>${rows.map(([label, value]) => `<dt>${label}</dt><dd>${value}</dd>`).join('\n')}</dl>`
}

function pareto(svg: string | undefined): string {
  if (svg === undefined) return ''
  return `<h2>Accuracy against size</h2>\n<div class="frame pareto"><img alt="Pareto front" src="data:image/svg+xml,${encodeURIComponent(svg)}"></div>`
}

/** The whole file. Deterministic text: equal comparisons give equal bytes. */
export function renderReport(comparison: Comparison, options: ReportOptions): string {
  const { network, data, samples, values } = comparison
  const shown = values.slice(0, CARDS)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${plainName(network)}: float against integers</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<header>
<p class="eyebrow">dyadic compare</p>
<h1>${nameElement(network)}</h1>
<p>The integer program against the float network, value by value, on ${integerText(samples)} sample${samples === 1 ? '' : 's'} of ${nameElement(data)}.</p>
</header>
${tiles(comparison)}
${verdict(comparison)}
${outputTable(comparison)}
<h2>Where it is lost</h2>
<ul class="legend"><li><i class="a"></i>accumulated: the program against the float network</li><li><i class="l"></i>alone: only this value quantised</li><li><i class="m"></i>most noise added, by rank</li></ul>
<div class="frame plotted">${plotLosses(values)}</div>
<h2>Values, worst first</h2>
<p class="soft">The order is by the noise that a value has beyond the worst of its inputs, as a share of its signal. Gains are computed, not guessed: each edit was tried on this value alone.</p>
${valueTable(values)}
<h2>The worst ${shown.length} in detail</h2>
<p class="soft">Counts are on a logarithmic scale. The tinted band is what the grid reaches; what lies beyond is clipped, in red.</p>
<div class="cards">
${shown.map((value, rank) => valueCard(value, rank + 1)).join('\n')}
</div>
${pareto(options.paretoPlot)}
<h2>Facts</h2>
${facts(comparison, options)}
<footer>SQNR is ten times the decimal logarithm of signal power over noise power: 6 dB are a factor of two in the error, 20 dB a factor of ten. “Alone” quantises one value and its weights on inputs of the float network; “accumulated” has everything that came before.</footer>
</main>
</body>
</html>
`
}
