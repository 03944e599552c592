/**
 * What a layer may be given: a choice is a record that changes a plan, and the table of choices is what `--bits` offers. All
 * choices are integers; what a choice does not name stays as the plan has it.
 */
import { DyadicError, quoted } from '../error.ts'
import type { Graph, Node } from '../graph/graph.ts'
import { readNumbers } from '../graph/tensor.ts'
import { chooseFormats, type KeepRule } from '../quantize/format-choice.ts'
import {
  type ActivationFormat,
  formatRange,
  type Plan,
  type TensorPlan,
  type WeightFormat,
  type WeightPlan,
} from '../quantize/plan.ts'
import { weightScales } from '../quantize/scales.ts'
import { weightedNodes } from './sensitivity.ts'

export interface BitChoice {
  /** Its name on the command line and in allocations; no two choices of a search have the same. */
  readonly bits: number
  readonly weights: WeightFormat
  /** Format of the value that the layer reads; absent, the plan's. A network input keeps its own. */
  readonly activations?: ActivationFormat
}

/** Layers, by output value, that have one choice only, whatever the others may be given. */
export type Pins = ReadonlyMap<string, BitChoice>

/** The choices there are, fewest bits first. */
export const bitChoices: readonly BitChoice[] = [
  { bits: 2, weights: 's2' },
  { bits: 3, weights: 's3' },
  { bits: 4, weights: 's4' },
  { bits: 5, weights: 's5' },
  { bits: 6, weights: 's6' },
  { bits: 7, weights: 's7' },
  { bits: 8, weights: 's8' },
  { bits: 16, weights: 's8', activations: 's16' },
]

/** `s4`, or `s8 on s16` where the choice names activations. */
export function choiceName({ weights, activations }: BitChoice): string {
  return activations === undefined ? weights : `${weights} on ${activations}`
}

/** The choices with these bits. Throws `usage` naming the ones there are; at least one, each once. */
export function chooseBits(bits: readonly number[]): BitChoice[] {
  const found = bits.map((width) => bitChoices.find((choice) => choice.bits === width))
  if (bits.length === 0 || new Set(bits).size < bits.length || found.includes(undefined))
    throw new DyadicError(
      'usage',
      `a layer cannot have [${bits}] bits; give some of ${bitChoices.map((choice) => choice.bits).join(', ')}, each once`,
    )
  return found as BitChoice[]
}

/**
 * The layers whose weights a rule of `keep` names, with the bits it gives them; the plan has them so already. Throws `refused`
 * as `chooseFormats` does, for a pattern that matches no layer.
 */
export function pinLayers(graph: Graph, rules: readonly KeepRule[] = []): Pins {
  const kept = rules.filter(({ format }) => format.startsWith('w'))
  const formats = chooseFormats(graph, { weights: 's8', activations: 'u8' }, kept)
  return new Map(
    weightedNodes(graph)
      .map(({ outputs: [name] }) => name)
      .filter(formats.keepsWeights)
      .map((name) => [name, { bits: bitsOf(formats.weights(name)), weights: formats.weights(name) }]),
  )
}

/** What a layer may be given. */
export function choicesOf(layer: string, choices: readonly BitChoice[], pins?: Pins): readonly BitChoice[] {
  const pinned = pins?.get(layer)
  return pinned === undefined ? choices : [pinned]
}

/**
 * The plan in which each layer of `chosen` (by output value) has its choice. A layer whose weights have as many bits already
 * keeps its entry; any other gets symmetric scales per channel. The plan itself where nothing changes. Throws `refused` for a
 * name that is no layer.
 */
export function applyChoices(graph: Graph, plan: Plan, chosen: ReadonlyMap<string, BitChoice>): Plan {
  const layers = new Map(weightedNodes(graph).map((node) => [node.outputs[0], node]))
  const weights = new Map(Object.entries(plan.weights))
  const tensors = new Map(Object.entries(plan.tensors))
  let changes = false
  for (const [name, choice] of chosen) {
    const node = layers.get(name)
    const entry = weights.get(name)
    if (node === undefined || entry === undefined)
      throw new DyadicError('refused', `${quoted(name)} is no layer with weights of this network and its plan`)
    if (bitsOf(entry.format) !== bitsOf(choice.weights)) {
      weights.set(name, symmetricWeights(graph, plan, node, choice.weights))
      changes = true
    }
    const source = choice.activations === undefined ? undefined : inputTensor(graph, plan, node)
    const read = tensors.get(source ?? '')
    if (choice.activations === undefined || source === undefined || read?.format === choice.activations) continue
    tensors.set(source, reformatted(read as TensorPlan, choice.activations))
    changes = true
  }
  if (!changes) return plan
  return { ...plan, weights: Object.fromEntries(weights), tensors: Object.fromEntries(tensors) }
}

/** Indices of layers that read one tensor and have a choice: it is the same where choices change what is read. */
export function sharedInputs(graph: Graph, plan: Plan, choices: readonly BitChoice[], pins?: Pins): number[][] {
  if (choices.every(({ activations }) => activations === undefined)) return []
  const readers = new Map<string, number[]>()
  for (const [index, node] of weightedNodes(graph).entries()) {
    if (pins?.has(node.outputs[0])) continue
    const source = inputTensor(graph, plan, node)
    if (source !== undefined) readers.set(source, [...(readers.get(source) ?? []), index])
  }
  return [...readers.values()].filter((group) => group.length > 1)
}

const bitsOf = (format: string): number => Number(format.slice(1))

/** The planned tensor that holds a layer's input, behind operators that only move it; undefined for a network input. */
function inputTensor(graph: Graph, plan: Plan, node: Node): string | undefined {
  let [name] = node.inputs
  while (!Object.hasOwn(plan.tensors, name)) {
    const producer = graph.nodes.find(({ outputs }) => outputs.includes(name))
    if (producer === undefined) return undefined
    name = producer.inputs[0]
  }
  return name
}

/** The network input that a layer reads through operators that only move it; undefined behind other layers. */
function networkInput(graph: Graph, plan: Plan, node: Node): Plan['inputs'][string] | undefined {
  let [name] = node.inputs
  for (;;) {
    if (graph.inputs.includes(name)) return plan.inputs[name]
    const producer = graph.nodes.find(({ outputs }) => outputs.includes(name))
    if (producer === undefined || Object.hasOwn(plan.tensors, name)) return undefined
    name = producer.inputs[0]
  }
}

/** Scales for other bits, with the scales of a network input's channels folded in, as lowering folds them. */
function symmetricWeights(graph: Graph, plan: Plan, node: Node, format: WeightFormat): WeightPlan {
  const constant = graph.constants.get(node.inputs[1])
  if (constant === undefined)
    throw new DyadicError('refused', `layer ${quoted(node.outputs[0])} has no constant weights`)
  const values = readNumbers(constant)
  const [outputs, inputs] = constant.shape
  const tensor = inputTensor(graph, plan, node)
  const entry = tensor === undefined ? undefined : plan.tensors[tensor]
  const channels = entry?.channelScales ?? networkInput(graph, plan, node)?.scale ?? [1]
  if (channels.length > 1) {
    const convolution = node.operator === 'dyadic.Conv'
    const groups = convolution ? ((node.attributes.get('group') as number | undefined) ?? 1) : 1
    const perOutput = values.length / outputs
    const perChannel = perOutput / (convolution ? inputs : channels.length)
    for (let i = 0; i < values.length; i++) {
      const group = Math.floor(Math.floor(i / perOutput) / (outputs / groups))
      values[i] *= channels[Math.floor((group * perOutput + (i % perOutput)) / perChannel)]
    }
  }
  const common = entry?.scale ?? (channels.length > 1 ? 1 : channels[0])
  const planned = plan.biases && Object.hasOwn(plan.biases, node.outputs[0]) ? plan.biases[node.outputs[0]] : undefined
  const stored = graph.constants.get(node.inputs[2] ?? '')
  return weightScales(values, outputs, planned ?? (stored && readNumbers(stored)), common, format)
}

/** The same range of reals in another format; 16 bits are symmetric. */
function reformatted(entry: TensorPlan, format: ActivationFormat): TensorPlan {
  const held = formatRange(entry.format)
  const codes = formatRange(format)
  const [low, high] = [held.low, held.high].map((code) => (code - entry.zeroPoint) * entry.scale)
  if (bitsOf(format) > 8) return { ...entry, format, scale: Math.max(-low, high) / codes.high, zeroPoint: 0 }
  const scale = (high - low) / (codes.high - codes.low)
  const zeroPoint = Math.min(codes.high, Math.max(codes.low, Math.floor(codes.low - low / scale + 0.5)))
  return { ...entry, format, scale, zeroPoint }
}
