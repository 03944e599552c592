/**
 * Gives DepthToSpace its own operator where a file writes it as Reshape, Transpose, Reshape. The nodes before the last are
 * dead where nothing else reads them.
 */
import type { AttributeValue, Graph, Node, Value } from '../graph.ts'
import { indexProducers, rebuild } from '../rewrite.ts'

/** The orders of the six axes, by mode: blocks before the channels (DCR) or after them (CRD). */
const MODES: ReadonlyMap<string, string> = new Map([
  ['0,3,4,1,5,2', 'DCR'],
  ['0,1,4,2,5,3', 'CRD'],
])

export function recogniseDepthToSpace(graph: Graph): Graph {
  const producers = indexProducers(graph)
  const shape = (name: string) => (graph.values.get(name) as Value).shape
  const before = (node: Node | undefined, operator: string): Node | undefined => {
    const found = graph.nodes[producers.get(node?.inputs[0] ?? '') ?? -1]
    return found?.operator === operator ? found : undefined
  }
  let changed = false
  const nodes = graph.nodes.map((node) => {
    const transpose = node.operator === 'Reshape' ? before(node, 'Transpose') : undefined
    const split = before(transpose, 'Reshape')
    const mode = MODES.get(String(transpose?.attributes.get('perm')))
    if (split === undefined || mode === undefined) return node
    const [n, c, h, w] = shape(split.inputs[0])
    const axes = shape(split.outputs[0])
    // A side of the block in both orders.
    const side = axes[2]
    const channels = c / (side * side)
    const expected = mode === 'DCR' ? [n, side, side, channels, h, w] : [n, channels, side, side, h, w]
    if (shape(split.inputs[0]).length !== 4 || String(axes) !== String(expected)) return node
    if (String(shape(node.outputs[0])) !== String([n, channels, h * side, w * side])) return node
    changed = true
    const attributes = new Map<string, AttributeValue>([
      ['blocksize', side],
      ['mode', mode],
    ])
    return { ...node, operator: 'DepthToSpace', inputs: [split.inputs[0]], attributes }
  })
  return changed ? rebuild(graph, { nodes }) : graph
}
