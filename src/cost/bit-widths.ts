/**
 * How many bits weights and stored values have: one number each for the whole network, or what a plan says. Values that
 * only move or select others have the width of what they move.
 */
import { DyadicError, quoted } from '../error.ts'
import type { Graph } from '../graph/graph.ts'
import type { Plan } from '../quantize/plan.ts'

export interface BitWidths {
  /** Bits of one weight of the layer whose (first) output value is `layer`. Throws `refused` where nothing says. */
  weight(layer: string): number
  /** Bits of one stored element of a value. Throws `refused` where nothing says. */
  value(name: string): number
}

/** Every weight and every value alike; 32 and 32 is the float network. Throws `refused` unless both are 1 to 64. */
export function uniformBits(weights: number, values: number): BitWidths {
  for (const [what, bits] of [
    ['weights', weights],
    ['values', values],
  ] as const)
    if (!Number.isInteger(bits) || bits < 1 || bits > 64)
      throw new DyadicError('refused', `${bits} bits for ${what}; give an integer from 1 to 64`)
  return { weight: () => weights, value: () => values }
}

/** Bits of a format by its name: 8 for `s8`. */
function formatBits(format: string): number {
  return Number(/\d+$/.exec(format)?.[0] ?? Number.NaN)
}

/** The widths that a plan gives a network; made for the fused graph whose values it names. */
export function planBits(graph: Graph, plan: Plan): BitWidths {
  const inputs = new Map(Object.entries(plan.inputs))
  const tensors = new Map(Object.entries(plan.tensors))
  const weights = new Map(Object.entries(plan.weights))
  const values = new Map<string, number>()
  for (const name of graph.inputs) {
    const entry = inputs.get(name)
    if (entry !== undefined) values.set(name, formatBits(entry.format))
  }
  for (const node of graph.nodes)
    for (const name of node.outputs) {
      const entry = tensors.get(name)
      const moved = node.inputs.map((input) => values.get(input)).find((bits) => bits !== undefined)
      const bits = entry === undefined ? moved : formatBits(entry.format)
      if (bits !== undefined) values.set(name, bits)
    }
  const missing = (section: string, name: string): never => {
    throw new DyadicError(
      'refused',
      `the plan of ${quoted(plan.model)} has no entry ${section} for ${quoted(name)}; make the plan with this model`,
    )
  }
  return {
    weight: (layer) => formatBits((weights.get(layer) ?? missing('"weights"', layer)).format),
    value: (name) => values.get(name) ?? missing(graph.inputs.includes(name) ? '"inputs"' : '"tensors"', name),
  }
}
