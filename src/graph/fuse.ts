/**
 * From a simplified graph to one of fused forms: every convolution and dense layer with its bias, residual and activation
 * bounds in one node, every product of two computed matrices with its factor. A fused node's output keeps the name of the last value it replaces, and so does every graph output.
 */
import type { Graph } from './graph.ts'
import { foldChannelAffine } from './passes/fold-channel-affine.ts'
import { fuseAdd } from './passes/fuse-add.ts'
import { fuseBias } from './passes/fuse-bias.ts'
import { fuseBounds } from './passes/fuse-bounds.ts'
import { fuseLinear } from './passes/fuse-linear.ts'
import { fuseLookup } from './passes/fuse-lookup.ts'
import { fuseMagnitude } from './passes/fuse-magnitude.ts'
import { fuseProduct } from './passes/fuse-product.ts'
import { fuseResidual } from './passes/fuse-residual.ts'
import { removeDead } from './passes/remove-dead.ts'
import { applyPasses } from './simplify.ts'

export interface FuseOptions {
  /** Whether additions move into convolutions, or into the one that computes the named value (default true). */
  readonly residual?: boolean | ((name: string) => boolean)
}

/** The fused graph. The float meaning stays, up to roundings between fused nodes. */
export function fuse(graph: Graph, options: FuseOptions = {}): Graph {
  const { residual = true } = options
  const fuseResiduals = (before: Graph): Graph =>
    fuseResidual(before, typeof residual === 'function' ? residual : () => residual)
  return applyPasses(graph, [
    fuseLookup,
    fuseMagnitude,
    foldChannelAffine,
    fuseLinear,
    fuseBias,
    fuseResiduals,
    fuseAdd,
    fuseBounds,
    fuseProduct,
    removeDead,
  ])
}
