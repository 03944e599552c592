/**
 * The nodes of a file in the graph's form: named, checked for order, with their attributes read and in the newest form
 * of their operators. Constant nodes become constants here.
 */
import { DyadicError, quoted } from '../error.ts'
import type { AttributeValue, Node } from '../graph/graph.ts'
import type { Constant } from '../graph/tensor.ts'
import { checkOrder } from './check-order.ts'
import type { ExternalReader } from './external-data.ts'
import type { Limits } from './limits.ts'
import { limitedName } from './name.ts'
import { readAttribute } from './read-attribute.ts'
import { readConstantNode } from './read-constant-node.ts'
import { replaceNode } from './replace-node.ts'
import { createRewriter } from './rewrite-quantised.ts'
import type { Message } from './schema.ts'
import { mayBeClamped, mayBeInfinite, upgradeNode } from './upgrade.ts'

/** The two graphs of an If node. */
export interface Branches {
  readonly then: Message<'GraphProto'>
  readonly else: Message<'GraphProto'>
  /** What the names of the graphs around the branches have become. */
  readonly current: (name: string) => string
}

/** Names of a whole file, branches included: each means one thing. */
export class Names {
  readonly #values = new Set<string>()
  readonly #giveValue = nameGiver(this.#values, '.')
  readonly #giveNode = nameGiver(new Set(), '#')
  /** Branches by the name of their If node. */
  readonly branches = new Map<string, Branches>()

  /** Marks names of values as taken. */
  takeValues(names: Iterable<string>): void {
    for (const name of names) this.#values.add(name)
  }

  /** Takes `name`, or `name.2`, `name.3` … where a value has that already. */
  freeValue(name: string): string {
    return this.#giveValue(name)
  }

  /** Takes `name`, or `name#2`, `name#3` … where a node has that already. */
  freeNode(name: string): string {
    return this.#giveNode(name)
  }
}

/** What stands around the nodes of a graph. */
export interface NodeContext {
  /** Names of the whole file. */
  readonly names?: Names
  /** What names of the graphs around a branch have become. */
  readonly current?: (name: string) => string
  /** Gives the bytes of tensors outside the file. */
  readonly read?: ExternalReader
  /** Whether quantised operators of other styles become QDQ. */
  readonly quantised?: 'rewrite' | 'keep'
}

/**
 * All nodes but the Constant ones, whose values are added to `constants`, as are those of attributes that became inputs.
 * Quantised operators come in the form of QDQ (`rewrite-quantised.ts`) unless `quantised` says to keep them. `given` are the
 * values that the nodes may read beside their own; `current` is for the branches of If nodes. Throws `refused` on
 * contradictions of names, order and attributes, `unsupported` on forms that are not done.
 */
export function readNodes(
  graph: Message<'GraphProto'>,
  opset: number,
  given: { has(name: string): boolean },
  constants: Map<string, Constant>,
  limits: Limits,
  { names = new Names(), current = (name) => name, read, quantised = 'rewrite' }: NodeContext = {},
): Node[] {
  const raw = nameNodes(graph.node, limits, names)
  checkOrder(raw, given)
  for (const { outputs } of raw) names.takeValues(outputs)
  const freeName = (name: string): string => names.freeValue(name)
  const addConstant = (name: string, constant: Constant): string => {
    const unused = freeName(name)
    constants.set(unused, constant)
    return unused
  }
  const around = { constants, addConstant, freeName }
  const rewrite = createRewriter(around, quantised)
  const nodes: Node[] = []
  for (let index = 0; index < raw.length; index++) {
    const node = raw[index]
    const proto = graph.node[index]
    if (node.operator === 'If') {
      names.branches.set(node.name, { ...branchesOf(proto, node.name), current })
      nodes.push(node)
      continue
    }
    const attributes = proto.attribute.length === 0 ? undefined : new Map<string, AttributeValue>()
    for (const attribute of proto.attribute) {
      const name = limitedName(attribute.name ?? '', limits)
      if (attributes?.has(name))
        throw new DyadicError('refused', `attribute ${quoted(name)} of node ${quoted(node.name)} is given twice`)
      attributes?.set(
        name,
        readAttribute(attribute, node.name, limits, {
          clampIntegers: mayBeClamped(node.operator, name),
          infinite: mayBeInfinite(node.operator, name),
          read,
        }),
      )
    }
    const whole = attributes === undefined ? node : { ...node, attributes }
    if (node.operator === 'Constant') constants.set(node.outputs[0], readConstantNode(whole))
    else {
      const rewritten = rewrite(whole, proto.domain ?? '')
      if (rewritten !== undefined) for (const part of rewritten) nodes.push(part)
      else for (const part of replaceNode(whole, opset, around)) nodes.push(upgradeNode(part, opset, addConstant))
    }
  }
  return nodes
}

/** The branches of an If node. Throws `refused` where it has not exactly these two. */
function branchesOf(proto: Message<'NodeProto'>, node: string): { then: Branches['then']; else: Branches['else'] } {
  const graphs = new Map(proto.attribute.map(({ name, g }) => [name, g]))
  const [then, other] = [graphs.get('then_branch'), graphs.get('else_branch')]
  if (then === undefined || other === undefined || proto.attribute.length !== 2 || proto.input.length !== 1)
    throw new DyadicError(
      'refused',
      `node ${quoted(node)} (If) needs one input and the attributes then_branch and else_branch, and no others`,
    )
  return { then, else: other }
}

/** Shared by the nodes that have none: a graph may have a million of them. */
const NO_ATTRIBUTES: Node['attributes'] = new Map()

/** Nodes before their attributes are read, each with a name of its own; trailing omitted inputs and outputs are dropped. */
function nameNodes(nodes: readonly Message<'NodeProto'>[], limits: Limits, names: Names): Node[] {
  return nodes.map((node, index) => {
    const outputs = withoutTrailing(node.output)
    const wish = node.name || outputs.find((output) => output !== '') || `node ${index}`
    const name = names.freeNode(limitedName(wish, limits))
    if (outputs.length === 0)
      throw new DyadicError('refused', `node ${quoted(name)} (${quoted(node.opType ?? '')}) has no output`)
    for (const value of node.input) limitedName(value, limits)
    for (const value of outputs) limitedName(value, limits)
    return {
      name,
      operator: node.opType ?? '',
      inputs: withoutTrailing(node.input),
      outputs,
      attributes: NO_ATTRIBUTES,
    }
  })
}

/**
 * Gives each wish itself or, where it is taken, itself with the least free number from 2 on behind `mark`. What it gives is
 * taken. Linear: where a wish comes again, its numbers are not tried again.
 */
function nameGiver(taken: Set<string>, mark: string): (wish: string) => string {
  const next = new Map<string, number>()
  return (wish) => {
    let free = wish
    if (taken.has(wish)) {
      let number = next.get(wish) ?? 2
      while (taken.has(`${wish}${mark}${number}`)) number++
      free = `${wish}${mark}${number}`
      next.set(wish, number + 1)
    }
    taken.add(free)
    return free
  }
}

function withoutTrailing(names: readonly string[]): readonly string[] {
  let length = names.length
  while (length > 0 && names[length - 1] === '') length--
  // Lists that lose nothing stay the decoder's own: one copy less for each of a million nodes.
  return length === names.length ? names : names.slice(0, length)
}
