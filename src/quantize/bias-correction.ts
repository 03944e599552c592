/**
 * Bias correction (M. Nagel et al., "Data-free quantization through weight equalization and bias correction", 2019, the
 * empirical variant): rounding moves the mean of a layer's output channel, and a bias can move it back. The expected error
 * before the activation is that of the layer's stored weights on its input as the program stores it, against the float
 * weights on the float input; a layer is linear, so the means of its inputs over the samples suffice. Codes that were chosen
 * for the inputs that the program computes are corrected on those (bias-correction-walk.ts).
 */
import { DyadicError, quoted } from '../error.ts'
import type { Graph } from '../graph/graph.ts'
import { clamp } from '../num/requantize.ts'
import { createFastExecutor } from '../reference/fast.ts'
import { correctCodedBiases } from './bias-correction-walk.ts'
import { realInputs } from './input.ts'
import { inputScaleAt, type Layer, layersOf, observedInput, sourceOf, storedWeights, tapsOf } from './layer.ts'
import { rowReader } from './layer-rows.ts'
import { channelsLast } from './layer-walk.ts'
import type { MethodContext } from './method.ts'
import { formatRange, type Plan, type TensorPlan } from './plan.ts'
import { inputGrid } from './simulate.ts'

/** Means settle long before ranges do. */
const MOST_SAMPLES = 64

/** A plan with `biases` for every layer: the file's, less the expected error over the first samples. */
export async function correctBiases(context: MethodContext): Promise<Plan> {
  const { graph, samples, limit, plan, signal } = context
  if (Object.values(plan.weights).some(({ codes }) => codes !== undefined)) return correctCodedBiases(context)
  const layers = layersOf(graph, plan)
  const sums = new Map(
    layers.map(({ node }) => {
      const name = observedInput(graph, node)
      return [name, new InputSums(graph, plan, name)]
    }),
  )
  const executor = createFastExecutor(graph)
  const count = Math.min(limit, samples.length, MOST_SAMPLES)
  for (let index = 0; index < count; index++) {
    signal?.throwIfAborted()
    const inputs = await realInputs(graph, samples, index)
    for (const [name, values] of inputs) sums.get(name)?.add(channelsLast(graph, name, values))
    executor.run(inputs, (name, values) => sums.get(name)?.add(values))
  }
  const biases = layers.map((layer): [string, number[]] => {
    const means = (sums.get(observedInput(graph, layer.node)) as InputSums).means(count)
    const errors = expectedErrors(graph, plan, layer, means)
    return [layer.name, errors.map((error, o) => (layer.bias?.[o] ?? 0) - error)]
  })
  return { ...plan, biases: { ...plan.biases, ...Object.fromEntries(biases) } }
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
    const steps = grid.channelScales?.map((factor) => factor * grid.scale) ?? [grid.scale]
    for (let i = 0; i < values.length; i++) {
      // Channels are innermost.
      const step = steps[i % steps.length]
      const code = Math.floor(values[i] / step + grid.zeroPoint + 0.5)
      stored[i] += (clamp(code, low, high) - grid.zeroPoint) * step
    }
  }

  means(count: number): InputMeans {
    const { name, real, stored } = this
    if (real === undefined || stored === undefined)
      throw new DyadicError('refused', `no calibration sample reached ${quoted(name)}, the input of a layer`)
    return { real: real.map((sum) => sum / count), stored: stored.map((sum) => sum / count) }
  }
}

/** The grid a value is rounded to; undefined where it is exact. */
function gridOf(graph: Graph, plan: Plan, name: string): TensorPlan | undefined {
  const source = sourceOf(graph, plan, name)
  return graph.inputs.includes(source) ? inputGrid(plan.inputs[source]) : plan.tensors[source]
}

/** Expected stored − real of each output channel before the activation. */
function expectedErrors(graph: Graph, plan: Plan, layer: Layer, means: InputMeans): number[] {
  const { node, weights, outputs, groups } = layer
  const taps = tapsOf(layer)
  const isPicture = node.operator === 'dyadic.Conv' && graph.values.get(node.inputs[0])?.shape.length === 4
  const inputs = (isPicture ? windowMeans : rowMeans)(graph, layer, means)
  const stored = storedWeights(layer, plan.weights[layer.name])
  return Array.from({ length: outputs }, (_, o) => {
    const group = Math.floor(o / (outputs / groups))
    let error = 0
    for (let t = 0; t < taps; t++) {
      const at = group * taps + t
      const i = o * taps + t
      error += (stored[i] / inputScaleAt(layer, o, t)) * inputs.stored[at] - weights[i] * inputs.real[at]
    }
    return error
  })
}

/** What the weights of a dense layer, or of a convolution of a signal, multiply, averaged over its rows. */
function rowMeans(graph: Graph, layer: Layer, means: InputMeans): InputMeans {
  const { positions, width, read } = rowReader(graph, layer)
  const row = new Float32Array(width)
  const average = (values: Float32Array): Float32Array => {
    const result = new Float32Array(width)
    for (let position = 0; position < positions; position++) {
      read(values, position, row, 0)
      for (let i = 0; i < width; i++) result[i] += row[i] / positions
    }
    return result
  }
  return { real: average(means.real), stored: average(means.stored) }
}

/** What each tap of a convolution multiplies, averaged over its positions: [input channel][kernel height][kernel width]. */
function windowMeans(graph: Graph, { node }: Layer, means: InputMeans): InputMeans {
  const [, , kernelHeight, kernelWidth] = graph.constants.get(node.inputs[1])?.shape ?? []
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
