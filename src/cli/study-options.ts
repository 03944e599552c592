/** Options that only `dyadic study` has. */
import { InvalidArgumentError } from 'commander'
import { type LayerRule, parseLayerRule } from '../study/arithmetic.ts'
import { accumulatorForms, accumulatorNamed, productForms, productNamed } from '../study/product-name.ts'
import { DATA, entry, GENERAL, NUMBERS, nameList, parsed, positiveInteger } from './option-entry.ts'

/** What `--formats` of a study may be for. */
export const studyKinds = ['weights', 'activations', 'inputs', 'outputs', 'attention'] as const
export type StudyKind = (typeof studyKinds)[number]

/** Accuracy of a study: right answers, or the negative log-likelihood of the labels. */
export const studyMetrics = ['top1', 'nll'] as const
export type StudyMetric = (typeof studyMetrics)[number]

/** Names that a check knows; what it refuses is a wrong option. */
function checkedNames(check: (name: string) => unknown): (text: string) => readonly string[] {
  return (text) => {
    const names = nameList(text)
    for (const name of names) parsed(() => check(name))
    return names
  }
}

function kindList(text: string): readonly StudyKind[] {
  const names = nameList(text)
  const wrong = names.find((name) => !(studyKinds as readonly string[]).includes(name))
  if (wrong !== undefined)
    throw new InvalidArgumentError(`Allowed choices are ${studyKinds.join(', ')}, separated by commas.`)
  return names as readonly StudyKind[]
}

function exemptList(text: string): readonly ('first' | 'last')[] {
  const names = nameList(text)
  if (names.some((name) => name !== 'first' && name !== 'last'))
    throw new InvalidArgumentError('Allowed choices are first, last and first,last.')
  return names as readonly ('first' | 'last')[]
}

/** By attribute name, for the table of all options. */
export const studyOptions = {
  for: entry<readonly StudyKind[]>({
    flags: '--for <kinds>',
    group: NUMBERS,
    default: ['weights', 'activations'],
    parse: kindList,
    help: `what --formats are for: ${studyKinds.join(', ')}; attention means both factors of products of two computed tensors`,
  }),
  products: entry<readonly string[]>({
    flags: '--products <list>',
    group: NUMBERS,
    parse: checkedNames(productNamed),
    help: `how numbers are multiplied: ${productForms}`,
  }),
  accumulators: entry<readonly string[]>({
    flags: '--accumulators <list>',
    group: NUMBERS,
    parse: checkedNames(accumulatorNamed),
    help: `what products are added up in: ${accumulatorForms}`,
  }),
  layer: entry<readonly LayerRule[]>({
    flags: '--layer <pattern:field=name,...>',
    group: NUMBERS,
    parse: (text, previous) => [...(previous ?? []), parsed(() => parseLayerRule(text))],
    help: 'another arithmetic by name: a regular expression, @first, @last or @attention; fields are weights, activations, operands, products, accumulators; may be given several times',
  }),
  exempt: entry<readonly ('first' | 'last')[]>({
    flags: '--exempt <layers>',
    group: NUMBERS,
    parse: exemptList,
    help: 'first, last or both keep float32 weights and exact products',
  }),
  weightScales: entry<'channel' | 'tensor'>({
    flags: '--weight-scales <what>',
    group: NUMBERS,
    choices: ['channel', 'tensor'],
    default: 'channel',
    help: 'one scale for each output channel of weights, or one for the tensor',
  }),
  arithmetic: entry<readonly string[]>({
    flags: '--arithmetic <json>',
    group: NUMBERS,
    parse: (text, previous) => [...(previous ?? []), text],
    help: 'an arithmetic as JSON, or a file of one; may be given several times',
  }),
  metric: entry<StudyMetric>({
    flags: '--metric <name>',
    group: DATA,
    choices: studyMetrics,
    default: 'top1',
    help: 'right answers, or the mean negative log-likelihood of the labels',
  }),
  threads: entry<number>({
    flags: '--threads <count>',
    group: DATA,
    default: 2,
    parse: positiveInteger,
    help: 'samples run on so many threads; the numbers are the same',
  }),
  report: entry<string>({
    flags: '--report <file>',
    group: GENERAL,
    help: 'a report: one HTML file with tables and plots, which needs nothing else (default: none)',
  }),
} as const
