/**
 * Folds BatchNormalization and constant per-channel Add and Mul into the Conv, Gemm or MatMul before them, when that node's
 * result has no other reader. Computed in double; results are float32 unless a number they are made from is float64.
 * New weights are new constants, since others may read the old ones; unscaled weights keep their constant.
 */
import { type ChannelAffine, channelAffine } from '../channel-affine.ts'
import type { Graph, Node, Value } from '../graph.ts'
import { addConstant, countUses, indexProducers, type MutableConstants, rebuild } from '../rewrite.ts'
import { type Constant, elementCount, makeConstant, readNumbers } from '../tensor.ts'

export function foldChannelAffine(graph: Graph): Graph {
  const uses = countUses(graph)
  const producers = new Map(indexProducers(graph))
  const constants = new Map(graph.constants)
  const nodes: (Node | undefined)[] = [...graph.nodes]
  let changed = false
  graph.nodes.forEach((node, index) => {
    const affine = channelAffine(graph, node)
    if (affine === undefined || uses.get(affine.input) !== 1) return
    const before = producers.get(affine.input) ?? -1
    const host = nodes[before]
    const merged = host && merge(graph, constants, host, affine, node.outputs[0])
    if (merged === undefined) return
    nodes[before] = merged
    nodes[index] = undefined
    producers.set(node.outputs[0], before)
    changed = true
  })
  return changed ? rebuild(graph, { nodes: nodes.filter((node) => node !== undefined), constants }) : graph
}

/** The host with the affine map folded in and the map's output as its own, or `undefined` where that is not possible. */
function merge(
  graph: Graph,
  constants: MutableConstants,
  host: Node,
  affine: ChannelAffine,
  output: string,
): Node | undefined {
  const weights = constants.get(host.inputs[1] ?? '')
  if (weights === undefined) return undefined
  const gemm = host.operator === 'Gemm'
  const rank = (graph.values.get(host.inputs[0]) as Value).shape.length
  if (host.operator === 'MatMul' ? rank !== 2 || weights.shape.length !== 2 : !gemm && host.operator !== 'Conv')
    return undefined
  const channels = affine.scale.length
  const bias = host.inputs[2] ? constants.get(host.inputs[2]) : undefined
  if (host.inputs[2] && bias === undefined) return undefined
  // Gemm's C may also be a whole matrix, which is no bias.
  if (bias && ![1, channels].includes(elementCount(bias.shape))) return undefined
  if (bias && (bias.shape.at(-1) ?? 1) !== elementCount(bias.shape)) return undefined

  const type = (...from: (Constant | undefined)[]) =>
    affine.exact || from.some((constant) => constant?.type === 'float64') ? 'float64' : 'float32'
  let weightName = host.inputs[1]
  if (affine.scale.some((value) => value !== 1)) {
    const numbers = readNumbers(weights)
    const outputFirst = !gemm && host.operator === 'Conv' ? true : gemm && host.attributes.get('transB') !== 0
    const inner = numbers.length / channels
    const channelOf = (i: number) => (outputFirst ? Math.floor(i / inner) : i % channels)
    const scaled = numbers.map((value, i) => value * affine.scale[channelOf(i)])
    weightName = addConstant(graph, constants, `${output}:weight`, makeConstant(type(weights), weights.shape, scaled))
  }
  const old = bias ? readNumbers(bias) : [0]
  const beta = gemm ? (host.attributes.get('beta') as number) : 1
  const shifted = affine.shift.map((shift, c) => old[old.length === 1 ? 0 : c] * beta * affine.scale[c] + shift)
  const inputs = [host.inputs[0], weightName]
  if (bias !== undefined || shifted.some((value) => value !== 0))
    inputs.push(addConstant(graph, constants, `${output}:bias`, makeConstant(type(bias), [channels], shifted)))
  if (host.operator === 'Conv') return { ...host, inputs, outputs: [output] }
  const attributes = new Map(host.attributes).set('beta', 1)
  return { ...host, operator: 'Gemm', inputs, outputs: [output], attributes }
}
