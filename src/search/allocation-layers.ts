/** From a network to the layers of an integer program: bytes and bit operations are counted, Ω is that of the weights. */
import { uniformBits } from '../cost/bit-widths.ts'
import { countNetwork } from '../cost/count.ts'
import type { Graph } from '../graph/graph.ts'
import type { AllocationLayer } from './bit-allocation.ts'
import { refuseUnknown, weightedNodes, weightSensitivities } from './sensitivity.ts'

export interface AllocationOptions {
  /** Bit widths a layer may have, 2 to 16 (default 4 and 8). */
  readonly bits?: readonly number[]
  /** Bits of the values a layer reads: one number (default 8), or as many as its weights have. */
  readonly inputBits?: number | 'same'
  /** Layers that are not free, by output value: first and last at 8 bits, say. */
  readonly fixed?: ReadonlyMap<string, number>
  /** Mean Hessian traces by output value; without, 1. */
  readonly traces?: ReadonlyMap<string, number>
  /** Measured milliseconds by output value and bits. */
  readonly milliseconds?: ReadonlyMap<string, ReadonlyMap<number, number>>
}

/**
 * Layers of a fused graph with their options. Bytes are those of packed weights and 32-bit biases. Throws `refused` for names
 * that are no layer, and as `weightSensitivities`.
 */
export function allocationLayers(graph: Graph, options: AllocationOptions = {}): AllocationLayer[] {
  const { bits = [4, 8], inputBits = 8, fixed = new Map(), milliseconds = new Map() } = options
  const nodes = weightedNodes(graph)
  refuseUnknown(nodes, fixed.keys(), 'a fixed width')
  refuseUnknown(nodes, milliseconds.keys(), 'a time')
  const widths = [...new Set([...bits, ...fixed.values()])]
  const counts = new Map(
    widths.map((width) => {
      const { layers } = countNetwork(graph, uniformBits(width, inputBits === 'same' ? width : inputBits))
      return [width, new Map(layers.map((layer) => [layer.name, layer]))]
    }),
  )
  return weightSensitivities(graph, widths, options.traces).map(({ name, sensitivity }) => ({
    name,
    options: (fixed.has(name) ? [fixed.get(name) as number] : [...new Set(bits)]).map((width) => {
      const count = counts.get(width)?.get(name)
      const time = milliseconds.get(name)?.get(width)
      return {
        bits: width,
        cost: {
          bytes: (count?.weightBytes ?? 0) + (count?.biasBytes ?? 0),
          bops: count?.bops ?? 0,
          ...(time !== undefined && { milliseconds: time }),
        },
        sensitivity: sensitivity.get(width) as number,
      }
    }),
  }))
}
