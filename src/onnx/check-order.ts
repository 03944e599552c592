/**
 * Names and order of a graph: every value has one producer, every value read exists, and nodes stand in topological
 * order, as ONNX requires. Iterative throughout, so a chain of a million nodes is no deeper than one of ten.
 */
import { DyadicError, quoted } from '../error.ts'

export interface OrderedNode {
  readonly name: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
}

/**
 * Checks `nodes` over the values `given` (inputs and constants). Throws `refused` on a value with two producers, a value
 * that nothing produces, a cycle (with its nodes) and a node before its producer.
 */
export function checkOrder(nodes: readonly OrderedNode[], given: { has(name: string): boolean }): void {
  const producers = new Map<string, number>()
  for (const [index, node] of nodes.entries())
    for (const output of node.outputs) {
      if (output === '') continue
      const other = producers.get(output)
      if (given.has(output) || other !== undefined)
        throw new DyadicError(
          'refused',
          `value ${quoted(output)} is produced twice: by node ${quoted(node.name)} and ` +
            (other === undefined ? 'as an input or initializer of the graph' : `by node ${quoted(nodes[other].name)}`),
        )
      producers.set(output, index)
    }
  let misplaced: { reader: number; value: string; producer: number } | undefined
  for (const [reader, node] of nodes.entries())
    for (const value of node.inputs) {
      if (value === '' || given.has(value)) continue
      const producer = producers.get(value)
      if (producer === undefined)
        throw new DyadicError(
          'refused',
          `node ${quoted(node.name)} reads ${quoted(value)}, which is no input, no initializer and no node's output`,
        )
      if (producer >= reader) misplaced ??= { reader, value, producer }
    }
  if (misplaced === undefined) return
  const cycle = findCycle(nodes, producers)
  if (cycle !== undefined)
    throw new DyadicError(
      'refused',
      `the graph has a cycle of ${cycle.length} nodes: ${cycle.slice(0, 10).map(quoted).join(' reads from ')}` +
        (cycle.length > 10 ? ' …' : '') +
        '; a network must not read its own results',
    )
  throw new DyadicError(
    'refused',
    `nodes are out of order: node ${quoted(nodes[misplaced.reader].name)} reads ${quoted(misplaced.value)}, ` +
      `which node ${quoted(nodes[misplaced.producer].name)} produces later; ONNX requires topological order`,
  )
}

/** Names of the nodes of one cycle, each reading from the next, or `undefined` when there is none. */
function findCycle(nodes: readonly OrderedNode[], producers: ReadonlyMap<string, number>): string[] | undefined {
  const readers: number[][] = nodes.map(() => [])
  const waiting = new Int32Array(nodes.length)
  for (const [reader, node] of nodes.entries())
    for (const value of node.inputs) {
      const producer = producers.get(value)
      if (producer === undefined) continue
      readers[producer].push(reader)
      waiting[reader]++
    }
  const ready: number[] = []
  for (let node = 0; node < nodes.length; node++) if (waiting[node] === 0) ready.push(node)
  for (let node = ready.pop(); node !== undefined; node = ready.pop())
    for (const reader of readers[node]) if (--waiting[reader] === 0) ready.push(reader)
  // What still waits is on a cycle or behind one: walking against the flow must enter it.
  let node = waiting.findIndex((count) => count > 0)
  if (node < 0) return undefined
  const path: number[] = []
  const place = new Map<number, number>()
  while (!place.has(node)) {
    place.set(node, path.length)
    path.push(node)
    const blocked = nodes[node].inputs.find((value) => waiting[producers.get(value) ?? -1] > 0) as string
    node = producers.get(blocked) as number
  }
  return path.slice(place.get(node)).map((index) => nodes[index].name)
}
