/** Where a program loses against the float network: in a sentence, over all values, and value by value. */
import type { Comparison, ValueLoss } from '../compare/comparison.ts'
import { nameElement } from './escape.ts'
import { plotLosses } from './plot-losses.ts'
import { decibelText, gainText } from './quantities.ts'
import { valueCard } from './value-card.ts'
import { trialText, valueTable } from './value-table.ts'

/** Values that are shown in detail at once, and all that are shown. */
const CARDS = 12
const MOST_CARDS = 120
/** Fewer samples than this say little about ranges. */
const FEW_SAMPLES = 8
/** Outputs that a tile each is enough for. */
export const OUTPUT_TILES = 3

/** What to do about a value, as a sentence. */
function remedy({ name, action, local }: ValueLoss): string {
  if (action === undefined || local === undefined) return ''
  return ` To try: <b>${trialText(name, action.kind)}</b>; alone it then has ${decibelText(action.sqnrDb)} instead of ${decibelText(local.sqnrDb)} (<span class="gain">${gainText(action.gainDb)}</span>).`
}

/** What there is to say first: where most noise comes in, and what to try. */
export function lossVerdict({ values, samples }: Comparison): string {
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

function outputTable({ outputs }: Comparison): string {
  if (outputs.length <= OUTPUT_TILES) return ''
  const rows = outputs.map(
    ({ name, accumulated }) =>
      `<tr><td>${nameElement(name)}</td><td class="n">${decibelText(accumulated.sqnrDb)}</td><td class="n">${accumulated.cosine.toFixed(5)}</td></tr>`,
  )
  return `<h2>Outputs</h2>\n<div class="frame scroll"><table><thead><tr><th>output</th><th class="n">SQNR</th><th class="n">cosine</th></tr></thead><tbody>${rows.join('\n')}</tbody></table></div>`
}

function cards(values: readonly ValueLoss[], first: number): string {
  return `<div class="cards">\n${values.map((value, index) => valueCard(value, first + index)).join('\n')}\n</div>`
}

/** Sections of a page: outputs, the course of the loss, all values as a table, and cards with their histograms. */
export function lossSections(comparison: Comparison): string {
  const { values } = comparison
  const shown = values.slice(0, CARDS)
  const others = values.slice(CARDS, MOST_CARDS)
  const more =
    others.length === 0
      ? ''
      : `<details><summary>The next ${others.length}${values.length > MOST_CARDS ? ` of ${values.length - CARDS}` : ''}</summary>\n${cards(others, CARDS + 1)}\n</details>`
  return `${outputTable(comparison)}
<h2>Where it is lost</h2>
<ul class="legend"><li><i class="a"></i>accumulated: the program against the float network</li><li><i class="l"></i>alone: only this value quantised</li><li><i class="m"></i>most noise added, by rank</li></ul>
<div class="frame plotted">${plotLosses(values)}</div>
<h2>Values, worst first</h2>
<p class="soft">The order is by the noise that a value has beyond the worst of its inputs, as a share of its signal. Gains are computed, not guessed: each edit was tried on this value alone.</p>
${valueTable(values)}
<h2>The worst ${shown.length} in detail</h2>
<p class="soft">Counts are on a logarithmic scale. The tinted band is what the grid reaches; what lies beyond is clipped, in red.</p>
${cards(shown, 1)}
${more}`
}

/** What SQNR means, for the foot of a page. */
export const SQNR_NOTE =
  'SQNR is ten times the decimal logarithm of signal power over noise power: 6 dB are a factor of two in the error, 20 dB a factor of ten. “Alone” quantises one value and its weights on inputs of the float network; “accumulated” has everything that came before.'
