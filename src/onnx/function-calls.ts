/**
 * What calls of functions would become, known before anything is written out: functions that call each other in a circle are
 * refused, and so are models whose calls become more nodes, or deeper subgraphs, than the limits allow. One pass over the
 * bodies and one over the calls between them, callees first, without recursion: a thousand functions that each call the
 * one before ten times cost no more than a thousand functions. Sums are doubles, which only grow: where they are no longer
 * exact they are far beyond any limit.
 */
import { DyadicError } from '../error.ts'
import type { ModelFunction, ModelFunctions } from './function-definitions.ts'
import type { Limits } from './limits.ts'
import type { Message } from './schema.ts'

/** Messages that lie in each other for one subgraph: node, attribute, graph. */
const MESSAGES_PER_SUBGRAPH = 3

/** What a list of nodes becomes. */
interface Extent {
  /** Its nodes, those of subgraphs and those of called functions. */
  nodes: number
  /** Subgraphs within each other. */
  depth: number
}

interface Call {
  readonly callee: ModelFunction
  /** Subgraphs around the call. */
  readonly depth: number
}

/**
 * Checks every function, and the calls of `graph`. Throws `refused` on circles, naming the functions, and `limit` beyond
 * `inlinedNodes`, `nodes` and `depth`.
 */
export function checkCalls(functions: ModelFunctions, graph: Message<'GraphProto'>, limits: Limits): void {
  const bodies = new Map([...functions.all()].map((one) => [one, surveyed(one.nodes, functions)]))
  const extents = new Map<ModelFunction, Extent>()
  for (const one of calleesFirst(bodies)) {
    const { own, calls } = bodies.get(one) as Survey
    // A body hands inputs straight to outputs by a node for each.
    extents.set(one, completed({ nodes: own.nodes + one.outputs.length, depth: own.depth }, calls, extents))
  }
  const { own, calls } = surveyed(graph.node, functions)
  if (calls.length === 0) return
  const whole = completed(own, calls, extents)
  const added = whole.nodes - own.nodes
  const sizeOf = ({ callee }: Call): number => (extents.get(callee) as Extent).nodes
  const largest = calls.reduce((best, call) => (sizeOf(call) > sizeOf(best) ? call : best), calls[0])
  const refuse = (name: keyof Limits, what: string): never => {
    throw new DyadicError(
      'limit',
      `the calls of functions, first of all of ${largest.callee.title}, become ${what}; at most ${limits[name]} are read (limit "${name}")`,
    )
  }
  const count = Number.isSafeInteger(added) ? String(added) : 'more than 2^53'
  if (added > limits.inlinedNodes) refuse('inlinedNodes', `${count} nodes`)
  if (whole.nodes > limits.nodes) refuse('nodes', `${count} nodes in addition to the ${own.nodes} of the graph`)
  if (whole.depth * MESSAGES_PER_SUBGRAPH > limits.depth)
    refuse('depth', `subgraphs nested ${whole.depth} deep, that is ${whole.depth * MESSAGES_PER_SUBGRAPH} messages`)
}

interface Survey {
  readonly own: Extent
  readonly calls: readonly Call[]
}

/** Counts nodes, with those of subgraphs, and collects calls. Subgraphs are no deeper than the decoder lets them be. */
function surveyed(nodes: readonly Message<'NodeProto'>[], functions: ModelFunctions): Survey {
  const own = { nodes: 0, depth: 0 }
  const calls: Call[] = []
  const visit = (list: readonly Message<'NodeProto'>[], depth: number): void => {
    own.nodes += list.length
    own.depth = Math.max(own.depth, depth)
    for (const node of list) {
      const callee = functions.calledBy(node)
      if (callee !== undefined) calls.push({ callee, depth })
      for (const { g, graphs } of node.attribute) {
        if (g !== undefined) visit(g.node, depth + 1)
        for (const inner of graphs) visit(inner.node, depth + 1)
      }
    }
  }
  visit(nodes, 0)
  return { own, calls }
}

function completed(own: Extent, calls: readonly Call[], extents: ReadonlyMap<ModelFunction, Extent>): Extent {
  const whole = { ...own }
  for (const { callee, depth } of calls) {
    const inner = extents.get(callee) as Extent
    whole.nodes += inner.nodes
    whole.depth = Math.max(whole.depth, depth + inner.depth)
  }
  return whole
}

/** Functions in an order in which those that one calls stand before it. Throws `refused` where there is none. */
function calleesFirst(bodies: ReadonlyMap<ModelFunction, Survey>): ModelFunction[] {
  const callers = new Map<ModelFunction, ModelFunction[]>()
  const waiting = new Map<ModelFunction, number>()
  for (const [caller, { calls }] of bodies) {
    waiting.set(caller, calls.length)
    for (const { callee } of calls) {
      const list = callers.get(callee)
      if (list === undefined) callers.set(callee, [caller])
      else list.push(caller)
    }
  }
  const order = [...bodies.keys()].filter((one) => waiting.get(one) === 0)
  for (let index = 0; index < order.length; index++)
    for (const caller of callers.get(order[index]) ?? []) {
      const left = (waiting.get(caller) as number) - 1
      waiting.set(caller, left)
      if (left === 0) order.push(caller)
    }
  if (order.length < bodies.size) refuseCircle(bodies, new Set(order))
  return order
}

/** What is not `done` is in a circle or calls into one: walking from call to call must enter it. */
function refuseCircle(bodies: ReadonlyMap<ModelFunction, Survey>, done: ReadonlySet<ModelFunction>): never {
  let one = [...bodies.keys()].find((candidate) => !done.has(candidate)) as ModelFunction
  const path: ModelFunction[] = []
  const place = new Map<ModelFunction, number>()
  while (!place.has(one)) {
    place.set(one, path.length)
    path.push(one)
    one = bodies.get(one)?.calls.find(({ callee }) => !done.has(callee))?.callee as ModelFunction
  }
  const circle = path.slice(place.get(one)).map(({ title }) => title)
  const shown = [...circle.slice(0, 10), circle.length > 10 ? `… (${circle.length} functions)` : circle[0]]
  throw new DyadicError(
    'refused',
    `functions of the model call themselves without end: ${shown.join(' calls ')}; a function must not be recursive`,
  )
}
