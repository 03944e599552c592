/**
 * Calibration: float inference over the samples with an observer on every value that the integer program will store, then
 * scales and zero points for all of them.
 */

import type { Samples } from '../data/aligned-sets.ts'
import type { DataSet } from '../data/data-set.ts'
import { DyadicError, quoted } from '../error.ts'
import type { Graph, Node } from '../graph/graph.ts'
import { operators } from '../graph/operators/index.ts'
import { readConstant } from '../graph/tensor.ts'
import { createFastExecutor } from '../reference/fast.ts'
import { fitAccumulators } from './accumulator-room.ts'
import { calibrationNotes } from './calibration-notes.ts'
import { carryStates } from './carry-states.ts'
import { createObserver } from './create-observer.ts'
import { onlyFunction, reactingRange } from './flat-ends.ts'
import { chooseFormats, type FormatChoice, type KeepRule } from './format-choice.ts'
import { checkSampleShape, inputSets, realInputs } from './input.ts'
import { shareMaskedGrids } from './masked-scores.ts'
import type { MethodContext, Score } from './method.ts'
import { applyMethods, type MethodName } from './methods.ts'
import { separateChannels } from './migrate.ts'
import type { Observer, Range, RangeMethod } from './observe.ts'
import { rowsAlong, scoreObserver } from './observe-scores.ts'
import type { InputPlan, Plan, StatePair, TensorPlan, WeightPlan } from './plan.ts'
import {
  activationPlan,
  biasFits,
  type InnerFormat,
  probabilityPlan,
  storedInputPlan,
  weightScales,
  wideOutputPlan,
} from './scales.ts'
import { statePlans } from './state-plans.ts'
import { ownsScale } from './stored-values.ts'
import { shareBits, softmaxArguments } from './structural-formats.ts'
import { findWeightGrids } from './weight-grid.ts'
import { type GroupSize, groupWeights } from './weight-groups.ts'
import { wideValues } from './wide-values.ts'

export interface CalibrateOptions {
  /** Format of activations inside the program (default u8: an 8-bit code with a zero point). */
  readonly activations?: InnerFormat
  /** Zero point 0 for every activation (default false). */
  readonly symmetric?: boolean
  readonly weights?: WeightPlan['format']
  /** Layers and values with another format, by pattern. */
  readonly keep?: readonly KeepRule[]
  /** How ranges are chosen (default minmax). */
  readonly range?: RangeMethod
  /** Whether values between layers have one range, or one for each channel (default tensor). */
  readonly granularity?: 'tensor' | 'channel'
  /** Size of groups of 4-bit weights with a factor of their own (default: none). */
  readonly group?: GroupSize
  /** Changes the plan of ranges before methods improve it. */
  readonly prepare?: (context: MethodContext) => Promise<Plan>
  /** What improves the plan after the ranges, in order (default: nothing). */
  readonly methods?: readonly MethodName[]
  /** How the method `auto` compares plans (default: nearness to the float network by simulation, in decibels). */
  readonly score?: Score
  /** Told what to know about samples and weights, and what methods decide; one line each. */
  readonly onNote?: (text: string) => void
  /** Outputs that are inputs at the next step: the float network's own values are fed back while calibrating. */
  readonly states?: readonly StatePair[]
  /** Samples of one sequence, in a row; at the start of each the states are zero (default: all samples are one sequence). */
  readonly sequence?: number
  /** Most samples to use (default all). */
  readonly samples?: number
  /** Called after each sample. */
  readonly onProgress?: (done: number, total: number) => void
  readonly signal?: AbortSignal
}

const DEFAULT_FORMAT = 'u8'

/**
 * The plan for a fused float graph. Throws `refused` when samples or states do not fit the network, `unsupported` for one
 * unnamed data set and several inputs.
 */
export async function calibrate(graph: Graph, given: Samples, options: CalibrateOptions = {}): Promise<Plan> {
  const method = options.range ?? 'minmax'
  const total = Math.min(given.length, options.samples ?? given.length)
  if (total === 0)
    throw new DyadicError('refused', `calibration set ${quoted(given.name)} has no samples; give at least one`)
  const { states = [] } = options
  const samples = await carryStates(graph, given, options)
  const sets = inputSets(graph, samples)
  const observers = new Map<string, Observer>()
  for (const [name, set] of sets) {
    checkSampleShape(name, graph.values.get(name)?.shape ?? [], set)
    // Indices are exact.
    if (!isInteger(graph, name)) observers.set(name, createObserver('minmax'))
  }
  const wide = wideValues(graph)
  const formats = chooseFormats(
    graph,
    { weights: options.weights ?? 's8', activations: options.activations ?? DEFAULT_FORMAT },
    options.keep,
    states,
  )
  const scores = softmaxArguments(graph)
  /** What is observed for a value, where that is not the value itself. */
  const observedAs = new Map<string, string>()
  for (const node of graph.nodes) {
    if (!ownsScale(node)) continue
    const [name] = node.outputs
    const softmax = wide.has(name) ? undefined : scores.get(name)
    if (softmax !== undefined) {
      const [seen] = softmax.inputs
      const shape = graph.values.get(seen)?.shape ?? []
      const axis = (softmax.attributes.get('axis') as number | undefined) ?? -1
      observers.set(seen, scoreObserver(rowsAlong(shape, axis < 0 ? axis + shape.length : axis)))
      observedAs.set(name, seen)
      continue
    }
    const grid = (range: Range): TensorPlan => activationPlan(range, formats.activations(name), options.symmetric)
    // Values of 16 bits have codes to spare: leaving the largest out would only hurt.
    const spare = formats.isStructural(name) || (wide.has(name) && !formats.isKept(name))
    observers.set(name, createObserver(spare ? 'minmax' : method, grid))
  }
  const executor = createFastExecutor(graph)
  const describe = (name: string, index: number, cause: unknown): DyadicError =>
    new DyadicError(
      'refused',
      `calibration sample ${quoted(samples.describe(index))}, value ${quoted(name)}: ${cause instanceof Error ? cause.message : cause}`,
      { cause },
    )
  for (let index = 0; index < total; index++) {
    options.signal?.throwIfAborted()
    const inputs = await realInputs(graph, samples, index)
    const observe = (name: string, values: Float32Array): void => {
      try {
        observers.get(name)?.observe(values)
      } catch (cause) {
        throw describe(name, index, cause)
      }
    }
    for (const [name, values] of inputs) observe(name, values)
    executor.run(inputs, observe)
    options.onProgress?.(index + 1, total)
  }
  const ranges = new Map([...observers].map(([name, observer]): [string, Range] => [name, observer.range()]))
  for (const [name, seen] of observedAs) ranges.set(name, ranges.get(seen) as Range)
  const perSample = [...sets].map(([name, set]) =>
    isInteger(graph, name) ? set.shape.reduce((product, size) => product * size, 1) : 0,
  )
  const indices = perSample.some((length) => length > 0) ? total * Math.max(...perSample) : undefined
  if (options.onNote)
    for (const note of calibrationNotes(graph, ranges, { count: total, name: samples.name, indices }))
      options.onNote(note)
  const { signal, score, onNote } = options
  let plan = choosePlan(graph, sets, ranges, options, formats, {
    method: 'calibrate',
    range: method,
    ...(options.granularity === 'channel' && { granularity: 'channel' }),
    data: samples.name,
    samples: total,
  })
  const context = { graph, samples, limit: total, signal, score, onNote }
  if (options.granularity === 'channel') plan = await separateChannels({ ...context, plan })
  if (options.group !== undefined) plan = groupWeights(graph, plan, options.group)
  if (options.prepare !== undefined) plan = await options.prepare({ ...context, plan })
  return applyMethods(options.methods ?? [], { ...context, plan: fitAccumulators(graph, plan) })
}

/** Scales from ranges: activations first, then weights, which need the scale of what they multiply. */
function choosePlan(
  graph: Graph,
  sets: ReadonlyMap<string, DataSet>,
  ranges: ReadonlyMap<string, Range>,
  options: CalibrateOptions,
  formats: FormatChoice,
  origin: Record<string, unknown>,
): Plan {
  const { states = [] } = options
  const carried = statePlans(graph, states, ranges)
  // In a loop every error comes back.
  const wideInputs = states.length > 0
  const inputs = new Map(
    [...sets].map(([name, { elementType, scale, offset }]): [string, InputPlan] => {
      if (isInteger(graph, name)) return [name, { format: 's32', scale: [1], zeroPoint: [0], layout: 'nchw' }]
      if (elementType !== 'float32') return [name, storedInputPlan({ elementType, scale, offset })]
      return [name, floatInputPlan(ranges.get(name) as Range, wideInputs ? 's16' : 's8', options.symmetric)]
    }),
  )
  for (const [name, plan] of carried.inputs) inputs.set(name, plan)
  for (const [name, source] of carried.moved) inputs.set(name, inputs.get(source) as InputPlan)
  // Scale of each value in ONNX order of production; same-scale operators pass theirs on.
  const scales = new Map<string, readonly number[]>([...inputs].map(([name, { scale }]) => [name, scale]))
  const consumers = countConsumers(graph)
  const wide = wideValues(graph)
  const grids: ReadonlyMap<string, WeightPlan> =
    (options.weights ?? 's8') === 's8' ? findWeightGrids(graph) : new Map<string, WeightPlan>()
  const tensors: [string, TensorPlan][] = []
  const weights: [string, WeightPlan][] = []
  for (const node of graph.nodes) {
    const name = node.outputs[0]
    if (!ownsScale(node)) {
      for (const output of node.outputs) scales.set(output, scales.get(node.inputs[0]) ?? [1])
      continue
    }
    const staysWide = wide.has(name) && !formats.isKept(name)
    const observed = ranges.get(name) as Range
    const range = staysWide ? observed : withoutFlatEnds(graph, name, ranges, formats, options.symmetric)
    let plan = staysWide
      ? wideOutputPlan(range, [])
      : node.operator === 'Softmax'
        ? softmaxPlan(graph, node, formats, options.symmetric)
        : activationPlan(range, formats.activations(name), options.symmetric)
    if (operators.get(node.operator)?.integer === 'accumulate') {
      const entry = layerWeights(
        graph,
        node,
        scales.get(node.inputs[0]) ?? [1],
        formats.weights(name),
        formats.weights(name) === 's8' ? grids.get(name) : undefined,
      )
      weights.push([name, entry.plan])
      if (staysWide)
        plan = wideOutputPlan(
          range,
          entry.plan.scale.map((scale) => scale * entry.inputScale),
        )
    }
    plan = carried.tensors.get(name) ?? plan
    tensors.push([name, plan])
    scales.set(name, [plan.scale])
  }
  const shared = shareJoinedScales(graph, new Map(tensors), consumers, formats)
  shareMaskedGrids(graph, shared)
  return {
    schema: 1,
    kind: 'dyadic-plan',
    model: graph.name,
    origin,
    inputs: Object.fromEntries(inputs),
    tensors: Object.fromEntries(shared),
    weights: Object.fromEntries(weights),
    ...(states.length > 0 && { states: [...states] }),
  }
}

/** Whether a network input holds integers, such as indices of a table. */
function isInteger(graph: Graph, name: string): boolean {
  return /^u?int/.test(graph.values.get(name)?.type ?? '')
}

/** The grid of probabilities, which does not depend on samples. */
function softmaxPlan(graph: Graph, node: Node, formats: FormatChoice, symmetric?: boolean): TensorPlan {
  const format = formats.activations(node.outputs[0])
  const largest = (name: string): number => (formats.activations(name) === 's16' ? 2 ** 15 : 255)
  return probabilityPlan(format, shareBits(graph, node, largest), symmetric)
}

/** A value's range; without the ends where the only function that reads it is flat. */
function withoutFlatEnds(
  graph: Graph,
  name: string,
  ranges: ReadonlyMap<string, Range>,
  formats: FormatChoice,
  symmetric?: boolean,
): Range {
  const range = ranges.get(name) as Range
  const reader = onlyFunction(graph, name)
  const after = reader && ranges.get(reader.outputs[0])
  if (reader === undefined || after === undefined) return range
  const { scale } = activationPlan(after, formats.activations(reader.outputs[0]), symmetric)
  return reactingRange(graph, reader, range, scale)
}

/**
 * Tensors that only a Concat reads take its scale, so that joining them moves codes and rounds nothing. Later joins first:
 * a chain of them ends up with one scale.
 */
function shareJoinedScales(
  graph: Graph,
  tensors: Map<string, TensorPlan>,
  consumers: ReadonlyMap<string, number>,
  formats: FormatChoice,
): Map<string, TensorPlan> {
  const producers = new Map(graph.nodes.map((node) => [node.outputs[0], node]))
  for (const join of graph.nodes.toReversed()) {
    if (operators.get(join.operator)?.integer !== 'join') continue
    const plan = tensors.get(join.outputs[0]) as TensorPlan
    for (const input of join.inputs) {
      let name = input
      let node = producers.get(name)
      const alone = (value: string): boolean => consumers.get(value) === 1 && !graph.outputs.includes(value)
      while (node && alone(name) && operators.get(node.operator)?.integer === 'same-scale') {
        name = node.inputs[0]
        node = producers.get(name)
      }
      if (node && alone(name) && ownsScale(node) && !formats.isKept(name)) tensors.set(name, plan)
    }
  }
  return tensors
}

/** A float input without a natural scale: all codes over what was observed. */
function floatInputPlan(range: Range, format: 's8' | 's16', symmetric?: boolean): InputPlan {
  const plan = activationPlan(range, format, symmetric)
  return { format, scale: [plan.scale], zeroPoint: [plan.zeroPoint], layout: 'nchw' }
}

/** A layer's weights with per-channel input scales folded in, as lowering will see them. */
function layerWeights(
  graph: Graph,
  node: Node,
  inputScale: readonly number[],
  format: WeightPlan['format'],
  grid: WeightPlan | undefined,
): { plan: WeightPlan; inputScale: number } {
  const constant = graph.constants.get(node.inputs[1])
  if (constant === undefined)
    throw new DyadicError(
      'unsupported',
      `node ${quoted(node.name)} (${node.operator}) multiplies two computed tensors; its weights must be constant`,
    )
  const values = Float64Array.from(readConstant(constant) as ArrayLike<number>)
  const bias = graph.constants.get(node.inputs[2] ?? '')
  const [outputs, inputs] = constant.shape
  const perChannel = inputScale.length > 1
  if (perChannel) {
    const groups = (node.attributes.get('group') as number | undefined) ?? 1
    const channels = node.operator === 'dyadic.Dense' ? inputScale.length : inputs
    const taps = values.length / outputs / channels
    for (let o = 0; o < outputs; o++) {
      const first = Math.floor(o / (outputs / groups)) * (groups > 1 ? inputs : 0)
      for (let c = 0; c < channels; c++)
        for (let t = 0; t < taps; t++) values[(o * channels + c) * taps + t] *= inputScale[first + c]
    }
  }
  const common = perChannel ? 1 : inputScale[0]
  const biasValues = bias && (readConstant(bias) as ArrayLike<number>)
  const scales = weightScales(values, outputs, biasValues, common, format)
  // Scales per input channel move the weights off their grid.
  const keeps = grid && !perChannel && biasFits(biasValues, common, grid.scale[0])
  return { plan: keeps ? grid : scales, inputScale: common }
}

/** How many inputs read each value. */
function countConsumers(graph: Graph): Map<string, number> {
  const consumers = new Map<string, number>()
  for (const node of graph.nodes) for (const name of node.inputs) consumers.set(name, (consumers.get(name) ?? 0) + 1)
  return consumers
}
