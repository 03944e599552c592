/** `dyadic compare`: where the integers lose against the float network, value by value, and what to do about it. */
import { compare } from '../../compare/compare.ts'
import type { Comparison, ValueLoss } from '../../compare/comparison.ts'
import { describeTrial, type TrialKind } from '../../compare/trials.ts'
import type { DataSet } from '../../data/data-set.ts'
import { DyadicError, quoted } from '../../error.ts'
import { checkSampleShape } from '../../quantize/input.ts'
import { renderReport } from '../../report/comparison-report.ts'
import { drawFront, frontOf } from '../../search/front-record.ts'
import { VERSION } from '../../version.ts'
import type { CommandDescription } from '../command.ts'
import { openData } from '../data-argument.ts'
import { counted, fields, integer, table } from '../format.ts'
import { type OnnxModel, openCompilable, SHAPE_OPTIONS } from '../model-file.ts'
import { CALIBRATION_OPTIONS, choosePlan, readPlan } from '../plan-source.ts'
import type { Session } from '../session.ts'
import { checkOutputs, writeFiles } from '../write-file.ts'

type Option =
  | (typeof CALIBRATION_OPTIONS)[number]
  | 'plan'
  | 'data'
  | 'limit'
  | 'report'
  | (typeof SHAPE_OPTIONS)[number]

/** Samples that are used where nobody says how many: sums over all elements settle early. */
const SAMPLES = 64
/** Fewer samples than this say little about ranges. */
const FEW_SAMPLES = 8

/** A cell without its unit, so that columns of numbers stay columns of numbers. */
const decibels = (value: number): string => (Number.isFinite(value) ? value.toFixed(1) : value > 0 ? 'exact' : 'none')

function trialText(name: string, kind: TrialKind): string {
  const { what, option } = describeTrial(name, kind)
  return `${what}, ${option}`
}

/** What to try, with its computed gain. */
function actionText({ name, action, cause, local }: ValueLoss): string {
  if (action && local)
    return `${trialText(name, action.kind)}: alone ${decibels(local.sqnrDb)} -> ${decibels(action.sqnrDb)} dB`
  return cause === 'weights' ? '--method adaround or gptq (not simulated)' : ''
}

function valueTable(values: readonly ValueLoss[]): string {
  return table(
    ['value', 'operator', 'format', 'alone', 'inputs', 'accumulated', 'cosine', 'cause', 'to try'],
    values.map((value) => [
      quoted(value.name),
      value.operator,
      value.weights ? `${value.format} x ${value.weights.format}` : value.format,
      value.local ? decibels(value.local.sqnrDb) : '',
      decibels(value.inheritedDb),
      decibels(value.accumulated.sqnrDb),
      value.accumulated.cosine.toFixed(5),
      value.cause ?? '',
      actionText(value),
    ]),
  )
}

/** Everything but histograms. JSON has no infinity: null stands for an SQNR without noise. */
function comparisonObject({ values, program, ...rest }: Comparison): Record<string, unknown> {
  return {
    ...rest,
    program,
    values: values.map(({ histogram, weights, trials, action, ...value }) => ({
      ...value,
      weights: weights && { format: weights.format, count: weights.count, sqnrDb: weights.sqnrDb },
      trials: trials.map(({ kind, tensor, sqnrDb, gainDb }) => ({ kind, sqnrDb, gainDb, ...(tensor && { tensor }) })),
      action: action && {
        kind: action.kind,
        ...describeTrial(value.name, action.kind),
        sqnrDb: action.sqnrDb,
        gainDb: action.gainDb,
      },
    })),
  }
}

async function openSamples(path: string, { prepared }: OnnxModel, session: Session): Promise<DataSet> {
  const { inputs, values } = prepared.compiled
  if (inputs.length !== 1)
    throw new DyadicError(
      'unsupported',
      `the network has ${inputs.length} inputs (${inputs.slice(0, 8).map(quoted).join(', ')}); a data set serves networks with one`,
    )
  const shape = values.get(inputs[0])?.shape ?? []
  const set = await openData(path, shape.slice(1), session)
  checkSampleShape(inputs[0], shape, set)
  return set
}

export const compareCommand: CommandDescription<Option> = {
  name: 'compare',
  summary: 'where the integers lose against the float network, and what to try',
  description:
    'Runs the float network and the integer program on the same samples and compares every stored value: alone (only this value ' +
    'quantised) and accumulated, worst first. For each value edits of the plan are tried, and the best is recommended with its ' +
    'computed gain. With --report everything is written as one HTML file that needs nothing else.',
  argument: ['model.onnx', 'the network'],
  options: [...CALIBRATION_OPTIONS, 'plan', 'data', 'limit', 'report', ...SHAPE_OPTIONS],
  meanings: {
    data: 'samples to compare on; labels are not needed',
    limit: `use only the first samples of --data (default: ${SAMPLES})`,
    report: 'a report: one HTML file, with the front of a plan that `search` wrote (default: none)',
  },
  examples: [
    'compare model.onnx --plan plan.json --data test.card.json',
    'compare model.onnx --calibrate train.card.json --data test.card.json --report report.html',
  ],
  async run({ argument: path, options, isGiven, session }) {
    if (options.data === undefined)
      throw new DyadicError('usage', 'compare needs --data <data>: samples to compare on, without labels')
    if (options.plan !== undefined)
      for (const name of CALIBRATION_OPTIONS)
        if (isGiven(name)) throw new DyadicError('usage', `--plan has all the numbers; --${name} would change nothing`)
    const inputs = [path, options.plan, options.calibrate, options.data].filter((input) => input !== undefined)
    if (options.report !== undefined) await checkOutputs([options.report], inputs)

    const model = await openCompilable(path, options)
    const set = await openSamples(options.data, model, session)
    const plan =
      options.plan === undefined
        ? await choosePlan(path, model, options, session, ' or --plan <file>')
        : await readPlan(options.plan)
    if (options.data === options.calibrate)
      session.note('note: --data is the data of --calibrate; what its range clips shows up in other samples only')
    const limit = Math.min(set.length, options.limit ?? SAMPLES)
    if (limit < FEW_SAMPLES)
      session.note(
        `note: ${counted(limit, 'sample')} say little about ranges; give at least ${FEW_SAMPLES}, better ${SAMPLES}`,
      )
    session.progress.begin('compare')
    const result = await compare(model.prepared.compiled, plan, set, {
      limit,
      onProgress: (done, total) => session.progress.update(done, total),
      signal: session.signal,
    })
    session.progress.end()
    if (options.report !== undefined) {
      const front = frontOf(plan)
      const paretoPlot = front && drawFront(front, 'the front that `dyadic search` chose from')
      const content = renderReport(result, { model: path, version: VERSION, ...(paretoPlot && { paretoPlot }) })
      await writeFiles([{ path: options.report, content }], session.signal)
    }
    return {
      json: {
        model: path,
        ...(options.report !== undefined && { report: options.report }),
        ...comparisonObject(result),
      },
      text:
        `${quoted(path)} on ${counted(result.samples, 'sample')} of ${quoted(set.name)}\n` +
        fields([
          ...result.outputs.map(({ name, accumulated }): [string, string] => [
            'output',
            `${quoted(name)}: ${decibels(accumulated.sqnrDb)} dB, cosine ${accumulated.cosine.toFixed(5)}`,
          ]),
          [
            'memory',
            `${counted(result.program.memoryBytes, 'byte')}, ${integer(result.program.weightBytes)} of weights`,
          ],
          ['integers', `SHA-256 ${result.program.integerGraph}`],
          ...(options.report === undefined ? [] : [['report', quoted(options.report)] as [string, string]]),
        ]) +
        `\n${valueTable(result.values)}`,
    }
  },
}
