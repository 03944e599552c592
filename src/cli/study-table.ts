/** What a study has found, for people: one line per arithmetic. */
import { describeQuantity } from '../cost/quantity.ts'
import type { StudyCost } from '../study/cost.ts'
import type { StudyRow } from '../study/record.ts'
import { integer, percent, table } from './format.ts'
import type { StudyMetric } from './study-options.ts'

/** Best first: by the metric, then by bits; of equal ones the order stays. */
export function sortRows(rows: readonly StudyRow[], metric: StudyMetric): StudyRow[] {
  const bits = ({ cost }: StudyRow): number => cost.weightBits + cost.valueBits
  // A figure that is no number comes last.
  const worth = ({ score }: StudyRow): number =>
    metric === 'top1' ? score.correct : Number.isNaN(score.nll) ? Number.NEGATIVE_INFINITY : -score.nll
  return rows.toSorted((a, b) => {
    const [x, y] = [worth(a), worth(b)]
    return x === y ? bits(a) - bits(b) : y - x
  })
}

/** Microjoules of one inference: `185 µJ`, `at most 12.3 µJ`, `unknown`. */
export function energyText({ energy, macs }: StudyCost): string {
  const { picojoules, bound, unknownMacs } = energy
  if (unknownMacs > 0) return unknownMacs === macs ? 'unknown' : `unknown for ${percent(unknownMacs / macs)}`
  return `${bound ? 'at most ' : ''}${Number((picojoules / 1e6).toPrecision(3))} µJ`
}

/** Bytes of bits. */
export function bytesText(bits: number): string {
  return describeQuantity(bits / 8, 'B')
}

/** Rows in the order given. */
export function studyTable(rows: readonly StudyRow[], metric: StudyMetric): string {
  const [first] = rows
  const total = first === undefined ? 0 : first.score.total
  return table(
    [
      ...['arithmetic', `correct of ${integer(total)}`, 'lost', 'gained', 'agreement'],
      ...(metric === 'nll' ? ['NLL'] : []),
      ...['weights', 'values', 'energy'],
    ],
    rows.map(({ name, score, cost }) => [
      ...[name, integer(score.correct), integer(score.lost), integer(score.gained), percent(score.agreement)],
      ...(metric === 'nll' ? [Number.isFinite(score.nll) ? score.nll.toFixed(4) : 'none'] : []),
      ...[bytesText(cost.weightBits), bytesText(cost.valueBits), energyText(cost)],
    ]),
  )
}
