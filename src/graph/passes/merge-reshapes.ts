/**
 * Makes one Reshape of several nodes in a row that only rename axes, and of a Transpose that moves nothing but axes of
 * length 1. The nodes before lose a reader; those without readers are dead.
 */
import type { Graph, Node, Value } from '../graph.ts'
import { addConstant, rebuild } from '../rewrite.ts'
import { makeConstant } from '../tensor.ts'
import { orderOf } from './transposed-node.ts'

const RENAMING: ReadonlySet<string> = new Set(['Flatten', 'Reshape', 'Squeeze', 'Unsqueeze'])

/** Rename after rename becomes one Reshape. */
export function mergeReshapes(graph: Graph): Graph {
  /** What each renamed value is made from, through all renames before it. */
  const sources = new Map<string, string>()
  return reshapeWhere(graph, (node) => {
    if (!RENAMING.has(node.operator)) return undefined
    const before = sources.get(node.inputs[0])
    sources.set(node.outputs[0], before ?? node.inputs[0])
    return before
  })
}

/** A Transpose that keeps the order of all axes longer than 1 becomes a Reshape. */
export function reshapeUnitTransposes(graph: Graph): Graph {
  return reshapeWhere(graph, (node) => {
    if (node.operator !== 'Transpose') return undefined
    const { shape } = graph.values.get(node.inputs[0]) as Value
    const moved = orderOf(graph, node).filter((axis) => shape[axis] !== 1)
    return moved.every((axis, index) => index === 0 || axis > moved[index - 1]) ? node.inputs[0] : undefined
  })
}

/** Turns every node for which `source` names a value into a Reshape of that value to the node's own output shape. */
function reshapeWhere(graph: Graph, source: (node: Node) => string | undefined): Graph {
  const constants = new Map(graph.constants)
  let changed = false
  const nodes = graph.nodes.map((node) => {
    const input = source(node)
    if (input === undefined) return node
    const { shape } = graph.values.get(node.outputs[0]) as Value
    if (shape.includes(0)) return node
    changed = true
    const target = makeConstant('int64', [shape.length], shape)
    const name = addConstant(graph, constants, `${node.outputs[0]}:shape`, target)
    return { ...node, operator: 'Reshape', inputs: [input, name], attributes: new Map() }
  })
  return changed ? rebuild(graph, { nodes, constants }) : graph
}
