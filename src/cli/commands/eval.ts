/** `dyadic eval`: top-1 accuracy of a float network or of a compiled program on labelled data. */

import type { DataSet } from '../../data/data-set.ts'
import { DyadicError, quoted } from '../../error.ts'
import { evaluate, type Predictor } from '../../evaluate/evaluate.ts'
import { floatPredictor, onnxShape, programPredictor, takesStored } from '../../evaluate/predictors.ts'
import { elementCount } from '../../graph/tensor.ts'
import { checkSampleShape } from '../../quantize/input.ts'
import { createFastExecutor } from '../../reference/fast.ts'
import { createReferenceExecutor } from '../../reference/run.ts'
import type { CommandDescription, CommandRequest } from '../command.ts'
import { openLabelled, singlePorts } from '../data-argument.ts'
import { fields, integer, milliseconds, percent } from '../format.ts'
import { isProgram, openProgram, parseModel, readModel, SHAPE_OPTIONS } from '../model-file.ts'

type Option = 'data' | 'limit' | 'reference' | (typeof SHAPE_OPTIONS)[number]

interface Contestant {
  readonly set: DataSet
  readonly predict: Predictor
  /** What executes it, for the report. */
  readonly executor: 'float' | 'float-reference' | 'program'
}

async function openFloat(
  bytes: Uint8Array,
  { argument, options, session }: CommandRequest<Option>,
): Promise<Contestant> {
  const graph = parseModel(argument, bytes, options).prepared.float
  const { input, output } = singlePorts(argument, graph.inputs, graph.outputs)
  const shapeOf = (name: string): readonly number[] => graph.values.get(name)?.shape ?? []
  const set = await openLabelled(
    options.data as string,
    shapeOf(input).slice(1),
    elementCount(shapeOf(output)),
    session,
  )
  checkSampleShape(input, shapeOf(input), set)
  const executor = await session.blocking('prepare', () =>
    options.reference ? createReferenceExecutor(graph) : createFastExecutor(graph),
  )
  return {
    set,
    predict: floatPredictor(graph, executor, set),
    executor: options.reference ? 'float-reference' : 'float',
  }
}

async function openCompiled(
  bytes: Uint8Array,
  { argument, options, session }: CommandRequest<Option>,
): Promise<Contestant> {
  const { network, manifest } = openProgram(argument, bytes)
  singlePorts(
    argument,
    manifest.inputs.map(({ name }) => name),
    manifest.outputs.map(({ name }) => name),
  )
  const [port] = manifest.inputs
  const set = await openLabelled(options.data as string, onnxShape(port).slice(1), manifest.outputs[0].count, session)
  if (set.elementType !== 'float32' && !takesStored(port, set))
    session.note(
      `note: the program's input ${quoted(port.name)} is ${port.format} with other scales than the numbers of ${quoted(set.name)}; ` +
        'it gets their real values, rounded',
    )
  return { set, predict: programPredictor(network, set), executor: 'program' }
}

export const evalCommand: CommandDescription<Option> = {
  name: 'eval',
  summary: 'accuracy of a network or a program on labelled data',
  description:
    'Counts how often the largest score is that of the label. An .onnx file runs in floating point, a .wasm as it is; both ' +
    'see the same stored samples.',
  argument: ['model', 'an .onnx file, or a .wasm written by `dyadic compile`'],
  options: ['data', 'limit', 'reference', ...SHAPE_OPTIONS],
  examples: ['eval model.onnx --data test.card.json', 'eval model.wasm --data test.card.json --limit 1000 --json'],
  async run(request) {
    const { argument: path, options, session, isGiven } = request
    if (options.data === undefined)
      throw new DyadicError('usage', 'eval needs --data <data>: a data card (.json) with labels')
    const bytes = await readModel(path)
    const program = isProgram(path, bytes)
    for (const name of ['reference', ...SHAPE_OPTIONS] as const)
      if (program && isGiven(name))
        throw new DyadicError('usage', `--${name} is for .onnx files; ${quoted(path)} is compiled`)
    const { set, predict, executor } = await (program ? openCompiled : openFloat)(bytes, request)
    session.progress.begin('evaluate')
    const { correct, total, msPerSample } = await evaluate(set, predict, {
      limit: options.limit,
      clock: session.clock,
      signal: session.signal,
      onProgress: (done, count) => session.progress.update(done, count),
    })
    return {
      json: {
        model: path,
        data: set.name,
        executor,
        metric: 'top1',
        value: correct / total,
        correct,
        total,
        msPerSample,
      },
      text:
        `${quoted(path)}, ${executor}, on ${quoted(set.name)}\n` +
        fields([
          ['top-1', `${percent(correct / total)}, ${integer(correct)} of ${integer(total)} correct`],
          ['time', `${milliseconds(msPerSample)} per sample`],
        ]),
    }
  },
}
