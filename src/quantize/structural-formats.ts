/**
 * Values that 8 bits are too coarse for, whatever the samples: the sums that run through a transformer (what a layer
 * normalisation reads, and all that is added up to it), the scores and probabilities of Softmax, products that are only
 * terms of a sum, as rotations of positions have them, and the loops of recurrent networks. They get 16 bits, before any search and unless the user says otherwise. A
 * normalisation's own output ends such a stream. Then values that would be too wide: operands of products of matrices.
 */
import type { Graph, Node } from '../graph/graph.ts'
import { operators } from '../graph/operators/index.ts'
import { readersOf } from '../graph/readers.ts'
import type { StatePair } from './plan.ts'
import { makersOf, ownsScale } from './stored-values.ts'

/** Least code of a Softmax of 16 bits: 2^−15. */
const FINEST_SHARE = 15

/** Names of the values that structure gives 16 bits. */
export function structuralValues(graph: Graph, states: readonly StatePair[] = []): ReadonlySet<string> {
  const findMaker = makersOf(graph)
  const chosen = new Set(recurrentValues(graph, states))
  const pending: string[] = []
  for (const node of graph.nodes) {
    const meaning = operators.get(node.operator)?.integer
    if (meaning === 'normalize' || meaning === 'softmax') pending.push(node.inputs[0])
    if (meaning === 'softmax') chosen.add(node.outputs[0])
    const terms = meaning === 'sum' ? node.inputs.map(findMaker) : []
    if (terms.length > 0 && terms.every((term) => term !== undefined && isTermOf(graph, term, node)))
      for (const term of terms) chosen.add(term?.outputs[0] ?? '')
  }
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const node = findMaker(name)
    if (node === undefined || chosen.has(node.outputs[0])) continue
    const meaning = operators.get(node.operator)?.integer
    if (meaning === 'normalize') continue
    chosen.add(node.outputs[0])
    pending.push(...addends(node, meaning))
  }
  return chosen
}

/**
 * Values of loops, whose errors come back with every step, and what is added to them there. A loop leads from a state to its
 * next value, or from a dense layer to another one with the same weights, as steps of one sequence have them.
 */
function recurrentValues(graph: Graph, states: readonly StatePair[]): ReadonlySet<string> {
  const findMaker = makersOf(graph)
  const chosen = new Set<string>()
  for (const { start, end } of loopsOf(graph, states)) {
    const after = new Set(start)
    for (const node of graph.nodes)
      if (node.inputs.some((name) => after.has(name)) && operators.get(node.operator)?.integer !== 'normalize')
        for (const name of node.outputs) after.add(name)
    const before = new Set(end)
    for (const node of graph.nodes.toReversed()) {
      if (!node.outputs.some((name) => before.has(name) && after.has(name))) continue
      for (const name of node.inputs) before.add(name)
      if (!ownsScale(node)) continue
      chosen.add(node.outputs[0])
      for (const name of addends(node, operators.get(node.operator)?.integer)) {
        const maker = findMaker(name)
        if (maker !== undefined) chosen.add(maker.outputs[0])
      }
    }
  }
  return chosen
}

/** Where loops start and end: all states together, and the first and the last layer of each weights. */
function loopsOf(
  graph: Graph,
  states: readonly StatePair[],
): { readonly start: readonly string[]; readonly end: readonly string[] }[] {
  const layers = new Map<string, Node[]>()
  for (const node of graph.nodes) {
    if (node.operator !== 'dyadic.Dense') continue
    const same = layers.get(node.inputs[1])
    if (same === undefined) layers.set(node.inputs[1], [node])
    else same.push(node)
  }
  const steps = [...layers.values()]
    .filter((same) => same.length > 1)
    .map((same) => ({ start: same[0].outputs, end: same.at(-1)?.outputs ?? [] }))
  const carried = { start: states.map(({ input }) => input), end: states.map(({ output }) => output) }
  return states.length > 0 ? [carried, ...steps] : steps
}

/** Whether a node is a product that only a sum reads. */
function isTermOf(graph: Graph, node: Node, sum: Node): boolean {
  return operators.get(node.operator)?.integer === 'product' && isOnlyReader(graph, node.outputs[0], sum)
}

/** The values that a node adds up as they are. */
function addends(node: Node, meaning: string | undefined): readonly string[] {
  if (meaning === 'sum' || meaning === 'join') return node.inputs
  return meaning === 'accumulate' && node.inputs[3] ? [node.inputs[3]] : []
}

/**
 * The value that an observer of rows sees in place of the argument of a Softmax, by the name of the value whose range it
 * chooses: where nothing but that Softmax reads the value, perhaps after it was moved.
 */
export function softmaxArguments(graph: Graph): ReadonlyMap<string, Node> {
  const findMaker = makersOf(graph)
  const found = new Map<string, Node>()
  for (const node of graph.nodes) {
    if (operators.get(node.operator)?.integer !== 'softmax') continue
    const [name] = findMaker(node.inputs[0])?.outputs ?? []
    if (name !== undefined && isOnlyReader(graph, name, node)) found.set(name, node)
  }
  return found
}

function isOnlyReader(graph: Graph, name: string, reader: Node): boolean {
  for (let value = name; ; ) {
    const readers = readersOf(graph, value)
    if (readers.length !== 1 || graph.outputs.includes(value)) return false
    const [node] = readers
    if (node === reader) return true
    if (node.outputs.length !== 1) return false
    value = node.outputs[0]
  }
}

/**
 * Bits of the fraction of probabilities with 16 bits: 15, or fewer where a product of matrices adds up so many of them that
 * int32 could not hold the sum. `largest` is the greatest magnitude of a code that a value multiplies with.
 */
export function shareBits(graph: Graph, softmax: Node, largest: (name: string) => number): number {
  const findMaker = makersOf(graph)
  let bits = FINEST_SHARE
  for (const node of graph.nodes) {
    if (operators.get(node.operator)?.integer !== 'matrix-product') continue
    const side = node.inputs.findIndex((name) => findMaker(name) === softmax)
    if (side < 0) continue
    const inner = graph.values.get(node.inputs[0])?.shape.at(-1) ?? 1
    const other = largest(findMaker(node.inputs[1 - side])?.outputs[0] ?? node.inputs[1 - side])
    while (bits > 1 && inner * 2 ** bits * other >= 2 ** 31) bits--
  }
  return bits
}

/**
 * Values that must not take more than 8 bits, given those that would take 16: operands of products of matrices whose sums
 * int32 could not hold otherwise, the right one before the left one. Probabilities are no concern here ({@link shareBits}).
 */
export function narrowOperands(graph: Graph, isWide: (name: string) => boolean): ReadonlySet<string> {
  const findMaker = makersOf(graph)
  const narrow = new Set<string>()
  for (const node of graph.nodes) {
    if (operators.get(node.operator)?.integer !== 'matrix-product') continue
    const inner = graph.values.get(node.inputs[0])?.shape.at(-1) ?? 1
    const makers = node.inputs.map(findMaker)
    const bound = (maker: Node | undefined): number => {
      const [name] = maker?.outputs ?? ['']
      return isWide(name) && !narrow.has(name) ? 2 ** 15 : 255
    }
    for (const maker of makers.toReversed()) {
      if (inner * bound(makers[0]) * bound(makers[1]) < 2 ** 31) break
      const isShare = maker !== undefined && operators.get(maker.operator)?.integer === 'softmax'
      if (maker !== undefined && !isShare) narrow.add(maker.outputs[0])
    }
  }
  return narrow
}
