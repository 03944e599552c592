/**
 * Paired evaluation on labelled data: two predictors see the same stored samples, and every sample counts for both. Single
 * counts of a few hundred samples are noise; lost and gained are not.
 */

import type { DataSet } from '../data/data-set.ts'
import { DyadicError, quoted } from '../error.ts'

/** Scores (logits) of one sample from its stored numbers, in real units. */
export type Predictor = (stored: Uint8Array | Int8Array | Float32Array) => ArrayLike<number>

/** One predictor's result. */
export interface Accuracy {
  readonly correct: number
  readonly total: number
  readonly msPerSample: number
}

/** Two predictors on the same samples. */
export interface PairedAccuracy {
  readonly total: number
  /** Correct samples of the reference and of the candidate. */
  readonly reference: number
  readonly candidate: number
  /** Samples only the reference has right, and only the candidate. */
  readonly lost: number
  readonly gained: number
  /** Share of samples with the same answer, 0..1. */
  readonly agreement: number
  /** 10·log10(Σ reference² / Σ (reference − candidate)²) over all scores of all samples; Infinity when equal. */
  readonly sqnrDb: number
  readonly referenceMsPerSample: number
  readonly candidateMsPerSample: number
}

export interface EvaluateOptions {
  /** Most samples (default all). */
  readonly limit?: number
  readonly onProgress?: (done: number, total: number) => void
  readonly signal?: AbortSignal
  /** Clock in milliseconds (default performance.now); only for the times in the result. */
  readonly clock?: () => number
  /** Called with every sample's answers. */
  readonly onSample?: (index: number, label: number, answers: readonly number[]) => void
}

/** Index of the largest score; the first of equal ones. */
export function argmax(scores: ArrayLike<number>): number {
  let best = 0
  for (let i = 1; i < scores.length; i++) if (scores[i] > scores[best]) best = i
  return best
}

function labelOf(set: DataSet, index: number, classes: number): number {
  const label = set.label(index)
  if (label === undefined)
    throw new DyadicError(
      'refused',
      `sample ${quoted(set.describe(index))} of ${quoted(set.name)} has no label; add "labels" to the data card`,
    )
  if (label >= classes)
    throw new DyadicError(
      'refused',
      `sample ${quoted(set.describe(index))} of ${quoted(set.name)} has label ${label}, the network gives ${classes} scores; check "labels" and its offset in the data card`,
    )
  return label
}

/** Runs predictors over a data set, sample by sample, and counts correct answers. Throws `refused` on wrong labels. */
async function run(
  set: DataSet,
  predictors: readonly Predictor[],
  options: EvaluateOptions,
  visit: (label: number, scores: readonly ArrayLike<number>[], answers: readonly number[]) => void,
): Promise<{ total: number; milliseconds: number[] }> {
  const clock = options.clock ?? (() => performance.now())
  const total = Math.min(set.length, options.limit ?? set.length)
  if (total === 0) throw new DyadicError('refused', `data set ${quoted(set.name)} has no samples`)
  const milliseconds = predictors.map(() => 0)
  for (let index = 0; index < total; index++) {
    options.signal?.throwIfAborted()
    const stored = await set.read(index)
    const scores = predictors.map((predict, which) => {
      const start = clock()
      const result = predict(stored)
      milliseconds[which] += clock() - start
      return result
    })
    const label = labelOf(set, index, scores[0].length)
    const answers = scores.map(argmax)
    visit(label, scores, answers)
    options.onSample?.(index, label, answers)
    options.onProgress?.(index + 1, total)
  }
  return { total, milliseconds }
}

/** Accuracy of one predictor. */
export async function evaluate(set: DataSet, predict: Predictor, options: EvaluateOptions = {}): Promise<Accuracy> {
  let correct = 0
  const { total, milliseconds } = await run(set, [predict], options, (label, _scores, [answer]) => {
    if (answer === label) correct++
  })
  return { correct, total, msPerSample: milliseconds[0] / total }
}

/** Both predictors on every sample. */
export async function evaluatePair(
  set: DataSet,
  reference: Predictor,
  candidate: Predictor,
  options: EvaluateOptions = {},
): Promise<PairedAccuracy> {
  let first = 0
  let second = 0
  let lost = 0
  let gained = 0
  let agreed = 0
  let signal = 0
  let noise = 0
  const { total, milliseconds } = await run(set, [reference, candidate], options, (label, [a, b], [x, y]) => {
    if (x === label) first++
    if (y === label) second++
    if (x === label && y !== label) lost++
    if (x !== label && y === label) gained++
    if (x === y) agreed++
    for (let i = 0; i < a.length; i++) {
      signal += a[i] * a[i]
      noise += (a[i] - b[i]) * (a[i] - b[i])
    }
  })
  return {
    total,
    reference: first,
    candidate: second,
    lost,
    gained,
    agreement: agreed / total,
    sqnrDb: noise === 0 ? Infinity : 10 * Math.log10(signal / noise),
    referenceMsPerSample: milliseconds[0] / total,
    candidateMsPerSample: milliseconds[1] / total,
  }
}
