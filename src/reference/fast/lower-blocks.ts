/** Lowerings of the operators that deal out or gather blocks: DepthToSpace and SpaceToDepth, as strided copies. */
import { attributeOr } from './attributes.ts'
import { copy } from './kernels.ts'
import { extents, type Four, laneStrides } from './layout.ts'
import type { Lowering } from './planner.ts'

/** Both directions copy, for each pixel of a block, a quarter (or ninth …) of the channels of the deep side. */
function blocks(deepFirst: boolean): Lowering {
  return (node, planner) => {
    const input = planner.stored(node.inputs[0])
    const layout = planner.layout(node.outputs[0])
    if (!input || !layout) return false
    const side = attributeOr(node, 'blocksize', 1)
    const channelsFirst = node.attributes.get('mode') === 'CRD'
    const [deep, wide] = deepFirst ? [input.layout, layout] : [layout, input.layout]
    const output = planner.define(node.outputs[0], layout)
    const size = extents({ ...deep, c: wide.c })
    const [dn, dc, dh, dw] = laneStrides(deep)
    const [wn, wc, wh, ww] = laneStrides(wide)
    const deepStrides: Four = [dn, channelsFirst ? dc * side * side : dc, dh, dw]
    const wideStrides: Four = [wn, wc, wh * side, ww * side]
    planner.emit(({ kernels }) => {
      for (let block = 0; block < side * side; block++) {
        const deepStart = block * (channelsFirst ? 1 : wide.c) * dc
        const wideStart = Math.floor(block / side) * wh + (block % side) * ww
        const [from, to] = [input.buffer.address, output.buffer.address]
        if (deepFirst) copy(kernels, size, from + deepStart, deepStrides, to + wideStart, wideStrides)
        else copy(kernels, size, from + wideStart, wideStrides, to + deepStart, deepStrides)
      }
    })
    return true
  }
}

export const depthToSpace = blocks(true)

export const spaceToDepth = blocks(false)
