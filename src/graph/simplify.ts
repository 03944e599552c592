/**
 * The float graph in its simplest form: constants folded, nothing that does nothing, normalisation and zero padding inside
 * convolutions, nothing dead. The meaning stays, up to the rounding of folded weights. Legality is checked after each pass.
 */
import type { Graph } from './graph.ts'
import { affineToConvolution } from './passes/affine-to-convolution.ts'
import { foldChannelAffine } from './passes/fold-channel-affine.ts'
import { foldConstants } from './passes/fold-constants.ts'
import { mergePads } from './passes/merge-pads.ts'
import { removeDead } from './passes/remove-dead.ts'
import { removeIdentities } from './passes/remove-identities.ts'
import { verifyGraph } from './verify.ts'

/** A pass: returns the graph it was given when it changes nothing. */
export type Pass = (graph: Graph) => Graph

/** Applies passes in turn, checking legality after each that changed something. Throws `refused` naming the pass. */
export function applyPasses(graph: Graph, passes: readonly Pass[]): Graph {
  for (const pass of passes) {
    const next = pass(graph)
    if (next !== graph) verifyGraph(next, pass.name)
    graph = next
  }
  return graph
}

/** Applies passes in turn until none of them changes the graph. */
function toFixedPoint(graph: Graph, passes: readonly Pass[]): Graph {
  for (;;) {
    const next = applyPasses(graph, passes)
    if (next === graph) return graph
    graph = next
  }
}

/** The simplified graph; inputs and outputs keep their names, types and shapes. */
export function simplify(graph: Graph): Graph {
  verifyGraph(graph, 'import')
  const cleaning: readonly Pass[] = [removeIdentities, foldConstants, mergePads, foldChannelAffine, removeDead]
  // Standalone affine maps become convolutions only when nothing before them can take them.
  return toFixedPoint(graph, [(start) => toFixedPoint(start, cleaning), affineToConvolution])
}
