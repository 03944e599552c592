/**
 * How much a layer minds having few bits: Ω(b) = mean trace of the loss's Hessian × ‖Q_b(W) − W‖² (HAWQ-V3, Yao et al. 2021,
 * section 3.4). Q_b is the quantiser of the compiler: symmetric, one scale per output channel, R2 rounding. The trace is given,
 * or 1: then Ω is the squared error of the weights alone.
 */
import { DyadicError, quoted } from '../error.ts'
import type { Graph, Node } from '../graph/graph.ts'
import { readConstant } from '../graph/tensor.ts'
import { roundHalfEven } from '../num/dyadic.ts'
import { clamp } from '../num/requantize.ts'
import { weightFormats } from '../quantize/plan.ts'
import { weightScales } from '../quantize/scales.ts'

/**
 * ‖Q_b(W) − W‖² of weights whose first of `outputs` axes is the output channel, summed in doubles. Throws `refused` unless
 * `bits` is 2 to 16.
 */
export function quantisationError(weights: ArrayLike<number>, outputs: number, bits: number): number {
  if (!Number.isInteger(bits) || bits < 2 || bits > 16)
    throw new DyadicError('refused', `${bits} bits for weights; give an integer from 2 to 16`)
  const high = 2 ** (bits - 1) - 1
  const scale = channelScales(weights, outputs, bits)
  const perChannel = weights.length / outputs
  let error = 0
  for (let o = 0; o < outputs; o++)
    for (let i = o * perChannel; i < (o + 1) * perChannel; i++) {
      const difference = clamp(roundHalfEven(weights[i] / scale[o]), -high - 1, high) * scale[o] - weights[i]
      error += difference * difference
    }
  return error
}

/** The compiler's scales; for widths that plans do not have, the largest magnitude is the largest code too. */
function channelScales(weights: ArrayLike<number>, outputs: number, bits: number): readonly number[] {
  const format = weightFormats.find((name) => name === `s${bits}`)
  const { scale } = weightScales(weights, outputs, undefined, 1, format ?? 's8')
  return format === undefined ? scale.map((step) => (step * 127) / (2 ** (bits - 1) - 1)) : scale
}

/** The nodes of a fused graph whose weights a plan can choose bits for, in the graph's order. */
export function weightedNodes(graph: Graph): Node[] {
  return graph.nodes.filter(
    ({ operator, inputs }) =>
      (operator === 'dyadic.Conv' || operator === 'dyadic.Dense') && graph.constants.has(inputs[1]),
  )
}

export interface LayerSensitivity {
  /** The layer's output value. */
  readonly name: string
  /** Ω by bits. */
  readonly sensitivity: ReadonlyMap<number, number>
}

/**
 * Ω of every layer of a fused graph. `traces` are mean traces by layer name, ≥ 0; an absent one is 1 when no traces are given.
 * Throws `refused` for a trace that is missing among others, is not finite, or belongs to no layer.
 */
export function weightSensitivities(
  graph: Graph,
  bits: readonly number[],
  traces?: ReadonlyMap<string, number>,
): LayerSensitivity[] {
  const nodes = weightedNodes(graph)
  refuseUnknown(nodes, traces?.keys() ?? [], 'a trace')
  return nodes.map((node) => {
    const [name] = node.outputs
    const trace = traces === undefined ? 1 : traces.get(name)
    if (trace === undefined || !(trace >= 0 && trace < Infinity))
      throw new DyadicError('refused', `the mean trace of layer ${quoted(name)} is ${trace}; give a number ≥ 0`)
    const constant = graph.constants.get(node.inputs[1])
    const weights = readConstant(constant as NonNullable<typeof constant>) as ArrayLike<number>
    const outputs = constant?.shape[0] ?? 1
    return {
      name,
      sensitivity: new Map(bits.map((width) => [width, trace * quantisationError(weights, outputs, width)])),
    }
  })
}

/** Refuses names that are no layer of the network. */
export function refuseUnknown(nodes: readonly Node[], names: Iterable<string>, what: string): void {
  const known = new Set(nodes.map((node) => node.outputs[0]))
  const unknown = [...names].filter((name) => !known.has(name))
  if (unknown.length > 0)
    throw new DyadicError(
      'refused',
      `${what} is given for ${unknown.slice(0, 4).map(quoted).join(', ')}, no layer with weights; the layers are ${[...known].slice(0, 8).map(quoted).join(', ')}${known.size > 8 ? ', …' : ''}`,
    )
}
