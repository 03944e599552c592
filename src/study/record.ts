/** The results of a study as one JSON object: what was run on what, a row per arithmetic, each under a key that says so. */
import { DyadicError } from '../error.ts'
import { type Arithmetic, parseArithmetic } from './arithmetic.ts'
import type { StudyCost } from './cost.ts'
import type { StudyScore } from './score.ts'

/** One arithmetic on one set of samples. */
export interface StudyRow {
  /** Names the network, the samples and the arithmetic: equal keys have equal figures. */
  readonly key: string
  /** For people. */
  readonly name: string
  readonly arithmetic: Arithmetic
  readonly score: StudyScore
  readonly cost: StudyCost
  /** How long it took on the machine that ran it. */
  readonly seconds: number
}

export interface StudyRecord {
  readonly schema: 1
  readonly kind: 'dyadic-study'
  readonly version: string
  readonly model: string
  readonly data: { readonly name: string; readonly samples: number }
  readonly calibration: { readonly name: string; readonly samples: number } | undefined
  /** The float network first. */
  readonly rows: readonly StudyRow[]
}

/** JSON has no infinity: null stands for it and for NaN. */
export function printRecord(record: StudyRecord): string {
  return `${JSON.stringify(record, null, 2)}\n`
}

const isObject = (json: unknown): json is Record<string, unknown> =>
  typeof json === 'object' && json !== null && !Array.isArray(json)

/** Rows by key of what `printRecord` wrote. Throws `refused` naming the file for anything else. */
export function parseRows(json: unknown, where: string): Map<string, StudyRow> {
  const refuse = (what: string): DyadicError =>
    new DyadicError('refused', `${where} holds no results of a study: ${what}; give another name, or delete it`)
  if (!isObject(json) || json.kind !== 'dyadic-study' || json.schema !== 1 || !Array.isArray(json.rows))
    throw refuse('"kind" is not "dyadic-study", or "schema" not 1')
  const rows = new Map<string, StudyRow>()
  for (const row of json.rows as unknown[]) {
    if (!isObject(row) || typeof row.key !== 'string' || typeof row.name !== 'string') throw refuse('a row has no key')
    if (!isObject(row.score) || !isObject(row.cost) || !isObject(row.cost.energy))
      throw refuse(`row ${row.name} is cut`)
    const number = (value: unknown, fallback: number): number => (typeof value === 'number' ? value : fallback)
    const { score } = row
    const counts = ['total', 'correct', 'lost', 'gained', 'agreement'].map((field) => number(score[field], Number.NaN))
    if (counts.some(Number.isNaN)) throw refuse(`row ${row.name} is cut`)
    rows.set(row.key, {
      ...{ key: row.key, name: row.name, arithmetic: parseArithmetic(row.arithmetic, `${where}, row ${row.name}`) },
      score: {
        ...(score as unknown as StudyScore),
        nll: number(score.nll, Number.POSITIVE_INFINITY),
        sqnrDb: number(score.sqnrDb, Number.POSITIVE_INFINITY),
      },
      ...{ cost: row.cost as unknown as StudyCost, seconds: number(row.seconds, 0) },
    })
  }
  return rows
}
