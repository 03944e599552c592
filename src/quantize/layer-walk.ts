/**
 * Goes through a network's layers in order and shows each with what it meets at run time: inputs as the program computes
 * them under the plan so far, so that a layer can make up for the errors of those before it, and the float network's
 * outputs, which it should come near to (asymmetric reconstruction).
 */
import type { Graph } from '../graph/graph.ts'
import { createFastExecutor } from '../reference/fast.ts'
import { realInputs } from './input.ts'
import { type Layer, layersOf, observedInput, tapsOf, unitAt } from './layer.ts'
import { choosePositions, outputRows, type RowReader, rowReader } from './layer-rows.ts'
import type { MethodContext } from './method.ts'
import type { Plan, WeightPlan } from './plan.ts'
import { createFlow, flowSamples, type SampleFlow } from './sample-flow.ts'

/** One layer and what it meets at some output positions. */
export interface LayerSamples {
  readonly layer: Layer
  readonly rows: number
  /** [row][group][tap]: the program's inputs in folded units, so that codes × weight scale multiply them. */
  readonly inputs: Float32Array
  /** [row][output]: the float network's outputs, after the activation; empty where nobody asked. */
  readonly targets: Float32Array
  /** [row][output]: what the program adds to the layer's sum, where it adds something. */
  readonly residuals: Float32Array | undefined
}

export interface WalkOptions {
  /** Most rows of a layer. */
  readonly rows: number
  /** Most samples; 256 pictures say what a thousand do. */
  readonly samples: number
  readonly seed: number
  /** Whether the float network's outputs are wanted, which costs a pass and memory for all layers (default true). */
  readonly targets?: boolean
}

/** Numbers of a layer's rows that are kept at a time: 64 MiB. */
const MOST_NUMBERS = 2 ** 24

/** What a method changes at one layer: its entries of the plan. */
export interface LayerChange {
  readonly weights?: WeightPlan
  readonly biases?: number[]
}

/** The plan with what `visit` changes at every layer. `visit` sees all changes before its own in the plan it gets. */
export async function walkLayers(
  context: MethodContext,
  options: WalkOptions,
  visit: (samples: LayerSamples, plan: Plan) => LayerChange,
): Promise<Plan> {
  const { graph, samples, signal } = context
  // Entries change in place: a new record for each layer would make the walk quadratic.
  const plan: Plan = { ...context.plan, weights: { ...context.plan.weights } }
  const layers = layersOf(graph, plan)
  const count = Math.min(samples.length, context.limit, options.samples, flowSamples(graph))
  const inputs: ReadonlyMap<string, Float32Array>[] = []
  for (let index = 0; index < count; index++) inputs.push(await realInputs(graph, samples, index))
  const readers = layers.map((layer) => rowReader(graph, layer))
  const perSample = readers.map(({ positions, width }) => {
    const rows = Math.min(options.rows, Math.floor(MOST_NUMBERS / width))
    return Math.min(positions, Math.max(1, Math.ceil(rows / count)))
  })
  const chosen = (layer: number, sample: number): Int32Array =>
    choosePositions(readers[layer].positions, perSample[layer], options.seed, layer, sample)
  const wantsTargets = options.targets ?? true
  const targets = wantsTargets ? gatherTargets(graph, inputs, layers, perSample, chosen) : []
  const flow = createFlow(graph, inputs)
  for (const [index, layer] of layers.entries()) {
    signal?.throwIfAborted()
    const reader = readers[index]
    const met = gatherInputs(graph, plan, flow, layer, reader, perSample[index], (sample) => chosen(index, sample))
    const change = visit(
      { layer, rows: perSample[index] * count, targets: targets[index] ?? new Float32Array(0), ...met },
      plan,
    )
    if (change.weights) plan.weights[layer.name] = change.weights
    if (change.biases) {
      plan.biases ??= { ...context.plan.biases }
      plan.biases[layer.name] = change.biases
    }
  }
  return plan
}

/** The float network's outputs of all layers, in one pass. */
function gatherTargets(
  graph: Graph,
  inputs: readonly ReadonlyMap<string, Float32Array>[],
  layers: readonly Layer[],
  perSample: readonly number[],
  chosen: (layer: number, sample: number) => Int32Array,
): Float32Array[] {
  const targets = layers.map((layer, index) => new Float32Array(perSample[index] * inputs.length * layer.outputs))
  const indices = new Map(layers.map((layer, index) => [layer.name, index]))
  const executor = createFastExecutor(graph)
  inputs.forEach((input, sample) => {
    executor.run(input, (name, values) => {
      const index = indices.get(name)
      if (index === undefined) return
      const rows = outputRows(graph, layers[index], values)
      copyPixels(rows, chosen(index, sample), layers[index].outputs, targets[index], sample * perSample[index])
    })
  })
  return targets
}

function copyPixels(
  values: Float32Array,
  positions: Int32Array,
  channels: number,
  target: Float32Array,
  first: number,
): void {
  positions.forEach((position, i) => {
    target.set(values.subarray(position * channels, (position + 1) * channels), (first + i) * channels)
  })
}

function gatherInputs(
  graph: Graph,
  plan: Plan,
  flow: SampleFlow,
  layer: Layer,
  reader: RowReader,
  perSample: number,
  chosen: (sample: number) => Int32Array,
): { inputs: Float32Array; residuals: Float32Array | undefined } {
  const source = observedInput(graph, layer.node)
  const [, , , residual] = layer.node.inputs
  const inputs = flow.values(source, plan)
  const rows = new Float32Array(perSample * inputs.length * reader.width)
  inputs.forEach((values, sample) => {
    const ordered = channelsLast(graph, source, values)
    chosen(sample).forEach((position, i) => {
      reader.read(ordered, position, rows, (sample * perSample + i) * reader.width)
    })
  })
  toFoldedUnits(rows, layer)
  if (!residual) return { inputs: rows, residuals: undefined }
  const residuals = new Float32Array(perSample * inputs.length * layer.outputs)
  flow.values(residual, plan).forEach((values, sample) => {
    const ordered = outputRows(graph, layer, channelsLast(graph, residual, values))
    copyPixels(ordered, chosen(sample), layer.outputs, residuals, sample * perSample)
  })
  return { inputs: rows, residuals }
}

/** A network input in the order in which executors report images. */
export function channelsLast(graph: Graph, name: string, values: Float32Array): Float32Array {
  const { shape = [] } = graph.values.get(name) ?? {}
  if (shape.length !== 4) return values
  const [, channels] = shape
  const pixels = values.length / channels
  return values.map((_, i) => values[(i % channels) * pixels + Math.floor(i / channels)])
}

/** Simulated values to folded units. */
function toFoldedUnits(rows: Float32Array, layer: Layer): void {
  if (layer.units === undefined) return
  const taps = tapsOf(layer)
  const perGroup = layer.outputs / layer.groups
  const factors = Float64Array.from(
    { length: layer.groups * taps },
    (_, i) => 1 / unitAt(layer, Math.floor(i / taps) * perGroup, i % taps),
  )
  for (let i = 0; i < rows.length; i++) rows[i] *= factors[i % factors.length]
}
