/**
 * The float graph in its simplest form: constants folded, nothing that does nothing, normalisation and zero padding inside
 * convolutions, activations by name, few transpositions, nothing twice and nothing dead. The meaning stays, up to the rounding of folded weights. Legality is checked after each pass.
 */
import type { Graph } from './graph.ts'
import { affineToConvolution } from './passes/affine-to-convolution.ts'
import { foldChannelAffine } from './passes/fold-channel-affine.ts'
import { foldingBudget, foldConstants as foldWithin } from './passes/fold-constants.ts'
import { mergeArithmetic } from './passes/merge-arithmetic.ts'
import { mergePads } from './passes/merge-pads.ts'
import { mergeReshapes, reshapeUnitTransposes } from './passes/merge-reshapes.ts'
import { mergeSlices } from './passes/merge-slices.ts'
import { nameFirstOutputs } from './passes/name-first-outputs.ts'
import { padsToGathers } from './passes/pads-to-gathers.ts'
import { recogniseActivations } from './passes/recognise-activations.ts'
import { recogniseDepthToSpace } from './passes/recognise-depth-to-space.ts'
import { recogniseGelu } from './passes/recognise-gelu.ts'
import { recogniseNormalization } from './passes/recognise-normalization.ts'
import { removeDead } from './passes/remove-dead.ts'
import { removeIdentities } from './passes/remove-identities.ts'
import { shareNodes } from './passes/share-nodes.ts'
import { simplifyPowers } from './passes/simplify-powers.ts'
import { sinkTransposes } from './passes/sink-transposes.ts'
import { tilesToExpands } from './passes/tiles-to-expands.ts'
import { verifyGraph } from './verify.ts'
import { checkNodeCount, defaultWorkLimits, type WorkLimits } from './work-limits.ts'

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

/**
 * The simplified graph; inputs and outputs keep their names, types and shapes. Throws `limit` for a graph of more nodes than
 * `limits` allow.
 */
export function simplify(graph: Graph, limits: WorkLimits = defaultWorkLimits): Graph {
  checkNodeCount(graph, limits)
  verifyGraph(graph, 'import')
  const budget = foldingBudget(graph, limits)
  const foldConstants: Pass = (from) => foldWithin(from, budget)
  const cleaning: readonly Pass[] = [
    removeIdentities,
    foldConstants,
    padsToGathers,
    simplifyPowers,
    tilesToExpands,
    mergeArithmetic,
    // Before transpositions move: a normalisation is known by its last axes.
    recogniseNormalization,
    recogniseGelu,
    sinkTransposes,
    mergeReshapes,
    mergeSlices,
    recogniseActivations,
    recogniseDepthToSpace,
    mergePads,
    foldChannelAffine,
    shareNodes,
    removeDead,
  ]
  const clean = (start: Graph): Graph => toFixedPoint(start, cleaning)
  // Standalone affine maps become convolutions, and transpositions of no extent Reshapes, only when nothing else can
  // take them.
  return toFixedPoint(applyPasses(graph, [nameFirstOutputs]), [clean, affineToConvolution, reshapeUnitTransposes])
}
