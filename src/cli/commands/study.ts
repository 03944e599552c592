/** `dyadic study`: what a network keeps of its accuracy under other number formats and products, and what they cost. */
import { access } from 'node:fs/promises'
import { basename } from 'node:path'
import { nodeFiles } from '../../data/node-files.ts'
import { parseStrictJson } from '../../data/strict-json.ts'
import { DyadicError, quoted } from '../../error.ts'
import { renderStudy } from '../../report/study-report.ts'
import {
  type Arithmetic,
  describeArithmetic,
  FLOAT_ARITHMETIC,
  parseArithmetic,
  printArithmetic,
  type TensorKind,
} from '../../study/arithmetic.ts'
import { parseRows, printRecord, type StudyRecord, type StudyRow } from '../../study/record.ts'
import { type ScoreTable, scoreAgainst } from '../../study/score.ts'
import { studyFormat, UNROUNDED } from '../../study/study-format.ts'
import { sweepArithmetics } from '../../study/sweep.ts'
import { VERSION } from '../../version.ts'
import type { CommandDescription, CommandRequest } from '../command.ts'
import { counted } from '../format.ts'
import { SHAPE_OPTIONS } from '../model-file.ts'
import type { Session } from '../session.ts'
import { type OpenStudy, openStudy } from '../study-inputs.ts'
import { createPool, type StudyPool } from '../study-pool.ts'
import { energyText, sortRows, studyTable } from '../study-table.ts'
import { checkOutputs, writeFiles } from '../write-file.ts'

const OPTIONS = [
  ...(['data', 'limit', 'calibrate', 'samples', 'metric', 'threads'] as const),
  ...([
    'formats',
    'for',
    'products',
    'accumulators',
    'layer',
    'exempt',
    'range',
    'weightScales',
    'arithmetic',
  ] as const),
  ...(['report', 'out', ...SHAPE_OPTIONS] as const),
] as const
type Option = (typeof OPTIONS)[number]

const LARGEST_FILE = 2 ** 28
const LARGEST_ARITHMETIC = 2 ** 20

/** JSON given as such, or in a file. Throws `usage`, naming the option and the file. */
async function readJson(text: string, option: string): Promise<unknown> {
  const written = /^\s*\{/.test(text)
  const where = written ? option : `${option} ${quoted(text)}`
  const source = written ? new TextEncoder().encode(text) : await nodeFiles.read(text, LARGEST_ARITHMETIC)
  try {
    return parseStrictJson(source, where)
  } catch (cause) {
    if (!(cause instanceof DyadicError)) throw cause
    throw new DyadicError('usage', `${cause.message}; an arithmetic is an object such as {"weights":"int4"}`, { cause })
  }
}

/** The arithmetics that the options ask for, each once. Throws `usage` for names that there are not. */
async function arithmeticsOf({ options, isGiven }: CommandRequest<Option>): Promise<Arithmetic[]> {
  const { formats = [], products = [], accumulators = [], layer: layers = [], exempt = [], weightScales } = options
  const kinds = options.for ?? []
  const range = options.range ?? 'mse'
  if (range !== 'minmax' && range !== 'mse')
    throw new DyadicError('usage', `--range ${range}: a study knows minmax and mse`)
  for (const name of formats) if (name !== UNROUNDED) studyFormat(name)
  const written: Arithmetic[] = []
  for (const [index, text] of (options.arithmetic ?? []).entries())
    written.push(parseArithmetic(await readJson(text, `--arithmetic ${index + 1}`), `--arithmetic ${index + 1}`))
  const swept = formats.length + products.length + accumulators.length + layers.length
  const sweep =
    swept === 0 && written.length > 0
      ? []
      : sweepArithmetics({
          ...{ formats, products, accumulators, layers, exempt, range, weightScales: weightScales ?? 'channel' },
          kinds: kinds.map((kind): TensorKind => (kind === 'attention' ? 'operands' : kind)),
          attentionOnly: isGiven('for') && kinds.every((kind) => kind === 'attention'),
        })
  const all = new Map([...sweep, ...written].map((arithmetic) => [printArithmetic(arithmetic), arithmetic]))
  all.delete(printArithmetic({ ...FLOAT_ARITHMETIC, range }))
  return [...all.values()]
}

async function keptRows(path: string | undefined): Promise<Map<string, StudyRow>> {
  if (path === undefined) return new Map()
  const exists = await access(path).then(
    () => true,
    () => false,
  )
  if (!exists) return new Map()
  return parseRows(parseStrictJson(await nodeFiles.read(path, LARGEST_FILE), quoted(path)), quoted(path))
}

/** Runs what is not kept. `keep` is called with all rows whenever there is a new one. */
async function runRows(
  study: OpenStudy,
  arithmetics: readonly Arithmetic[],
  kept: ReadonlyMap<string, StudyRow>,
  pool: StudyPool,
  session: Session,
  keep: (rows: readonly StudyRow[]) => Promise<void>,
): Promise<StudyRow[]> {
  const rows: StudyRow[] = []
  let reference: ScoreTable | undefined
  const all = [FLOAT_ARITHMETIC, ...arithmetics]
  const missing = all.filter((arithmetic) => !kept.has(study.keyOf(arithmetic)))
  for (const [index, arithmetic] of all.entries()) {
    const key = study.keyOf(arithmetic)
    const known = kept.get(key)
    // The float network is what all others are compared with, sample by sample.
    if (known !== undefined && (index > 0 || missing.length === 0)) {
      rows.push(known)
      continue
    }
    const name = describeArithmetic(arithmetic)
    const start = session.clock()
    session.progress.begin(index === 0 ? 'float network' : `${index}/${arithmetics.length} ${name}`)
    const { cost, ...table } = await pool.run(arithmetic, (done, total) => session.progress.update(done, total))
    session.progress.end()
    reference ??= table
    const score = scoreAgainst(reference, table, study.samples.labels)
    rows.push({ key, name, arithmetic, score, cost, seconds: Number(((session.clock() - start) / 1000).toFixed(2)) })
    await keep(rows)
  }
  return rows
}

export const studyCommand: CommandDescription<Option> = {
  name: 'study',
  summary: 'run a network under other number formats and products, and say what they cost',
  description:
    'Runs the float network on labelled data under every arithmetic that the options name: weights, stored values, products and ' +
    'sums are rounded as the formats say. Shows right answers against bits and energy. With --out every row is kept, and what ' +
    'is there is not run again.',
  argument: ['model.onnx', 'the network'],
  options: OPTIONS,
  meanings: {
    formats: 'number formats separated by commas, such as int8,e4m3,e4m3-flexible,ant4,mxfp4,nvfp4,bfloat16',
    calibrate: 'samples that choose the scales of activations; files as for `quantize`',
    range: 'how scales are chosen: minmax or mse',
    data: 'labelled data to count on, or a card of tokens for a language model',
    out: 'results as JSON, kept row by row (default: none)',
  },
  examples: [
    'study model.onnx --data test.card.json --formats int8,e4m3,int4,e2m1,mxfp4 --for weights',
    'study model.onnx --data test.card.json --calibrate train.card.json --formats int8,ant4 --exempt first,last -o study.json',
    'study model.onnx --data test.card.json --products l-mul3,l-mul4,e4m3,e5m2 --limit 500 --report study.html',
    'study language.onnx --axis T=256 --data tokens.card.json --for attention --products l-mul4,e4m3 --metric nll',
  ],
  async run(request) {
    const { argument: path, options, session } = request
    const { out, report, metric = 'top1' } = options
    const arithmetics = await arithmeticsOf(request)
    const inputs = [path, options.data, options.calibrate].filter((input) => input !== undefined)
    await checkOutputs([...(out === undefined ? [] : [out]), ...(report === undefined ? [] : [report])], inputs)
    const kept = await keptRows(out)
    const study = await openStudy(path, arithmetics, options, session)
    const { graph, samples, statistics, calibration } = study
    const recordOf = (rows: readonly StudyRow[]): StudyRecord => ({
      ...{ schema: 1, kind: 'dyadic-study', version: VERSION, model: basename(path) },
      ...{ data: { name: samples.name, samples: samples.length }, calibration, rows },
    })
    // Rows of other networks and other samples stay in the file.
    const others = (rows: readonly StudyRow[]): StudyRow[] => {
      const keys = new Set(rows.map(({ key }) => key))
      return [...kept.values()].filter(({ key }) => !keys.has(key))
    }
    const save = async (rows: readonly StudyRow[]): Promise<void> => {
      if (out === undefined) return
      const content = printRecord(recordOf([...rows, ...others(rows)]))
      await writeFiles([{ path: out, content }], new AbortController().signal)
    }
    const pool = createPool({ graph, samples, statistics }, options.threads ?? 1, session.signal)
    let rows: StudyRow[]
    try {
      rows = await runRows(study, arithmetics, kept, pool, session, save)
    } finally {
      await pool.close()
      if (session.signal.aborted && out !== undefined)
        session.note(`finished rows are in ${quoted(out)}; the same command goes on from there`)
    }
    const sorted = sortRows(rows, metric)
    if (report !== undefined)
      await writeFiles([{ path: report, content: renderStudy(recordOf(sorted), metric) }], session.signal)
    return {
      json: { ...recordOf(sorted), metric, ...(out !== undefined && { out }), ...(report !== undefined && { report }) },
      text:
        `${quoted(path)} on ${counted(samples.length, 'sample')} of ${quoted(samples.name)}` +
        `${calibration ? `, calibrated on ${calibration.samples} of ${quoted(calibration.name)}` : ''}\n` +
        `${studyTable(sorted, metric)}` +
        (sorted.some(({ cost }) => energyText(cost).startsWith('unknown'))
          ? 'energy: unknown where the table of picojoules has no figure for a product or a sum\n'
          : ''),
    }
  },
}
