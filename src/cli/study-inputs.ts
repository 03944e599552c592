/** What `dyadic study` works on: the network, samples in memory, calibration, and a name for all of it. */
import { createHash } from 'node:crypto'
import { DyadicError, quoted } from '../error.ts'
import type { Graph } from '../graph/graph.ts'
import { elementCount } from '../graph/tensor.ts'
import { checkSampleShape } from '../quantize/input.ts'
import { type Arithmetic, printArithmetic } from '../study/arithmetic.ts'
import { checkArithmetic, needsStatistics } from '../study/check.ts'
import { observeValues, type Statistics } from '../study/observe.ts'
import { type StoredSamples, storeSamples } from '../study/samples.ts'
import { VERSION } from '../version.ts'
import { openData, openLabelled, singlePorts } from './data-argument.ts'
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
  const labelled = await openLabelled(options.data, shapeOf(input).slice(1), elementCount(shapeOf(output)), session)
  checkSampleShape(input, shapeOf(input), labelled)
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
  const inputs = hashInputs(bytes, samples, observed?.statistics)
  return {
    ...{ graph, samples, statistics: observed?.statistics, calibration: observed?.calibration },
    keyOf: (arithmetic) =>
      createHash('sha256')
        .update(`${inputs} ${printArithmetic(arithmetic)}`)
        .digest('hex'),
  }
}
