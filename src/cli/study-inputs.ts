/** What `dyadic study` works on: the network, samples in memory, calibration, and a name for all of it. */
import { createHash } from 'node:crypto'
import type { DataSet } from '../data/data-set.ts'
import { checkAnswers, checkLabels } from '../data/labels.ts'
import { DyadicError, quoted } from '../error.ts'
import type { Graph } from '../graph/graph.ts'
import { elementCount } from '../graph/tensor.ts'
import { checkSampleShape } from '../quantize/input.ts'
import { type Arithmetic, printArithmetic } from '../study/arithmetic.ts'
import { checkArithmetic, needsStatistics } from '../study/check.ts'
import { observeValues, type Statistics } from '../study/observe.ts'
import { type StoredSamples, storeSamples } from '../study/samples.ts'
import { VERSION } from '../version.ts'
import { openData, singlePorts } from './data-argument.ts'
import { about, isProgram, parseModel, readModel, type SHAPE_OPTIONS } from './model-file.ts'
import type { OptionValues } from './options.ts'
import type { Session } from './session.ts'

export interface OpenStudy {
  readonly graph: Graph
  readonly samples: StoredSamples
  readonly statistics: Statistics | undefined
  readonly calibration: { readonly name: string; readonly samples: number } | undefined
  /** Names network, samples, calibration and arithmetic. */
  keyOf(arithmetic: Arithmetic): string
}

type Options = OptionValues<'data' | 'limit' | 'calibrate' | 'samples' | (typeof SHAPE_OPTIONS)[number]>

async function observe(graph: Graph, path: string, limit: number | undefined, session: Session) {
  const [input] = graph.inputs as [string]
  const set = await openData(path, (graph.values.get(input)?.shape ?? []).slice(1), session)
  session.progress.begin('calibrate')
  const statistics = await observeValues(graph, set, {
    ...{ limit, signal: session.signal },
    onProgress: (done, total) => session.progress.update(done, total),
  })
  session.progress.end()
  return { statistics, calibration: { name: set.name, samples: Math.min(set.length, limit ?? set.length) } }
}

/** A view of bytes; hashing takes no shared memory. */
function hashed(hash: ReturnType<typeof createHash>, values: ArrayBufferView): void {
  const CHUNK = 2 ** 22
  for (let start = 0; start < values.byteLength; start += CHUNK) {
    const length = Math.min(CHUNK, values.byteLength - start)
    hash.update(new Uint8Array(values.buffer, values.byteOffset + start, length).slice())
  }
}

function hashInputs(model: Uint8Array, samples: StoredSamples, statistics: Statistics | undefined): string {
  const { elementType, shape, channelAxis, scale, offset, data, labels } = samples
  const hash = createHash('sha256')
  hash.update(
    JSON.stringify({ version: VERSION, elementType, shape, channelAxis, scale, offset, length: labels.length }),
  )
  for (const values of [model, data, labels]) hashed(hash, values)
  for (const [name, { low, high, sample }] of statistics ?? []) {
    hash.update(JSON.stringify([name, low, high]))
    hashed(hash, sample)
  }
  return hash.digest('hex')
}

/** Throws `refused` for sequences of another length than the network takes. */
function requireWindow({ answers, name, shape }: DataSet, input: string, wanted: readonly number[]): void {
  if (answers !== undefined && (wanted.length !== 2 || wanted[1] !== shape[0]))
    throw new DyadicError(
      'refused',
      `${quoted(name)} has windows of ${shape[0]} tokens, the network's input ${quoted(input)} has shape [${wanted}]; change "window" of the data card, or the length with --axis`,
    )
}

/** Scores at each of the positions of a sequence. Throws `unsupported` for an output of another form than [1, positions, scores]. */
function classesAt(positions: number, output: string, shape: readonly number[]): number {
  const [batch, count, classes] = shape
  if (shape.length !== 3 || batch !== 1 || count !== positions)
    throw new DyadicError(
      'unsupported',
      `the output ${quoted(output)} has shape [${shape}]; data with an answer at each of ${positions} positions wants [1, ${positions}, scores]`,
    )
  return classes as number
}

/** Scores that are held of one arithmetic. */
const MOST_SCORES = 2 ** 28

function requireRoom(scores: number): void {
  if (scores > MOST_SCORES)
    throw new DyadicError(
      'limit',
      `the samples have ${scores} scores, a study holds ${MOST_SCORES}: take fewer with --limit`,
    )
}

/**
 * Opens everything, and finds what stands against the arithmetics before any is run. Throws `usage` where data or calibration
 * are missing and for arithmetics that the network cannot have.
 */
export async function openStudy(
  path: string,
  arithmetics: readonly Arithmetic[],
  options: Options,
  session: Session,
): Promise<OpenStudy> {
  if (options.data === undefined)
    throw new DyadicError('usage', 'a study counts right answers: give --data <data> with labels')
  const bytes = await readModel(path)
  if (isProgram(path, bytes))
    throw new DyadicError('usage', `${quoted(path)} is compiled: a study runs the float network, give the .onnx file`)
  const { prepared } = parseModel(path, bytes, options)
  const graph = prepared.compiled
  const { input, output } = singlePorts(path, graph.inputs, graph.outputs)
  const shapeOf = (name: string): readonly number[] => graph.values.get(name)?.shape ?? []
  about(path, () => {
    for (const arithmetic of arithmetics) checkArithmetic(graph, arithmetic)
  })
  const needed = arithmetics.some((arithmetic) => needsStatistics(graph, arithmetic))
  if (needed && options.calibrate === undefined)
    throw new DyadicError(
      'usage',
      'formats of activations need scales: give --calibrate <data> with some hundred samples, or study --for weights',
    )
  const labelled = await openData(options.data, shapeOf(input).slice(1), session)
  requireWindow(labelled, input, shapeOf(input))
  checkSampleShape(input, shapeOf(input), labelled)
  if (labelled.answers === undefined) checkLabels(labelled, elementCount(shapeOf(output)))
  else checkAnswers(labelled, classesAt(labelled.shape[0] as number, output, shapeOf(output)))
  const observed = needed ? await observe(graph, options.calibrate as string, options.samples, session) : undefined
  if (!needed && options.calibrate !== undefined)
    session.note('note: nothing here has a scale for activations; --calibrate is not used')
  if (observed)
    about(path, () => {
      for (const arithmetic of arithmetics) checkArithmetic(graph, arithmetic, observed.statistics)
    })
  if (observed && options.data === options.calibrate)
    session.note('note: --data is the data of --calibrate; count on other samples than those that choose the ranges')
  session.progress.begin('read samples')
  const samples = await storeSamples(labelled, {
    ...(options.limit !== undefined && { limit: options.limit }),
    onProgress: (done, total) => session.progress.update(done, total),
  })
  session.progress.end()
  requireRoom(samples.length * elementCount(shapeOf(output)))
  const inputs = hashInputs(bytes, samples, observed?.statistics)
  return {
    ...{ graph, samples, statistics: observed?.statistics, calibration: observed?.calibration },
    keyOf: (arithmetic) =>
      createHash('sha256')
        .update(`${inputs} ${printArithmetic(arithmetic)}`)
        .digest('hex'),
  }
}
