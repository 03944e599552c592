/** Everything that is summed about one stored value while the samples pass: constant memory, whatever the samples. */
import type { Graph, Node } from '../graph/graph.ts'
import { type Histogram, streamingHistogram } from '../quantize/histogram.ts'
import { mseObserver } from '../quantize/observe-mse.ts'
import type { Plan, TensorPlan, WeightPlan } from '../quantize/plan.ts'
import { activationPlan } from '../quantize/scales.ts'
import { ErrorSums } from './error-sums.ts'
import { addRounding, boundsOf, type ChannelOrder, countClipped, type Grid, gridOf } from './grid.ts'
import { eightBitWeights, type Layer, layerOf, quantisedWeights } from './layer-weights.ts'
import type { ShadowWeights } from './shadow-graph.ts'
import { activationEdits, type Edit, entryFor, isCoarse, type ObservedRanges } from './trials.ts'

/** Weights this near to the float ones lie on a grid of their own, which no other would improve. */
const FINE_WEIGHTS_DB = 60

interface RunningTrial {
  readonly edit: Edit
  readonly grid: Grid
  readonly sums: ErrorSums
  readonly role: 'planned' | 'improved'
  /** Subtracted from each channel before it is rounded. */
  readonly shift?: Float64Array
}

/** How channels lie in a value as the fast executor reports it: images N, H, W, C, everything else row-major. */
function channelOrder(shape: readonly number[]): ChannelOrder {
  const inner = shape.length === 4 ? 1 : shape.slice(2).reduce((product, size) => product * size, 1)
  return { count: shape[1] ?? 1, inner }
}

export class ObservedValue {
  readonly name: string
  readonly node: Node | undefined
  readonly shape: readonly number[]
  readonly entry: TensorPlan | undefined
  readonly grid: Grid | undefined
  readonly layer: Layer | undefined
  readonly weightEntry: WeightPlan | undefined
  readonly accumulated = new ErrorSums()
  readonly local = new ErrorSums()
  /** The plan's weights against the float ones. */
  readonly ofWeights = new ErrorSums()
  clipped = 0
  total = 0
  trials: readonly RunningTrial[] = []
  private readonly channels: ChannelOrder
  private readonly histogram = streamingHistogram()
  private readonly mse
  private readonly shiftSums: Float64Array
  private triesWeights = false
  /** The layer's float output before and behind its bounds, while its shadows are looked at. */
  private unbounded: Float32Array = new Float32Array(0)
  private bounded: Float32Array = new Float32Array(0)

  constructor(graph: Graph, plan: Plan, name: string) {
    this.name = name
    this.node = graph.nodes.find((node) => node.outputs.includes(name))
    this.shape = graph.values.get(name)?.shape ?? []
    this.entry = Object.hasOwn(plan.tensors, name) ? plan.tensors[name] : undefined
    this.grid = this.entry && gridOf(this.entry, this.node)
    this.layer = this.node && layerOf(graph, plan, this.node)
    this.weightEntry = this.layer && plan.weights[name]
    this.channels = channelOrder(this.shape)
    this.shiftSums = new Float64Array(this.layer ? this.channels.count : 0)
    this.mse = mseObserver((this.entry && entryFor(this.entry)) ?? ((range) => activationPlan(range, 'u8')))
  }

  /** Quantised constants of the layer: those of the plan, and 8-bit ones where they would be finer. */
  shadows(): ShadowWeights[] {
    const { layer, weightEntry } = this
    if (layer === undefined || weightEntry === undefined) return []
    const planned = { role: 'planned' as const, ...quantisedWeights(layer, weightEntry) }
    this.ofWeights.add(layer.weights, planned.weights)
    this.triesWeights = isCoarse(weightEntry, layer.outputs) && this.ofWeights.agreement().sqnrDb < FINE_WEIGHTS_DB
    if (!this.triesWeights) return [planned]
    return [planned, { role: 'improved', ...quantisedWeights(layer, eightBitWeights(layer)) }]
  }

  /** The value itself in the float network and, in ONNX order, in the program. First pass. */
  addValue(real: Float32Array, integer: Float32Array): void {
    if (this.node !== undefined && this.shape.length === 4)
      this.accumulated.addImage(real, integer, this.channels.count)
    else this.accumulated.add(real, integer)
    this.total += real.length
    this.histogram.observe(real)
    if (this.grid === undefined) return
    this.mse.observe(real)
    this.clipped += countClipped(this.grid, real, this.channels)
    if (this.layer === undefined) addRounding(this.local, this.grid, real, real, this.channels)
  }

  /** The layer's float output before its bounds; its shadows follow at once. */
  keepFloat(values: Float32Array): void {
    const { low, high } = boundsOf(this.node)
    if (this.unbounded.length !== values.length) {
      this.unbounded = new Float32Array(values.length)
      this.bounded = low > -Infinity || high < Infinity ? new Float32Array(values.length) : this.unbounded
    }
    const { unbounded, bounded } = this
    unbounded.set(values)
    if (bounded !== unbounded)
      for (let i = 0; i < values.length; i++) {
        const value = values[i]
        bounded[i] = value > high ? high : value < low ? low : value
      }
  }

  /** The layer by the plan's weights. First pass. */
  addPlanned(values: Float32Array): void {
    if (this.grid === undefined) return
    addRounding(this.local, this.grid, this.bounded, values, this.channels)
    const { unbounded, shiftSums } = this
    const { count, inner } = this.channels
    for (let i = 0, channel = 0; i < values.length; channel = channel + 1 < count ? channel + 1 : 0)
      for (const end = i + inner; i < end; i++) shiftSums[channel] += values[i] - unbounded[i]
  }

  /** Ends the first pass: from what was observed to what is worth trying. */
  chooseTrials(): void {
    const { entry, grid, layer, weightEntry, node } = this
    if (entry === undefined || grid === undefined) return
    const trials: RunningTrial[] = activationEdits(entry, this.ranges()).map((edit) => ({
      edit,
      grid: edit.tensor ? gridOf(edit.tensor, node) : grid,
      sums: new ErrorSums(),
      role: 'planned',
    }))
    if (layer && weightEntry) {
      const perChannel = this.total / this.channels.count
      const shift = this.shiftSums.map((sum) => sum / perChannel)
      const bias = Array.from(layer.bias, (value, output) => value - shift[output])
      trials.push({ edit: { kind: 'bias-correction', bias }, grid, sums: new ErrorSums(), role: 'planned', shift })
      if (this.triesWeights) {
        const edit: Edit = { kind: 'weights-8', weights: eightBitWeights(layer) }
        trials.push({ edit, grid, sums: new ErrorSums(), role: 'improved' })
      }
    }
    this.trials = trials
  }

  /** The value of a node without weights. Second pass. */
  tryValue(values: Float32Array): void {
    if (this.layer === undefined)
      for (const { sums, grid } of this.trials) addRounding(sums, grid, values, values, this.channels)
  }

  /** A shadow of the layer. Second pass. */
  tryShadow(role: 'planned' | 'improved', values: Float32Array): void {
    for (const trial of this.trials)
      if (trial.role === role) addRounding(trial.sums, trial.grid, this.bounded, values, this.channels, trial.shift)
  }

  ranges(): ObservedRanges {
    return { minmax: this.histogram.read().extremes, mse: this.mse.range() }
  }

  /** What was counted; a copy. */
  counted(): Histogram {
    const found = this.histogram.read()
    return { ...found, counts: found.counts.slice() }
  }
}
