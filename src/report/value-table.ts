/** The table of all values, worst first, and what to do about each. */
import type { ValueLoss } from '../compare/comparison.ts'
import { describeTrial, type TrialKind } from '../compare/trials.ts'
import { escapeText, nameElement } from './escape.ts'
import { decibelText, gainText, shareText } from './quantities.ts'

/** A trial with its option: `16 bits` and `--keep 'stem:s16'`. */
export function trialText(name: string, kind: TrialKind): string {
  const { what, option } = describeTrial(name, kind)
  return `${what} <code>${escapeText(option)}</code>`
}

/** What is recommended for a value, with the gain that was computed. */
export function actionText({ name, action, cause, local, accumulated, expectedDb }: ValueLoss): string {
  if (action && local)
    return `${trialText(name, action.kind)}<small>alone ${decibelText(local.sqnrDb)} → ${decibelText(action.sqnrDb)} <span class="gain">${gainText(action.gainDb)}</span>${expectedDb === undefined ? '' : `<br>here ${decibelText(accumulated.sqnrDb)} → ${decibelText(expectedDb)}`}</small>`
  return cause === 'weights'
    ? 'finer rounding of the weights <code>--method adaround</code> or <code>gptq</code><small>not simulated</small>'
    : '–'
}

/** A table of values in the order given. */
export function valueTable(values: readonly ValueLoss[]): string {
  const rows = values.map((value, rank) => {
    const { name, operator, format, weights, local, accumulated, inheritedDb, addedNoise, cause } = value
    const formats = weights ? `${format} <small>× ${weights.format}</small>` : format
    return (
      `<tr><td class="n">${rank + 1}</td><td>${nameElement(name)}<small>${escapeText(operator)}</small></td>` +
      `<td>${formats}</td><td class="n">${local ? decibelText(local.sqnrDb) : '–'}</td>` +
      `<td class="n">${decibelText(inheritedDb)}</td><td class="n">${decibelText(accumulated.sqnrDb)}</td>` +
      `<td class="n">${addedNoise > 0 ? shareText(addedNoise) : '–'}</td><td class="n">${accumulated.cosine.toFixed(5)}</td>` +
      `<td>${cause ? `<span class="tag">${cause}</span>` : '–'}</td><td>${actionText(value)}</td></tr>`
    )
  })
  return (
    '<div class="frame scroll"><table class="values">\n<thead><tr><th class="n">#</th><th>value</th><th>format</th><th class="n">alone</th>' +
    '<th class="n">inputs</th><th class="n">accumulated</th><th class="n">noise added</th><th class="n">cosine</th>' +
    `<th>cause</th><th>to try</th></tr></thead>\n<tbody>\n${rows.join('\n')}\n</tbody>\n</table></div>`
  )
}
