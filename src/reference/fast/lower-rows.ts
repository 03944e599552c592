/** Lowerings of what is computed along the last axis: Softmax, LayerNormalization and RMSNormalization. */
import { normalizeAxis } from '../../graph/operators/layout.ts'
import { attributeOr } from './attributes.ts'
import { softmaxOverChannels } from './lower-elementwise.ts'
import type { Lowering } from './planner.ts'

/** `Softmax` along the last axis, or over the channels of a map. */
export const softmax: Lowering = (node, planner) => {
  const rank = planner.shape(node.inputs[0]).length
  const axis = normalizeAxis(attributeOr(node, 'axis', -1), rank, node.name)
  if (axis !== rank - 1) return softmaxOverChannels(node, planner)
  const input = planner.matrix(node.inputs[0])
  if (!input) return false
  const output = planner.defineOver(node.outputs[0], input)
  const { n, c, lanes } = input.layout
  planner.emit(({ kernels }) => kernels.softmaxRows(input.buffer.address, output.buffer.address, n, c, lanes * 4))
  return true
}

/** `LayerNormalization` and `RMSNormalization` over the last axis, with constant parameters. */
function normalisation(centred: boolean): Lowering {
  return (node, planner) => {
    const shape = planner.shape(node.inputs[0])
    const axis = normalizeAxis(attributeOr(node, 'axis', -1), shape.length, node.name)
    const input = axis === shape.length - 1 ? planner.matrix(node.inputs[0]) : undefined
    const [scale, shift] = [1, 2].map((index) => planner.floats(node.inputs[index]))
    const count = shape.at(-1) as number
    const extra = node.outputs.slice(1).some((name) => name !== '')
    if (!input || extra || scale?.length !== count || (node.inputs[2] && shift?.length !== count)) return false
    const output = planner.defineOver(node.outputs[0], input)
    const [scales, shifts] = [scale, shift].map((values) => values && planner.constant(inLanes(values)))
    const { n, c, lanes } = input.layout
    const epsilon = attributeOr(node, 'epsilon', 1e-5)
    planner.emit(({ kernels }) =>
      kernels.normaliseRows(
        ...[input.buffer.address, output.buffer.address, n, c, lanes * 4],
        ...[scales?.address ?? 0, shifts?.address ?? 0, epsilon, centred ? 1 : 0],
      ),
    )
    return true
  }
}

function inLanes(values: Float32Array): Float32Array {
  const padded = new Float32Array((values.length + 3) & ~3)
  padded.set(values)
  return padded
}

export const layerNormalization = normalisation(true)

export const rmsNormalization = normalisation(false)
