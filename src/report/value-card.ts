/** One value in detail: its values against its grid, its weights, and everything that was tried. */
import type { ValueLoss, WeightLoss } from '../compare/comparison.ts'
import { escapeText, nameElement, plainName } from './escape.ts'
import { plotHistogram } from './plot-histogram.ts'
import { decibelText, gainText, integerText, realText, shareText } from './quantities.ts'
import { trialText } from './value-table.ts'

function gridText({ entry, reach, clipped, extremes }: ValueLoss): string {
  const seen = `${realText(extremes.low)} … ${realText(extremes.high)} seen`
  if (entry === undefined || reach === undefined) return `${seen}; it keeps the numbers of what it is made of`
  const beyond = clipped > 0 ? `, <span class="loss">${shareText(clipped)} clipped</span>` : ', nothing clipped'
  const channels = entry.channelScales ? ', a scale per channel' : ''
  return `${seen}; ${entry.format} reaches ${realText(reach.low)} … ${realText(reach.high)} in steps of ${realText(entry.scale)}${channels}${beyond}`
}

function stepsText({ steps: { low, high } }: WeightLoss): string {
  return low === high ? realText(low) : `${realText(low)} … ${realText(high)}, one per output channel`
}

/** A card for a value of a stated rank. */
export function valueCard(value: ValueLoss, rank: number): string {
  const { name, operator, shape, histogram, reach, weights, trials, action, local, accumulated } = value
  const figure = plotHistogram(histogram, { label: `histogram of ${plainName(name)}`, reach })
  const parts = [
    `<span class="rank">${rank}</span><h3>${nameElement(name)}</h3>`,
    `<p>${escapeText(operator)}, [${shape.join(', ')}]. Alone ${local ? decibelText(local.sqnrDb) : 'exact'}, accumulated ${decibelText(accumulated.sqnrDb)}.</p>`,
    `<h4>Values</h4>\n${figure}\n<p>${gridText(value)}</p>`,
  ]
  if (weights)
    parts.push(
      `<h4>Weights</h4>\n${plotHistogram(weights.histogram, { label: `histogram of the weights of ${plainName(name)}` })}\n` +
        `<p>${integerText(weights.count)} weights as ${weights.format} in steps of ${stepsText(weights)}, ${decibelText(weights.sqnrDb)} by themselves</p>`,
    )
  if (trials.length > 0) {
    const rows = trials.map(
      (trial) =>
        `<tr><td>${trial === action ? '<b>' : ''}${trialText(name, trial.kind)}${trial === action ? '</b>' : ''}</td>` +
        `<td class="n">${decibelText(trial.sqnrDb)}</td><td class="n"><span class="${trial.gainDb < 0 ? 'loss' : 'gain'}">${gainText(trial.gainDb)}</span></td></tr>`,
    )
    parts.push(
      '<h4>Tried</h4>\n<table><thead><tr><th>edit of the plan</th><th class="n">alone</th><th class="n">gain</th></tr></thead>' +
        `<tbody>${rows.join('\n')}</tbody></table>`,
    )
  }
  return `<article class="card">${parts.join('\n')}</article>`
}
