/** `dyadic quantize`: choose the numbers of a network, write them as a plan, and say what they cost. */
import { basename } from 'node:path'
import type { DataSet } from '../../data/data-set.ts'
import { DyadicError, quoted } from '../../error.ts'
import { evaluatePair, type PairedAccuracy } from '../../evaluate/evaluate.ts'
import { floatPredictor, programPredictor } from '../../evaluate/predictors.ts'
import { elementCount } from '../../graph/tensor.ts'
import { compile } from '../../index.ts'
import { hashText } from '../../lower/print.ts'
import { checkSampleShape } from '../../quantize/input.ts'
import { type Plan, printPlan } from '../../quantize/plan.ts'
import { createFastExecutor } from '../../reference/fast.ts'
import { loadSync } from '../../runtime/index.ts'
import type { CommandDescription } from '../command.ts'
import { openLabelled, singlePorts } from '../data-argument.ts'
import { counted, countNames, fields, integer, milliseconds, percent, tally } from '../format.ts'
import { about, type OnnxModel, openCompilable, SHAPE_OPTIONS } from '../model-file.ts'
import { CALIBRATION_OPTIONS, choosePlan } from '../plan-source.ts'
import type { Session } from '../session.ts'
import { checkOutputs, writeFiles } from '../write-file.ts'

/** Share of all samples that the integers cost, against what they win. */
function lossOf({ lost, gained, total }: PairedAccuracy): number {
  return (lost - gained) / total
}

async function openEvaluation(path: string, { prepared }: OnnxModel, data: string, session: Session): Promise<DataSet> {
  const { float } = prepared
  const { input, output } = singlePorts(path, float.inputs, float.outputs)
  const shapeOf = (name: string): readonly number[] => float.values.get(name)?.shape ?? []
  const set = await openLabelled(data, shapeOf(input).slice(1), elementCount(shapeOf(output)), session)
  checkSampleShape(input, shapeOf(input), set)
  return set
}

/** Float network and compiled program on the same samples: the program is the one that `compile` writes. */
async function compare(
  path: string,
  model: OnnxModel,
  plan: Plan,
  set: DataSet,
  limit: number | undefined,
  session: Session,
): Promise<PairedAccuracy> {
  const { float } = model.prepared
  const network = await session.blocking('compile', () => loadSync(about(path, () => compile(model.graph, plan)).wasm))
  const executor = await session.blocking('prepare', () => createFastExecutor(float))
  session.progress.begin('evaluate')
  const result = await evaluatePair(set, floatPredictor(float, executor, set), programPredictor(network, set), {
    limit,
    clock: session.clock,
    signal: session.signal,
    onProgress: (done, total) => session.progress.update(done, total),
  })
  session.progress.end()
  return result
}

function evaluationFields(set: DataSet, result: PairedAccuracy): [string, string][] {
  const { total, reference, candidate, lost, gained, agreement, sqnrDb } = result
  return [
    ['data', `${counted(total, 'sample')} of ${quoted(set.name)}`],
    [
      'float',
      `${percent(reference / total)}, ${integer(reference)} correct, ${milliseconds(result.referenceMsPerSample)} per sample`,
    ],
    [
      'integer',
      `${percent(candidate / total)}, ${integer(candidate)} correct, ${milliseconds(result.candidateMsPerSample)} per sample`,
    ],
    ['loss', `${percent(lossOf(result))}: ${integer(lost)} lost, ${integer(gained)} gained`],
    ['agreement', percent(agreement)],
    ['SQNR', `${sqnrDb.toFixed(1)} dB`],
  ]
}

function evaluationObject(set: DataSet, result: PairedAccuracy): Record<string, unknown> {
  return {
    data: set.name,
    metric: 'top1',
    total: result.total,
    float: result.reference,
    integer: result.candidate,
    lost: result.lost,
    gained: result.gained,
    loss: lossOf(result),
    agreement: result.agreement,
    // JSON has no infinity: null says that float and integer scores are equal.
    sqnrDb: result.sqnrDb,
    floatMsPerSample: result.referenceMsPerSample,
    integerMsPerSample: result.candidateMsPerSample,
  }
}

type Option =
  | (typeof CALIBRATION_OPTIONS)[number]
  | 'eval'
  | 'limit'
  | 'maxLoss'
  | 'out'
  | (typeof SHAPE_OPTIONS)[number]

export const quantizeCommand: CommandDescription<Option> = {
  name: 'quantize',
  summary: 'choose the numbers of a network and write them as a plan',
  description:
    'Observes the network on samples and writes the plan: every scale, zero point and format, as a JSON file that can be read, ' +
    'edited and given to `compile --plan`. With --eval the compiled program is compared with the float network, sample by ' +
    'sample: the accuracy printed is that of the artefact.',
  argument: ['model.onnx', 'the network'],
  options: [...CALIBRATION_OPTIONS, 'eval', 'limit', 'maxLoss', 'out', ...SHAPE_OPTIONS],
  meanings: {
    out: "the plan (default: the model's name with .plan.json, in this folder)",
    limit: 'use only the first samples of --eval (default: all)',
  },
  examples: [
    'quantize model.onnx --calibrate samples/ -o plan.json',
    'quantize model.onnx --calibrate train.card.json --eval test.card.json --max-loss 0.5%',
  ],
  async run({ argument: path, options, isGiven, session }) {
    for (const name of ['maxLoss', 'limit'] as const)
      if (isGiven(name) && options.eval === undefined)
        throw new DyadicError('usage', `--${name === 'limit' ? name : 'max-loss'} is about --eval <data>; give it too`)
    const out = options.out ?? `${basename(path).replace(/\.onnx$/i, '')}.plan.json`
    await checkOutputs([out], [path, ...[options.calibrate, options.eval].filter((data) => data !== undefined)])
    const model = await openCompilable(path, options)
    const set = options.eval === undefined ? undefined : await openEvaluation(path, model, options.eval, session)
    if (set !== undefined && options.eval === options.calibrate)
      session.note('note: --eval is the data of --calibrate; accuracy on other samples may be lower')
    const plan = await choosePlan(path, model, options, session, '')
    const result = set && (await compare(path, model, plan, set, options.limit, session))
    const loss = result === undefined ? 0 : lossOf(result)
    const failed = options.maxLoss !== undefined && loss > options.maxLoss
    const text = printPlan(plan)
    if (!failed) await writeFiles([{ path: out, content: text }], session.signal)
    const formats = {
      inputs: countNames(Object.values(plan.inputs).map(({ format }) => format)),
      activations: countNames(Object.values(plan.tensors).map(({ format }) => format)),
      weights: countNames(Object.values(plan.weights).map(({ format }) => format)),
    }
    return {
      json: {
        model: path,
        ...(!failed && { out }),
        origin: plan.origin,
        formats,
        plan: hashText(text),
        ...(set && result && { evaluation: evaluationObject(set, result) }),
      },
      text:
        `${quoted(path)}\n` +
        fields([
          ['plan', failed ? 'not written' : `${quoted(out)}, SHA-256 ${hashText(text)}`],
          ['inputs', tally(formats.inputs)],
          ['activations', tally(formats.activations)],
          ['weights', tally(formats.weights)],
          ...(set && result ? evaluationFields(set, result) : []),
        ]),
      ...(failed && {
        error: new DyadicError(
          'gate',
          `the integers lose ${percent(loss)} of ${quoted(set?.name ?? '')}, --max-loss allows ${percent(options.maxLoss as number)}; ` +
            'no plan was written: try more samples, --range percentile:99.99, or a higher gate',
        ),
      }),
    }
  },
}
