/**
 * `If` with a condition that is known when the graph is made: the chosen branch's nodes stand in its place. Shapes decide
 * many conditions, so branches are chosen while shapes are inferred. A branch sees the values of the graphs around it; its
 * own values get new names where the whole file has them already. Every branch is read once at most.
 */
import { DyadicError, quoted } from '../error.ts'
import type { Node } from '../graph/graph.ts'
import type { Expansion } from '../graph/infer.ts'
import { type Constant, readConstant } from '../graph/tensor.ts'
import type { Limits } from './limits.ts'
import { checkedName } from './name.ts'
import { type Branches, type Names, type NodeContext, readNodes } from './read-nodes.ts'
import { readTensor } from './read-tensor.ts'
import type { Message } from './schema.ts'

/**
 * Replaces If nodes. `names` are all names of the file so far. Throws `unsupported` where a condition is computed at run
 * time, `refused` where node and branch contradict each other.
 */
export function branchInliner(
  opset: number,
  names: Names,
  limits: Limits,
  { read, quantised }: Pick<NodeContext, 'read' | 'quantised'> = {},
): Expansion {
  return (node, values, constants) => {
    const branches = names.branches.get(node.name)
    if (branches === undefined) return undefined
    const chosen = choose(node, branches, constants)
    const renamed = new Map<string, string>()
    const own = [...chosen.initializer.map(({ name }) => name), ...chosen.node.flatMap(({ output }) => output)]
    for (const name of own) if (name !== undefined && name !== '') renamed.set(name, names.freeValue(name))
    const current = (name: string): string => renamed.get(name) ?? branches.current(name)
    const added = new Map<string, Constant>()
    for (const tensor of chosen.initializer) {
      const name = checkedName(tensor.name, `an initializer in a branch of node ${quoted(node.name)}`, limits)
      added.set(current(name), readTensor(tensor, `initializer ${quoted(name)}`, limits, read))
    }
    const nodes = chosen.node.map((inner) => ({
      ...inner,
      input: inner.input.map(current),
      output: inner.output.map(current),
    }))
    const known = { has: (name: string) => values.has(name) || added.has(name) }
    const inlined = readNodes({ ...chosen, node: nodes }, opset, known, added, limits, {
      names,
      current,
      read,
      quantised,
    })
    return { nodes: [...inlined, ...outputsOf(node, chosen, current, names)], constants: added }
  }
}

function choose(node: Node, branches: Branches, constants: ReadonlyMap<string, Constant>): Message<'GraphProto'> {
  const condition = constants.get(node.inputs[0] ?? '')
  if (condition === undefined)
    throw new DyadicError(
      'unsupported',
      `node ${quoted(node.name)} (If): its condition ${quoted(node.inputs[0] ?? '')} is computed at run time, and programs ` +
        'have no branches; bind the input that it depends on (--bind name=value), or export the model without control flow',
    )
  const refuse = (problem: string): never => {
    throw new DyadicError('refused', `node ${quoted(node.name)} (If) ${problem}`)
  }
  const values = readConstant(condition)
  if (condition.type !== 'bool' || values.length !== 1)
    refuse(`has a condition of type ${condition.type} and shape [${condition.shape}]; one bool is needed`)
  const chosen = values[0] ? branches.then : branches.else
  if (chosen.input.length > 0) refuse('has a branch with inputs of its own')
  if (chosen.sparseInitializer.length > 0) refuse('has a branch with sparse initializers; store them dense')
  if (chosen.output.length !== node.outputs.length)
    refuse(`has ${node.outputs.length} outputs, but its branch gives ${chosen.output.length}`)
  return chosen
}

/** One Identity for each output of the node that has a name. */
function outputsOf(node: Node, chosen: Message<'GraphProto'>, current: (name: string) => string, names: Names): Node[] {
  return node.outputs.flatMap((output, index): Node[] => {
    if (output === '') return []
    const name = names.freeNode(`${node.name}:${index}`)
    const inner = current(chosen.output[index]?.name ?? '')
    return [{ name, operator: 'Identity', inputs: [inner], outputs: [output], attributes: new Map() }]
  })
}
