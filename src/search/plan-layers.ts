/** From a plan to the layers of an integer program: what each layer costs under each choice, counted on the plan itself. */
import { planBits } from '../cost/bit-widths.ts'
import { countNetwork } from '../cost/count.ts'
import { DyadicError, quoted } from '../error.ts'
import type { Graph } from '../graph/graph.ts'
import type { Plan } from '../quantize/plan.ts'
import type { AllocationLayer, AllocationProblem } from './bit-allocation.ts'
import { applyChoices, type BitChoice, choicesOf, type Pins, sharedInputs } from './bit-choice.ts'
import { weightedNodes } from './sensitivity.ts'

/** By layer and bits. */
export type PerChoice = ReadonlyMap<string, ReadonlyMap<number, number>>

export interface PlanLayersOptions {
  readonly choices: readonly BitChoice[]
  readonly pins?: Pins
  /** Ω of every layer under every choice, ≥ 0; without, 0. */
  readonly sensitivities?: PerChoice
  /** Milliseconds of every layer under every choice. */
  readonly milliseconds?: PerChoice
  /** Milliseconds of everything that is no layer. */
  readonly otherMilliseconds?: number
}

/**
 * Layers with their options, and which of them share a choice. Bytes are those of packed weights and 32-bit biases. With
 * times, a last layer of one option stands for what has no weights, so that sums are those of the whole program. Throws
 * `refused` where a layer has no sensitivity or no time.
 */
export function planLayers(
  graph: Graph,
  plan: Plan,
  { choices, pins, sensitivities, milliseconds, otherMilliseconds = 0 }: PlanLayersOptions,
): Pick<AllocationProblem, 'layers' | 'groups'> {
  const nodes = weightedNodes(graph)
  const numberOf = (table: PerChoice, layer: string, bits: number): number => {
    const value = table.get(layer)?.get(bits)
    if (value === undefined) throw new DyadicError('refused', `layer ${quoted(layer)} has no number for ${bits} bits`)
    return value
  }
  const layers = nodes.map(({ outputs: [name] }): AllocationLayer => {
    const options = choicesOf(name, choices, pins).map((choice) => {
      const changed = applyChoices(graph, plan, new Map([[name, choice]]))
      const count = countNetwork(graph, planBits(graph, changed)).layers.find((layer) => layer.name === name)
      const { bits } = choice
      return {
        bits,
        cost: {
          bytes: (count?.weightBytes ?? 0) + (count?.biasBytes ?? 0),
          bops: count?.bops ?? 0,
          ...(milliseconds && { milliseconds: numberOf(milliseconds, name, bits) }),
        },
        sensitivity: sensitivities === undefined ? 0 : numberOf(sensitivities, name, bits),
      }
    })
    return { name, options }
  })
  const rest: AllocationLayer[] =
    milliseconds === undefined
      ? []
      : [
          {
            name: 'everything else',
            options: [{ bits: 0, cost: { bytes: 0, bops: 0, milliseconds: otherMilliseconds }, sensitivity: 0 }],
          },
        ]
  return { layers: [...layers, ...rest], groups: sharedInputs(graph, plan, choices, pins) }
}
