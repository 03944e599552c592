/** The report of a study: one HTML file that loads nothing and runs nothing. Names from outside are shown as text only. */
import type { StudyRecord, StudyRow } from '../study/record.ts'
import { escapeText, nameElement, plainName } from './escape.ts'
import { renderPage } from './page.ts'
import { markBest, type NamedPoint, plotPoints } from './plot-points.ts'
import { byteText, integerText } from './quantities.ts'

/** What accuracy is measured by. */
type Metric = 'top1' | 'nll'

const percent = (share: number): string => `${(100 * share).toFixed(2)} %`

function accuracyOf({ score }: StudyRow, metric: Metric): number {
  return metric === 'top1' ? score.correct / score.total : score.nll
}

function energyText({ cost }: StudyRow): string {
  const { picojoules, bound, unknownMacs } = cost.energy
  if (unknownMacs > 0)
    return unknownMacs === cost.macs ? 'unknown' : `unknown for ${percent(unknownMacs / cost.macs)} of MACs`
  return `${bound ? '≤ ' : ''}${Number((picojoules / 1e6).toPrecision(3))} µJ`
}

function rowsTable(rows: readonly StudyRow[], metric: Metric): string {
  const cells = rows.map((row) => {
    const { name, score, cost } = row
    const chosen = Object.entries(cost.chosen)
    const note =
      chosen.length > 1
        ? `<small>${chosen.map(([format, count]) => `${plainName(format)} × ${count}`).join(', ')}</small>`
        : ''
    return `<tr><td>${nameElement(name)}${note}</td>${[
      integerText(score.correct),
      integerText(score.lost),
      integerText(score.gained),
      percent(score.agreement),
      ...(metric === 'nll' ? [Number.isFinite(score.nll) ? score.nll.toFixed(4) : '∞'] : []),
      byteText(cost.weightBits / 8),
      byteText(cost.valueBits / 8),
      energyText(row),
    ]
      .map((text) => `<td class="n">${text}</td>`)
      .join('')}</tr>`
  })
  const head = [
    'correct',
    'lost',
    'gained',
    'agreement',
    ...(metric === 'nll' ? ['NLL'] : []),
    'weights',
    'values',
    'energy',
  ]
  return `<div class="frame scroll"><table class="values"><thead><tr><th>arithmetic</th>${head.map((title) => `<th class="n">${title}</th>`).join('')}</tr></thead><tbody>${cells.join('\n')}</tbody></table></div>`
}

function plot(
  title: string,
  rows: readonly StudyRow[],
  metric: Metric,
  x: (row: StudyRow) => number | undefined,
  xLabel: string,
  formatX: (value: number) => string,
): string {
  // A small NLL is good: upwards is better in both plots.
  const sign = metric === 'top1' ? 1 : -1
  const points = rows.flatMap((row): Omit<NamedPoint, 'best'>[] => {
    const at = x(row)
    const y = accuracyOf(row, metric)
    return at !== undefined && Number.isFinite(y) ? [{ name: row.name, x: at, y: sign * y }] : []
  })
  const svg = plotPoints(markBest(points), {
    ...{
      what: 'arithmetics',
      xLabel,
      yLabel: metric === 'top1' ? 'right answers' : 'negative log-likelihood',
      formatX,
    },
    formatY: (value) =>
      metric === 'top1' ? `${Number((100 * value).toPrecision(4))} %` : String(Number((sign * value).toPrecision(4))),
  })
  return svg === '' ? '' : `<h2>${title}</h2>\n<div class="frame plotted">${svg}</div>`
}

/** The whole file. Deterministic text: equal records give equal bytes. */
export function renderStudy(record: StudyRecord, metric: Metric): string {
  const { model, data, calibration, rows, version } = record
  const bits = ({ cost }: StudyRow): number => (cost.weightBits + cost.valueBits) / (cost.weights + cost.values)
  const energy = ({ cost }: StudyRow): number | undefined =>
    cost.energy.unknownMacs > 0 ? undefined : cost.energy.picojoules / 1e6
  return renderPage({
    eyebrow: 'dyadic study',
    title: `${plainName(model)}: arithmetics`,
    heading: nameElement(model),
    introduction: `The float network under ${integerText(rows.length)} arithmetics, on ${integerText(data.samples)} samples of ${nameElement(data.name)}${calibration ? `; scales chosen on ${integerText(calibration.samples)} samples of ${nameElement(calibration.name)}` : ''}.`,
    body: `<ul class="legend"><li><i class="a"></i>no other is as good for as little</li><li><i class="l"></i>others</li></ul>
${plot('Accuracy against bits', rows, metric, bits, 'bits per stored number, weights and values of one sample', (value) => String(value))}
${plot('Accuracy against energy', rows, metric, energy, 'microjoules of multiply-accumulates per sample', (value) => `${value} µJ`)}
<h2>All of them</h2>
<p class="soft">Lost and gained count samples that only the float network has right, and only this arithmetic. Energy is MACs times the picojoules of the product and of the sum in the 45 nm table of the L-Mul paper; ≤ stands where a wider unit’s figure is taken, unknown where there is none. Memory is not counted.</p>
${rowsTable(rows, metric)}`,
    footer: `Made by dyadic ${escapeText(version)}.`,
  })
}
