/**
 * From a sample's stored numbers to scores, by a float executor or by a compiled program. A program whose input means the
 * same as the data set's numbers gets them as they are; any other gets real values, which the rim rounds.
 */
import type { DataSet } from '../data/data-set.ts'
import type { Graph } from '../graph/graph.ts'
import type { ProgramPort } from '../program/manifest.ts'
import { checkSampleShape, realInput } from '../quantize/input.ts'
import type { FloatExecutor } from '../reference/executor.ts'
import type { Network } from '../runtime/index.ts'
import type { Predictor } from './evaluate.ts'

/** Scores of a network with one input and one output. */
export function floatPredictor(graph: Graph, executor: FloatExecutor, set: DataSet): Predictor {
  const [input] = graph.inputs
  const [output] = graph.outputs
  checkSampleShape(input, graph.values.get(input)?.shape ?? [], set)
  return (stored) => executor.run(new Map([[input, realInput(set, stored)]])).get(output) as Float32Array
}

/** Whether a program's input lies in the order N, H, W, C where ONNX has N, C, H, W. */
function isChannelsLast({ layout }: ProgramPort): boolean {
  return layout === 'nhwc'
}

/** The shape of a program's input in ONNX order, with the batch axis. */
export function onnxShape(port: ProgramPort): readonly number[] {
  if (!isChannelsLast(port)) return port.shape
  const [batch, height, width, channels] = port.shape
  return [batch, channels, height, width]
}

/** Whether the integers of a data set are those that a program's input stores: same type, scales and zero points. */
export function takesStored(port: ProgramPort, set: DataSet): boolean {
  const format = { uint8: 'u8', int8: 's8', float32: undefined }[set.elementType]
  const same = (ours: readonly number[], theirs: readonly number[]): boolean => {
    const channels = Math.max(ours.length, theirs.length)
    return Array.from({ length: channels }, (_, c) => c).every(
      (c) => ours[ours.length > 1 ? c : 0] === theirs[theirs.length > 1 ? c : 0],
    )
  }
  return format === port.format && same(port.scale, set.scale) && same(port.zeroPoint, set.offset)
}

/** C, H, W → H, W, C. */
function channelsLast<Values extends Uint8Array | Int8Array | Float32Array>(values: Values, channels: number): Values {
  const result = values.slice() as Values
  const pixels = values.length / channels
  for (let c = 0; c < channels; c++)
    for (let pixel = 0; pixel < pixels; pixel++) result[pixel * channels + c] = values[c * pixels + pixel]
  return result
}

/** Scores in real units. Throws `refused` when the samples have another shape than the program's one input. */
export function programPredictor(network: Network, set: DataSet): Predictor {
  const [input] = network.inputs as readonly ProgramPort[]
  const [output] = network.outputs
  const shape = onnxShape(input)
  checkSampleShape(input.name, shape, set)
  const direct = takesStored(input, set)
  return (stored) => {
    const values = direct ? stored : realInput(set, stored)
    const ordered = isChannelsLast(input) ? channelsLast(values, shape[1]) : values
    return network.run({ [input.name]: ordered })[output.name]
  }
}
