/**
 * Moves transpositions below the operators that commute with them and merges those that meet, so that networks written
 * for another layout lose theirs between convolutions. The operator's result keeps its name, in the layout from before,
 * and readers that still need the other one read `name:transposed`; a graph output keeps its layout and name, and is where
 * a transposition comes to rest.
 */
import type { AttributeValue, Graph, Node } from '../graph.ts'
import { addConstant, freeName, rebuild } from '../rewrite.ts'
import { type AddConstant, orderOf, type Transposed, untransposed } from './transposed-node.ts'

export function sinkTransposes(graph: Graph): Graph {
  const constants = new Map(graph.constants)
  const values = new Set(graph.values.keys())
  const names = new Set(graph.nodes.map((node) => node.name))
  const outputs = new Set(graph.outputs)
  const transposed = new Map<string, Transposed>()
  /** Values that are now in the layout from before, by the name of their transposition. */
  const moved = new Map<string, string>()
  let changed = false
  const add: AddConstant = (base, constant) => addConstant(graph, constants, base, constant)
  const nodes = graph.nodes.flatMap((given): Node[] => {
    const node = { ...given, inputs: given.inputs.map((name) => moved.get(name) ?? name) }
    const [output] = node.outputs
    if (node.operator === 'Transpose') {
      const inner = transposed.get(node.inputs[0])
      const own = orderOf(graph, given)
      const order = inner ? own.map((axis) => inner.order[axis]) : own
      const whole: Transposed = { from: inner?.from ?? node.inputs[0], order }
      if (!inOrder(order) && !outputs.has(output)) transposed.set(output, whole)
      if (inner === undefined) return [node]
      changed = true
      return [transposition(node.name, output, whole)]
    }
    const before = untransposed(graph, node, transposed, add)
    if (before === undefined) return [node]
    changed = true
    const { inputs, attributes, order } = before
    if (inOrder(order)) return [{ ...node, inputs, attributes }]
    const name = freeName(`${node.name}:transpose`, names)
    if (outputs.has(output)) {
      const from = freeName(`${output}:untransposed`, values)
      return [{ ...node, inputs, attributes, outputs: [from] }, transposition(name, output, { from, order })]
    }
    const after = freeName(`${output}:transposed`, values)
    moved.set(output, after)
    transposed.set(after, { from: output, order })
    return [{ ...node, inputs, attributes }, transposition(name, after, { from: output, order })]
  })
  return changed ? rebuild(graph, { nodes, constants }) : graph
}

function transposition(name: string, output: string, { from, order }: Transposed): Node {
  const attributes = new Map<string, AttributeValue>([['perm', order]])
  return { name, operator: 'Transpose', inputs: [from], outputs: [output], attributes }
}

function inOrder(order: readonly number[]): boolean {
  return order.every((axis, index) => axis === index)
}
