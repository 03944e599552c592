/**
 * Bias correction (M. Nagel et al., "Data-free quantization through weight equalization and bias correction", 2019, the
 * empirical variant): rounding moves the mean of a layer's output channel, and a bias can move it back. The expected error
 * before the activation is that of the layer's stored weights on its input as the program stores it, against the float
 * weights on the float input; a layer is linear, so the means of its inputs over the samples suffice.
 */
import type { DataSet } from '../data/data-set.ts'
import { DyadicError, quoted } from '../error.ts'
import type { Graph, Node } from '../graph/graph.ts'
import { operators } from '../graph/operators/index.ts'
import { type Constant, readNumbers } from '../graph/tensor.ts'
import { roundHalfEven } from '../num/dyadic.ts'
import { clamp } from '../num/requantize.ts'
import { createFastExecutor } from '../reference/fast.ts'
import { realInput } from './input.ts'
import type { MethodContext } from './method.ts'
import { formatRange, type InputPlan, type Plan, type TensorPlan, type WeightPlan } from './plan.ts'

/** Means settle long before ranges do. */
const MOST_SAMPLES = 64

/** A plan with `biases` for every layer: the file's, less the expected error over the first samples. */
export async function correctBiases({ graph, samples, limit, plan, signal }: MethodContext): Promise<Plan> {
  const layers = graph.nodes.filter((node) => operators.get(node.operator)?.integer === 'accumulate')
  const sums = new Map(
    layers.map((node) => {
      const name = observedInput(graph, node)
      return [name, new InputSums(graph, plan, name)]
    }),
  )
  const executor = createFastExecutor(graph)
  const [inputName] = graph.inputs
  const count = Math.min(limit, samples.length, MOST_SAMPLES)
  for (let index = 0; index < count; index++) {
    signal?.throwIfAborted()
    const input = realInput(samples, await samples.read(index))
    sums.get(inputName)?.add(channelsLast(graph, samples, inputName, input))
    executor.run(new Map([[inputName, input]]), (name, values) => sums.get(name)?.add(values))
  }
  const biases = layers.map((node): [string, number[]] => {
    const [name] = node.outputs
    const stored = graph.constants.get(node.inputs[2] ?? '')
    const errors = expectedErrors(graph, plan, node, (sums.get(observedInput(graph, node)) as InputSums).means(count))
    const bias = stored && readNumbers(stored)
    return [name, errors.map((error, o) => (bias?.[o] ?? 0) - error)]
  })
  return { ...plan, biases: { ...plan.biases, ...Object.fromEntries(biases) } }
}

/**
 * The value to observe for a layer's input. A dense layer may read a flattened image, whose elements executors report in
 * an order of their own: there it is the image.
 */
function observedInput(graph: Graph, node: Node): string {
  let [name] = node.inputs
  if (node.operator === 'dyadic.Conv') return name
  for (;;) {
    const producer = graph.nodes.find((other) => other.outputs.includes(name))
    if (producer === undefined || !['Reshape', 'Flatten', 'Squeeze', 'Unsqueeze'].includes(producer.operator))
      return name
    name = producer.inputs[0]
  }
}

/** Mean of a layer's input at every position, as the float network and as the program has it: N, H, W, C or row-major. */
interface InputMeans {
  readonly real: Float32Array
  readonly stored: Float32Array
}

/** Streaming sums of one layer input. */
class InputSums {
  private real?: Float32Array
  private stored?: Float32Array
  private readonly name: string
  private readonly grid: TensorPlan | undefined

  constructor(graph: Graph, plan: Plan, name: string) {
    this.name = name
    this.grid = gridOf(graph, plan, name)
  }

  add(values: Float32Array): void {
    this.real ??= new Float32Array(values.length)
    this.stored ??= this.grid ? new Float32Array(values.length) : this.real
    const { real, stored, grid } = this
    for (let i = 0; i < values.length; i++) real[i] += values[i]
    if (grid === undefined) return
    const { low, high } = formatRange(grid.format)
    for (let i = 0; i < values.length; i++) {
      const code = Math.floor(values[i] / grid.scale + grid.zeroPoint + 0.5)
      stored[i] += (clamp(code, low, high) - grid.zeroPoint) * grid.scale
    }
  }

  means(count: number): InputMeans {
    const { name, real, stored } = this
    if (real === undefined || stored === undefined)
      throw new DyadicError('refused', `no calibration sample reached ${quoted(name)}, the input of a layer`)
    return { real: real.map((sum) => sum / count), stored: stored.map((sum) => sum / count) }
  }
}

/** The value whose numbers a value has: itself or, where it only moves others, its source. */
function sourceOf(graph: Graph, plan: Plan, name: string): string {
  if (Object.hasOwn(plan.tensors, name) || graph.inputs.includes(name)) return name
  const producer = graph.nodes.find((node) => node.outputs.includes(name))
  return producer === undefined ? name : sourceOf(graph, plan, producer.inputs[0])
}

/** The network input that a value has its numbers from. */
function inputOf(graph: Graph, plan: Plan, name: string): InputPlan | undefined {
  const source = sourceOf(graph, plan, name)
  return graph.inputs.includes(source) ? plan.inputs[source] : undefined
}

/** The grid a value is rounded to; undefined where it is exact. */
function gridOf(graph: Graph, plan: Plan, name: string): TensorPlan | undefined {
  const input = inputOf(graph, plan, name)
  if (input === undefined) return plan.tensors[sourceOf(graph, plan, name)]
  const { format, scale, zeroPoint } = input
  // Bytes of a data set are handed over as they are; only float data, which has one scale, is rounded to codes.
  return format === 's8' && scale.length === 1 && Number.isInteger(zeroPoint[0])
    ? { format, scale: scale[0], zeroPoint: zeroPoint[0] }
    : undefined
}

/** A network input in the order in which executors report images. */
function channelsLast(graph: Graph, samples: DataSet, name: string, values: Float32Array): Float32Array {
  const shape = graph.values.get(name)?.shape ?? samples.shape
  if (shape.length !== 4) return values
  const [, channels] = shape
  const pixels = values.length / channels
  return values.map((_, i) => values[(i % channels) * pixels + Math.floor(i / channels)])
}

/** Expected stored − real of each output channel before the activation. */
function expectedErrors(graph: Graph, plan: Plan, node: Node, means: InputMeans): number[] {
  const constant = graph.constants.get(node.inputs[1]) as Constant
  const weights = readNumbers(constant)
  const [outputs] = constant.shape
  const taps = weights.length / outputs
  const entry = plan.weights[node.outputs[0]]
  const inputScales = inputOf(graph, plan, node.inputs[0])?.scale ?? [1]
  const convolution = node.operator === 'dyadic.Conv'
  const inputs = (convolution ? windowMeans : rowMeans)(graph, node, constant, means)
  const groups = convolution ? ((node.attributes.get('group') as number | undefined) ?? 1) : 1
  const perChannel = taps / (convolution ? constant.shape[1] : inputScales.length)
  return Array.from({ length: outputs }, (_, o) => {
    const group = Math.floor(o / (outputs / groups))
    let error = 0
    for (let t = 0; t < taps; t++) {
      const at = group * taps + t
      const channel = Math.floor(at / perChannel)
      const folded = inputScales.length > 1 ? inputScales[channel] : 1
      const weight = weights[o * taps + t]
      error += (storedWeight(entry, o, weight * folded) / folded) * inputs.stored[at] - weight * inputs.real[at]
    }
    return error
  })
}

function storedWeight({ format, scale, zeroPoint }: WeightPlan, output: number, weight: number): number {
  const [step, zero] = [scale[scale.length > 1 ? output : 0], zeroPoint[zeroPoint.length > 1 ? output : 0]]
  const { low, high } = formatRange(format)
  return (clamp(roundHalfEven(weight / step) + zero, low, high) - zero) * step
}

/** What a dense layer's weights multiply, averaged over its rows. */
function rowMeans(graph: Graph, node: Node, { shape: [, inputs] }: Constant, means: InputMeans): InputMeans {
  const { shape = [] } = graph.values.get(observedInput(graph, node)) ?? {}
  const channels = shape.length === 4 ? shape[1] : 1
  const average = (values: Float32Array): Float32Array => {
    const pixels = values.length / channels
    const rows = values.length / inputs
    const result = new Float32Array(inputs)
    for (let i = 0; i < values.length; i++)
      result[((i % channels) * pixels + Math.floor(i / channels)) % inputs] += values[i] / rows
    return result
  }
  return { real: average(means.real), stored: average(means.stored) }
}

/** What each tap of a convolution multiplies, averaged over its positions: [input channel][kernel height][kernel width]. */
function windowMeans(graph: Graph, node: Node, { shape }: Constant, means: InputMeans): InputMeans {
  const [, , kernelHeight, kernelWidth] = shape
  const [, channels, height, width] = graph.values.get(node.inputs[0])?.shape ?? []
  const [, , outputHeight, outputWidth] = graph.values.get(node.outputs[0])?.shape ?? []
  const list = (name: string): readonly number[] => node.attributes.get(name) as readonly number[]
  const [strides, dilations, pads] = [list('strides'), list('dilations'), list('pads')]
  const average = (values: Float32Array): Float32Array => {
    const sums = new Float64Array(channels * kernelHeight * kernelWidth)
    for (let kh = 0; kh < kernelHeight; kh++)
      for (let kw = 0; kw < kernelWidth; kw++)
        for (let oh = 0; oh < outputHeight; oh++) {
          const h = oh * strides[0] + kh * dilations[0] - pads[0]
          if (h < 0 || h >= height) continue
          for (let ow = 0; ow < outputWidth; ow++) {
            const w = ow * strides[1] + kw * dilations[1] - pads[1]
            if (w < 0 || w >= width) continue
            for (let c = 0; c < channels; c++)
              sums[(c * kernelHeight + kh) * kernelWidth + kw] += values[(h * width + w) * channels + c]
          }
        }
    return Float32Array.from(sums, (sum) => sum / (outputHeight * outputWidth))
  }
  return { real: average(means.real), stored: average(means.stored) }
}
