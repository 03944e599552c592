/**
 * Turns the per-channel maps that no convolution could take (a normalisation before an activation, after an addition, or of
 * a value with several readers) into depthwise 1×1 convolutions, which every executor and the lowering already know. Where
 * there are not height and width, only normalisation says which axis holds channels. What goes into a matrix product or
 * comes from one, such as the scores of attention, has no channels.
 */
import { channelAffine } from '../channel-affine.ts'
import type { AttributeValue, Graph, Value } from '../graph.ts'
import { addConstant, indexProducers, rebuild } from '../rewrite.ts'
import { makeConstant } from '../tensor.ts'

export function affineToConvolution(graph: Graph): Graph {
  const constants = new Map(graph.constants)
  let changed = false
  const producers = indexProducers(graph)
  const multiplied = new Set(graph.nodes.flatMap((node) => (node.operator === 'MatMul' ? node.inputs : [])))
  const nodes = graph.nodes.map((node) => {
    const affine = channelAffine(graph, node)
    if (affine === undefined || multiplied.has(node.outputs[0])) return node
    if (graph.nodes[producers.get(affine.input) ?? -1]?.operator === 'MatMul') return node
    const { shape } = graph.values.get(affine.input) as Value
    if (shape.length < 3 || (shape.length === 3 && node.operator !== 'BatchNormalization')) return node
    changed = true
    const [output] = node.outputs
    const type = affine.exact ? 'float64' : 'float32'
    const channels = affine.scale.length
    const weights = makeConstant(type, [channels, 1, ...shape.slice(2).map(() => 1)], affine.scale)
    const inputs = [affine.input, addConstant(graph, constants, `${output}:weight`, weights)]
    if (affine.shift.some((value) => value !== 0))
      inputs.push(addConstant(graph, constants, `${output}:bias`, makeConstant(type, [channels], affine.shift)))
    return {
      ...node,
      operator: 'Conv',
      inputs,
      attributes: new Map<string, AttributeValue>([['group', channels]]),
    }
  })
  return changed ? rebuild(graph, { nodes, constants }) : graph
}
