/** From scores to figures: right answers and negative log-likelihood, against the float network on the same samples. */
import { argmax } from '../evaluate/evaluate.ts'

/** Scores of all answers, one row each, from one arithmetic. */
export interface ScoreTable {
  readonly classes: number
  readonly scores: Float32Array
}

/** One arithmetic beside the float network. */
export interface StudyScore {
  /** Answers that are asked for: as many as samples, or the positions of all sequences. */
  readonly total: number
  readonly correct: number
  /** Answers only the float network has right, and only this one. */
  readonly lost: number
  readonly gained: number
  /** Share with the same answer, 0 … 1. */
  readonly agreement: number
  /** Mean of −log softmax(scores)[label], in nats; Infinity where a label has no probability left, NaN for NaN scores. */
  readonly nll: number
  /** 10·log10(Σ reference² / Σ difference²) over all scores; Infinity when equal. */
  readonly sqnrDb: number
}

/** −log of the softmax probability of one class. */
function surprise(scores: Float32Array, label: number): number {
  let largest = Number.NEGATIVE_INFINITY
  for (const score of scores) if (score > largest) largest = score
  let sum = 0
  for (const score of scores) sum += Math.exp(score - largest)
  return Math.log(sum) + largest - scores[label]!
}

/**
 * Compares a table with that of the float network. A row with a NaN score is never right; rows whose label is negative do not
 * count.
 */
export function scoreAgainst(reference: ScoreTable, candidate: ScoreTable, labels: ArrayLike<number>): StudyScore {
  const { classes } = reference
  let total = 0
  let [correct, lost, gained, agreed, nll, signal, noise] = [0, 0, 0, 0, 0, 0, 0]
  for (let index = 0; index < labels.length; index++) {
    const label = labels[index]!
    if (label < 0) continue
    total++
    const [a, b] = [reference, candidate].map(({ scores }) =>
      scores.subarray(index * classes, (index + 1) * classes),
    ) as [Float32Array, Float32Array]
    const [x, y] = [argmax(a), b.some(Number.isNaN) ? -1 : argmax(b)]
    if (y === label) correct++
    if (x === label && y !== label) lost++
    if (x !== label && y === label) gained++
    if (x === y) agreed++
    nll += surprise(b, label)
    for (let i = 0; i < classes; i++) {
      signal += a[i]! * a[i]!
      noise += (a[i]! - b[i]!) ** 2
    }
  }
  return {
    ...{ total, correct, lost, gained, agreement: agreed / total, nll: nll / total },
    sqnrDb: noise === 0 ? Number.POSITIVE_INFINITY : 10 * Math.log10(signal / noise),
  }
}
