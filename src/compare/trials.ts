/**
 * What can be tried on one value of a plan, and which trial to recommend. A trial is an edit of the plan that the comparison
 * then simulates; nothing here guesses what it gains.
 */
import { quoted } from '../error.ts'
import type { Range } from '../quantize/observe.ts'
import { formatRange, type Plan, type TensorPlan, type WeightPlan } from '../quantize/plan.ts'
import { activationPlan, wideOutputPlan } from '../quantize/scales.ts'

export const trialKinds = [
  'range-minmax',
  'range-mse',
  'bias-correction',
  'weights-8',
  'activations-8',
  'activations-16',
] as const
export type TrialKind = (typeof trialKinds)[number]

/** Edits of a plan's entries for one value. */
export interface Edit {
  readonly kind: TrialKind
  readonly tensor?: TensorPlan
  readonly weights?: WeightPlan
  readonly bias?: readonly number[]
}

/** An edit and what it does to the value when nothing else in the network is quantised. */
export interface Trial extends Edit {
  readonly sqnrDb: number
  /** Against the plan as it is. */
  readonly gainDb: number
}

/** Ranges of a value over the samples. */
export interface ObservedRanges {
  readonly minmax: Range
  readonly mse: Range
}

/** How an entry's numbers follow from a range: its format, with a zero point where it has one. Only for 8-bit formats. */
export function entryFor(entry: TensorPlan): ((range: Range) => TensorPlan) | undefined {
  const { format, zeroPoint, channelScales } = entry
  if ((format !== 'u8' && format !== 's8') || channelScales !== undefined) return undefined
  return (range) => activationPlan(range, format, format === 's8' && zeroPoint === 0)
}

/** Edits of a value's own numbers that would change them. */
export function activationEdits(entry: TensorPlan, { minmax, mse }: ObservedRanges): Edit[] {
  const bits = Number(entry.format.slice(1))
  const fit = entryFor(entry)
  const edits: Edit[] = []
  if (fit)
    for (const [kind, range] of [
      ['range-minmax', minmax],
      ['range-mse', mse],
    ] as const)
      edits.push({ kind, tensor: fit(range) })
  if (bits < 8) edits.push({ kind: 'activations-8', tensor: activationPlan(minmax, 'u8') })
  if (bits < 16) edits.push({ kind: 'activations-16', tensor: wideOutputPlan(minmax, [0]) })
  return edits.filter(({ tensor }) => tensor?.scale !== entry.scale || tensor.zeroPoint !== entry.zeroPoint)
}

/** Whether 8 bits with a scale per output channel are more than an entry has. */
export function isCoarse({ format, scale, groups }: WeightPlan, outputs: number): boolean {
  return groups === undefined && (formatRange(format).high < 127 || (scale.length === 1 && outputs > 1))
}

/** The plan with an edit of the value `name`. */
export function applyEdit(plan: Plan, name: string, { tensor, weights, bias }: Edit): Plan {
  return {
    ...plan,
    tensors: tensor ? { ...plan.tensors, [name]: tensor } : plan.tensors,
    weights: weights ? { ...plan.weights, [name]: weights } : plan.weights,
    ...(bias && { biases: { ...plan.biases, [name]: [...bias] } }),
  }
}

/** A gain below this many decibels is not worth an edit. */
const LEAST_GAIN = 0.5

/** What a trial costs the program: nothing, bytes of weights, or memory and time of wider values. */
function costOf(kind: TrialKind): number {
  if (kind === 'activations-16') return 2
  return kind === 'weights-8' || kind === 'activations-8' ? 1 : 0
}

/** Share of the noise that a gain takes away. */
function removed({ gainDb }: Trial): number {
  return 1 - 10 ** (-gainDb / 10)
}

/**
 * The trial to recommend: the cheapest that takes away at least three quarters of the noise that the best one does; undefined
 * when none gains half a decibel.
 */
export function recommend(trials: readonly Trial[]): Trial | undefined {
  const worthwhile = trials.filter(({ gainDb }) => gainDb >= LEAST_GAIN)
  const most = worthwhile.reduce((best, trial) => Math.max(best, removed(trial)), 0)
  return worthwhile
    .filter((trial) => removed(trial) >= 0.75 * most)
    .sort((a, b) => costOf(a.kind) - costOf(b.kind) || b.gainDb - a.gainDb)
    .at(0)
}

/** A word in single quotes for a shell, escaped to printable ASCII. */
function shellWord(text: string): string {
  return `'${quoted(text).slice(1, -1).replaceAll("'", "'\\''")}'`
}

const MEANINGS: Readonly<Record<TrialKind, string>> = {
  'range-minmax': 'range from the extremes',
  'range-mse': 'range by squared error',
  'bias-correction': 'corrected bias',
  'weights-8': 'weights of 8 bits per channel',
  'activations-8': '8 bits',
  'activations-16': '16 bits',
}

/** What a trial is, and the option of `dyadic quantize` that does it, quoted for a shell. */
export function describeTrial(name: string, kind: TrialKind): { readonly what: string; readonly option: string } {
  const options: Readonly<Record<TrialKind, string>> = {
    'range-minmax': '--range minmax',
    'range-mse': '--range mse',
    'bias-correction': '--method bias-correction',
    'weights-8': '--weights s8',
    'activations-8': `--keep ${shellWord(`${name}:u8`)}`,
    'activations-16': `--keep ${shellWord(`${name}:s16`)}`,
  }
  return { what: MEANINGS[kind], option: options[kind] }
}
