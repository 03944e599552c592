/**
 * The nodes of a file in the graph's form: named, checked for order, with their attributes read and in the newest form
 * of their operators. Constant nodes become constants here.
 */
import { DyadicError, quoted } from '../error.ts'
import type { AttributeValue, Node, Value } from '../graph/graph.ts'
import type { Constant } from '../graph/tensor.ts'
import { checkOrder } from './check-order.ts'
import type { Limits } from './limits.ts'
import { limitedName } from './name.ts'
import { readAttribute } from './read-attribute.ts'
import { readConstantNode } from './read-constant-node.ts'
import { replaceNode } from './replace-node.ts'
import type { Message } from './schema.ts'
import { mayBeClamped, mayBeInfinite, upgradeNode } from './upgrade.ts'

/**
 * All nodes but the Constant ones, whose values are added to `constants`, as are those of attributes that became inputs.
 * Throws `refused` on contradictions of names, order and attributes, `unsupported` on forms that are not done.
 */
export function readNodes(
  graph: Message<'GraphProto'>,
  opset: number,
  inputs: readonly Value[],
  constants: Map<string, Constant>,
  limits: Limits,
): Node[] {
  const raw = nameNodes(graph.node, limits)
  const taken = new Set(constants.keys())
  for (const { name } of inputs) taken.add(name)
  checkOrder(raw, taken)
  for (const { outputs } of raw) for (const output of outputs) taken.add(output)
  const freeName = (name: string): string => {
    let free = name
    for (let i = 2; taken.has(free); i++) free = `${name}.${i}`
    taken.add(free)
    return free
  }
  const addConstant = (name: string, constant: Constant): string => {
    const free = freeName(name)
    constants.set(free, constant)
    return free
  }
  const nodes: Node[] = []
  for (const [index, node] of raw.entries()) {
    const proto = graph.node[index]
    const attributes = new Map<string, AttributeValue>()
    for (const attribute of proto.attribute) {
      const name = limitedName(attribute.name ?? '', limits)
      if (attributes.has(name))
        throw new DyadicError('refused', `attribute ${quoted(name)} of node ${quoted(node.name)} is given twice`)
      attributes.set(
        name,
        readAttribute(attribute, node.name, limits, {
          clampIntegers: mayBeClamped(node.operator, name),
          infinite: mayBeInfinite(node.operator, name),
        }),
      )
    }
    if (node.operator === 'Constant') constants.set(node.outputs[0], readConstantNode({ ...node, attributes }))
    else
      for (const part of replaceNode({ ...node, attributes }, opset, { constants, addConstant, freeName }))
        nodes.push(upgradeNode(part, opset, addConstant))
  }
  return nodes
}

/** Nodes without their attributes, each with a name of its own; trailing omitted inputs and outputs are dropped. */
function nameNodes(nodes: readonly Message<'NodeProto'>[], limits: Limits): Omit<Node, 'attributes'>[] {
  const names = new Set<string>()
  return nodes.map((node, index) => {
    const outputs = withoutTrailing(node.output)
    const wish = node.name || outputs.find((output) => output !== '') || `node ${index}`
    let name = limitedName(wish, limits)
    for (let i = 2; names.has(name); i++) name = `${wish}#${i}`
    names.add(name)
    if (outputs.length === 0)
      throw new DyadicError('refused', `node ${quoted(name)} (${quoted(node.opType ?? '')}) has no output`)
    for (const value of node.input) limitedName(value, limits)
    for (const value of outputs) limitedName(value, limits)
    return { name, operator: node.opType ?? '', inputs: withoutTrailing(node.input), outputs }
  })
}

function withoutTrailing(names: readonly string[]): string[] {
  let length = names.length
  while (length > 0 && names[length - 1] === '') length--
  return names.slice(0, length)
}
