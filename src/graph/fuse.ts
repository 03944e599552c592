/**
 * From a simplified graph to one of fused forms: every convolution and dense layer with its bias, residual and activation
 * bounds in one node. A fused node's output keeps the name of the last value it replaces, and so does every graph output.
 */
import type { Graph } from './graph.ts'
import { foldChannelAffine } from './passes/fold-channel-affine.ts'
import { fuseAdd } from './passes/fuse-add.ts'
import { fuseBounds } from './passes/fuse-bounds.ts'
import { fuseLinear } from './passes/fuse-linear.ts'
import { fuseResidual } from './passes/fuse-residual.ts'
import { removeDead } from './passes/remove-dead.ts'
import { applyPasses } from './simplify.ts'

export interface FuseOptions {
  /** Whether additions move into convolutions (default true). */
  readonly residual?: boolean
}

/** The fused graph. The float meaning stays, up to roundings between fused nodes. */
export function fuse(graph: Graph, options: FuseOptions = {}): Graph {
  const residual = options.residual ?? true
  return applyPasses(graph, [
    foldChannelAffine,
    fuseLinear,
    ...(residual ? [fuseResidual] : []),
    fuseAdd,
    fuseBounds,
    removeDead,
  ])
}
