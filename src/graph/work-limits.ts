/**
 * How much work the passes over a graph may do for a file that nobody has vouched for. Beside the reader's own limits
 * (src/onnx/limits.ts); docs/limits.md lists both.
 */
import { DyadicError, quoted } from '../error.ts'
import type { Graph } from './graph.ts'

export interface WorkLimits {
  /** Most nodes of a graph that is simplified: every pass visits them all. */
  readonly preparedNodes: number
  /** Most elements that folded constants may have beyond those they are made from: 64 MiB of float32. */
  readonly foldedElements: number
  /**
   * Most elements made and products summed while constants are folded, beyond eight times the constants of the
   * file. What is left unfolded stays in the graph.
   */
  readonly foldedOperations: number
}

export const defaultWorkLimits: WorkLimits = {
  preparedNodes: 100_000,
  foldedElements: 2 ** 24,
  foldedOperations: 30_000_000,
}

/** Throws `limit` for a graph of more nodes than may be simplified. */
export function checkNodeCount({ nodes, name }: Graph, { preparedNodes }: WorkLimits): void {
  if (nodes.length > preparedNodes)
    throw new DyadicError(
      'limit',
      `the graph ${quoted(name)} has ${nodes.length} nodes; at most ${preparedNodes} are prepared for ` +
        'inference (limit "preparedNodes")',
    )
}
