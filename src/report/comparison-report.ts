/**
 * The report of a comparison: one HTML file that needs nothing else. It loads nothing and runs nothing (its content security
 * policy says so too), reads on paper, and shows names from the model as text only.
 */
import type { Comparison } from '../compare/comparison.ts'
import { escapeText, nameElement, plainName } from './escape.ts'
import { lossSections, lossVerdict, OUTPUT_TILES, SQNR_NOTE } from './loss-sections.ts'
import { factList, renderPage, tiles } from './page.ts'
import { byteText, decibelText, integerText } from './quantities.ts'

export interface ReportOptions {
  /** The model file as the user named it. */
  readonly model?: string
  /** Version of dyadic. */
  readonly version: string
  /** A finished SVG of accuracy against size, such as `plotFront` makes: it is shown as a picture, so nothing in it runs. */
  readonly paretoPlot?: string
}

function comparisonTiles({ outputs, program, values }: Comparison): string {
  const cells = outputs
    .slice(0, OUTPUT_TILES)
    .map(({ name, accumulated }): [string, string] => [decibelText(accumulated.sqnrDb), `output ${nameElement(name)}`])
  const lowest = Math.min(...values.map(({ accumulated }) => accumulated.sqnrDb))
  cells.push(
    [decibelText(lowest), 'lowest accumulated SQNR'],
    [byteText(program.weightBytes), 'weights in the module'],
    [byteText(program.memoryBytes), 'memory, fixed'],
    [`${program.headroomBits} bits`, 'to spare in every accumulator'],
  )
  return tiles(cells)
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
  return factList(rows)
}

function pareto(svg: string | undefined): string {
  if (svg === undefined) return ''
  return `<h2>Accuracy against size</h2>\n<div class="frame pareto"><img alt="Pareto front" src="data:image/svg+xml,${encodeURIComponent(svg)}"></div>`
}

/** The whole file. Deterministic text: equal comparisons give equal bytes. */
export function renderReport(comparison: Comparison, options: ReportOptions): string {
  const { network, data, samples } = comparison
  return renderPage({
    eyebrow: 'dyadic compare',
    title: `${plainName(network)}: float against integers`,
    heading: nameElement(network),
    introduction: `The integer program against the float network, value by value, on ${integerText(samples)} sample${samples === 1 ? '' : 's'} of ${nameElement(data)}.`,
    body: `${comparisonTiles(comparison)}
${lossVerdict(comparison)}
${lossSections(comparison)}
${pareto(options.paretoPlot)}
<h2>Facts</h2>
${facts(comparison, options)}`,
    footer: SQNR_NOTE,
  })
}
